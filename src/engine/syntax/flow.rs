//! Steps that say which other steps are taken, when, and how often.

use super::fields::{Keys, Reader};
use super::{ActionSyntax, BranchSyntax, WaitSyntax};
use crate::domain::time::Millis;
use crate::engine::diagnostic::names;
use crate::engine::source::{Kind, Node, Scalar};

/// Ways of one `choose`.
const BRANCHES_MAX: usize = 20;
/// Texts that one `emit` hands on.
const EMIT_DATA_MAX: usize = 20;
/// Longest wait.
const WAIT_MAX: Millis = Millis::days(365);

pub(super) const BRANCH: Keys = Keys { what: "a way of `choose`", known: &["if", "do"], later: &[] };
pub(super) const EACH: Keys = Keys { what: "`each`", known: &["in", "as", "do"], later: &[] };
pub(super) const EMIT: Keys = Keys { what: "`emit`", known: &["event", "data"], later: &[] };
pub(super) const WAIT: Keys = Keys { what: "`wait`", known: &["until", "event", "for"], later: &[] };

impl Reader<'_> {
    /// `true`, or why.
    pub(super) fn stop(&mut self, node: Node) -> Option<ActionSyntax> {
        let scalar = self.scalar(node, "`stop`")?;
        match scalar.text.as_str() {
            "true" if scalar.is_plain() => Some(ActionSyntax::Stop { reason: None }),
            "false" if scalar.is_plain() => {
                let help = Some("leave the step out".to_owned());
                self.error(names::BAD_VALUE, scalar.at, "`stop: false` does nothing", help);
                None
            }
            _ => Some(ActionSyntax::Stop { reason: Some(scalar) }),
        }
    }

    pub(super) fn choose(&mut self, node: Node) -> Option<ActionSyntax> {
        let at = node.at;
        let Kind::List(items) = node.kind else {
            let help = Some("write `- if: …` with its `do:`, and at the end `- do:` for everything else".to_owned());
            self.error(names::WRONG_SHAPE, at, format!("`choose` is a list of ways, not {}", node.describe()), help);
            return None;
        };
        if items.is_empty() || items.len() > BRANCHES_MAX {
            self.error(names::TOO_MANY, at, format!("`choose` has 1 to {BRANCHES_MAX} ways"), None);
            return None;
        }
        let count = items.len();
        let branches: Vec<BranchSyntax> = items.into_iter().filter_map(|item| self.branch(item)).collect();
        for branch in branches.iter().rev().skip(1).filter(|b| b.if_.is_empty()) {
            let help = Some("a way without `if` is the last: it is taken when no other is".to_owned());
            self.error(names::MISSING_KEY, branch.at, "this way needs an `if`, for others come after it", help);
        }
        (branches.len() == count).then_some(ActionSyntax::Choose(branches))
    }

    fn branch(&mut self, node: Node) -> Option<BranchSyntax> {
        let at = node.at;
        let mut fields = self.fields(node, &BRANCH)?;
        let if_ = fields.take("if").map(|n| self.scalars(n, "`if`")).unwrap_or_default();
        let steps = fields.need("do", self).map(|n| self.steps(n))?;
        Some(BranchSyntax { at, if_, steps })
    }

    pub(super) fn each(&mut self, node: Node) -> Option<ActionSyntax> {
        let mut fields = self.fields(node, &EACH)?;
        let list = self.needed(&mut fields, "in");
        let name = self.needed(&mut fields, "as");
        let steps = fields.need("do", self).map(|n| self.steps(n));
        Some(ActionSyntax::Each { list: list?, name: name?, steps: steps? })
    }

    pub(super) fn emit(&mut self, node: Node) -> Option<ActionSyntax> {
        if matches!(node.kind, Kind::Scalar(_)) {
            return Some(ActionSyntax::Emit { event: self.scalar(node, "`emit`")?, data: Vec::new() });
        }
        let mut fields = self.fields(node, &EMIT)?;
        let event = self.needed(&mut fields, "event")?;
        let data = match fields.take("data") {
            Some(node) => self.emit_data(node)?,
            None => Vec::new(),
        };
        Some(ActionSyntax::Emit { event, data })
    }

    fn emit_data(&mut self, node: Node) -> Option<Vec<(Scalar, Scalar)>> {
        let at = node.at;
        let Kind::Map(entries, _) = node.kind else {
            self.error(names::WRONG_SHAPE, at, format!("`data` is a map of names and texts, not {}", node.describe()), None);
            return None;
        };
        if entries.len() > EMIT_DATA_MAX {
            self.error(names::TOO_MANY, at, format!("an event carries at most {EMIT_DATA_MAX} texts"), None);
            return None;
        }
        let count = entries.len();
        let pairs: Vec<_> = entries.into_iter().filter_map(|e| self.pair(e)).collect();
        (pairs.len() == count).then_some(pairs)
    }

    /// `2h`, `{ until: =time }` or `{ event: name, for: 7d }`.
    pub(super) fn wait(&mut self, node: Node) -> Option<ActionSyntax> {
        if matches!(node.kind, Kind::Scalar(_)) {
            return Some(ActionSyntax::Wait(WaitSyntax::For(self.wait_span(node, "`wait`")?)));
        }
        let at = node.at;
        let mut fields = self.fields(node, &WAIT)?;
        let until = fields.take("until");
        let event = fields.take("event");
        let limit = fields.take("for");
        let help = "write `wait: 2h`, `wait: { until: =time }` or `wait: { event: name, for: 7d }`".to_owned();
        match (until, event, limit) {
            (Some(until), None, None) => Some(ActionSyntax::Wait(WaitSyntax::Until(self.scalar(until, "`until`")?))),
            (None, Some(event), Some(limit)) => {
                let name = self.scalar(event, "`event`");
                let limit = self.wait_span(limit, "`for`");
                Some(ActionSyntax::Wait(WaitSyntax::Event { name: name?, limit: limit? }))
            }
            (None, None, Some(limit)) => Some(ActionSyntax::Wait(WaitSyntax::For(self.wait_span(limit, "`for`")?))),
            (None, Some(_), None) => {
                self.error(names::MISSING_KEY, at, "a wait for an event needs `for`: it must end at some time", Some(help));
                None
            }
            _ => {
                if !fields.refused {
                    self.error(names::BAD_WAIT, at, "this does not say what is waited for", Some(help));
                }
                None
            }
        }
    }

    fn wait_span(&mut self, node: Node, what: &str) -> Option<Millis> {
        let at = node.at;
        let span = self.duration(node, what)?;
        if span <= WAIT_MAX && span.0 > 0 {
            return Some(span);
        }
        let days = WAIT_MAX.0 / Millis::DAY.0;
        self.error(names::BAD_WAIT, at, format!("a wait lasts at most {days} days, and more than no time"), None);
        None
    }
}
