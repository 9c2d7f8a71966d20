//! Projection: turns what a provider said into the clinic's own records, whatever the order it arrives in.
//!
//! The state of a booking decides, not the name of the delivery: a provider's sequence and revision say which state is
//! newest, and the difference between the old and the new state says which events happened. So each of `booking_created`,
//! `booking_confirmed` … happens once, even when deliveries come twice, late or shuffled.

mod booking;
mod contact;
mod identity;
mod message;
mod receipt;
mod task;

use super::world::World;
use crate::domain::clinic::Clinic;
use crate::domain::event::{CONTACTS_MERGED, CONTACTS_UNMERGED, Event, QUARANTINED, SMS_RECEIPT, TASK_COMPLETED};
use crate::domain::time::Timestamp;
use crate::engine::facts::MessageFacts;
use std::collections::BTreeMap;

pub use booking::find_named as find_named_booking;
pub use booking::{happened as booking_happened, insert as insert_booking, settle as settle_booking};
pub use contact::{add_touchpoint, ask_for_merge, ensure, phone_status};
pub use identity::{Match, identities_of, resolve};
pub use message::received_id;

/// What an event turned out to mean.
#[derive(Debug, Default)]
pub struct Projected {
    /// Events that happened, in order. The delivered event itself is among them if rules are to see it.
    pub names: Vec<String>,
    pub booking_id: Option<String>,
    pub message: Option<MessageFacts>,
    /// Further texts that the events carry.
    pub data: BTreeMap<String, String>,
    /// Why the delivered event itself changes nothing.
    pub nothing_because: Option<String>,
    /// The event is about nothing that we hold, or older than what we know.
    pub ignored: bool,
}

/// What projection may look at beside the world.
#[derive(Clone, Copy)]
pub struct Projection<'a> {
    pub clinic: &'a Clinic,
    pub event: &'a Event,
    pub now: Timestamp,
    /// New contacts are people of the demo: never texted through a real provider.
    pub is_demo: bool,
}

/// Applies one event from outside to the world.
pub fn project(world: &mut World, with: Projection<'_>) -> Projected {
    let payload = &with.event.payload;
    if with.event.event_type == QUARANTINED {
        return contact::quarantine(world, with);
    }
    if with.event.event_type == SMS_RECEIPT {
        return receipt::project(world, with);
    }
    if payload.message.is_some() && payload.booking.is_none() {
        return message::project(world, with);
    }
    if payload.booking.is_some() {
        return booking::project(world, with);
    }
    if with.event.event_type == TASK_COMPLETED {
        return task::complete(world, with);
    }
    if [CONTACTS_MERGED, CONTACTS_UNMERGED].contains(&with.event.event_type.as_str()) {
        // Everything that hangs on the contact is another: its timers are derived anew.
        world.change_contact(with.now, |_| ());
    }
    contact::project(world, with)
}

impl Projected {
    fn only(name: &str) -> Self {
        Self { names: vec![name.to_owned()], ..Self::default() }
    }

    /// The event means itself.
    pub fn of(event: &Event) -> Self {
        Self { names: vec![event.event_type.clone()], booking_id: event.booking_id.clone(), ..Self::default() }
    }

    pub fn ignored(reason: impl Into<String>) -> Self {
        Self { ignored: true, nothing_because: Some(reason.into()), ..Self::default() }
    }
}
