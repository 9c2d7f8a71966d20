//! What an event says of a person. Empty fields are filled, filled ones are never overwritten.

use super::{Projected, Projection};
use crate::automation::world::World;
use crate::domain::contact::{Contact, Identity, IdentityKind, Note};
use crate::domain::event::{CampaignInput, ContactInput, Event};
use crate::domain::ids::derived_id;
use crate::domain::phone;
use crate::domain::task::{Task, TaskStatus};
use crate::domain::time::{Millis, Timestamp};
use crate::domain::touchpoint::Touchpoint;
use std::sync::Arc;

/// An event about a person only: declared sources, staff.
pub fn project(world: &mut World, with: Projection<'_>) -> Projected {
    if with.event.payload.contact.is_some() {
        ensure(world, with);
    }
    let mut projected = Projected::only(&with.event.event_type);
    projected.booking_id.clone_from(&with.event.booking_id);
    projected
}

/// Makes sure that the contact exists and holds what the event adds. True when it is new.
pub fn ensure(world: &mut World, with: Projection<'_>) -> bool {
    let input = with.event.payload.contact.clone().unwrap_or_default();
    let is_new = world.contact.is_none();
    if !is_new && world.claims_nothing {
        return false;
    }
    if is_new {
        world.contact = Some(new_contact(with, &input, world.guardian.as_ref()));
        world.changes.contact = true;
    }
    fill(world, with, &input);
    claim_identities(world, with);
    if let Some(campaign) = &with.event.payload.campaign {
        note_campaign(world, with, campaign);
    }
    is_new
}

fn new_contact(with: Projection<'_>, input: &ContactInput, guardian: Option<&Contact>) -> Contact {
    let event = with.event;
    let campaign = event.payload.campaign.as_ref().and_then(|c| c.source.clone());
    Contact {
        id: input.id.clone().unwrap_or_else(|| derived_id(event.timestamp, &[&event.id, "contact"])),
        phone_status: "unknown".into(),
        marketing_consent: "unknown".into(),
        sms_consent: "unknown".into(),
        recall_consent: "unknown".into(),
        source: campaign.unwrap_or_else(|| event.source.clone()),
        guardian_contact_id: guardian.map(|g| g.id.clone()),
        is_demo: with.is_demo,
        created_at: event.timestamp,
        updated_at: with.now,
        ..Contact::default()
    }
}

fn fill(world: &mut World, with: Projection<'_>, input: &ContactInput) {
    let Some(before) = world.contact.clone() else { return };
    let mut after = before.clone();
    let guarded = after.guardian_contact_id.is_some();
    fill_text(&mut after.first_name, input.first_name.as_ref());
    fill_text(&mut after.last_name, input.last_name.as_ref());
    if after.name.is_empty() || !before.name.contains(&after.last_name) || !before.name.contains(&after.first_name) {
        format!("{} {}", after.first_name, after.last_name).trim().clone_into(&mut after.name);
    }
    fill_option(&mut after.interest, input.interest.as_ref());
    fill_option(&mut after.phone_raw, input.phone_raw.as_ref());
    if !guarded && owner_is_free(world, IdentityKind::Email, input.email.as_ref(), &before.id) {
        fill_option(&mut after.email, input.email.as_ref());
    }
    if !guarded && owner_is_free(world, IdentityKind::Phone, input.phone.as_ref(), &before.id) {
        fill_option(&mut after.phone, input.phone.as_ref());
        after.phone_status = phone_status(after.phone.as_deref(), &before);
    }
    if input.is_existing_patient == Some(true) {
        after.is_existing_patient = true;
    }
    // The newest word holds: consent can be taken back as it was given.
    set_consent(&mut after.marketing_consent, input.marketing_consent);
    set_consent(&mut after.sms_consent, input.sms_consent);
    if after != before {
        world.change_contact(with.now, |c| *c = after);
    }
    note_differences(world, with, &before, input);
}

/// What is known of a contact's number, when it is their first.
pub fn phone_status(phone: Option<&str>, before: &Contact) -> String {
    if before.phone.is_some() {
        return before.phone_status.clone();
    }
    match phone.map(phone::normalise) {
        Some(Ok(number)) if number.kind == phone::PhoneKind::Landline => "landline".into(),
        Some(Ok(_)) => "valid".into(),
        Some(Err(_)) => "invalid".into(),
        None => before.phone_status.clone(),
    }
}

fn set_consent(target: &mut String, said: Option<bool>) {
    if let Some(yes) = said {
        (if yes { "granted" } else { "denied" }).clone_into(target);
    }
}

fn fill_text(target: &mut String, value: Option<&String>) {
    if target.is_empty()
        && let Some(value) = value
    {
        target.clone_from(value);
    }
}

fn fill_option(target: &mut Option<String>, value: Option<&String>) {
    if target.is_none() {
        *target = value.cloned();
    }
}

fn owner_is_free(world: &World, kind: IdentityKind, value: Option<&String>, contact_id: &str) -> bool {
    value.is_some_and(|value| world.owners.get(&Identity { kind, value: value.clone() }).is_none_or(|owner| owner == contact_id))
}

