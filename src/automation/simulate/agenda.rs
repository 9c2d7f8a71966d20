//! Who has something due next, and the clock that goes there.

use super::{Simulation, WORK_PER_INSTANT_MAX};
use crate::domain::time::Timestamp;
use std::collections::{BTreeSet, HashMap};

/// The next due time of every contact that has one; equal times in the order of ids.
#[derive(Clone, Default)]
pub(super) struct Agenda {
    order: BTreeSet<(Timestamp, String)>,
    next_of: HashMap<String, Timestamp>,
}

impl Agenda {
    pub fn set(&mut self, contact_id: &str, next: Option<Timestamp>) {
        let known = self.next_of.get(contact_id).copied();
        if known == next {
            return;
        }
        if let Some(at) = known {
            self.order.remove(&(at, contact_id.to_owned()));
            self.next_of.remove(contact_id);
        }
        if let Some(at) = next {
            self.order.insert((at, contact_id.to_owned()));
            self.next_of.insert(contact_id.to_owned(), at);
        }
    }

    pub fn first(&self) -> Option<(Timestamp, String)> {
        self.order.first().cloned()
    }
}

impl Simulation<'_> {
    /// Moves the clock to `to`, and does everything that is due on the way, in order.
    pub fn advance(&mut self, to: Timestamp) {
        while self.trouble.is_none() {
            let person = self.agenda.first().filter(|(at, _)| *at <= to);
            let slot = self.slots.next().filter(|at| *at <= to);
            match (person, slot) {
                (Some((at, _)), Some(slot)) if slot < at => self.run_slot(slot),
                (Some((at, id)), _) => self.do_due(&id, at),
                (None, Some(slot)) => self.run_slot(slot),
                (None, None) => break,
            }
        }
        self.move_clock(to);
    }

    /// Runs until no timer, no wait, no text and no task is due any more, or until `limit`. Schedules alone keep nothing going.
    pub fn run_to_end(&mut self, limit: Timestamp) {
        while self.trouble.is_none()
            && let Some((at, _)) = self.agenda.first()
            && at <= limit
        {
            self.advance(at.max(self.now));
        }
    }

    /// The clock never goes back.
    pub(super) fn move_clock(&mut self, to: Timestamp) {
        if to > self.now {
            self.now = to;
            self.at_this_instant = 0;
        }
        self.at_this_instant += 1;
        if self.at_this_instant > WORK_PER_INSTANT_MAX {
            self.trouble =
                Some(format!("more than {WORK_PER_INSTANT_MAX} things happen at one instant: rules set off one another"));
        }
    }

    fn do_due(&mut self, contact_id: &str, at: Timestamp) {
        self.move_clock(at);
        if let Some(event) = self.records.take_due_timer(contact_id, self.rules.ruleset, self.now) {
            self.work(event, None);
        } else if let Some(event) = self.records.take_due_wait(contact_id, self.now) {
            self.work(event, None);
        } else if let Some(event) = self.take_due_task(contact_id) {
            self.work(event, None);
        } else {
            self.send_due(contact_id);
        }
        self.schedule(contact_id);
    }
}
