//! Planning a text: who gets it, whether it may be sent at all, when, and that it is planned only once.

use super::{Applied, Applying};
use crate::automation::caps;
use crate::automation::consent;
use crate::automation::project::received_id;
use crate::automation::promises::{self, Hold, RecentAction};
use crate::automation::quiet;
use crate::automation::world::World;
use crate::domain::contact::Contact;
use crate::domain::ids::derived_id;
use crate::domain::sms::{SmsCategory, SmsMessage, SmsStatus, Wording};
use crate::domain::time::{Millis, Timestamp};
use crate::engine::plan::{Action, PlannedStep};

pub fn apply(world: &mut World, with: Applying<'_>, step: &PlannedStep, action: &Action) -> Applied {
    let Action::Sms { template, category, body, encoding, parts, immediate } = action else { return Applied::done(step) };
    let Some(contact) = world.contact.clone() else { return Applied::refused(step, "there is no contact") };
    let key = match free_key(world, with, dedupe_key(world, with, step, template)) {
        Ok(key) => key,
        Err(taken) => return Applied::new(step, "already", Some(taken)),
    };
    let phone = phone_of(&contact, world.guardian.as_ref());
    let obstacle = obstacle(world, &contact, phone.as_deref(), *category);
    let wording = Wording {
        template: Some(template.clone()),
        category: *category,
        body: body.clone(),
        encoding: encoding.clone(),
        parts: *parts,
    };
    let planned = Planned { wording, immediate: *immediate };
    let mut sms = message(world, with, step, planned, &contact, phone.unwrap_or_default());
    sms.dedupe_key = Some(key.clone());
    let applied = if let Some(reason) = obstacle {
        sms.status = SmsStatus::Suppressed;
        sms.status_reason = Some(reason.to_owned());
        Applied::new(step, "suppressed", Some(reason.to_owned()))
    } else {
        hold(world, with, step, action, &mut sms)
    };
    if sms.status.is_unsent() {
        let at = sms.scheduled_at.unwrap_or(with.now);
        world.recent.push(RecentAction { action: "sms", at, booking_id: sms.booking_id.clone() });
    }
    world.known_sms_keys.insert(key);
    world.changes.sms.push(sms);
    applied
}

/// Now, or at the end of the quiet hours, unless a promise says otherwise.
fn hold(world: &mut World, with: Applying<'_>, step: &PlannedStep, action: &Action, sms: &mut SmsMessage) -> Applied {
    let at = if sms.immediate { with.now } else { quiet::next_allowed(with.clinic, with.now) };
    let held = promises::check(world, with, action, at, sms.immediate);
    promises::note(world, with, step, &held.broken);
    let applied = match held.hold {
        Hold::Blocked(id) => {
            sms.status = SmsStatus::Suppressed;
            sms.status_reason = Some(format!("promise:{id}"));
            Applied::blocked(step, &id)
        }
        Hold::Free(when) => {
            // What a promise has moved is no answer any more.
            sms.immediate &= when == at;
            match over_cap(world, with, sms, when) {
                Some(reason) => {
                    sms.status = SmsStatus::Suppressed;
                    sms.status_reason = Some(reason.to_owned());
                    Applied::new(step, "suppressed", Some(reason.to_owned()))
                }
                None => place(sms, with, step, when),
            }
        }
    };
    Applied { promises: held.broken, ..applied }
}