/// A provider that knows another number than we do is worth a note, not an overwrite.
fn note_differences(world: &mut World, with: Projection<'_>, before: &Contact, input: &ContactInput) {
    let pairs = [("phone number", &before.phone, &input.phone), ("email", &before.email, &input.email)];
    for (what, known, given) in pairs {
        let (Some(known), Some(given)) = (known, given) else { continue };
        if known == given || world.identities.iter().any(|i| &i.value == given) {
            continue;
        }
        world.changes.notes.push(Note {
            id: derived_id(with.event.timestamp, &[&with.event.id, "difference", what]),
            contact_id: Some(before.id.clone()),
            booking_id: None,
            body: format!("{} gives another {what}: {given}", with.event.source),
            author: "system".into(),
            run_id: None,
            created_at: with.now,
        });
    }
}

/// Claims what the event names and nobody owns. A dependant claims only what is its own.
fn claim_identities(world: &mut World, with: Projection<'_>) {
    let Some(contact) = &world.contact else { return };
    let guarded = contact.guardian_contact_id.is_some();
    for identity in super::identities_of(&with.event.payload) {
        let own = matches!(identity.kind, IdentityKind::WixContact | IdentityKind::Manychat);
        if (guarded && !own) || world.owners.contains_key(&identity) || world.identities.contains(&identity) {
            continue;
        }
        world.identities.push(identity.clone());
        world.changes.new_identities.push(identity);
        world.changes.contact = true;
    }
}

fn note_campaign(world: &mut World, with: Projection<'_>, campaign: &CampaignInput) {
    if campaign.source.is_none() && campaign.campaign.is_none() {
        return;
    }
    add_touchpoint(world, with.event, with.now, "ad_click", campaign.source.clone(), "in");
    if let Some(touchpoint) = world.changes.touchpoints.last_mut() {
        touchpoint.source.clone_from(&campaign.source);
        touchpoint.medium.clone_from(&campaign.medium);
        touchpoint.campaign.clone_from(&campaign.campaign);
    }
}

/// Records one interaction of the event's contact.
pub fn add_touchpoint(world: &mut World, event: &Event, now: Timestamp, kind: &str, channel: Option<String>, direction: &str) {
    let Some(contact) = &world.contact else { return };
    let touchpoint = Touchpoint {
        id: derived_id(event.timestamp, &[&event.id, "touchpoint", kind]),
        contact_id: contact.id.clone(),
        timestamp: event.occurred_at.unwrap_or(event.timestamp).min(now),
        kind: kind.into(),
        channel,
        direction: direction.into(),
        source: None,
        medium: None,
        campaign: None,
        event_id: Some(event.id.clone()),
    };
    world.add_touchpoint(touchpoint);
}

/// Two contacts might be one person: somebody has to look.
pub fn ask_for_merge(world: &mut World, with: Projection<'_>, others: &[String]) {
    let Some(contact) = &world.contact else { return };
    let contact_id = contact.id.clone();
    let key = format!("merge_review:{contact_id}");
    if world.open_tasks.iter().any(|t| t.dedupe_key.as_deref() == Some(&key)) {
        return;
    }
    let mut task = system_task(with, "merge_review", "Are these contacts one person?", &key);
    task.contact_id = Some(contact_id);
    task.note = Some(format!("Other contacts: {}", others.join(", ")));
    task.because = "An event names identities that belong to several contacts".into();
    world.changes.tasks.insert(task.id.clone());
    world.open_tasks.push(Arc::new(task));
}

/// A verified delivery that nobody could read goes to a person.
pub fn quarantine(world: &mut World, with: Projection<'_>) -> Projected {
    let key = format!("quarantine_review:{}", with.event.source);
    let mut task =
        system_task(with, "quarantine_review", &format!("A delivery from {} could not be read", with.event.source), &key);
    task.because = with.event.status_reason.clone().unwrap_or_else(|| "The delivery could not be understood".into());
    task.note = Some(format!("Event {}", with.event.id));
    world.changes.loose_tasks.push(task);
    Projected { nothing_because: with.event.status_reason.clone(), ..Projected::default() }
}

/// A task that the program itself asks for, due at the end of the clinic's day.
pub fn system_task(with: Projection<'_>, task_type: &str, title: &str, dedupe_key: &str) -> Task {
    Task {
        id: derived_id(with.event.timestamp, &[&with.event.id, "task", task_type]),
        task_type: task_type.into(),
        title: title.into(),
        contact_id: None,
        booking_id: None,
        status: TaskStatus::Todo,
        due_datetime: with.clinic.calendar.end_of_day(with.now).min(with.now + Millis::DAY),
        priority_score: SYSTEM_TASK_PRIORITY,
        assigned_to: None,
        because: String::new(),
        run_id: None,
        dedupe_key: Some(dedupe_key.to_owned()),
        note: None,
        completed_at: None,
        outcome: None,
        completed_by: None,
        is_demo: false,
        version: 1,
        created_at: with.now,
        updated_at: with.now,
    }
}

const SYSTEM_TASK_PRIORITY: i32 = 60;
