//! What rules can see of one event. Loaded by the caller; the engine never fetches anything.

use crate::domain::booking::Booking;
use crate::domain::contact::Contact;
use crate::domain::event::{Actor, TimerInput};
use crate::domain::task::Task;
use crate::domain::time::Timestamp;
use crate::domain::touchpoint::Touchpoint;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One event and the records it is about, as they are right before its rules run.
#[derive(Clone, Debug)]
pub struct Facts {
    pub event: EventFacts,
    pub contact: Option<Arc<ContactFacts>>,
    /// The booking the event is about; for messages the sender's next booking.
    pub booking: Option<Arc<Booking>>,
    pub message: Option<MessageFacts>,
    pub task: Option<Arc<Task>>,
    /// Set for `timer_due` and `schedule_due`: only that rule's trigger is evaluated.
    pub timer: Option<TimerInput>,
    /// When rules with a `limit` fired before, newest first.
    pub fired: Vec<FiredBefore>,
}

#[derive(Clone, Debug)]
pub struct EventFacts {
    pub id: String,
    pub event_type: String,
    pub source: String,
    pub actor: Actor,
    pub timestamp: Timestamp,
    pub occurred_at: Option<Timestamp>,
    /// How many events led to this one; 0 for what came from outside.
    pub depth: u32,
    pub data: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
pub struct ContactFacts {
    pub contact: Contact,
    /// Newest first, at most `TOUCHPOINTS_MAX`.
    pub touchpoints: Vec<Touchpoint>,
    /// The soonest live booking that has not begun.
    pub next_booking: Option<Arc<Booking>>,
}

/// How many touchpoints scripts see of one contact.
pub const TOUCHPOINTS_MAX: usize = 100;

#[derive(Clone, Debug)]
pub struct MessageFacts {
    pub body: String,
    /// `stop`, `start`, `yes`, `no`, `reschedule`, `help` or `other`.
    pub intent: String,
    /// `sms` or `manychat`.
    pub channel: String,
}

#[derive(Clone, Debug)]
pub struct FiredBefore {
    pub rule_id: String,
    pub contact_id: Option<String>,
    pub booking_id: Option<String>,
    pub at: Timestamp,
}
