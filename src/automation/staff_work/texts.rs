//! Texts that somebody writes: shown before they are sent, held for a moment, taken back, tried once more.

use super::{Doing, Effect, Impossible};
use crate::automation::apply::{obstacle, phone_of};
use crate::automation::caps;
use crate::automation::decide::{Deciding, facts};
use crate::automation::project::Projected;
use crate::automation::quiet;
use crate::automation::world::{SmsChange, World};
use crate::domain::booking::Booking;
use crate::domain::event::Event;
use crate::domain::ids::derived_id;
use crate::domain::sms::{SmsCategory, SmsMessage, SmsStatus, Wording};
use crate::domain::staff_action::NewText;
use crate::domain::time::{Millis, Timestamp};
use crate::engine::facts::EventFacts;
use crate::engine::template::{BODY_CHARS_MAX, missing_records, render_sms, segments, transliterate_for};

/// A text that somebody has sent waits so long for "undo".
pub const UNDO: Millis = Millis::seconds(5);
/// Somebody who has written to us lately is not disturbed by an answer, whatever the hour.
const ANSWER_WITHIN: Millis = Millis::minutes(15);
/// A text that is about no appointment makes no sense after this time.
const SENSE_LASTS: Millis = Millis::hours(24);

/// A text as it would leave.
#[derive(Clone, Debug, PartialEq)]
pub struct Composed {
    pub to: Option<String>,
    pub body: String,
    /// `gsm7` or `ucs2`.
    pub encoding: &'static str,
    pub parts: i32,
    pub category: SmsCategory,
    /// When it would leave.
    pub at: Timestamp,
    /// Why not at once: `undo`, `send_at` or `quiet_hours`.
    pub held: &'static str,
    /// Why it cannot be sent at all, in the words of `status_reason`.
    pub obstacle: Option<&'static str>,
}

/// What somebody would send, without sending it; an error says what the template lacks.
pub fn preview(world: &World, root: &Event, new: &NewText, deciding: Deciding<'_>) -> Result<Composed, String> {
    compose(world, new, Doing { root, deciding }).map_err(|Impossible(reason)| reason)
}

pub(super) fn send(world: &mut World, new: &NewText, with: Doing<'_>) -> Effect {
    let composed = compose(world, new, with)?;
    if let Some(reason) = composed.obstacle {
        return Err(Impossible::because(explain(reason)));
    }
    let id = new_sms_id(&with.root.id, with.root.timestamp);
    let mut sms = message(world, id, composed, new, with);
    sms.dedupe_key = Some(format!("staff:{}", with.root.id));
    world.changes.sms.push(sms);
    world.change_contact(with.deciding.now, |_| {});
    Ok(Projected::of(with.root))
}

/// The id of the text that this event makes.
pub(super) fn new_sms_id(event_id: &str, at: Timestamp) -> String {
    derived_id(at, &[event_id, "sms"])
}

/// What makes sure that a failed text is tried again only once.
pub(super) fn retry_key(sms_id: &str) -> String {
    format!("retry:{sms_id}")
}

/// Taken back, as long as it has not left.
pub(super) fn cancel(world: &mut World, sms_id: &str, with: Doing<'_>) -> Effect {
    let text = world.unsent_sms.iter().find(|sms| sms.id == sms_id).cloned();
    let text = text.ok_or_else(|| Impossible::because("the text has left already, or will never leave"))?;
    world.unsent_sms.retain(|sms| sms.id != sms_id);
    world.changes.sms_changes.push(SmsChange {
        sms_id: text.id,
        from: vec![SmsStatus::Scheduled, SmsStatus::Queued],
        to: SmsStatus::Cancelled,
        reason: Some(with.by().to_owned()),
        provider_message_id: None,
        is_required: true,
    });
    world.change_contact(with.deciding.now, |_| {});
    Ok(Projected { booking_id: text.booking_id, ..Projected::of(with.root) })
}

