//! Facts of records, `{ first_name: Ana, warmness: 20 }`: the API's field names, each with its type.

use super::time::parse_time;
use crate::domain::calendar::Calendar;
use crate::domain::phone;
use crate::domain::time::Timestamp;
use crate::engine::diagnostic::names;
use crate::engine::schema::{CHANNEL, DIRECTION, INTENT, Type, find_record};
use crate::engine::source::{Entry, Kind, Node, Place, Scalar};
use crate::engine::syntax::{Reader, did_you_mean, list_of};

/// The facts of one record.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub list: Vec<Fact>,
}

#[derive(Clone, Debug)]
pub(crate) struct Fact {
    pub name: String,
    pub value: FactValue,
    pub at: Place,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum FactValue {
    Nothing,
    Bool(bool),
    Int(i64),
    Text(String),
    Time(Timestamp),
    Texts(Vec<String>),
    /// Touchpoints.
    Records(Vec<Vec<(String, FactValue)>>),
}

impl Facts {
    pub fn get(&self, name: &str) -> Option<&FactValue> {
        self.list.iter().find(|f| f.name == name).map(|f| &f.value)
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            FactValue::Text(text) => Some(text),
            _ => None,
        }
    }
}

const SMS_STATUS: &[&str] = &["delivered", "failed", "expired"];

/// Fields that tests may give beside those of the schema, and those whose type differs.
const MORE: &[(&str, &str, Type)] = &[
    ("contact", "wix_contact", Type::Text),
    ("contact", "manychat", Type::Text),
    ("booking", "contact_id", Type::Text),
    ("booking", "wix_booking_id", Type::Text),
    ("booking", "service_id", Type::Text),
    ("booking", "timezone", Type::Text),
    ("booking", "confirmed_via", Type::Text),
    ("booking", "sequence", Type::Int),
    ("booking", "revision", Type::Int),
    ("booking", "previous_appointment_datetime", Type::Time),
    ("booking", "provider_sends_reminder", Type::Bool),
    ("message", "from", Type::Text),
    ("message", "to", Type::Text),
    ("message", "provider", Type::Text),
    ("message", "body", Type::Text),
    ("message", "intent", Type::Enum(INTENT)),
    ("message", "channel", Type::Enum(CHANNEL)),
    ("campaign", "source", Type::Text),
    ("campaign", "medium", Type::Text),
    ("campaign", "campaign", Type::Text),
    ("sms", "template", Type::Text),
    ("sms", "status", Type::Enum(SMS_STATUS)),
    ("sms", "detail", Type::Text),
    ("touchpoint", "direction", Type::Enum(DIRECTION)),
];

/// Fields of the schema that follow from others, and what to write instead.
const COMPUTED: &[(&str, &str, &str)] = &[
    ("contact", "next_booking", "give the booking itself, under `booking`"),
    ("contact", "bookings", "give the bookings themselves, under `bookings`"),
    ("contact", "open_tasks", "tasks come from rules: let an event of an earlier step make them"),
    ("contact", "last_touch_at", "give `touchpoints`"),
    ("booking", "date", "write `appointment_datetime`"),
    ("booking", "time", "write `appointment_datetime`"),
    ("booking", "day", "write `appointment_datetime`"),
    ("booking", "has_referral", "write `referral_status`: received, missing or not_required"),
];

/// Field names whose text is a phone number.
const PHONES: &[&str] = &["phone", "from", "to"];

fn type_of(record: &str, name: &str) -> Option<Type> {
    let more = MORE.iter().find(|(r, n, _)| *r == record && *n == name).map(|(_, _, ty)| *ty);
    more.or_else(|| find_record(record)?.find_field(name).map(|f| f.ty))
}

fn known_names(record: &str) -> Vec<&'static str> {
    let schema = find_record(record).map_or(&[][..], |r| r.fields).iter().map(|f| f.name);
    let more = MORE.iter().filter(|(r, ..)| *r == record).map(|(_, name, _)| *name);
    let is_computed = |name: &&str| COMPUTED.iter().any(|(r, n, _)| *r == record && n == name);
    let mut names: Vec<&str> = schema.chain(more).filter(|n| !is_computed(n)).collect();
    names.dedup();
    names
}

