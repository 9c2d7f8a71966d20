//! The event that a test's step injects, made as a provider's delivery would make it.

use super::given;
use crate::automation::simulate::Records;
use crate::domain::clinic::Clinic;
use crate::domain::event::{
    Actor, ContactInput, Event, EventPayload, KNOWN_EVENTS, MessageInput, ReceiptInput, SMS_RECEIPT, SignatureState,
    TASK_COMPLETED, lane_key,
};
use crate::domain::ids::derived_id;
use crate::domain::sms::SmsStatus;
use crate::domain::staff_action::StaffAction;
use crate::domain::task::{Task, TaskOutcome};
use crate::domain::time::Timestamp;
use crate::engine::ruletest::{EventStep, Facts, booking_input, campaign_input, contact_input};

/// Where a test's message or receipt comes from.
const PROVIDER: &str = "clicksend";

/// What the step is made from.
pub(super) struct Making<'a> {
    pub step: &'a EventStep,
    pub clinic: &'a Clinic,
    /// Counts the steps of the test, so that ids differ.
    pub ordinal: usize,
    pub now: Timestamp,
}

/// The event; contacts that it names with facts no provider says are put into the records first.
pub(super) fn event(records: &mut Records, with: &Making<'_>) -> Result<Event, String> {
    let step = with.step;
    let contact = contact(records, with)?;
    let mut payload = EventPayload { data: step.with.data.clone(), ..EventPayload::default() };
    payload.campaign = step.with.campaign.as_ref().map(campaign_input);
    if let Some(facts) = &step.with.booking {
        payload.booking = Some(booking(records, facts)?);
    }
    let mut name = step.name.text.clone();
    if matches!(name.as_str(), "sms_received" | "manychat_message") || step.with.message.is_some() {
        if !may_say_something(&name) {
            return Err(format!("`message` goes with sms_received, manychat_message and lead_created, not with {name}"));
        }
        payload.message = Some(message(records, with, contact.as_ref())?);
    }
    if let Some(facts) = &step.with.sms {
        payload.receipt = Some(receipt(records, facts, &name, contact.as_ref())?);
        SMS_RECEIPT.clone_into(&mut name);
    } else if matches!(name.as_str(), "sms_delivered" | "sms_failed") {
        return Err(format!("{name} is about a text: write `with: {{ sms: {{ template: reminder_24hr }} }}`"));
    }
    let mut booking_id = None;
    if let Some(facts) = &step.with.task {
        let task = task(records, facts, contact.as_ref())?;
        payload.task_id = Some(task.id.clone());
        booking_id.clone_from(&task.booking_id);
        if let Some(outcome) = facts.text("outcome").and_then(TaskOutcome::parse) {
            if name != TASK_COMPLETED {
                return Err(format!("`outcome` goes with {TASK_COMPLETED}, not with {name}"));
            }
            payload.action = Some(Box::new(StaffAction::CompleteTask { outcome, note: None }));
        }
    }
    payload.contact = contact;
    Ok(Event { booking_id, ..recorded(with, name, payload) })
}

/// Of the program's own events these; and all of declared sources.
fn may_say_something(event: &str) -> bool {
    matches!(event, "sms_received" | "manychat_message" | "lead_created") || !KNOWN_EVENTS.contains(&event)
}

fn recorded(with: &Making<'_>, event_type: String, payload: EventPayload) -> Event {
    let key = format!("test:{}:{}", with.ordinal, with.now.0);
    let source = with.step.source.clone().unwrap_or_else(|| source_of(&event_type, &payload).to_owned());
    let actor = with.step.actor.unwrap_or(if payload.message.is_some() || payload.booking.is_some() {
        Actor::Patient
    } else {
        Actor::Provider
    });
    let lane = lane_key(payload.contact.as_ref(), payload.booking.as_ref().and_then(|b| b.wix_booking_id.as_deref()));
    Event {
        source,
        dedupe_key: key.clone(),
        occurred_at: Some(with.now),
        actor,
        signature_state: SignatureState::Token,
        payload,
        lane_key: lane,
        ..Event::accepted(derived_id(with.now, &[&key, &event_type]), event_type, with.now)
    }
}

fn source_of(event_type: &str, payload: &EventPayload) -> &'static str {
    if payload.booking.is_some() || event_type.starts_with("booking_") || event_type == "waitlist_joined" {
        "wix"
    } else if matches!(event_type, "lead_created" | "manychat_message") {
        "manychat"
    } else {
        PROVIDER
    }
}

