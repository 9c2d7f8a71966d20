//! Tasks whose due time passes: what `automation::overdue` does, once for each task and due time.

use super::fold::event_from;
use super::{Records, Simulation};
use crate::automation::overdue::late;
use crate::automation::world::{Changes, World};
use crate::domain::contact::Contact;
use crate::domain::event::Event;
use crate::domain::task::Task;
use crate::domain::time::Timestamp;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// What tasks about nobody have in the agenda's place for a contact.
pub(super) const NOBODY: &str = "";

/// The due times somebody was told of, and the open tasks that hang on no contact.
#[derive(Clone, Default)]
pub(super) struct Late {
    /// Task → due times.
    told: HashMap<String, Vec<Timestamp>>,
    loose: BTreeMap<String, Task>,
}

impl Late {
    fn is_untold(&self, task: &Task) -> bool {
        task.status.is_open() && !self.told.get(&task.id).is_some_and(|told| told.contains(&task.due_datetime))
    }

    fn note_told(&mut self, task: &Task) {
        self.told.entry(task.id.clone()).or_default().push(task.due_datetime);
    }

    pub fn loose(&self) -> impl Iterator<Item = &Task> {
        self.loose.values()
    }

    pub fn fold(&mut self, world: &World, changes: &Changes) {
        for task in world.open_tasks.iter().filter(|t| t.contact_id.is_none()) {
            self.loose.insert(task.id.clone(), Task::clone(task));
        }
        self.loose.retain(|_, task| task.status.is_open());
        let new = changes.loose_tasks.iter().map(|task| (task.id.clone(), task.clone()));
        self.loose.extend(new);
    }

    /// As the writer does it: of tasks with one key, the one that is open already is kept. Answers with the ids of the others.
    pub fn drop_open_already(&self, changes: &mut Changes) -> Vec<String> {
        let mut keys: HashSet<String> = self.loose.values().filter_map(|task| task.dedupe_key.clone()).collect();
        let tasks = std::mem::take(&mut changes.loose_tasks).into_iter();
        let (new, rest): (Vec<Task>, Vec<Task>) =
            tasks.partition(|task| task.dedupe_key.clone().is_none_or(|key| keys.insert(key)));
        changes.loose_tasks = new;
        rest.into_iter().map(|task| task.id).collect()
    }
}

impl Records {
    fn open_tasks<'r>(&'r self, contact_id: &str) -> Box<dyn Iterator<Item = &'r Task> + 'r> {
        match self.person(contact_id) {
            _ if contact_id == NOBODY => Box::new(self.late.loose.values()),
            Some(world) => Box::new(world.open_tasks.iter().map(Arc::as_ref)),
            None => Box::new(std::iter::empty()),
        }
    }

    /// The open task of this contact whose due time passes first, and nobody was told of.
    fn find_next_late(&self, contact_id: &str) -> Option<&Task> {
        let untold = self.open_tasks(contact_id).filter(|task| self.late.is_untold(task));
        untold.min_by(|a, b| (a.due_datetime, &a.id).cmp(&(b.due_datetime, &b.id)))
    }

    /// When the rules hear next of a task of this contact that is late.
    pub(super) fn next_late(&self, contact_id: &str) -> Option<Timestamp> {
        self.find_next_late(contact_id).map(|task| task.due_datetime)
    }

    fn take_late(&mut self, contact_id: &str, now: Timestamp) -> Option<Event> {
        let task = self.find_next_late(contact_id).filter(|task| task.due_datetime <= now)?.clone();
        self.late.note_told(&task);
        let contact = self.person(contact_id).and_then(|world| world.contact.as_ref());
        Some(late_event(&task, contact, now))
    }

    /// What is late at `now` is no news to anybody.
    pub(super) fn settle_late(&mut self, now: Timestamp) {
        let ids = std::iter::once(NOBODY.to_owned()).chain(self.contact_ids());
        let late = |id: String| self.open_tasks(&id).filter(|task| task.due_datetime <= now).cloned().collect::<Vec<Task>>();
        for task in ids.flat_map(late).collect::<Vec<Task>>() {
            if self.late.is_untold(&task) {
                self.late.note_told(&task);
            }
        }
    }
}

/// The event of a task that is late. Its id is made of what the task is, so it is the same in every run.
fn late_event(task: &Task, contact: Option<&Contact>, now: Timestamp) -> Event {
    let (delivery, cause) = late(task, contact);
    Event { contact_id: cause.contact_id, booking_id: cause.booking_id, ..event_from(delivery, now) }
}

impl Simulation<'_> {
    /// The next task of this contact that is late; only when a rule hears of it.
    pub(super) fn take_due_task(&mut self, contact_id: &str) -> Option<Event> {
        if self.hears_of_late_tasks { self.records.take_late(contact_id, self.now) } else { None }
    }
}
