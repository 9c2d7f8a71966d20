//! The records of one event, as expressions and templates see them.

use super::api::booking::BookingRecord;
use super::api::clinic::ClinicRecord;
use super::api::contact::ContactRecord;
use super::api::event::{EventRecord, MessageRecord};
use super::api::task::TaskRecord;
use super::api::time::read_time_field;
use super::{api, for_trace};
use crate::domain::booking::Booking;
use crate::domain::clinic::Clinic;
use crate::domain::time::Timestamp;
use crate::engine::facts::{ContactFacts, Facts};
use crate::engine::plan::SeenValue;
use crate::engine::ruleset::Expr;
use rhai::{Dynamic, Scope};
use std::sync::Arc;

/// Names that are always there; a record that the event does not have is `()`.
pub const ROOTS: [&str; 7] = ["contact", "booking", "event", "message", "task", "clinic", "now"];

/// Cheap to make: records are shared, not copied.
pub struct View {
    pub clinic: Arc<Clinic>,
    pub now: Timestamp,
    roots: [Dynamic; ROOTS.len()],
}

/// The booking that a value is.
pub(in crate::engine) fn booking_of(value: &Dynamic) -> Option<Arc<Booking>> {
    value.read_lock::<BookingRecord>().map(|record| Arc::clone(&record.booking))
}

impl View {
    #[must_use]
    pub fn of_facts(clinic: &Arc<Clinic>, facts: &Facts, now: Timestamp) -> Self {
        let mut view = Self::of_records(clinic, facts.contact.as_ref(), facts.booking.as_ref(), now);
        view.set("event", Dynamic::from(EventRecord(Arc::new(facts.event.clone()))));
        if let Some(message) = &facts.message {
            view.set("message", Dynamic::from(MessageRecord(Arc::new(message.clone()))));
        }
        if let Some(task) = &facts.task {
            view.set("task", Dynamic::from(TaskRecord(Arc::clone(task))));
        }
        view
    }

    /// What a `while` of a timer sees: there is no event yet.
    #[must_use]
    pub fn of_records(
        clinic: &Arc<Clinic>,
        contact: Option<&Arc<ContactFacts>>,
        booking: Option<&Arc<Booking>>,
        now: Timestamp,
    ) -> Self {
        let zone = clinic.calendar.tz;
        let mut view = Self { clinic: Arc::clone(clinic), now, roots: [const { Dynamic::UNIT }; ROOTS.len()] };
        if let Some(facts) = contact {
            view.set("contact", Dynamic::from(ContactRecord { facts: Arc::clone(facts), zone }));
        }
        if let Some(booking) = booking {
            view.set("booking", Dynamic::from(BookingRecord { booking: Arc::clone(booking), zone }));
        }
        view.set("clinic", Dynamic::from(ClinicRecord { clinic: Arc::clone(clinic), now }));
        view.set("now", Dynamic::from(now));
        view
    }

    /// The same, with another booking.
    pub(in crate::engine) fn about_booking(&self, booking: Dynamic) -> Self {
        let mut view = Self { clinic: Arc::clone(&self.clinic), now: self.now, roots: self.roots.clone() };
        view.set("booking", booking);
        view
    }

    fn set(&mut self, name: &str, value: Dynamic) {
        if let Some(index) = ROOTS.iter().position(|root| *root == name) {
            self.roots[index] = value;
        }
    }

    /// Fills a scope with every root as a constant.
    pub fn fill(&self, names: &[rhai::ImmutableString; ROOTS.len()], scope: &mut Scope<'static>) {
        for (name, value) in names.iter().zip(&self.roots) {
            scope.push_constant_dynamic(name.clone(), value.clone());
        }
    }

    /// The value of a dotted path; `()` when a record on the way is missing, `None` when there is no such path.
    #[must_use]
    pub fn read(&self, path: &str) -> Option<Dynamic> {
        let mut parts = path.split('.');
        let root = parts.next()?;
        let index = ROOTS.iter().position(|name| *name == root)?;
        self.follow(self.roots[index].clone(), parts)
    }

    /// Every path that `expr` reads, with its value; `scope` holds the rule's own variables.
    #[must_use]
    pub fn seen(&self, expr: &Expr, scope: &Scope<'static>) -> Vec<SeenValue> {
        expr.reads.iter().filter_map(|path| self.seen_value(path, scope)).collect()
    }

    fn seen_value(&self, path: &str, scope: &Scope<'static>) -> Option<SeenValue> {
        let (root, rest) = path.split_once('.').map_or((path, None), |(root, rest)| (root, Some(rest)));
        let value = match scope.get(root) {
            Some(variable) => self.follow(variable.clone(), rest.into_iter().flat_map(|rest| rest.split('.')))?,
            None => self.read(path)?,
        };
        Some(SeenValue { path: path.to_owned(), value: for_trace(&self.clinic.calendar, &value) })
    }

    fn follow<'p>(&self, mut value: Dynamic, parts: impl Iterator<Item = &'p str>) -> Option<Dynamic> {
        for name in parts {
            if value.is_unit() {
                return Some(Dynamic::UNIT);
            }
            let time = value.read_lock::<Timestamp>().map(|at| *at);
            value = match time {
                Some(at) => read_time_field(&self.clinic.calendar, at, name)?,
                None => api::read_field(&value, name)?,
            };
        }
        Some(value)
    }
}
