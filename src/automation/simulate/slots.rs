//! `every` triggers: the slots of all schedules in the order of time.

use super::Simulation;
use crate::automation::load::BOOKINGS_PAST_MAX;
use crate::automation::schedules::{slot_event, wanted_one};
use crate::domain::event::SubjectKind;
use crate::domain::time::Timestamp;
use crate::engine::Ruleset;
use crate::engine::timers::{RuleSchedule, schedules};
use crate::store::schedules::Plan;

/// Every schedule of a ruleset with its next slot.
pub(super) struct Slots(Vec<Slot>);

struct Slot {
    schedule: RuleSchedule,
    plan: Plan,
    /// `None` when there is none any more.
    next: Option<Timestamp>,
}

impl Slots {
    pub fn new(ruleset: &Ruleset, start: Timestamp) -> Self {
        let slot = |schedule: RuleSchedule| {
            let wanted = wanted_one(&schedule);
            let plan = Plan::parse(&wanted.expression, &wanted.zone).ok()?;
            let next = plan.next_after(start).ok();
            Some(Slot { schedule, plan, next })
        };
        Self(schedules(ruleset).into_iter().filter_map(slot).collect())
    }

    pub fn next(&self) -> Option<Timestamp> {
        self.0.iter().filter_map(|slot| slot.next).min()
    }

    /// The schedules due at `at`, in the order of rules; each moves on to its next slot.
    fn take(&mut self, at: Timestamp) -> Vec<RuleSchedule> {
        let mut due = Vec::new();
        for slot in self.0.iter_mut().filter(|slot| slot.next == Some(at)) {
            slot.next = slot.plan.next_after(at).ok();
            due.push(slot.schedule.clone());
        }
        due
    }
}

impl Simulation<'_> {
    pub(super) fn run_slot(&mut self, at: Timestamp) {
        self.move_clock(at);
        for schedule in self.slots.take(at) {
            for (subject, contact) in self.subjects(schedule.each) {
                let event = slot_event(&schedule, at, subject.as_deref(), contact.as_deref());
                self.work(event, Some(&schedule.rule_id));
            }
        }
    }

    /// (subject, contact) of every evaluation of a slot, in the order of ids.
    fn subjects(&self, each: Option<SubjectKind>) -> Vec<(Option<String>, Option<String>)> {
        match each {
            Some(SubjectKind::Contact) => self.records.contact_ids().into_iter().map(|id| (Some(id.clone()), Some(id))).collect(),
            Some(SubjectKind::Booking) => {
                let recent = self.records.bookings_since(self.now - BOOKINGS_PAST_MAX);
                recent.into_iter().map(|(id, contact)| (Some(id), Some(contact))).collect()
            }
            _ => vec![(None, None)],
        }
    }
}
