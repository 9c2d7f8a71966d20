//! What rules can see of one event. Loaded by the caller; the engine never fetches anything.

use crate::domain::booking::Booking;
use crate::domain::contact::Contact;
use crate::domain::event::{Actor, TimerInput};
use crate::domain::task::Task;
use crate::domain::time::Timestamp;
use crate::domain::touchpoint::Touchpoint;
use serde::{Deserialize, Serialize};
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
    pub fired: Vec<Arc<FiredBefore>>,
    /// Runs of this contact that are waiting.
    pub running: Vec<RunningNow>,
    /// Which rules are asked.
    pub asked: Asked,
}

/// Which rules look at an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Asked {
    /// Those that listen to it.
    #[default]
    Listening,
    /// Those that listen to its source, whatever it is called.
    BySource,
    /// This one, by hand.
    One(String),
}

/// A run that is waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningNow {
    pub rule_id: String,
    pub booking_id: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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

#[derive(Clone, Debug, Default)]
pub struct ContactFacts {
    pub contact: Contact,
    /// Newest first, at most `TOUCHPOINTS_MAX`.
    pub touchpoints: Vec<Arc<Touchpoint>>,
    /// The soonest live booking that has not begun.
    pub next_booking: Option<Arc<Booking>>,
    /// Live bookings that have not begun, soonest first, at most `BOOKINGS_MAX`.
    pub bookings: Vec<Arc<Booking>>,
    /// At most `OPEN_TASKS_MAX`.
    pub open_tasks: Vec<Arc<Task>>,
}

/// How many live bookings rules see of one contact.
pub const BOOKINGS_MAX: usize = 50;
/// How many open tasks rules see of one contact.
pub const OPEN_TASKS_MAX: usize = 100;

/// How many touchpoints scripts see of one contact.
pub const TOUCHPOINTS_MAX: usize = 100;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageFacts {
    pub body: String,
    /// `stop`, `start`, `yes`, `no`, `cancel`, `reschedule`, `help` or `other`.
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