/// The same words once more, as a text of its own: what has failed stays as it was. Once for each failed text.
pub(super) fn retry(world: &mut World, sms_id: &str, with: Doing<'_>) -> Effect {
    let failed = world.referred_sms.clone().filter(|sms| sms.id == sms_id);
    let failed = failed.ok_or_else(|| Impossible::because("there is no such text"))?;
    if !surely_did_not_leave(&failed) {
        return Err(Impossible::because(format!("the text is {}: it may have left", failed.status.as_str())));
    }
    let new = NewText { body: Some(failed.body.clone()), template: None, category: failed.category, send_at: None };
    let composed = compose(world, &new, with)?;
    if let Some(reason) = composed.obstacle {
        return Err(Impossible::because(explain(reason)));
    }
    let id = new_sms_id(&with.root.id, with.root.timestamp);
    let again = NewText { template: failed.template.clone(), ..new };
    let mut sms = message(world, id, composed, &again, with);
    sms.dedupe_key = Some(retry_key(&failed.id));
    sms.booking_id.clone_from(&failed.booking_id);
    world.changes.sms.push(sms);
    world.change_contact(with.deciding.now, |_| {});
    Ok(Projected { booking_id: failed.booking_id, ..Projected::of(with.root) })
}

/// The provider would not have it: no carrier has seen it.
fn surely_did_not_leave(text: &SmsMessage) -> bool {
    let was_refused = text.status == SmsStatus::Failed && text.accepted_at.is_none() && text.provider_message_id.is_none();
    text.direction == "out" && was_refused
}

fn compose(world: &World, new: &NewText, with: Doing<'_>) -> Result<Composed, Impossible> {
    let contact = world.contact.as_ref().ok_or_else(|| Impossible::because("there is no such contact"))?;
    let (body, category) = words(world, new, with)?;
    let to = phone_of(contact, world.guardian.as_ref());
    let count = segments::count(&body);
    let (at, held) = when(world, new, category, with);
    let mut composed = Composed {
        obstacle: obstacle(world, contact, to.as_deref(), category),
        to,
        encoding: count.encoding,
        parts: i32::try_from(count.parts).unwrap_or(i32::MAX),
        body,
        category,
        at,
        held,
    };
    composed.obstacle = composed.obstacle.or_else(|| over_cap(world, &composed, with));
    if composed.obstacle.is_none() && not_after(live_booking(world, with), at).is_some_and(|limit| at > limit) {
        composed.obstacle = Some("too_late");
    }
    Ok(composed)
}

fn words(world: &World, new: &NewText, with: Doing<'_>) -> Result<(String, SmsCategory), Impossible> {
    let Deciding { ruleset, clinic, now, .. } = with.deciding;
    if let Some(template) = &new.template.as_ref().filter(|_| new.body.is_none()) {
        let seen = EventFacts {
            id: with.root.id.clone(),
            event_type: with.root.event_type.clone(),
            source: with.root.source.clone(),
            actor: with.root.actor,
            timestamp: with.root.timestamp,
            occurred_at: with.root.occurred_at,
            depth: 0,
            data: with.root.payload.data.clone(),
        };
        let facts = facts(world, seen, with.root.booking_id.as_deref(), None, None, now);
        let missing = missing_records(ruleset, template, &facts, now);
        if !missing.is_empty() {
            return Err(Impossible::because(format!("the template speaks of a {}, and none is named", missing.join(" and a "))));
        }
        let rendered = render_sms(ruleset, template, &facts, now);
        return rendered.map(|text| (text.body, text.category)).map_err(|error| Impossible::because(error.message));
    }
    let body = new.body.as_deref().unwrap_or_default().trim();
    let body = transliterate_for(body, clinic.texts.plain_letters).into_owned();
    if body.is_empty() {
        return Err(Impossible::because("the text is empty"));
    }
    if body.chars().nth(BODY_CHARS_MAX).is_some() {
        return Err(Impossible::because(format!("the text is longer than {BODY_CHARS_MAX} characters")));
    }
    Ok((body, new.category))
}