impl Reader<'_> {
    /// The facts of a `record`; what cannot be understood is reported and left out.
    pub(super) fn facts(&mut self, node: Node, record: &'static str, calendar: &Calendar) -> Option<Facts> {
        let at = node.at;
        let Kind::Map(entries, _) = node.kind else {
            let message = format!("a {record} is a map of fields, not {}", node.describe());
            self.error(names::WRONG_SHAPE, at, message, Some("such as `{ id: c1, first_name: Ana }`".to_owned()));
            return None;
        };
        let list = entries.into_iter().filter_map(|entry| self.fact(entry, record, calendar)).collect();
        Some(Facts { list })
    }

    fn fact(&mut self, entry: Entry, record: &'static str, calendar: &Calendar) -> Option<Fact> {
        let (name, at) = (entry.key.text, entry.key.at);
        if let Some((_, _, instead)) = COMPUTED.iter().find(|(r, n, _)| *r == record && *n == name) {
            self.error(names::BAD_VALUE, at, format!("`{record}.{name}` follows from other fields"), Some((*instead).to_owned()));
            return None;
        }
        let Some(ty) = type_of(record, &name) else {
            let help = did_you_mean(&name, &known_names(record), "its fields are");
            self.error(names::UNKNOWN_KEY, at, format!("a {record} has no field `{name}`"), help);
            return None;
        };
        let what = format!("`{record}.{name}`");
        let value = match (ty, entry.value.kind) {
            (Type::List("touchpoint"), Kind::List(items)) => self.touchpoints(items, calendar),
            (Type::Texts, Kind::List(items)) => {
                FactValue::Texts(items.into_iter().filter_map(|item| self.scalar(item, &what)).map(|s| s.text).collect())
            }
            (Type::List(_) | Type::Texts, kind) => {
                let node = Node { at: entry.value.at, kind };
                self.error(names::WRONG_SHAPE, node.at, format!("{what} is a list, not {}", node.describe()), None);
                return None;
            }
            (_, Kind::Scalar(scalar)) => self.fact_value(&scalar, &name, ty, &what, calendar)?,
            (_, kind) => {
                let node = Node { at: entry.value.at, kind };
                self.error(names::WRONG_SHAPE, node.at, format!("{what} is a single value, not {}", node.describe()), None);
                return None;
            }
        };
        Some(Fact { name, value, at })
    }

    fn touchpoints(&mut self, items: Vec<Node>, calendar: &Calendar) -> FactValue {
        let facts = items.into_iter().filter_map(|item| self.facts(item, "touchpoint", calendar));
        FactValue::Records(facts.map(|f| f.list.into_iter().map(|f| (f.name, f.value)).collect()).collect())
    }

    fn fact_value(&mut self, scalar: &Scalar, name: &str, ty: Type, what: &str, calendar: &Calendar) -> Option<FactValue> {
        if scalar.is_null() {
            return Some(FactValue::Nothing);
        }
        let text = scalar.text.as_str();
        let found = match ty {
            Type::Bool => text.parse().ok().map(FactValue::Bool).ok_or("it can be: true, false".to_owned()),
            Type::Int => text.parse().ok().map(FactValue::Int).ok_or("it is a whole number".to_owned()),
            Type::Time => {
                let help = "write the clinic's time, such as `2026-03-05 10:00`".to_owned();
                parse_time(text, calendar).map(FactValue::Time).ok_or(help)
            }
            Type::Enum(words) if words.contains(&text) => Ok(FactValue::Text(text.to_owned())),
            Type::Enum(words) => Err(did_you_mean(text, words, "it can be").unwrap_or_else(|| list_of(words))),
            _ if PHONES.contains(&name) => {
                phone::normalise(text).map(|p| FactValue::Text(p.e164)).map_err(|error| error.to_string())
            }
            _ if name == "email" => Ok(FactValue::Text(text.to_lowercase())),
            _ => Ok(FactValue::Text(text.to_owned())),
        };
        found.map_err(|help| self.error(names::BAD_VALUE, scalar.at, format!("{what} cannot be `{text}`"), Some(help))).ok()
    }
}
