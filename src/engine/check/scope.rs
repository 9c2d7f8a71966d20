//! Which names an expression can read, and what is known to be there.

use super::ty::{Ty, UNKNOWN, of};
use crate::domain::event::SubjectKind;
use crate::engine::promise::{ACTIONS, CATEGORIES};
use crate::engine::ruleset::Trigger;
use crate::engine::schema::{RECORDS, Type, records_of_event};

#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    names: Vec<(String, Ty)>,
    /// Dotted paths that an earlier condition has proved to be there.
    present: Vec<String>,
    /// Why a record is not here, for messages: `rule listens to lead_created`.
    pub because: String,
    /// Variables of the rule that have no value yet.
    pub later: Vec<String>,
}

impl Scope {
    /// What a rule with these triggers can read: only what all of them bring.
    pub fn of_triggers(triggers: &[Trigger]) -> Self {
        let mut scope = Self { because: listens_to(triggers), ..Self::default() };
        for (name, always) in records_of_triggers(triggers) {
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
        self
    }

    pub fn declare(&mut self, name: &str, ty: Ty) {
        self.forget(name);
        self.names.push((name.to_owned(), ty));
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
pub(crate) fn records_of_triggers(triggers: &[Trigger]) -> Vec<(&'static str, bool)> {
    let mut lists = triggers.iter().flat_map(records_of);
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
fn records_of(trigger: &Trigger) -> Vec<Vec<(&'static str, bool)>> {
    match trigger {
        Trigger::Event { names, .. } => names.iter().map(|n| records_of_event(n).to_vec()).collect(),
        Trigger::Date { subject, .. } => vec![records_of_subject(Some(*subject))],
        Trigger::Every { each, .. } => vec![records_of_subject(*each)],
    }
}

fn records_of_subject(subject: Option<SubjectKind>) -> Vec<(&'static str, bool)> {
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
        }
    }
    words.join(", ")
}