/// Not at once, so that it can be taken back; not at night, unless it is an answer.
fn when(world: &World, new: &NewText, category: SmsCategory, with: Doing<'_>) -> (Timestamp, &'static str) {
    let now = with.deciding.now;
    let wanted = new.send_at.filter(|at| *at > now + UNDO);
    let at = wanted.unwrap_or(now + UNDO);
    let is_answer = wanted.is_none() && answers(world, category, now);
    let allowed = if is_answer { at } else { quiet::next_allowed(with.deciding.clinic, at) };
    match (allowed > at, wanted) {
        (true, _) => (allowed, "quiet_hours"),
        (false, Some(_)) => (at, "send_at"),
        (false, None) => (at, "undo"),
    }
}

fn answers(world: &World, category: SmsCategory, now: Timestamp) -> bool {
    let heard = world.contact.as_ref().and_then(|c| c.last_inbound_at);
    category != SmsCategory::Marketing && heard.is_some_and(|at| now - at < ANSWER_WITHIN)
}

/// What leaves on another day is counted on that day, by the outbox.
fn over_cap(world: &World, composed: &Composed, with: Doing<'_>) -> Option<&'static str> {
    let Deciding { clinic, now, .. } = with.deciding;
    let day = |at| clinic.calendar.date_of(at);
    let to = composed.to.as_deref()?;
    if day(composed.at) != day(now) {
        return None;
    }
    let number = caps::number_scope(to);
    let today = |s: &&SmsMessage| s.to == to && day(s.scheduled_at.unwrap_or(now)) == day(now);
    let waiting = u32::try_from(world.unsent_sms.iter().filter(today).count()).unwrap_or(u32::MAX);
    let departed = |scope: &str| {
        let more = if scope == number { waiting } else { 0 };
        world.departed.get(scope).copied().unwrap_or(0).saturating_add(more)
    };
    caps::reached(&caps::caps_of(clinic.texts.caps, to, None), departed).map(|cap| cap.reason)
}

fn live_booking<'w>(world: &'w World, with: Doing<'_>) -> Option<&'w Booking> {
    let named = with.root.booking_id.as_deref().and_then(|id| world.find_booking(id));
    named.filter(|b| b.status.is_live())
}

fn not_after(booking: Option<&Booking>, at: Timestamp) -> Option<Timestamp> {
    booking.map(|b| b.appointment_datetime).or(Some(at + SENSE_LASTS))
}

fn message(world: &World, id: String, composed: Composed, new: &NewText, with: Doing<'_>) -> SmsMessage {
    let Deciding { now, revision, .. } = with.deciding;
    let live = live_booking(world, with);
    let wording = Wording {
        template: new.template.clone(),
        category: composed.category,
        body: composed.body,
        encoding: composed.encoding.to_owned(),
        parts: composed.parts,
    };
    SmsMessage {
        contact_id: world.contact.as_ref().map(|c| c.id.clone()),
        booking_id: with.root.booking_id.clone(),
        scheduled_at: Some(composed.at),
        not_after: not_after(live, composed.at),
        status: SmsStatus::Scheduled,
        status_reason: Some(composed.held.to_owned()),
        revision: Some(revision),
        sent_by: Some(with.by().to_owned()),
        appointment_datetime: live.map(|b| b.appointment_datetime),
        immediate: new.send_at.is_none() && answers(world, composed.category, now),
        is_demo: world.contact.as_ref().is_some_and(|c| c.is_demo),
        ..SmsMessage::queued(id, composed.to.unwrap_or_default(), wording, now)
    }
}

/// An obstacle in words for people.
#[must_use]
pub fn explain(reason: &str) -> &'static str {
    match reason {
        "opted_out" => "the person does not want texts (STOP)",
        "no_phone" => "the contact has no phone number",
        "not_a_mobile" => "the contact's number cannot be texted",
        "no_consent" => "the person has not agreed to texts of this kind",
        "too_late" => "it could only leave when it makes no sense any more",
        _ => "the day's cap of texts is reached",
    }
}
