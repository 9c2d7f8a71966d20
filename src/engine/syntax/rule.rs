//! One rule's keys.

use super::fields::{Fields, Keys, Reader};
use super::{LimitSyntax, RuleSyntax, did_you_mean};
use crate::domain::event::SubjectKind;
use crate::engine::diagnostic::names;
use crate::engine::ruleset::IfRunning;
use crate::engine::source::{Entry, Kind, Node, Place, Scalar};

/// Length of an id.
const ID_CHARACTERS_MAX: usize = 80;
/// Variables of one rule.
const VARS_MAX: usize = 50;

pub(super) const RULE: Keys = Keys {
    what: "a rule",
    known: &[
        "id",
        "was",
        "name",
        "about",
        "owner",
        "enabled",
        "when",
        "while",
        "if",
        "do",
        "vars",
        "limit",
        "if_running",
        "rollout",
        "expect",
        "on_error",
    ],
    later: &[],
};
pub(super) const LIMIT: Keys = Keys { what: "`limit`", known: &["max", "in", "per"], later: &[] };

impl Reader<'_> {
    pub fn rule(&mut self, node: Node, defaults: &[Entry]) -> Option<RuleSyntax> {
        let at = node.at;
        let Kind::Map(mut entries, _) = node.kind else {
            let message = format!("a rule is a map of keys and values, not {}", node.describe());
            self.error(names::WRONG_SHAPE, at, message, Some("begin each rule with `- id: name`".to_owned()));
            return None;
        };
        let missing = defaults.iter().filter(|d| !entries.iter().any(|e| e.key.text == d.key.text));
        let inherited: Vec<Entry> = missing.cloned().collect();
        entries.extend(inherited);
        let mut fields = self.fields_of(entries, at, &RULE);
        let id = fields.need("id", self).and_then(|n| self.id(n));
        let (when, labels) = fields.need("when", self).map(|n| self.triggers(n)).unzip();
        let steps = fields.need("do", self).map(|n| self.steps(n));
        let rest = self.optional_parts(&mut fields, at);
        let (id, when, labels, steps) = (id?, when?, labels?, steps?);
        Some(RuleSyntax { id, when, labels, steps, ..rest })
    }

    /// Everything that a rule may leave out. `id`, `when` and `do` are filled in by the caller.
    fn optional_parts(&mut self, fields: &mut Fields, at: Place) -> RuleSyntax {
        let mut text = |reader: &mut Self, key: &str| fields.take(key).and_then(|n| reader.scalar(n, &format!("`{key}`")));
        text(self, "was");
        let (name, about, owner) = (text(self, "name"), text(self, "about"), text(self, "owner"));
        RuleSyntax {
            at,
            id: name.clone().unwrap_or_else(Scalar::nothing),
            name,
            about,
            owner,
            enabled: fields.take("enabled").and_then(|n| self.boolean(n, "`enabled`")).unwrap_or(true),
            when: Vec::new(),
            labels: Vec::new(),
            if_running: fields.take("if_running").and_then(|n| self.if_running(n)),
            while_: fields.take("while").map(|n| self.scalars(n, "`while`")).unwrap_or_default(),
            if_: fields.take("if").map(|n| self.scalars(n, "`if`")).unwrap_or_default(),
            vars: fields.take("vars").map(|n| self.vars(n)).unwrap_or_default(),
            steps: Vec::new(),
            limit: fields.take("limit").and_then(|n| self.limit(n)),
            guard: self.guard(fields, at),
        }
    }

    fn if_running(&mut self, node: Node) -> Option<IfRunning> {
        let scalar = self.scalar(node, "`if_running`")?;
        let found = IfRunning::parse(&scalar.text);
        if found.is_none() {
            let message = format!("`if_running` is skip, restart, queue or parallel, not `{}`", scalar.text);
            self.error(names::BAD_VALUE, scalar.at, message, did_you_mean(&scalar.text, IfRunning::NAMES, "it can be"));
        }
        found
    }

    fn id(&mut self, node: Node) -> Option<Scalar> {
        let id = self.scalar(node, "`id`")?;
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if id.text.len() > ID_CHARACTERS_MAX || !id.text.chars().all(good) {
            let help = format!("letters, digits, `-`, `_` and `.`, at most {ID_CHARACTERS_MAX}");
            self.error(names::BAD_VALUE, id.at, "this is not an id", Some(help));
            return None;
        }
        Some(id)
    }

    fn vars(&mut self, node: Node) -> Vec<(Scalar, Scalar)> {
        let at = node.at;
        let Kind::Map(entries, _) = node.kind else {
            self.error(names::WRONG_SHAPE, at, format!("`vars` is a map of names and values, not {}", node.describe()), None);
            return Vec::new();
        };
        if entries.len() > VARS_MAX {
            self.error(names::TOO_MANY, at, format!("there are more than {VARS_MAX} variables"), None);
            return Vec::new();
        }
        entries.into_iter().filter_map(|e| Some((e.key, self.scalar(e.value, "a variable")?))).collect()
    }

    fn limit(&mut self, node: Node) -> Option<LimitSyntax> {
        let at = node.at;
        let mut fields = self.fields(node, &LIMIT)?;
        let max = fields.need("max", self).and_then(|n| self.limit_max(n));
        let within = fields.need("in", self).and_then(|n| self.duration(n, "`in`"));
        let per = fields.take("per").map_or(Some(SubjectKind::Contact), |n| self.subject(n, "`per`"));
        let (max, within, per) = (max?, within?, per?);
        if within.0 == 0 {
            self.error(names::BAD_LIMIT, at, "a limit within no time limits nothing", Some("write `in: 7d`".to_owned()));
            return None;
        }
        Some(LimitSyntax { at, max, within, per })
    }

    fn limit_max(&mut self, node: Node) -> Option<u32> {
        let scalar = self.scalar(node, "`max`")?;
        let found = scalar.text.parse().ok().filter(|n| *n >= 1);
        if found.is_none() {
            let message = format!("`max` is a whole number of at least 1, not `{}`", scalar.text);
            self.error(names::BAD_LIMIT, scalar.at, message, None);
        }
        found
    }

    /// `contact` or `booking`.
    pub fn subject(&mut self, node: Node, what: &str) -> Option<SubjectKind> {
        let scalar = self.scalar(node, what)?;
        let found = SubjectKind::parse(&scalar.text).filter(|k| *k != SubjectKind::Clinic);
        if found.is_none() {
            self.error(names::BAD_VALUE, scalar.at, format!("{what} is `contact` or `booking`, not `{}`", scalar.text), None);
        }
        found
    }
}