/// What the event says of the person: the named one, or the only one there is.
fn contact(records: &mut Records, with: &Making<'_>) -> Result<Option<ContactInput>, String> {
    let Some(facts) = &with.step.with.contact else {
        let ids = records.contact_ids();
        let about_booking = with.step.with.booking.is_some();
        return match ids.as_slice() {
            [one] if !about_booking => Ok(Some(ContactInput { id: Some(one.clone()), ..ContactInput::default() })),
            _ => Ok(None),
        };
    };
    let (input, more) = contact_input(facts);
    let known = input.id.as_ref().is_some_and(|id| records.person(id).is_some());
    if more && !known {
        if input.id.is_none() {
            return Err("a contact with facts that no provider says (such as `source` or `warmness`) needs an `id`".to_owned());
        }
        given::put_contact(records, facts, with.now)?;
    }
    Ok(Some(input))
}

fn booking(records: &Records, facts: &Facts) -> Result<crate::domain::event::BookingInput, String> {
    let (input, ours) = booking_input(facts);
    let known = input.id.as_ref().is_some_and(|id| records.booking(id).is_some());
    match ours {
        Some(fact) if !known => Err(format!("no provider says `{}` of a booking: put the booking into `given`", fact.name)),
        _ => Ok(input),
    }
}

fn message(records: &Records, with: &Making<'_>, contact: Option<&ContactInput>) -> Result<MessageInput, String> {
    let name = with.step.name.text.as_str();
    let facts =
        with.step.with.message.as_ref().ok_or_else(|| format!("{name} needs `with: {{ message: {{ body: \"Yes\" }} }}`"))?;
    let channel = if matches!(name, "manychat_message" | "lead_created") { "manychat" } else { "sms" };
    let body = body(facts, with.clinic)?;
    let phone =
        || contact.and_then(|c| c.phone.clone().or_else(|| records.person(c.id.as_ref()?)?.contact.as_ref()?.phone.clone()));
    let from = facts.text("from").map(str::to_owned).or_else(phone);
    if from.is_none() && channel == "sms" {
        return Err("who sends it? give the message a `from`, or the contact a `phone`".to_owned());
    }
    Ok(MessageInput {
        from: from.unwrap_or_default(),
        to: facts.text("to").map(str::to_owned),
        body,
        provider: facts.text("provider").unwrap_or(PROVIDER).to_owned(),
        provider_message_id: Some(format!("test-{}-{}", with.ordinal, with.now.0)),
        channel: facts.text("channel").unwrap_or(channel).to_owned(),
        ..MessageInput::default()
    })
}

/// The body as written, or a word that means `intent`. Both together must agree with `config/keywords.yaml`.
fn body(facts: &Facts, clinic: &Clinic) -> Result<String, String> {
    let words = &clinic.keywords;
    match (facts.text("body"), facts.text("intent")) {
        (Some(body), None) => Ok(body.to_owned()),
        (Some(body), Some(intent)) => match words.intent(body) {
            means if means == intent => Ok(body.to_owned()),
            means => Err(format!("by config/keywords.yaml \"{body}\" means `{means}`, not `{intent}`")),
        },
        (None, Some("other")) => Ok("Where do I park?".to_owned()),
        (None, Some(intent)) => {
            let first = words.of(intent).first().cloned();
            first.ok_or_else(|| format!("config/keywords.yaml has no word for `{intent}`"))
        }
        (None, None) => Err("a message needs a `body` or an `intent`".to_owned()),
    }
}

/// The open task that the event is about.
fn task<'r>(records: &'r Records, facts: &Facts, contact: Option<&ContactInput>) -> Result<&'r Task, String> {
    let wanted = facts.text("type").ok_or("`task` needs the `type` of an open task")?;
    let owner = contact.and_then(|c| c.id.clone()).ok_or("say whose task it is, with `contact`")?;
    let open = records.person(&owner).and_then(|world| world.open_tasks.iter().find(|task| task.task_type == wanted));
    open.map(AsRef::as_ref).ok_or_else(|| format!("{owner} has no open task {wanted}"))
}

fn receipt(records: &Records, facts: &Facts, event: &str, contact: Option<&ContactInput>) -> Result<ReceiptInput, String> {
    let template = facts.text("template").ok_or("`sms` needs the `template` of the text")?;
    let owner = contact.and_then(|c| c.id.clone()).ok_or("say whose text it is, with `contact`")?;
    let text = records.newest_text(&owner, template).ok_or_else(|| format!("no text {template} has been sent to {owner}"))?;
    let said = match event {
        "sms_failed" => SmsStatus::Failed,
        "sms_delivered" => SmsStatus::Delivered,
        other => return Err(format!("`sms` goes with sms_delivered and sms_failed, not with {other}")),
    };
    let status = facts.text("status").and_then(SmsStatus::parse).unwrap_or(said);
    Ok(ReceiptInput {
        provider: PROVIDER.to_owned(),
        provider_message_id: None,
        sms_id: Some(text.id.clone()),
        status: Some(status),
        status_code: None,
        detail: facts.text("detail").map(str::to_owned),
        at: None,
    })
}
