//! Everything that is known about one contact while one event is worked on, and what is to be written in the end.
//!
//! A `World` is loaded from the database, changed in memory by projection and by the rules' plans, and then written in one
//! transaction that first checks that the contact's version is still the one that was loaded.

use super::guard::RuleFailure;
use super::promises::RecentAction;
use crate::domain::booking::Booking;
use crate::domain::contact::{ConsentSaid, Contact, FieldChange, Identity, Note};
use crate::domain::event::{Event, Run, Timer, WaitState, WaitingRun};
use crate::domain::job::NewJob;
use crate::domain::pipeline::Transition;
use crate::domain::skip::SkippedEvent;
use crate::domain::sms::{SmsMessage, SmsStatus};
use crate::domain::task::{ALERT_SETTLED, Task};
use crate::domain::time::Timestamp;
use crate::domain::touchpoint::Touchpoint;
use crate::engine::facts::{BOOKINGS_MAX, ContactFacts, FiredBefore, OPEN_TASKS_MAX, TOUCHPOINTS_MAX};
use crate::store::events::EventResult;
use crate::store::sms::StatusEvent;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// One contact and what hangs on it.
#[derive(Debug, Default, Clone)]
pub struct World {
    pub contact: Option<Contact>,
    /// The version that was loaded; `None` when the contact does not exist yet.
    pub loaded_version: Option<i64>,
    pub identities: Vec<Identity>,
    /// Whose phone gets the texts, when it is not the contact's own.
    pub guardian: Option<Contact>,
    pub bookings: Vec<Booking>,
    /// Newest first. Shared with the facts, which are made anew for every event.
    pub touchpoints: Vec<Arc<Touchpoint>>,
    /// Shared with the facts, too.
    pub open_tasks: Vec<Arc<Task>>,
    /// Open tasks that hang on no contact; empty when the event is about one.
    pub loose_tasks: Vec<Task>,
    pub unsent_sms: Vec<SmsMessage>,
    /// Dedupe keys of texts that exist for the bookings.
    pub known_sms_keys: HashSet<String>,
    pub timers: Vec<Timer>,
    /// Runs that have not ended, oldest first; and those that ended in this event.
    pub waiting: Vec<WaitingRun>,
    /// The tasks that the event and waiting runs are about, as far as they are not among the open ones.
    pub named_tasks: Vec<Task>,
    pub fired: Vec<Arc<FiredBefore>>,
    /// What promises count; empty when none counts anything.
    pub recent: Vec<RecentAction>,
    /// The number (the contact's or the guardian's) must not be texted.
    pub suppressed: bool,
    /// The text that a receipt or a reply is about.
    pub referred_sms: Option<SmsMessage>,
    /// Texts that went to the sender's number lately, newest first: a reply that names none answers one of them.
    pub recent_sms: Vec<SmsMessage>,
    /// Texts that left today, by the scope of each cap.
    pub departed: HashMap<String, u32>,
    /// The message is here already, under another event.
    pub is_repeated_message: bool,
    /// The event speaks of somebody else than the booking's owner: nothing it says of a person is taken over.
    pub claims_nothing: bool,
    /// Which contacts own the identities that the event names.
    pub owners: HashMap<Identity, String>,
    pub changes: Changes,
}

