//! Which names an expression can read, and what is known to be there.

use super::ty::{Ty, UNKNOWN, of};
use crate::domain::event::SubjectKind;
use crate::engine::promise::{ACTIONS, CATEGORIES};
use crate::engine::ruleset::Trigger;
use crate::engine::schema::{RECORDS, Type};

#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    names: Vec<(String, Ty)>,
    /// Dotted paths that an earlier condition has proved to be there.
    present: Vec<String>,
    /// Why a record is not here, for messages: `rule listens to lead_created`.
    pub because: String,
    /// Variables of the rule that have no value yet.
    pub later: Vec<String>,
    /// The name of the booking that the steps are about, while the rule has another one: `booking` could be either.
    pub other_booking: Option<String>,
}

impl Scope {
    /// What a rule with these triggers can read: only what all of them bring.
    ///
    /// `of_event` says what the events of rules bring, and of everybody else.
    pub fn of_triggers(triggers: &[Trigger], of_event: impl Fn(&str) -> Vec<(&'static str, bool)>) -> Self {
        let mut scope = Self { because: listens_to(triggers), ..Self::default() };
        for (name, always) in records_of_triggers(triggers, of_event) {
            scope.declare(name, of(Type::Record(name)).optional(!always));
        }
        scope.with_surroundings()
    }

    /// What a promise can read. A record that an action does not have is no mistake: the promise says nothing about it then.
    pub fn of_promise() -> Self {
        let mut scope = Self { because: "every planned action".to_owned(), ..Self::default() };
        for name in ["contact", "booking", "clinic"] {
            scope.declare(name, of(Type::Record(name)));
        }
        scope.declare("action", of(Type::Enum(ACTIONS)));
        scope.declare("category", of(Type::Enum(CATEGORIES)));
        scope.declare("template", of(Type::Text));
        scope.declare("rule", of(Type::Text));
        scope.declare("immediate", of(Type::Bool));
        scope.declare("at", of(Type::Time));
        scope.declare("now", of(Type::Time));
        scope
    }

    /// A contact or booking alone: there is no event, and no trigger.
    pub fn of_records(subject: SubjectKind, because: &str) -> Self {
        let mut scope = Self { because: because.to_owned(), ..Self::default() };
        for (name, always) in records_of_subject(Some(subject)) {
            scope.declare(name, of(Type::Record(name)).optional(!always));
        }
        scope.declare("clinic", of(Type::Record("clinic")));
        scope
    }

    /// Everything may be there: for rules whose triggers are not understood.
    pub fn tolerant() -> Self {
        let mut scope = Self::default();
        for record in RECORDS {
            scope.declare(record.name, of(Type::Record(record.name)));
        }
        scope.with_surroundings()
    }

    fn with_surroundings(mut self) -> Self {
        for name in ["event", "clinic"] {
            if self.find(name).is_none() {
                self.declare(name, of(Type::Record(name)));
            }
        }
        self.declare("now", of(Type::Time));
        self.declare("trigger", of(Type::Text));
        self
    }

    pub fn declare(&mut self, name: &str, ty: Ty) {
        self.forget(name);
        self.names.push((name.to_owned(), ty));
    }

    /// From here on steps are about the booking of this name, and `booking` is that one.
    pub fn turn_to_booking(&mut self, name: &str) {
        let has_one = self.find("booking").is_some();
        self.other_booking = has_one.then(|| name.to_owned());
        self.declare("booking", of(Type::Record("booking")));
    }

    /// Takes a name away.
    pub fn hide(&mut self, name: &str) {
        self.names.retain(|(n, _)| n != name);
    }

    pub fn find(&self, name: &str) -> Option<Ty> {
        let (_, ty) = self.names.iter().rev().find(|(n, _)| n == name)?;
        let present = ty.maybe && self.is_present(name);
        Some(ty.optional(ty.maybe && !present))
    }

    /// A variable got another value: nothing is known about it any more.
    pub fn assign(&mut self, name: &str, ty: Ty) {
        self.forget(name);
        if let Some((_, known)) = self.names.iter_mut().rev().find(|(n, _)| n == name)
            && *known != ty
        {
            *known = UNKNOWN;
        }
    }

    fn forget(&mut self, name: &str) {
        let below = format!("{name}.");
        self.present.retain(|p| p != name && !p.starts_with(&below));
    }

    pub fn is_present(&self, path: &str) -> bool {
        self.present.iter().any(|p| p == path)
    }

    pub fn know(&mut self, paths: Vec<String>) {
        for path in paths {
            if !self.is_present(&path) {
                self.present.push(path);
            }
        }
    }

    /// Time has passed: what records say may have changed since it was looked at. The records themselves are still there.
    pub fn forget_fields(&mut self) {
        self.present.retain(|path| !path.contains('.'));
    }

    /// Marks the state of names and knowledge, to go back to it at the end of a block.
    pub fn mark(&self) -> (usize, Vec<String>) {
        (self.names.len(), self.present.clone())
    }

    pub fn reset(&mut self, mark: (usize, Vec<String>)) {
        self.names.truncate(mark.0);
        self.present = mark.1;
    }

    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.names.iter().map(|(n, _)| n.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// The records that all of the triggers bring, and whether they are always there.
///
/// `of_event` says what the events of rules bring, and of everybody else.
pub(crate) fn records_of_triggers(
    triggers: &[Trigger],
    of_event: impl Fn(&str) -> Vec<(&'static str, bool)>,
) -> Vec<(&'static str, bool)> {
    let mut lists = triggers.iter().flat_map(|trigger| records_of(trigger, &of_event));
    let mut records = lists.next().unwrap_or_default();
    for other in lists {
        records.retain_mut(|(name, always)| {
            let found = other.iter().find(|(n, _)| n == name);
            *always &= found.is_some_and(|(_, a)| *a);
            found.is_some()
        });
    }
    records
}

/// The records one trigger brings, once for each of its events.
fn records_of(trigger: &Trigger, of_event: &impl Fn(&str) -> Vec<(&'static str, bool)>) -> Vec<Vec<(&'static str, bool)>> {
    match trigger {
        Trigger::Event { names, .. } => names.iter().map(|n| of_event(n)).collect(),
        Trigger::Date { subject, .. } | Trigger::Holds { subject, .. } | Trigger::Manual { subject } => {
            vec![records_of_subject(Some(*subject))]
        }
        Trigger::Every { each, .. } => vec![records_of_subject(*each)],
        Trigger::Webhook { .. } => vec![vec![("contact", false), ("booking", false)]],
    }
}

/// Whether something holds of a booking or of a contact: of a booking when the expression reads one.
pub(crate) fn holds_subject(expression: &str) -> SubjectKind {
    let outside_of_quotes = expression.split(['"', '\'']).step_by(2);
    let mut words = outside_of_quotes.flat_map(|text| text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')));
    let of_booking = words.any(|word| word.split(['.', '?']).next() == Some("booking"));
    if of_booking { SubjectKind::Booking } else { SubjectKind::Contact }
}

pub(crate) fn records_of_subject(subject: Option<SubjectKind>) -> Vec<(&'static str, bool)> {
    match subject {
        Some(SubjectKind::Booking) => vec![("contact", true), ("booking", true)],
        Some(SubjectKind::Contact) => vec![("contact", true)],
        Some(SubjectKind::Clinic) | None => Vec::new(),
    }
}

fn listens_to(triggers: &[Trigger]) -> String {
    let mut words: Vec<String> = Vec::new();
    for trigger in triggers {
        match trigger {
            Trigger::Event { names, .. } => words.extend(names.iter().cloned()),
            Trigger::Date { subject, field, .. } => words.push(format!("the date {}.{field}", subject.as_str())),
            Trigger::Every { each: Some(subject), .. } => words.push(format!("a schedule for each {}", subject.as_str())),
            Trigger::Every { each: None, .. } => words.push("a schedule without `each`".to_owned()),
            Trigger::Holds { subject, .. } => words.push(format!("what holds of a {}", subject.as_str())),
            Trigger::Manual { subject } => words.push(format!("a {} by hand", subject.as_str())),
            Trigger::Webhook { source } => words.push(format!("webhooks of {source}")),
        }
    }
    words.join(", ")
}
