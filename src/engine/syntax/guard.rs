//! `rollout`, `expect` and `on_error`: what keeps a rule in check.

use super::GuardSyntax;
use super::fields::{Fields, Keys, Reader};
use super::nearest::did_you_mean;
use crate::engine::diagnostic::names;
use crate::engine::guard::{AfterErrors, Expect, Guard, OnError, Rollout};
use crate::engine::source::{Node, Place};

pub(super) const EXPECT: Keys = Keys { what: "`expect`", known: &["at_least", "in"], later: &[] };
pub(super) const ON_ERROR: Keys = Keys { what: "`on_error`", known: &["retry", "then"], later: &[] };
const ROLLOUTS: &[&str] = &["live", "shadow", "10%", "test_contacts"];
/// Further tries of a rule that fails.
const RETRY_MAX: u32 = 100;
const AT_LEAST_MAX: u32 = 1_000_000;

impl Reader<'_> {
    pub fn guard(&mut self, fields: &mut Fields, at: Place) -> GuardSyntax {
        let usual = Guard::default();
        let rollout = fields.take("rollout");
        let at = rollout.as_ref().map_or(at, |node| node.at);
        let guard = Guard {
            rollout: rollout.and_then(|n| self.rollout(n)).unwrap_or(usual.rollout),
            expect: fields.take("expect").and_then(|n| self.expect(n)),
            on_error: fields.take("on_error").and_then(|n| self.on_error(n)).unwrap_or(usual.on_error),
        };
        GuardSyntax { at, guard }
    }

    fn rollout(&mut self, node: Node) -> Option<Rollout> {
        let scalar = self.scalar(node, "`rollout`")?;
        let percent = |text: &str| text.strip_suffix('%')?.parse().ok().filter(|n| *n <= 100);
        let found = match scalar.text.as_str() {
            "live" => Some(Rollout::Live),
            "shadow" => Some(Rollout::Shadow),
            "test_contacts" => Some(Rollout::TestContacts),
            text => percent(text).map(Rollout::Percent),
        };
        if found.is_none() {
            let message = format!("`rollout` cannot be `{}`", scalar.text);
            let help = did_you_mean(&scalar.text, ROLLOUTS, "it can be (any percentage from 0% to 100%)");
            self.error(names::BAD_VALUE, scalar.at, message, help);
        }
        found
    }

    fn expect(&mut self, node: Node) -> Option<Expect> {
        let at = node.at;
        let mut fields = self.fields(node, &EXPECT)?;
        let at_least = fields.need("at_least", self).and_then(|n| self.count(n, "`at_least`", 1, AT_LEAST_MAX));
        let within = fields.need("in", self).and_then(|n| self.duration(n, "`in`"));
        let (at_least, within) = (at_least?, within?);
        if within.0 == 0 {
            self.error(names::BAD_LIMIT, at, "nothing fires within no time", Some("write `in: 7d`".to_owned()));
            return None;
        }
        Some(Expect { at_least, within })
    }

    fn on_error(&mut self, node: Node) -> Option<OnError> {
        let mut fields = self.fields(node, &ON_ERROR)?;
        let usual = OnError::default();
        let retry = match fields.take("retry") {
            Some(node) => self.count(node, "`retry`", 0, RETRY_MAX)?,
            None => usual.failures_max - 1,
        };
        let then = match fields.take("then") {
            Some(node) => self.after_errors(node)?,
            None => usual.then,
        };
        Some(OnError { failures_max: retry + 1, then })
    }

    fn after_errors(&mut self, node: Node) -> Option<AfterErrors> {
        let scalar = self.scalar(node, "`then`")?;
        match scalar.text.as_str() {
            "task" => Some(AfterErrors::Task),
            "pause" => Some(AfterErrors::Pause),
            text => {
                let help = did_you_mean(text, AfterErrors::NAMES, "it can be");
                self.error(names::BAD_VALUE, scalar.at, format!("`then` cannot be `{text}`"), help);
                None
            }
        }
    }

    pub(super) fn count(&mut self, node: Node, what: &str, least: u32, most: u32) -> Option<u32> {
        let scalar = self.scalar(node, what)?;
        let found = scalar.text.parse().ok().filter(|n| (least..=most).contains(n));
        if found.is_none() {
            let message = format!("{what} is a whole number from {least} to {most}, not `{}`", scalar.text);
            self.error(names::BAD_LIMIT, scalar.at, message, None);
        }
        found
    }
}
