//! One rule: every part checked in its scope, and turned into what evaluation runs on.

use super::Templates;
use super::flow::Inside;
use super::outline::Outlines;
use crate::engine::check::{Environment, Part, Scope, Ty, Wanted, check_expression, of};
use crate::engine::diagnostic::names;
use crate::engine::guard::{Guard, Rollout};
use crate::engine::ruleset::{Expr, Limit, Rule, Trigger, Value};
use crate::engine::schema::Type;
use crate::engine::source::{Place, Problems, Scalar, SourceFile};
use crate::engine::syntax::{GuardSyntax, LimitSyntax, RuleSyntax, did_you_mean, list_of};

/// What `waited` says: nothing yet, the awaited event, or the time.
const WAITED: &[&str] = &["no", "event", "time"];
/// Names that mean something in some rules, and must not mean something else in others.
const RESERVED: &[&str] = &["contact", "booking", "event", "message", "task", "clinic", "now", "trigger", "waited"];

/// Checks and compiles the rules of one file.
pub(super) struct Lowering<'a> {
    pub env: &'a Environment<'a>,
    pub templates: &'a Templates,
    pub outlines: &'a Outlines,
    pub file: &'a SourceFile,
    pub problems: &'a mut Problems,
}

impl Lowering<'_> {
    /// Parts with problems are left out; the problems say why.
    pub fn rule(&mut self, syntax: RuleSyntax) -> Rule {
        let expected = syntax.when.len();
        let triggers: Vec<_> = syntax.when.into_iter().filter_map(|t| self.trigger(t)).collect();
        let understood = triggers.len() == expected && expected > 0;
        let mut scope = if understood {
            Scope::of_triggers(&triggers, |name| self.outlines.records_of_event(name))
        } else {
            Scope::tolerant()
        };
        scope.later = syntax.vars.iter().map(|(name, _)| name.text.clone()).collect();
        let dated = triggers.iter().any(|t| matches!(t, Trigger::Date { .. } | Trigger::Holds { .. }));
        let while_ = self.lifetime(&syntax.while_, &mut scope, dated);
        let if_ = self.conditions(&syntax.if_, &mut scope);
        scope.later.clear();
        let waits = self.waits(&syntax.steps);
        let vars = self.vars(syntax.vars, &mut scope, waits);
        if waits {
            scope.declare("waited", of(Type::Enum(WAITED)));
        }
        let limit = syntax.limit.and_then(|limit| self.limit(&limit, &scope));
        let contact = scope.find("contact").is_some();
        let title = syntax.name.as_ref().map_or(syntax.id.text.as_str(), |name| name.text.as_str()).to_owned();
        let inside = Inside { rule_id: &syntax.id.text, rule_name: &title, in_each: false };
        let steps = self.steps("do", syntax.steps, &mut scope, inside);
        Rule {
            name: title.clone(),
            id: syntax.id.text.clone(),
            about: syntax.about.map(|s| s.text).unwrap_or_default(),
            owner: syntax.owner.map(|s| s.text),
            enabled: syntax.enabled,
            file: self.file.path.clone(),
            line: syntax.at.line,
            triggers,
            labels: syntax.labels.into_iter().map(|label| label.map(|s| s.text)).collect(),
            if_running: syntax.if_running.unwrap_or_default(),
            while_,
            if_,
            vars,
            steps,
            limit,
            guard: self.guard(&syntax.guard, contact),
        }
    }

    /// `while`. For a date it decides, long before anything happens, whether there is a timer: there is no event then. It is
    /// never about what set the rule off.
    fn lifetime(&mut self, lines: &[Scalar], scope: &mut Scope, dated: bool) -> Vec<Expr> {
        let mut hidden: Vec<(&str, Ty)> = scope.find("trigger").map(|ty| ("trigger", ty)).into_iter().collect();
        hidden.extend(scope.find("event").filter(|_| dated).map(|ty| ("event", ty)));
        for (name, _) in &hidden {
            scope.hide(name);
        }
        let compiled = self.conditions(lines, scope);
        for (name, ty) in hidden {
            scope.declare(name, ty);
        }
        compiled
    }

    /// Conditions in order: each may rely on the ones before, and the scope knows them afterwards.
    pub fn conditions(&mut self, lines: &[Scalar], scope: &mut Scope) -> Vec<Expr> {
        let mut compiled = Vec::new();
        for line in lines {
            let part = Part::whole(self.file, line);
            if let Some(checked) = check_expression(self.env, part, scope, &Wanted::Truth, self.problems) {
                scope.know(checked.proves);
                compiled.push(checked.expr);
            }
        }
        compiled
    }

    /// `waits`: the values must be such that they can be kept until later.
    fn vars(&mut self, vars: Vec<(Scalar, Scalar)>, scope: &mut Scope, waits: bool) -> Vec<(String, Expr)> {
        let mut compiled = Vec::new();
        for (name, value) in vars {
            if !self.is_free_name(&name, scope) {
                continue;
            }
            let plain = value.text.parse::<f64>().is_ok() || value.text.parse::<bool>().is_ok();
            let (text, skip) = match value.text.strip_prefix('=') {
                Some(text) => (text, 1),
                None if plain => (value.text.as_str(), 0),
                None => {
                    let help = Some(format!("begin it with `=`: `={}`", value.text));
                    self.error(names::WRONG_RESULT, value.at, "a variable is an expression", help);
                    scope.declare(&name.text, Ty::unknown());
                    continue;
                }
            };
            let part = Part { file: self.file, scalar: &value, text, skip };
            match check_expression(self.env, part, scope, &Wanted::Anything, self.problems) {
                Some(checked) => {
                    scope.declare(&name.text, checked.ty);
                    if waits && !checked.ty.is_plain() {
                        let message =
                            format!("the rule waits, and `{}` is {}, which cannot be kept", name.text, checked.ty.describe());
                        let help = Some("keep one of its fields, or name the record in the steps".to_owned());
                        self.error(names::BAD_WAIT, value.at, message, help);
                    }
                    compiled.push((name.text, checked.expr));
                }
                None => scope.declare(&name.text, Ty::unknown()),
            }
        }
        compiled
    }

    /// The text is a name that nothing has yet.
    pub fn is_free_name(&mut self, name: &Scalar, scope: &Scope) -> bool {
        let mut letters = name.text.chars();
        let word = letters.next().is_some_and(|c| c.is_ascii_lowercase() || c == '_')
            && letters.all(|c| c.is_ascii_alphanumeric() || c == '_');
        let message = if !word {
            format!("`{}` is not a name for a variable", name.text)
        } else if scope.find(&name.text).is_some() || RESERVED.contains(&name.text.as_str()) {
            format!("`{}` is taken", name.text)
        } else {
            return true;
        };
        self.error(names::BAD_VALUE, name.at, message, Some("use small letters, digits and `_`".to_owned()));
        false
    }

    /// Who is in and who is out can be said of contacts only.
    fn guard(&mut self, syntax: &GuardSyntax, has_contact: bool) -> Guard {
        if !has_contact && matches!(syntax.guard.rollout, Rollout::Percent(_) | Rollout::TestContacts) {
            let message = format!("`rollout: {}` chooses contacts, and there is no `contact` here", syntax.guard.rollout.text());
            self.error(names::NO_RECORD, syntax.at, message, Some("it can be `live` or `shadow`".to_owned()));
        }
        syntax.guard
    }

    fn limit(&mut self, limit: &LimitSyntax, scope: &Scope) -> Option<Limit> {
        if scope.find(limit.per.as_str()).is_none() {
            let message = format!("there is no `{}` here to count for", limit.per.as_str());
            self.error(names::BAD_LIMIT, limit.at, message, None);
            return None;
        }
        Some(Limit { max: limit.max, within: limit.within, per: limit.per })
    }

    /// A literal or `=expression` of a certain type; `what` names what takes it.
    pub fn value(&mut self, scalar: &Scalar, scope: &Scope, ty: Ty, what: &str) -> Option<Value> {
        if let Some(text) = scalar.text.strip_prefix('=') {
            let part = Part { file: self.file, scalar, text, skip: 1 };
            let wanted = Wanted::Value { ty, what };
            return check_expression(self.env, part, scope, &wanted, self.problems).map(|c| Value::Expr(c.expr));
        }
        let found = literal(scalar, ty);
        if found.is_none() {
            let (message, help) = wrong_literal(scalar, ty, what);
            self.error(names::WRONG_RESULT, scalar.at, message, help);
        }
        found
    }

    pub fn error(&mut self, code: &str, at: Place, message: impl Into<String>, help: Option<String>) {
        self.problems.error(code, &self.file.path, at, message, help);
    }
}

