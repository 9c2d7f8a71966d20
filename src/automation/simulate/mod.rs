//! The clinic in memory: what would happen, and when, with a clock of its own and without a database.
//!
//! It drives the very code of production: `load::who` finds the contact, `decide` projects the event and runs the rules, and
//! what they changed is folded back into the records (`fold`, the twin of `commit`). Timers, schedules and the outbox wait in
//! an agenda until the clock reaches them. The same rules, start and events give the same happenings in the same order.

mod agenda;
mod effect;
mod fold;
mod late;
mod load;
mod outbox;
mod records;
mod slots;
mod world;

pub use effect::{Cause, Happening, Landed, Worth};
pub use records::Records;

use super::decide::{Deciding, StoredTrace};
use super::run::decide_loaded;
use super::timer_diff;
use super::waits::{self, Pinned};
use crate::domain::clinic::Clinic;
use crate::domain::event::{Event, TASK_OVERDUE};
use crate::domain::pipeline::Pipelines;
use crate::domain::rule_override::Overrides;
use crate::domain::time::Timestamp;
use crate::engine::Ruleset;
use agenda::Agenda;
use effect::Planned;
use slots::Slots;
use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

static NO_OVERRIDES: OnceLock<Overrides> = OnceLock::new();
static NO_EARLIER_RULES: Pinned = Pinned(BTreeMap::new());

/// Pieces of work at one and the same instant, beyond which something goes round in circles.
const WORK_PER_INSTANT_MAX: usize = 100_000;

/// The rules that a simulation runs, and the clinic it runs them for.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    pub ruleset: &'a Ruleset,
    /// Shown as `r<number>` in what tasks say about themselves.
    pub revision: i64,
    pub clinic: &'a Clinic,
    pub pipelines: &'a Pipelines,
}

/// One rule that looked at one event, fired or not.
#[derive(Clone, Debug)]
pub struct Ran {
    pub at: Timestamp,
    pub cause: Cause,
    pub contact_id: Option<String>,
    pub trace: StoredTrace,
}

/// A running simulation.
pub struct Simulation<'a> {
    rules: Rules<'a>,
    hears_of_late_tasks: bool,
    now: Timestamp,
    records: Records,
    agenda: Agenda,
    slots: Slots,
    /// What texts that wait in the outbox will be when they leave, by id.
    planned: HashMap<String, Planned>,
    happened: Vec<Happening>,
    /// `None` unless somebody wants to know why rules did not fire.
    ran: Option<Vec<Ran>>,
    /// Work done since the clock last moved.
    at_this_instant: usize,
    trouble: Option<String>,
}

impl<'a> Simulation<'a> {
    /// An empty clinic at `start`.
    #[must_use]
    pub fn new(rules: Rules<'a>, start: Timestamp) -> Self {
        Self {
            rules,
            hears_of_late_tasks: rules.ruleset.hears(TASK_OVERDUE),
            now: start,
            records: Records::default(),
            agenda: Agenda::default(),
            slots: Slots::new(rules.ruleset, start),
            planned: HashMap::new(),
            happened: Vec::new(),
            ran: None,
            at_this_instant: 0,
            trouble: None,
        }
    }

    /// The same clinic at the same moment with other rules in force: timers are derived anew, as publishing does.
    #[must_use]
    pub fn fork<'b>(&self, rules: Rules<'b>) -> Simulation<'b> {
        let mut forked = Simulation {
            rules,
            hears_of_late_tasks: rules.ruleset.hears(TASK_OVERDUE),
            now: self.now,
            records: self.records.clone(),
            agenda: self.agenda.clone(),
            slots: Slots::new(rules.ruleset, self.now),
            planned: self.planned.clone(),
            happened: Vec::new(),
            ran: None,
            at_this_instant: 0,
            trouble: self.trouble.clone(),
        };
        forked.records.settle_late(self.now);
        for id in forked.records.contact_ids() {
            forked.records.wait_under(&id, rules.revision);
            forked.derive(&id);
        }
        forked.schedule(late::NOBODY);
        forked
    }

    /// Keeps every run from now on, also of rules that did not fire.
    pub fn keep_runs(&mut self) {
        self.ran = Some(Vec::new());
    }

    pub const fn now(&self) -> Timestamp {
        self.now
    }

    pub const fn records(&self) -> &Records {
        &self.records
    }

    /// Why the simulation is not to be believed, if so.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// What happened since this was asked last, in order.
    pub fn take_happened(&mut self) -> Vec<Happening> {
        std::mem::take(&mut self.happened)
    }

    /// Every rule that was asked since this was asked last; empty without [`Simulation::keep_runs`].
    pub fn take_runs(&mut self) -> Vec<Ran> {
        self.ran.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// An event arrives. What was due before it is done first.
    pub fn happen(&mut self, event: Event) {
        self.advance(event.timestamp);
        self.work(event, None);
    }

    /// Somebody changes records by hand; timers follow.
    pub fn change(&mut self, change: impl FnOnce(&mut Records, Timestamp)) {
        change(&mut self.records, self.now);
        for id in self.records.contact_ids() {
            self.derive(&id);
        }
    }

    /// Tasks that are late now have been told of.
    pub fn settle_late(&mut self) {
        self.records.settle_late(self.now);
        for id in self.records.contact_ids() {
            self.schedule(&id);
        }
    }

    /// What was due before now counts as done: the records that were given are those of now.
    pub fn settle_the_past(&mut self) {
        for id in self.records.contact_ids() {
            self.records.settle_the_past(&id, self.now);
        }
        self.settle_late();
    }

    /// Lets an event that is about to happen bring its people along.
    pub fn prepare(&mut self, prepare: impl FnOnce(&mut Records)) {
        prepare(&mut self.records);
    }

    /// Decides one event and folds what it changed.
    fn work(&mut self, event: Event, schedule_of: Option<&str>) {
        let about = Cause::of(&event, schedule_of);
        let mut loaded = load::load(&mut self.records, event);
        load::prune(&mut loaded.world, self.rules.ruleset, self.now);
        let mut world = decide_loaded(loaded, self.deciding());
        self.note_effects(&about, &mut world);
        let contact_id = self.records.fold(world);
        if let Some(id) = contact_id {
            self.send_due(&id);
            self.schedule(&id);
        } else {
            self.schedule(late::NOBODY);
        }
    }

    fn deciding(&self) -> Deciding<'a> {
        Deciding {
            ruleset: self.rules.ruleset,
            revision: self.rules.revision,
            clinic: self.rules.clinic,
            pipelines: self.rules.pipelines,
            now: self.now,
            is_demo: false,
            // What somebody has switched off is a matter of the day, not of the rules; nothing waits from before.
            overrides: NO_OVERRIDES.get_or_init(Overrides::default),
            pinned: &NO_EARLIER_RULES,
        }
    }

    /// Brings one contact's timers in line with its records and the rules.
    fn derive(&mut self, contact_id: &str) {
        if let Some(mut world) = self.records.take_person(contact_id) {
            timer_diff::derive_all(&mut world, self.rules.ruleset, self.now);
            waits::settle(&mut world, self.rules.ruleset, self.now);
            self.records.fold(world);
        }
        self.schedule(contact_id);
    }

    /// Notes in the agenda when this contact has something due next.
    fn schedule(&mut self, contact_id: &str) {
        let waiting = self.records.person(contact_id).and_then(world::next_due);
        let late = self.hears_of_late_tasks.then(|| self.records.next_late(contact_id)).flatten();
        self.agenda.set(contact_id, waiting.into_iter().chain(late).min());
    }
}
