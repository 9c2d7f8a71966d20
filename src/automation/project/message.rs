//! Messages from people: kept, understood by their first words, STOP obeyed before any rule is asked.

use super::contact::{add_touchpoint, ensure, system_task};
use super::{Projected, Projection};
use crate::automation::replies;
use crate::automation::world::{Suppression, World};
use crate::domain::event::{Actor, Event, MessageInput};
use crate::domain::ids::derived_id;
use crate::domain::sms::{SmsCategory, SmsMessage, SmsStatus};
use crate::engine::facts::MessageFacts;
use crate::engine::template::segments;

/// Applies a message and names what happened.
pub fn project(world: &mut World, with: Projection<'_>) -> Projected {
    let Some(message) = &with.event.payload.message else { return Projected::default() };
    if world.is_repeated_message {
        return Projected::ignored("this message is here already");
    }
    let is_sms = message.channel == "sms";
    if is_sms && world.contact.is_none() && !message.from.starts_with('+') {
        return from_no_number(world, with, message);
    }
    let is_new = ensure(world, with);
    if world.contact.as_ref().is_some_and(|c| c.phone.is_none() && c.guardian_contact_id.is_none()) && is_sms {
        adopt_number(world, with, &message.from);
    }
    let received = with.event.occurred_at.unwrap_or(with.event.timestamp).min(with.now);
    world.change_contact(with.now, |c| c.last_inbound_at = Some(c.last_inbound_at.map_or(received, |t| t.max(received))));
    let intent = if with.event.actor == Actor::Staff { "other" } else { with.clinic.keywords.intent(&message.body) };
    let booking_id = replies::booking_meant(world, intent, with.now);
    let mut names = Vec::new();
    if is_sms {
        keep(world, with, message, booking_id.clone());
        // Who answers a text has got it.
        let of_unknown_fate = |sms: &&SmsMessage| matches!(sms.status, SmsStatus::Sending | SmsStatus::Unknown);
        if let Some(sms) = world.referred_sms.as_ref().filter(of_unknown_fate).cloned() {
            super::receipt::prove_taken(world, with, &sms, message.in_reply_to.clone());
        }
        add_touchpoint(world, with.event, with.now, "sms_in", Some("sms".into()), "in");
        obey(world, with, message, intent, &mut names);
    } else {
        add_touchpoint(world, with.event, with.now, "manychat_message", Some("manychat".into()), "in");
    }
    let first = !is_sms && is_new && with.event.event_type == "manychat_message";
    names.insert(0, if first { "lead_created".to_owned() } else { with.event.event_type.clone() });
    Projected {
        names,
        booking_id,
        message: Some(MessageFacts { body: message.body.clone(), intent: intent.to_owned(), channel: message.channel.clone() }),
        nothing_because: first.then(|| "first message of a new contact: handled as lead_created".to_owned()),
        ..Projected::default()
    }
}

/// A sender that is a word and no number can be nobody we know, and nobody can answer it. A person reads it.
fn from_no_number(world: &mut World, with: Projection<'_>, message: &MessageInput) -> Projected {
    keep(world, with, message, None);
    let key = format!("sms_reply_review:{}", message.from);
    let mut task = system_task(with, "sms_reply_review", "Read a text from an unknown sender", &key);
    task.because = "Its sender is not a phone number".into();
    task.note = Some(format!("Event {}", with.event.id));
    world.changes.loose_tasks.push(task);
    Projected { nothing_because: Some("its sender is not a phone number".into()), ..Projected::default() }
}

fn adopt_number(world: &mut World, with: Projection<'_>, from: &str) {
    if from.starts_with('+') {
        world.change_contact(with.now, |c| {
            c.phone = Some(from.to_owned());
            c.phone_status = "valid".into();
        });
    }
}

/// The id under which a message from outside is kept.
pub fn received_id(event: &Event) -> String {
    derived_id(event.timestamp, &[&event.id, "sms_in"])
}

/// What was written, with the text that it answers: the conversation is read from these.
fn keep(world: &mut World, with: Projection<'_>, message: &MessageInput, booking_id: Option<String>) {
    let count = segments::count(&message.body);
    world.changes.sms.push(SmsMessage {
        id: received_id(with.event),
        direction: "in".into(),
        contact_id: world.contact.as_ref().map(|c| c.id.clone()),
        booking_id: world.referred_sms.as_ref().and_then(|s| s.booking_id.clone()).or(booking_id),
        template: None,
        category: SmsCategory::Transactional,
        to: message.to.clone().unwrap_or_default(),
        from: Some(message.from.clone()),
        body: message.body.clone(),
        encoding: count.encoding.to_owned(),
        parts: i32::try_from(count.parts).unwrap_or(i32::MAX),
        scheduled_at: None,
        not_after: None,
        status: SmsStatus::Received,
        status_reason: None,
        provider: Some(message.provider.clone()),
        provider_message_id: message.provider_message_id.clone(),
        attempts: 0,
        in_reply_to: world.referred_sms.as_ref().map(|s| s.id.clone()),
        dedupe_key: None,
        run_id: None,
        revision: None,
        sent_by: None,
        appointment_datetime: None,
        immediate: false,
        is_demo: world.contact.as_ref().is_some_and(|c| c.is_demo),
        accepted_at: None,
        delivered_at: None,
        created_at: with.event.timestamp,
        updated_at: with.now,
    });
}

/// STOP and START are not left to rules: they hold whatever a rule file says.
fn obey(world: &mut World, with: Projection<'_>, message: &MessageInput, intent: &str, names: &mut Vec<String>) {
    match intent {
        "stop" => {
            world.changes.suppressions.push(Suppression::Stop {
                phone: message.from.clone(),
                reason: "stop".into(),
                event_id: with.event.id.clone(),
                is_new: !world.suppressed,
            });
            world.suppressed = true;
            world.change_contact(with.now, |c| c.opted_out_at = c.opted_out_at.or(Some(with.now)));
            let phone = message.from.clone();
            world.withdraw_sms("opted_out", |sms| sms.to == phone);
            names.push("sms_opted_out".to_owned());
        }
        "start" => {
            world.changes.suppressions.push(Suppression::Lift { phone: message.from.clone() });
            world.suppressed = false;
            world.change_contact(with.now, |c| c.opted_out_at = None);
        }
        _ => {}
    }
}