/// What is to be written.
#[derive(Debug, Default, Clone)]
pub struct Changes {
    pub contact: bool,
    pub new_identities: Vec<Identity>,
    /// Numbers and addresses that are the contact's no more.
    pub gone_identities: Vec<Identity>,
    pub bookings: BTreeSet<String>,
    pub tasks: BTreeSet<String>,
    /// Tasks that hang on no contact.
    pub loose_tasks: Vec<Task>,
    pub touchpoints: Vec<Touchpoint>,
    /// Ids of those that were none after all.
    pub touchpoints_gone: Vec<String>,
    pub notes: Vec<Note>,
    pub consents: Vec<ConsentSaid>,
    pub transitions: Vec<Transition>,
    pub field_changes: Vec<FieldChange>,
    pub sms: Vec<SmsMessage>,
    pub sms_changes: Vec<SmsChange>,
    pub sms_status_events: Vec<StatusEvent>,
    pub suppressions: Vec<Suppression>,
    pub events: Vec<Event>,
    pub results: Vec<EventResult>,
    /// Events about somebody who was erased.
    pub erased_events: Vec<String>,
    pub runs: Vec<Run>,
    /// Those of `runs` that did nothing, as they are stored.
    pub skips: Vec<SkippedEvent>,
    pub failures: Vec<RuleFailure>,
    /// What became of each action that would have broken a promise: `block`, `move_to_window`, `alert`.
    pub promises_broken: Vec<String>,
    pub timers: Vec<Timer>,
    pub timers_gone: Vec<Timer>,
    /// Ids of runs that began to wait.
    pub waiting_new: BTreeSet<String>,
    /// Ids of runs that waited before and whose state is another now.
    pub waiting: BTreeSet<String>,
    /// Ids of rules that alerted staff.
    pub alerts: Vec<String>,
    pub jobs: Vec<NewJob>,
}

/// A change of a text's state that holds only while the text is in one of `from`.
#[derive(Debug, Clone)]
pub struct SmsChange {
    pub sms_id: String,
    pub from: Vec<SmsStatus>,
    pub to: SmsStatus,
    pub reason: Option<String>,
    pub provider_message_id: Option<String>,
    /// What follows from the change was decided too: if it cannot be made, decide again.
    pub is_required: bool,
}

#[derive(Debug, Clone)]
pub enum Suppression {
    /// `is_new`: the number was texted until now.
    Stop {
        phone: String,
        reason: String,
        event_id: String,
        is_new: bool,
    },
    Lift {
        phone: String,
    },
}

impl Suppression {
    pub fn phone(&self) -> &str {
        match self {
            Self::Stop { phone, .. } | Self::Lift { phone } => phone,
        }
    }
}

impl World {
    /// Changes the contact; its version rises once, when it is written.
    pub fn change_contact(&mut self, now: Timestamp, change: impl FnOnce(&mut Contact)) {
        if let Some(contact) = &mut self.contact {
            change(contact);
            contact.updated_at = now;
            self.changes.contact = true;
        }
    }

    pub fn find_booking(&self, id: &str) -> Option<&Booking> {
        self.bookings.iter().find(|b| b.id == id)
    }

    /// Changes one booking, and with it the contact it hangs on.
    pub fn change_booking(&mut self, id: &str, now: Timestamp, change: impl FnOnce(&mut Booking)) {
        if let Some(booking) = self.bookings.iter_mut().find(|b| b.id == id) {
            change(booking);
            booking.updated_at = now;
            booking.version += 1;
            self.changes.bookings.insert(booking.id.clone());
            self.changes.contact = true;
        }
    }

    pub fn change_task(&mut self, id: &str, now: Timestamp, change: impl FnOnce(&mut Task)) {
        if let Some(task) = self.open_tasks.iter_mut().find(|t| t.id == id) {
            let task = Arc::make_mut(task);
            change(task);
            task.updated_at = now;
            task.version += 1;
            self.changes.tasks.insert(task.id.clone());
            self.changes.contact = true;
            if task.is_settled(now) && task.task_type != "alert" {
                self.close_alerts_about(id, now);
            }
        }
    }

    /// Nobody needs to be told of a task that is done, or that has time again.
    fn close_alerts_about(&mut self, task_id: &str, now: Timestamp) {
        let alerts: Vec<String> = self.open_tasks.iter().filter(|t| t.is_alert_about(task_id)).map(|t| t.id.clone()).collect();
        for alert in alerts {
            self.change_task(&alert, now, |t| t.cancel(ALERT_SETTLED, now));
        }
    }

    /// A run begins to wait, or to stand in line.
    pub fn add_waiting(&mut self, run: WaitingRun) {
        self.changes.waiting_new.insert(run.id.clone());
        self.changes.contact = true;
        self.waiting.push(run);
    }

