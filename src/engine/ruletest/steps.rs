//! The steps of a test: an event, a move of the clock, or a change by hand, and what must have happened by then.

use super::file::{TestReader, spot};
use super::{Act, EventStep, Expected, STEPS_MAX, Step, To, With};
use crate::domain::event::Actor;
use crate::engine::diagnostic::names;
use crate::engine::schema::ACTOR;
use crate::engine::source::{Kind, Node};
use crate::engine::syntax::{Keys, did_you_mean, parse_duration};

const STEP: Keys = Keys { what: "a step", known: &["event", "with", "source", "actor", "to", "given", "expect"], later: &[] };
const WITH: Keys =
    Keys { what: "`with`", known: &["contact", "booking", "message", "campaign", "sms", "task", "data"], later: &[] };

impl Step {
    /// The step can fail.
    pub fn checks(&self) -> bool {
        self.expect.as_ref().is_some_and(|e| !matches!(e.what, Expected::Any))
    }
}

impl TestReader<'_> {
    pub(super) fn steps(&mut self, node: Node) -> Vec<Step> {
        let Kind::List(items) = node.kind else {
            self.reader.error(names::WRONG_SHAPE, node.at, format!("`steps` is a list, not {}", node.describe()), None);
            return Vec::new();
        };
        if items.len() > STEPS_MAX {
            self.reader.error(names::TOO_MANY, node.at, format!("a test has at most {STEPS_MAX} steps"), None);
            return Vec::new();
        }
        items.into_iter().filter_map(|item| self.step(item)).collect()
    }

    fn step(&mut self, node: Node) -> Option<Step> {
        let at = node.at;
        let mut fields = self.reader.fields(node, &STEP)?;
        let expect = fields.take_entry("expect").and_then(|entry| self.expect(entry));
        let event = fields.take("event");
        let to = fields.take("to");
        let given = fields.take("given");
        let act = match (event, to, given) {
            (Some(event), None, None) => {
                let name = spot(self.reader.scalar(event, "`event`")?);
                let with = fields.take("with").map(|node| self.with(node)).unwrap_or_default();
                let source = fields.take("source").and_then(|n| self.reader.scalar(n, "`source`")).map(|s| s.text);
                let actor = fields.take("actor").and_then(|node| self.actor(node));
                Act::Event(Box::new(EventStep { name, with, source, actor }))
            }
            (None, Some(to), None) => Act::To(self.to(to)?),
            (None, None, Some(given)) => Act::Given(self.given(given).records),
            _ if fields.refused => return None,
            _ => {
                let message = "a step has one of `event`, `to` and `given`";
                self.reader.error(names::ONE_ACTION, at, message, Some("write two steps for two things".to_owned()));
                return None;
            }
        };
        for key in ["with", "source", "actor"] {
            if let Some(entry) = fields.take_entry(key) {
                self.reader.error(names::UNKNOWN_KEY, entry.key.at, format!("`{key}` goes with `event`"), None);
            }
        }
        Some(Step { at, act, expect })
    }

    fn actor(&mut self, node: Node) -> Option<Actor> {
        let scalar = self.reader.scalar(node, "`actor`")?;
        let found = Actor::parse(&scalar.text);
        if found.is_none() {
            let help = did_you_mean(&scalar.text, ACTOR, "it can be");
            self.reader.error(names::BAD_VALUE, scalar.at, format!("`actor` cannot be `{}`", scalar.text), help);
        }
        found
    }

    /// `end`, `+2h`, or a time.
    fn to(&mut self, node: Node) -> Option<To> {
        let Kind::Scalar(scalar) = &node.kind else { return self.time(node, "`to`").map(To::At) };
        if scalar.text == "end" {
            return Some(To::End);
        }
        match scalar.text.strip_prefix('+').and_then(parse_duration) {
            Some(span) => Some(To::After(span)),
            None => self.time(node, "`to`").map(To::At),
        }
    }

    fn with(&mut self, node: Node) -> With {
        let mut with = With::default();
        let Some(mut fields) = self.reader.fields(node, &WITH) else { return with };
        let calendar = self.calendar;
        let mut facts = |name: &'static str| fields.take(name).and_then(|node| self.reader.facts(node, name, calendar));
        with.contact = facts("contact");
        with.booking = facts("booking");
        with.message = facts("message");
        with.campaign = facts("campaign");
        with.sms = facts("sms");
        with.task = facts("task");
        if let Some(Node { kind: Kind::Map(entries, _), .. }) = fields.take("data") {
            for entry in entries {
                let what = format!("`data.{}`", entry.key.text);
                if let Some(value) = self.reader.scalar(entry.value, &what) {
                    with.data.insert(entry.key.text, value.text);
                }
            }
        }
        with
    }
}
