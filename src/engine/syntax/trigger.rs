//! `when`: what sets a rule off.

use super::fields::{Fields, Keys, Reader};
use super::value::is_word;
use super::{Rhythm, TriggerSyntax};
use crate::domain::time::Millis;
use crate::engine::diagnostic::names;
use crate::engine::ruleset::Again;
use crate::engine::source::{Entry, Kind, Node, Place, Scalar};

/// How late a timer may run when `late` is not given.
const LATE_DEFAULT: Millis = Millis::minutes(15);
/// Shortest time for which something must hold.
const HOLDS_MIN: Millis = Millis::minutes(1);
/// Triggers of one rule.
const TRIGGERS_MAX: usize = 20;

const KINDS: &[&str] = &["event", "date", "every", "cron", "holds", "manual", "webhook"];
pub(super) const ANY: Keys = Keys {
    what: "a trigger",
    known: &[
        "event",
        "date",
        "every",
        "cron",
        "holds",
        "manual",
        "webhook",
        "as",
        "unhandled",
        "before",
        "after",
        "at",
        "late",
        "again",
        "tz",
        "each",
        "for",
        "hours",
    ],
    later: &[],
};
pub(super) const EVENT: Keys = Keys { what: "an `event` trigger", known: &["event", "unhandled", "as"], later: &[] };
pub(super) const DATE: Keys =
    Keys { what: "a `date` trigger", known: &["date", "before", "after", "at", "late", "again", "as"], later: &[] };
pub(super) const EVERY: Keys =
    Keys { what: "an `every` trigger", known: &["every", "at", "tz", "each", "late", "as"], later: &[] };
pub(super) const CRON: Keys = Keys { what: "a `cron` trigger", known: &["cron", "tz", "each", "late", "as"], later: &[] };
pub(super) const HOLDS: Keys = Keys { what: "a `holds` trigger", known: &["holds", "for", "hours", "as"], later: &[] };
pub(super) const MANUAL: Keys = Keys { what: "a `manual` trigger", known: &["manual", "as"], later: &[] };
pub(super) const WEBHOOK: Keys = Keys { what: "a `webhook` trigger", known: &["webhook", "as"], later: &[] };