    /// Changes a waiting run. The contact's version rises, so that nobody else goes on with it at the same time.
    pub fn change_waiting(&mut self, id: &str, now: Timestamp, change: impl FnOnce(&mut WaitingRun)) {
        if let Some(run) = self.waiting.iter_mut().find(|run| run.id == id) {
            change(run);
            run.updated_at = now;
            if !run.state.is_alive() {
                run.memory.clear();
            }
            if !self.changes.waiting_new.contains(id) {
                self.changes.waiting.insert(id.to_owned());
            }
            self.changes.contact = true;
        }
    }

    pub fn end_waiting(&mut self, id: &str, reason: &str, now: Timestamp) {
        self.change_waiting(id, now, |run| {
            run.state = WaitState::Ended;
            run.reason = Some(reason.to_owned());
        });
    }

    /// What was taken for a touchpoint was none.
    pub fn remove_touchpoint(&mut self, id: &str) {
        self.touchpoints.retain(|touchpoint| touchpoint.id != id);
        self.changes.touchpoints_gone.push(id.to_owned());
    }

    pub fn add_touchpoint(&mut self, touchpoint: Touchpoint) {
        self.touchpoints.insert(0, Arc::new(touchpoint.clone()));
        self.changes.touchpoints.push(touchpoint);
        self.changes.contact = true;
    }

    /// Withdraws unsent texts that `matches` picks; returns how many.
    pub fn withdraw_sms(&mut self, reason: &str, matches: impl Fn(&SmsMessage) -> bool) -> usize {
        let mut count = 0;
        self.unsent_sms.retain(|sms| {
            if !matches(sms) {
                return true;
            }
            count += 1;
            self.changes.sms_changes.push(SmsChange {
                sms_id: sms.id.clone(),
                from: vec![SmsStatus::Scheduled, SmsStatus::Queued],
                to: SmsStatus::Cancelled,
                reason: Some(reason.to_owned()),
                provider_message_id: None,
                is_required: false,
            });
            false
        });
        // Texts planned a moment ago, in this very event, are not in the outbox yet.
        for sms in &mut self.changes.sms {
            if sms.status.is_unsent() && matches(sms) {
                sms.status = SmsStatus::Cancelled;
                sms.status_reason = Some(reason.to_owned());
                count += 1;
            }
        }
        count
    }

    /// What rules see of the contact.
    pub fn contact_facts(&self, now: Timestamp) -> Option<Arc<ContactFacts>> {
        let mut bookings: Vec<&Booking> =
            self.bookings.iter().filter(|b| b.status.is_live() && b.appointment_datetime > now).collect();
        bookings.sort_by(|a, b| (a.appointment_datetime, &a.id).cmp(&(b.appointment_datetime, &b.id)));
        let bookings: Vec<Arc<Booking>> = bookings.into_iter().take(BOOKINGS_MAX).cloned().map(Arc::new).collect();
        let open = self.open_tasks.iter().filter(|t| t.status.is_open()).take(OPEN_TASKS_MAX);
        Some(Arc::new(ContactFacts {
            contact: self.contact.clone()?,
            touchpoints: self.touchpoints.iter().take(TOUCHPOINTS_MAX).cloned().collect(),
            next_booking: bookings.first().cloned(),
            bookings,
            open_tasks: open.cloned().collect(),
        }))
    }

    pub fn find_task(&self, id: &str) -> Option<&Task> {
        self.open_tasks.iter().map(Arc::as_ref).chain(&self.named_tasks).chain(&self.changes.loose_tasks).find(|t| t.id == id)
    }

    /// Once for all that was changed.
    pub fn raise_version(&mut self) {
        if self.changes.contact
            && let Some(contact) = &mut self.contact
        {
            contact.version += 1;
        }
    }

    /// The soonest live booking that has not begun.
    pub fn next_booking(&self, now: Timestamp) -> Option<&Booking> {
        self.bookings
            .iter()
            .filter(|b| b.status.is_live() && b.appointment_datetime > now)
            .min_by(|a, b| (a.appointment_datetime, &a.id).cmp(&(b.appointment_datetime, &b.id)))
    }
}
