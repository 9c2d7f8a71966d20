//! Promises (`rules/policies.yaml`): what no rule may do. Every planned action is held against all of them before it is done.

use super::plan::{Action, SeenValue};
use super::ruleset::{Expr, Ruleset};
use super::script::{View, limits};
use crate::domain::event::SubjectKind;
use crate::domain::time::{Millis, Timestamp};
use rhai::{Dynamic, Scope};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What `action` can be.
pub const ACTIONS: &[&str] = &["move", "sms", "task", "close_tasks", "set", "note", "cancel", "tag", "untag", "alert", "emit"];
/// What `category` can be: that of a text, or `none`.
pub const CATEGORIES: &[&str] = &["transactional", "recall", "marketing", "none"];
/// What a `limit` can count.
pub const COUNTED: &[&str] = &["sms", "task"];

#[derive(Clone, Debug)]
pub struct Promise {
    pub id: String,
    pub about: String,
    pub owner: Option<String>,
    pub file: Arc<str>,
    pub line: usize,
    pub what: Promised,
    pub then: Then,
    /// The only action that it can be about; `None` for any.
    pub only: Option<&'static str>,
}

#[derive(Clone, Debug)]
pub enum Promised {
    /// Broken when all lines are true.
    Never(Vec<Expr>),
    Limit(ActionLimit),
}

/// At most `max` actions of one kind within a time, for one contact or booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActionLimit {
    /// One of [`COUNTED`].
    pub action: &'static str,
    pub max: u32,
    pub within: Millis,
    pub per: SubjectKind,
}

/// What becomes of an action that would break a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It is not done.
    Block,
    /// A text leaves when texts may leave again; anything else is not done.
    MoveToWindow,
    /// It is done, and somebody is told.
    Alert,
}

impl Then {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::MoveToWindow => "move_to_window",
            Self::Alert => "alert",
        }
    }
}

/// A planned action, as promises see it.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    pub action: &'a Action,
    pub rule_id: &'a str,
    /// When it takes effect: texts may wait.
    pub at: Timestamp,
    /// A text that answers what the person has just done.
    pub is_immediate: bool,
}

/// What a promise says of an action.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    Kept,
    /// With what the condition saw.
    Broken(Vec<SeenValue>),
    /// The condition itself failed: nobody knows, so it counts as broken.
    Failed(String),
}

/// The step's word in the language.
#[must_use]
pub const fn action_name(action: &Action) -> &'static str {
    match action {
        Action::Move { .. } => "move",
        Action::Sms { .. } => "sms",
        Action::Task { .. } => "task",
        Action::CloseTasks { .. } => "close_tasks",
        Action::Set { .. } => "set",
        Action::Note { .. } => "note",
        Action::CancelSms { .. } => "cancel",
        Action::Tag { .. } => "tag",
        Action::Untag { .. } => "untag",
        Action::Alert { .. } => "alert",
        Action::Emit { .. } => "emit",
        Action::Stop { .. } => "stop",
    }
}

/// The one action that these lines can be about: a line that begins with `action == "sms"` is false for every other. `None` when
/// they may be about any.
fn only_action(lines: &[Expr]) -> Option<&'static str> {
    lines.iter().find_map(|line| {
        let rest = line.text.trim().strip_prefix("action == \"")?;
        let (action, rest) = rest.split_once('"')?;
        // Another way for the line to be true would stand after an `or`.
        let alternatives = ["or", "||", "??", "?", "if"];
        let is_all =
            rest.trim().is_empty() || (rest.trim_start().starts_with("and ") && !outside_of_brackets(rest, &alternatives));
        ACTIONS.iter().find(|known| is_all && **known == action).copied()
    })
}

/// Whether one of the words stands in the text, not inside of brackets or quotes.
fn outside_of_brackets(text: &str, words: &[&str]) -> bool {
    let (mut depth, mut quoted, mut plain) = (0_i32, false, String::new());
    for c in text.chars() {
        match c {
            '"' | '\'' | '`' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth -= 1,
            _ => {}
        }
        plain.push(if depth == 0 && !quoted { c } else { '_' });
    }
    plain.split_whitespace().any(|word| words.contains(&word)) || plain.contains("||") || plain.contains('?')
}

impl Promise {
    /// Whether the promise can say anything about an action of this name.
    #[must_use]
    pub fn concerns(&self, action: &str) -> bool {
        self.only.is_none_or(|only| only == action)
    }

