//! What staff does: each click is an event with a name behind it, worked like any other, in the transaction of the request.
//!
//! `act` is the use case: it reads the records, lets `decide` make of the event what it means (`carry_out`, one small function for
//! each action) and what the rules make of it, and writes everything together, if nobody was faster. A replay works the same
//! events with the same functions.

pub mod act;
pub mod snooze;

mod bookings;
mod contacts;
mod tasks;
mod texts;

pub use act::{About, Done, Refused, Wanted, act, find_known};
pub use contacts::stages_allowed;
pub use texts::{Composed, UNDO, explain};

use super::decide::Deciding;
use super::project::{Projected, Projection};
use super::world::World;
use crate::domain::event::Event;
use crate::domain::staff_action::StaffAction;

/// Why an action cannot be done as things are, in words for people.
struct Impossible(String);

type Effect = Result<Projected, Impossible>;

impl Impossible {
    fn because(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// What an action looks at beside the world.
#[derive(Clone, Copy)]
struct Doing<'a> {
    root: &'a Event,
    deciding: Deciding<'a>,
}

impl<'a> Doing<'a> {
    /// Who does it.
    fn by(self) -> &'a str {
        self.root.payload.by.as_deref().unwrap_or("staff")
    }

    fn projection(self) -> Projection<'a> {
        let Deciding { clinic, now, is_demo, .. } = self.deciding;
        Projection { clinic, event: self.root, now, is_demo }
    }
}

/// Does to the world what somebody did. What is impossible by now is ignored, and says why.
pub(super) fn carry_out(world: &mut World, root: &Event, action: &StaffAction, deciding: Deciding<'_>) -> Projected {
    let with = Doing { root, deciding };
    let done = match action {
        StaffAction::OpenTask(new) => tasks::open(world, new, with),
        StaffAction::EditTask(edit) => tasks::edit(world, edit, with),
        StaffAction::SnoozeTask { until } => tasks::snooze(world, *until, with),
        StaffAction::CompleteTask { outcome, note } => tasks::complete(world, *outcome, note.as_deref(), with),
        StaffAction::ReopenTask => tasks::reopen(world, with),
        StaffAction::AddContact(more) => contacts::add(world, more, with),
        StaffAction::EditContact(edit) => contacts::edit(world, edit, with),
        StaffAction::MoveContact { pipeline, stage } => contacts::move_to(world, pipeline, stage, with),
        StaffAction::AddNote { body, booking_id } => contacts::note(world, body, booking_id.as_deref(), with),
        StaffAction::OptOut { reason } => contacts::opt_out(world, reason, with),
        StaffAction::OptIn { reason } => contacts::opt_in(world, reason, with),
        StaffAction::AddBooking(new) => bookings::add(world, new, with),
        StaffAction::EditBooking(edit) => bookings::edit(world, edit, with),
        StaffAction::MarkBooking { to, reason } => bookings::mark(world, *to, reason.as_deref(), with),
        StaffAction::SendSms(new) => texts::send(world, new, with),
        StaffAction::CancelSms { sms_id } => texts::cancel(world, sms_id, with),
        StaffAction::RetrySms { sms_id } => texts::retry(world, sms_id, with),
    };
    done.unwrap_or_else(|Impossible(reason)| Projected::ignored(reason))
}