impl Reader<'_> {
    /// The triggers, and what `as` calls each of them.
    pub fn triggers(&mut self, node: Node) -> (Vec<TriggerSyntax>, Vec<Option<Scalar>>) {
        match node.kind {
            Kind::List(items) if items.len() <= TRIGGERS_MAX => items.into_iter().filter_map(|n| self.labelled(n)).unzip(),
            Kind::List(_) => {
                self.error(names::TOO_MANY, node.at, format!("a rule has at most {TRIGGERS_MAX} triggers"), None);
                (Vec::new(), Vec::new())
            }
            _ => self.labelled(node).into_iter().unzip(),
        }
    }

    fn labelled(&mut self, node: Node) -> Option<(TriggerSyntax, Option<Scalar>)> {
        let at = node.at;
        let Kind::Map(entries, _) = node.kind else {
            let message = format!("a trigger is a map such as `{{ event: booking_created }}`, not {}", node.describe());
            self.error(names::WRONG_SHAPE, at, message, None);
            return None;
        };
        let label = entries.iter().find(|e| e.key.text == "as").map(|e| e.value.clone());
        let label = match label {
            Some(node) => Some(self.label(node)?),
            None => None,
        };
        Some((self.trigger(entries, at)?, label))
    }

    fn label(&mut self, node: Node) -> Option<Scalar> {
        let label = self.scalar(node, "`as`")?;
        if is_word(&label.text) {
            return Some(label);
        }
        let help = Some("use small letters, digits and `_`".to_owned());
        self.error(names::BAD_VALUE, label.at, format!("`{}` is not a name for a trigger", label.text), help);
        None
    }

    fn trigger(&mut self, entries: Vec<Entry>, at: Place) -> Option<TriggerSyntax> {
        let kinds: Vec<&str> = KINDS.iter().copied().filter(|k| entries.iter().any(|e| e.key.text == *k)).collect();
        match kinds.as_slice() {
            ["event"] => self.event(entries, at),
            ["date"] => self.date(entries, at),
            ["every"] => self.every(entries, at),
            ["holds"] => self.holds(entries, at),
            ["manual"] => self.manual(entries, at),
            ["webhook"] => self.webhook(entries, at),
            [] => {
                self.no_kind(entries, at);
                None
            }
            [_] => self.cron(entries, at),
            [first, second, ..] => {
                let message = format!("a trigger is of one kind, and this one has `{first}` and `{second}`");
                self.error(names::ONE_TRIGGER, at, message, Some("write `when` as a list with one kind in each item".to_owned()));
                None
            }
        }
    }

    fn no_kind(&mut self, entries: Vec<Entry>, at: Place) {
        if !self.fields_of(entries, at, &ANY).refused {
            let help = Some(format!("begin with one of: {}", KINDS.join(", ")));
            self.error(names::ONE_TRIGGER, at, "this trigger does not say what it waits for", help);
        }
    }

    fn event(&mut self, entries: Vec<Entry>, at: Place) -> Option<TriggerSyntax> {
        let mut fields = self.fields_of(entries, at, &EVENT);
        let event_names = fields.need("event", self).map(|n| self.scalars(n, "`event`"))?;
        let unhandled = fields.take("unhandled").and_then(|n| self.boolean(n, "`unhandled`")).unwrap_or(false);
        Some(TriggerSyntax::Event { names: event_names, unhandled })
    }

    fn date(&mut self, entries: Vec<Entry>, at: Place) -> Option<TriggerSyntax> {
        let mut fields = self.fields_of(entries, at, &DATE);
        let field = fields.need("date", self).and_then(|n| self.scalar(n, "`date`"))?;
        let before = fields.take("before").and_then(|n| self.duration(n, "`before`"));
        let after = fields.take("after").and_then(|n| self.duration(n, "`after`"));
        if before.is_some() && after.is_some() {
            self.error(names::ONE_TRIGGER, at, "a date trigger is `before` or `after`, not both", None);
        }
        let offset = before.map(|d| Millis(-d.0)).or(after);
        let at_minute = self.at(&mut fields).map(|(_, minute)| minute);
        let late = self.late(&mut fields);
        let again = fields.take("again").map_or(Some(Again::MovedDay), |n| self.again(n))?;
        Some(TriggerSyntax::Date { field, offset, at_minute, late, again })
    }

    fn again(&mut self, node: Node) -> Option<Again> {
        let scalar = self.scalar(node, "`again`")?;
        match scalar.text.as_str() {
            "moved_day" => Some(Again::MovedDay),
            "moved" => Some(Again::Moved),
            "never" => Some(Again::Never),
            other => {
                let message = format!("`again` is moved_day, moved or never, not `{other}`");
                self.error(names::BAD_VALUE, scalar.at, message, None);
                None
            }
        }
    }

    fn every(&mut self, entries: Vec<Entry>, at: Place) -> Option<TriggerSyntax> {
        let mut fields = self.fields_of(entries, at, &EVERY);
        let rhythm = fields.need("every", self).and_then(|n| self.scalar(n, "`every`")).map(Rhythm::Every)?;
        self.schedule(rhythm, fields)
    }

    fn cron(&mut self, entries: Vec<Entry>, at: Place) -> Option<TriggerSyntax> {
        let mut fields = self.fields_of(entries, at, &CRON);
        let rhythm = fields.need("cron", self).and_then(|n| self.scalar(n, "`cron`")).map(Rhythm::Cron)?;
        self.schedule(rhythm, fields)
    }

    fn holds(&mut self, entries: Vec<Entry>, at: Place) -> Option<TriggerSyntax> {
        let mut fields = self.fields_of(entries, at, &HOLDS);
        let expr = fields.need("holds", self).and_then(|n| self.scalar(n, "`holds`"));
        let lasting = fields.need("for", self).and_then(|n| self.lasting(n));
        let business = match fields.take("hours") {
            Some(node) => self.business(node)?,
            None => false,
        };
        Some(TriggerSyntax::Holds { expr: expr?, lasting: lasting?, business })
    }

    /// Long enough that two rules cannot turn a state to and fro without end.
    fn lasting(&mut self, node: Node) -> Option<Millis> {
        let at = node.at;
        let lasting = self.duration(node, "`for`")?;
        if lasting < HOLDS_MIN {
            self.error(names::BAD_HOLDS, at, "a state lasts at least a minute", Some("write `for: 1m` or longer".to_owned()));
            return None;
        }
        Some(lasting)
    }

    fn business(&mut self, node: Node) -> Option<bool> {
        let scalar = self.scalar(node, "`hours`")?;
        match scalar.text.as_str() {
            "business" => Some(true),
            "all" => Some(false),
            other => {
                let message = format!("`hours` is `business` or `all`, not `{other}`");
                self.error(names::BAD_VALUE, scalar.at, message, None);
                None
            }
        }
    }

    fn manual(&mut self, entries: Vec<Entry>, at: Place) -> Option<TriggerSyntax> {
        let mut fields = self.fields_of(entries, at, &MANUAL);
        let subject = fields.need("manual", self).and_then(|n| self.subject(n, "`manual`"))?;
        Some(TriggerSyntax::Manual { subject })
    }

    fn webhook(&mut self, entries: Vec<Entry>, at: Place) -> Option<TriggerSyntax> {
        let mut fields = self.fields_of(entries, at, &WEBHOOK);
        let source = fields.need("webhook", self).and_then(|n| self.scalar(n, "`webhook`"))?;
        Some(TriggerSyntax::Webhook { source })
    }

    fn schedule(&mut self, rhythm: Rhythm, mut fields: Fields) -> Option<TriggerSyntax> {
        let at = self.at(&mut fields);
        let tz = fields.take("tz").and_then(|n| self.scalar(n, "`tz`"));
        let each = match fields.take("each") {
            Some(node) => Some(self.subject(node, "`each`")?),
            None => None,
        };
        let late = self.late(&mut fields);
        Some(TriggerSyntax::Every { rhythm, at, tz, each, late })
    }

    fn at(&mut self, fields: &mut Fields) -> Option<(Place, u32)> {
        let scalar = fields.take("at").and_then(|n| self.scalar(n, "`at`"))?;
        self.time_of_day(&scalar).map(|minute| (scalar.at, minute))
    }

    fn late(&mut self, fields: &mut Fields) -> Millis {
        fields.take("late").and_then(|n| self.duration(n, "`late`")).unwrap_or(LATE_DEFAULT)
    }
}