    /// Knows which action it is about, so that others need not be held against it.
    #[must_use]
    pub fn focused(mut self) -> Self {
        self.only = match &self.what {
            Promised::Never(lines) => only_action(lines),
            Promised::Limit(limit) => Some(limit.action),
        };
        self
    }

    /// The condition or limit in words.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.what {
            Promised::Never(lines) => {
                let lines: Vec<&str> = lines.iter().map(|l| l.text.as_str()).collect();
                format!("never {}", lines.join(" and "))
            }
            Promised::Limit(limit) => {
                format!("at most {} {} in {} h per {}", limit.max, limit.action, hours(limit.within), limit.per.as_str())
            }
        }
    }
}

/// One action, held against one promise after the other.
pub struct Trial<'a> {
    ruleset: &'a Ruleset,
    view: &'a View,
    scope: Scope<'static>,
}

impl<'a> Trial<'a> {
    #[must_use]
    pub fn new(ruleset: &'a Ruleset, view: &'a View, candidate: Candidate<'_>) -> Self {
        let mut scope = ruleset.host.scope(view);
        for (name, value) in names(candidate) {
            scope.push_constant_dynamic(name, value);
        }
        Self { ruleset, view, scope }
    }

    /// Against the lines of a `never`. A promise that reads a record which the action does not have says nothing about it.
    #[must_use]
    pub fn check_never(&mut self, lines: &[Expr]) -> Verdict {
        limits::begin_rule();
        let height = self.scope.len();
        let verdict = catch_unwind(AssertUnwindSafe(|| self.check_lines(lines)))
            .unwrap_or_else(|_| Verdict::Failed("the condition failed unexpectedly".to_owned()));
        self.scope.rewind(height);
        verdict
    }

    fn check_lines(&mut self, lines: &[Expr]) -> Verdict {
        let mut seen = Vec::new();
        for line in lines {
            match self.ruleset.host.holds(line, &mut self.scope) {
                Ok(false) => return Verdict::Kept,
                Ok(true) => seen.extend(self.view.seen(line, &self.scope)),
                Err(_) if reads_what_is_not_there(line, self.view) => return Verdict::Kept,
                Err(error) => return Verdict::Failed(error.message),
            }
        }
        Verdict::Broken(seen)
    }
}

fn names(candidate: Candidate<'_>) -> [(&'static str, Dynamic); 6] {
    let (template, category) = match candidate.action {
        Action::Sms { template, category, .. } => (template.as_str(), category.as_str()),
        _ => ("", "none"),
    };
    [
        ("action", action_name(candidate.action).into()),
        ("template", template.into()),
        ("category", category.into()),
        ("rule", candidate.rule_id.into()),
        ("at", Dynamic::from(candidate.at)),
        ("immediate", candidate.is_immediate.into()),
    ]
}

fn reads_what_is_not_there(line: &Expr, view: &View) -> bool {
    let is_missing = |root: &str| view.read(root).is_some_and(|value| value.is_unit());
    let root = |path: &String| path.split('.').next().unwrap_or("").to_owned();
    line.reads.iter().map(root).any(|root| matches!(root.as_str(), "contact" | "booking") && is_missing(&root))
}

const fn hours(span: Millis) -> i64 {
    span.0 / Millis::HOUR.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(lines: &[&str]) -> Option<&'static str> {
        let expr = |text: &&str| Expr {
            text: (*text).to_owned(),
            ast: rhai::AST::empty(),
            file: "rules/policies.yaml".into(),
            line: 1,
            column: 1,
            reads: Vec::new(),
        };
        only_action(&lines.iter().map(expr).collect::<Vec<_>>())
    }

    #[test]
    fn a_promise_knows_which_action_it_is_about_only_when_it_is_certain() {
        assert_eq!(only(&[r#"action == "sms""#]), Some("sms"));
        assert_eq!(only(&[r#"action == "sms" and (at.hour < 8 or at.hour >= 20)"#]), Some("sms"));
        assert_eq!(only(&[r#"booking.status == "cancelled""#, r#"action == "task" and rule != "or""#]), Some("task"));
        for any in [
            r#"action == "sms" or contact.opted_out"#,
            r#"action == "sms" and contact.opted_out or now.hour < 8"#,
            r#"action == "sms" and contact.opted_out || now.hour < 8"#,
            r#"not (action == "sms")"#,
            r#"action == "pigeon""#,
            "contact.opted_out",
        ] {
            assert_eq!(only(&[any]), None, "{any}");
        }
    }
}
