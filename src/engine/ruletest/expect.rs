//! `expect`: a list, `any`, `nothing`, or a map of what is looked at.

use super::file::{TestReader, spot};
use super::time::parse_time;
use super::{Expect, Expected, Partly, Spot, Want, Wanted};
use crate::engine::diagnostic::names;
use crate::engine::source::{Entry, Kind, Node, Scalar};
use crate::engine::syntax::{Keys, did_you_mean};

/// What can have happened, and the fields that can be compared. None named: any.
const KINDS: &[(&str, &[&str])] = &[
    ("move", &["pipeline", "stage"]),
    ("sms", &["template", "body", "parts", "category", "encoding", "immediate"]),
    ("task", &["type", "title", "due", "priority", "assign", "note"]),
    ("close_tasks", &["type", "of", "reason"]),
    ("set", &[]),
    ("note", &["body"]),
    ("cancel", &["template"]),
    ("alert", &[]),
    ("emit", &[]),
    ("tag", &[]),
    ("untag", &[]),
    ("withheld", &["template", "reason"]),
];
const BESIDE: &[&str] = &["rule", "at", "contact", "booking"];
const PARTLY: Keys = Keys { what: "`expect`", known: &["sms", "tasks", "rules", "never"], later: &[] };

/// The names of everything that can be expected.
fn expected_kinds() -> Vec<&'static str> {
    KINDS.iter().map(|(kind, _)| *kind).collect()
}

impl TestReader<'_> {
    pub(super) fn expect(&mut self, entry: Entry) -> Option<Expect> {
        let at = entry.key.at;
        let node = entry.value;
        let what = match node.kind {
            Kind::List(items) => Expected::Exactly(items.into_iter().filter_map(|item| self.wanted(item)).collect()),
            Kind::Map(entries, flow) => Expected::Some(self.partly(Node { at: node.at, kind: Kind::Map(entries, flow) })?),
            Kind::Scalar(scalar) => match scalar.text.as_str() {
                "any" => Expected::Any,
                "nothing" => Expected::Exactly(Vec::new()),
                _ => {
                    let help = did_you_mean(&scalar.text, &["any", "nothing"], "it is a list, a map, or one of");
                    self.reader.error(names::BAD_VALUE, scalar.at, format!("`expect` cannot be `{}`", scalar.text), help);
                    return None;
                }
            },
        };
        Some(Expect { at, what })
    }

    fn partly(&mut self, node: Node) -> Option<Partly> {
        let mut fields = self.reader.fields(node, &PARTLY)?;
        let mut names = |key: &str| fields.take(key).map(|node| self.names_of(node, key));
        Some(Partly {
            sms: names("sms"),
            tasks: names("tasks"),
            rules: names("rules"),
            never: names("never").unwrap_or_default(),
        })
    }

    /// A list of names; `nothing` for none.
    fn names_of(&mut self, node: Node, key: &str) -> Vec<Spot> {
        let names = self.reader.scalars(node, &format!("`{key}`")).into_iter().map(spot);
        names.filter(|s| s.text != "nothing").collect()
    }

    fn wanted(&mut self, node: Node) -> Option<Wanted> {
        let at = node.at;
        let Kind::Map(entries, _) = node.kind else {
            let help = Some("such as `- sms: reminder_24hr`".to_owned());
            self.reader.error(names::WRONG_SHAPE, at, format!("an expected step is a map, not {}", node.describe()), help);
            return None;
        };
        let mut wanted =
            Wanted { at, kind: None, main: None, fields: Vec::new(), rule: None, when: None, contact: None, booking: None };
        for entry in entries {
            self.wanted_key(entry, &mut wanted);
        }
        if wanted.kind.is_none() && wanted.rule.is_none() {
            let help = Some(format!("it can be: {}, rule", expected_kinds().join(", ")));
            self.reader.error(names::MISSING_KEY, at, "this names nothing that could have happened", help);
            return None;
        }
        Some(wanted)
    }

    fn wanted_key(&mut self, entry: Entry, wanted: &mut Wanted) {
        let Entry { key, value } = entry;
        match key.text.as_str() {
            "rule" => wanted.rule = self.reader.scalar(value, "`rule`").map(spot),
            "contact" => wanted.contact = self.reader.scalar(value, "`contact`").map(spot),
            "booking" => wanted.booking = self.reader.scalar(value, "`booking`").map(spot),
            "at" => wanted.when = self.time(value, "`at`"),
            name => match KINDS.iter().find(|(kind, _)| *kind == name) {
                Some(_) if wanted.kind.is_some() => {
                    let message = "an expected step is one thing";
                    self.reader.error(names::ONE_ACTION, key.at, message, Some("begin another item with `-`".to_owned()));
                }
                Some((kind, fields)) => {
                    wanted.kind = Some((*kind).to_owned());
                    self.wanted_value(value, kind, fields, wanted);
                }
                None => {
                    let known: Vec<&str> = expected_kinds().into_iter().chain(BESIDE.iter().copied()).collect();
                    let help = did_you_mean(name, &known, "it can be");
                    self.reader.error(names::UNKNOWN_KEY, key.at, format!("nothing that happens is called `{name}`"), help);
                }
            },
        }
    }

    fn wanted_value(&mut self, node: Node, kind: &str, known: &[&str], wanted: &mut Wanted) {
        let entries = match node.kind {
            Kind::Scalar(scalar) => return wanted.main = Some(self.want(&scalar)),
            Kind::Map(entries, _) => entries,
            Kind::List(_) => {
                self.reader.error(names::WRONG_SHAPE, node.at, format!("`{kind}` is one value or a map of fields"), None);
                return;
            }
        };
        for Entry { key, value } in entries {
            if !known.is_empty() && !known.contains(&key.text.as_str()) {
                let help = did_you_mean(&key.text, known, "its fields are");
                self.reader.error(names::UNKNOWN_KEY, key.at, format!("`{kind}` has no field `{}`", key.text), help);
                continue;
            }
            match value.kind {
                Kind::Scalar(scalar) => wanted.fields.push((key.text, self.want(&scalar))),
                _ => self.reader.error(names::WRONG_SHAPE, value.at, format!("`{}` is a single value", key.text), None),
            }
        }
    }

    fn want(&self, scalar: &Scalar) -> Want {
        let time = parse_time(&scalar.text, self.calendar);
        Want { text: scalar.text.clone(), at: scalar.at, is_null: scalar.is_null(), time }
    }
}