fn literal(scalar: &Scalar, ty: Ty) -> Option<Value> {
    let text = scalar.text.as_str();
    if scalar.is_null() {
        return ty.maybe.then_some(Value::Nothing);
    }
    if let Some(words) = ty.words() {
        return words.contains(&text).then(|| Value::Text(text.to_owned()));
    }
    if ty.optional(false) == of(Type::Bool) {
        return text.parse().ok().map(Value::Bool);
    }
    if ty.is(Type::Int) {
        return text.parse().ok().map(Value::Int);
    }
    ty.is(Type::Text).then(|| Value::Text(text.to_owned()))
}

fn wrong_literal(scalar: &Scalar, ty: Ty, what: &str) -> (String, Option<String>) {
    let text = &scalar.text;
    if let Some(words) = ty.words() {
        let mut help = did_you_mean(text, words, "it can be").unwrap_or_default();
        if help.starts_with("did you mean") {
            help = format!("{help} it can be: {}", list_of(words));
        }
        return (format!("`{text}` is not a value of {what}"), Some(help));
    }
    let message = format!("{what} is {}, and `{text}` is none", ty.describe());
    if ty.is(Type::Time) && text.starts_with(|c: char| c.is_ascii_digit()) {
        return (message, Some("a time is an expression, such as `=now + 2.days`".to_owned()));
    }
    let help = text.contains(['(', '.', '+', ' ']) || ty.is(Type::Time);
    (message, help.then(|| format!("an expression begins with `=`: `={text}`")))
}