/// Why the text would be one too many today. What leaves on another day is counted on that day, by the outbox.
fn over_cap(world: &mut World, with: Applying<'_>, sms: &SmsMessage, at: Timestamp) -> Option<&'static str> {
    let day = |at| with.clinic.calendar.date_of(at);
    if day(at) != day(with.now) {
        return None;
    }
    let waiting = world.unsent_sms.iter().chain(&world.changes.sms);
    let today = |s: &&SmsMessage| s.status.is_unsent() && s.to == sms.to && day(s.scheduled_at.unwrap_or(with.now)) == day(at);
    let (number, waiting) = (caps::number_scope(&sms.to), waiting.filter(today).count());
    let departed = |scope: &str| {
        let more = if scope == number { u32::try_from(waiting).unwrap_or(u32::MAX) } else { 0 };
        world.departed.get(scope).copied().unwrap_or(0).saturating_add(more)
    };
    let all = caps::caps_of(with.clinic.texts.caps, &sms.to, Some(with.rule_id));
    let cap = caps::reached(&all, departed)?;
    let id = derived_id(with.event.timestamp, &[&sms.id, "cap"]);
    let task = caps::alert(cap, sms.contact_id.as_deref(), Some(with.rule_id), with.clinic, id, with.now);
    world.changes.loose_tasks.push(task);
    Some(cap.reason)
}

/// At its time; never after it has lost its sense.
fn place(sms: &mut SmsMessage, with: Applying<'_>, step: &PlannedStep, at: Timestamp) -> Applied {
    if sms.not_after.is_some_and(|limit| at > limit) {
        sms.status = SmsStatus::Suppressed;
        // Also without the night it would come too late.
        let reason = if sms.not_after.is_some_and(|limit| with.now > limit) { "too_late" } else { "quiet_hours" };
        sms.status_reason = Some(reason.into());
        return Applied::new(step, "suppressed", Some(reason.into()));
    }
    sms.scheduled_at = Some(at);
    if at > with.now {
        sms.status = SmsStatus::Scheduled;
        sms.status_reason = Some("quiet_hours".into());
        return Applied::new(step, "scheduled", Some(sms.id.clone()));
    }
    Applied::new(step, "done", Some(sms.id.clone()))
}

/// Texts about a booking exist once for each (booking, template, appointment time); others once for each run and step.
fn dedupe_key(world: &World, with: Applying<'_>, step: &PlannedStep, template: &str) -> String {
    match with.booking_id.and_then(|id| world.find_booking(id)) {
        Some(booking) => format!("b:{}:{template}:{}", booking.id, booking.appointment_datetime.0),
        None => format!("r:{}:{}", with.run_id, step.path),
    }
}

/// Changes of a booking, each of which happens once. What the patient was told before such a change is true no more: an
/// appointment that moves to and fro, a booking that is put back, are told again.
const CHANGES: [&str; 4] = ["booking_confirmed", "booking_rescheduled", "booking_cancelled", "booking_declined"];

/// The key under which a text is planned; `Err` when it is planned already.
fn free_key(world: &World, with: Applying<'_>, key: String) -> Result<String, String> {
    let is_new = |key: &str| world.changes.sms.iter().any(|s| s.dedupe_key.as_deref() == Some(key));
    if is_new(&key) {
        return Err(key);
    }
    if !world.known_sms_keys.contains(&key) {
        return Ok(key);
    }
    let told_again = format!("{key}:{}", with.event.id);
    let is_change = with.booking_id.is_some() && CHANGES.contains(&with.event.event_type.as_str());
    if is_change && !is_new(&told_again) && !world.known_sms_keys.contains(&told_again) { Ok(told_again) } else { Err(key) }
}

/// The number that texts for the contact go to.
pub fn phone_of(contact: &Contact, guardian: Option<&Contact>) -> Option<String> {
    contact.phone.clone().or_else(|| guardian.and_then(|g| g.phone.clone()))
}

/// Why this text must not be sent, in the words of `status_reason`.
pub fn obstacle(world: &World, contact: &Contact, phone: Option<&str>, category: SmsCategory) -> Option<&'static str> {
    let guardian_out = world.guardian.as_ref().is_some_and(|g| g.opted_out_at.is_some());
    if contact.opted_out_at.is_some() || guardian_out || world.suppressed {
        return Some("opted_out");
    }
    if phone.is_none() {
        return Some("no_phone");
    }
    if contact.phone.is_some() && matches!(contact.phone_status.as_str(), "landline" | "invalid") {
        return Some("not_a_mobile");
    }
    consent::refusal(contact, category)
}

/// The text as the rule planned it.
struct Planned {
    wording: Wording,
    immediate: bool,
}

fn message(world: &World, with: Applying<'_>, step: &PlannedStep, planned: Planned, contact: &Contact, to: String) -> SmsMessage {
    let booking = with.booking_id.and_then(|id| world.find_booking(id));
    let live = booking.filter(|b| b.status.is_live());
    SmsMessage {
        contact_id: Some(contact.id.clone()),
        booking_id: booking.map(|b| b.id.clone()),
        not_after: live.map(|b| b.appointment_datetime).or(Some(with.now + SENSE_LASTS)),
        in_reply_to: answered_message(with),
        run_id: Some(with.run_id.to_owned()),
        revision: Some(with.revision),
        appointment_datetime: live.map(|b| b.appointment_datetime),
        // An offer is no answer, whenever it is made.
        immediate: planned.immediate || planned.wording.category != SmsCategory::Marketing && is_answer(with),
        is_demo: contact.is_demo,
        ..SmsMessage::queued(derived_id(with.event.timestamp, &[with.run_id, &step.path]), to, planned.wording, with.now)
    }
}

/// Later than this an answer is a text like any other: providers deliver messages hours late.
const ANSWER_WITHIN: Millis = Millis::minutes(15);
/// A text that is about no booking makes no sense after this time.
const SENSE_LASTS: Millis = Millis::hours(24);

/// The message that the text answers, as it is kept.
fn answered_message(with: Applying<'_>) -> Option<String> {
    let message = with.event.payload.message.as_ref().filter(|message| message.channel == "sms");
    message.map(|_| received_id(with.event))
}

/// The person has just written to us, so an answer does not disturb.
fn is_answer(with: Applying<'_>) -> bool {
    let heard = with.event.occurred_at.unwrap_or(with.event.timestamp);
    with.event.payload.message.is_some() && with.now - heard < ANSWER_WITHIN
}
