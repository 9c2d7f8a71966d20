//! Which of our texts a reply answers, and so whose reply it is and which booking it is about.
//!
//! A provider may name the text. Where it does not, the reply answers one of the texts that went to the number lately: that says
//! something only as long as they were all about one person, and one booking. Nobody guesses between two.

use super::world::World;
use crate::domain::booking::Booking;
use crate::domain::contact::{Contact, Identity, IdentityKind};
use crate::domain::event::{Event, MessageInput};
use crate::domain::sms::SmsMessage;
use crate::domain::time::{Millis, Timestamp};
use std::collections::{BTreeSet, HashMap};

/// A reply answers no text that is older.
pub const ANSWERS_WITHIN: Millis = Millis::days(7);

/// A reply is an answer to a text only when that text went to the number it comes from. Receipts are about any text.
pub fn can_answer(event: &Event, text: &SmsMessage) -> bool {
    event.payload.message.as_ref().is_none_or(|message| text.direction == "out" && text.to == message.from)
}

/// The number of a reply for which the provider names no text of ours.
pub fn unreferred_number<'e>(event: &'e Event, referred: Option<&SmsMessage>) -> Option<&'e str> {
    let message = text_message(event)?;
    (referred.is_none() && message.from.starts_with('+')).then_some(message.from.as_str())
}

fn text_message(event: &Event) -> Option<&MessageInput> {
    event.payload.message.as_ref().filter(|message| message.channel == "sms")
}

/// Whose reply it is: of the one whom the answered text was for, as long as that is the number's owner or somebody whom the owner
/// looks after. `None`: the owner's.
pub fn who_answers(
    event: &Event,
    world: &World,
    owners: &HashMap<Identity, String>,
    known: &HashMap<String, Contact>,
) -> Option<String> {
    let message = text_message(event)?;
    let meant = match &world.referred_sms {
        Some(text) => text.contact_id.clone(),
        None => only(world.recent_sms.iter().map(|text| text.contact_id.clone())).flatten(),
    }?;
    let owner = owners.get(&Identity { kind: IdentityKind::Phone, value: message.from.clone() });
    let looked_after = known.get(&meant).and_then(|c| c.guardian_contact_id.as_ref());
    owner.is_none_or(|owner| *owner == meant || looked_after == Some(owner)).then_some(meant)
}

/// The booking that a message is about. `None` also when it could be one of several.
pub fn booking_meant(world: &World, intent: &str, now: Timestamp) -> Option<String> {
    let is_ahead = |id: &String| world.find_booking(id).is_some_and(|b| ahead(b, now));
    match &world.referred_sms {
        Some(text) if text.booking_id.is_some() => return text.booking_id.clone().filter(is_ahead),
        // "Yes" to a text about no booking confirms none.
        Some(_) if intent == "yes" => return None,
        _ => {}
    }
    let asked: BTreeSet<&String> = world.recent_sms.iter().filter_map(|s| s.booking_id.as_ref()).collect();
    // A text about somebody else's booking leaves open which one is meant, too.
    let open: Vec<&String> = asked.into_iter().filter(|id| is_ahead(id) || world.find_booking(id).is_none()).collect();
    match open.as_slice() {
        [] => only(world.bookings.iter().filter(|b| ahead(b, now)).map(|b| b.id.clone())),
        [one] => Some((*one).clone()).filter(is_ahead),
        _ => None,
    }
}

fn ahead(booking: &Booking, now: Timestamp) -> bool {
    booking.status.is_live() && booking.appointment_datetime > now
}

/// The one that all of them are.
fn only<T: PartialEq>(mut all: impl Iterator<Item = T>) -> Option<T> {
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}
