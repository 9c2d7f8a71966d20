//! The world of one event out of the records in memory: the twin of `automation::load`, with the same decision of who is meant.

use super::Records;
use crate::automation::load::{Loaded, Texts, phones_of, who};
use crate::automation::project::{find_named_booking, identities_of};
use crate::automation::replies;
use crate::automation::world::World;
use crate::domain::booking::Booking;
use crate::domain::contact::{Contact, Identity};
use crate::domain::event::Event;
use crate::domain::sms::SmsMessage;
use crate::domain::staff_action::StaffAction;
use crate::domain::time::Timestamp;
use crate::engine::Ruleset;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Takes the world of `event` out of the records; `Records::fold` puts it back.
pub(super) fn load(records: &mut Records, event: Event) -> Loaded {
    let identities = identities_of(&event.payload);
    let owner = |i: &Identity| Some((i.clone(), records.owners.get(i)?.clone()));
    let owners: HashMap<Identity, String> = identities.iter().filter_map(owner).collect();
    let named = named_bookings(records, &event);
    let referred = referred_text(records, &event);
    let recent = recent_texts(records, &event, referred.as_ref());
    let mut wanted: BTreeSet<String> = owners.values().cloned().collect();
    wanted.extend(named.iter().map(|b| b.contact_id.clone()));
    wanted.extend(referred.iter().chain(&recent).filter_map(|s| s.contact_id.clone()));
    wanted.extend(event.contact_id.clone().or_else(|| event.payload.contact.as_ref()?.id.clone()));
    let (mut known, mut ids_of): (HashMap<String, Contact>, HashMap<String, Vec<Identity>>) = Default::default();
    for id in wanted {
        if let Some((contact, person)) = records.person(&id).and_then(|p| Some((p.contact.clone()?, p))) {
            ids_of.insert(id.clone(), person.identities.clone());
            known.insert(id, contact);
        }
    }
    let texts = Texts {
        referred: referred.map(|text| (event.id.clone(), text)).into_iter().collect(),
        recent: [(event.id.clone(), recent)].into(),
    };
    let mut loaded = who(event, &owners, &known, &ids_of, &named, &texts);
    fill(records, &mut loaded);
    loaded
}

fn named_bookings(records: &Records, event: &Event) -> Vec<Booking> {
    let mut found: Vec<Booking> = Vec::new();
    if let Some(input) = &event.payload.booking {
        let of_wix = input.wix_booking_id.as_ref().and_then(|wix| records.wix_bookings.get(wix));
        let named = of_wix.or(input.id.as_ref()).and_then(|id| records.booking(id));
        found.extend(named.filter(|b| find_named_booking(std::slice::from_ref(*b), input).is_some()).cloned());
    }
    found.extend(event.booking_id.as_ref().and_then(|id| records.booking(id)).cloned());
    found
}

/// The text that a receipt or a reply is about.
fn referred_text(records: &Records, event: &Event) -> Option<SmsMessage> {
    if let Some(StaffAction::RetrySms { sms_id }) = event.payload.action.as_deref() {
        return records.text(sms_id).cloned();
    }
    let (own, provider, id) = match (&event.payload.receipt, &event.payload.message) {
        (Some(r), _) => (r.sms_id.as_ref(), &r.provider, r.provider_message_id.as_ref()),
        (None, Some(m)) => (m.reply_to_sms_id.as_ref(), &m.provider, m.in_reply_to.as_ref()),
        (None, None) => return None,
    };
    let text = own.and_then(|id| records.text(id)).or_else(|| records.text_of_provider(provider, id?));
    text.filter(|text| replies::can_answer(event, text)).cloned()
}

/// What a reply that names no text may answer.
fn recent_texts(records: &Records, event: &Event, referred: Option<&SmsMessage>) -> Vec<SmsMessage> {
    let number = replies::unreferred_number(event, referred);
    number.map(|phone| records.texts_to(phone, event.timestamp - replies::ANSWERS_WITHIN)).unwrap_or_default()
}

/// What hangs on the contact, from its own world; what is about this event alone, from the fresh one.
fn fill(records: &mut Records, loaded: &mut Loaded) {
    let message = loaded.event.payload.message.as_ref().filter(|m| m.channel == "sms");
    let repeated = message.is_some_and(|m| m.provider_message_id.as_ref().is_some_and(|id| records.has_heard(&m.provider, id)));
    if let Some(mut person) = loaded.world.contact.as_ref().and_then(|c| records.take_person(&c.id)) {
        let fresh = std::mem::take(&mut loaded.world);
        let guardian = person.contact.as_ref().and_then(|c| c.guardian_contact_id.clone());
        person.guardian = guardian.and_then(|id| records.person(&id)?.contact.clone());
        person.loaded_version = fresh.loaded_version;
        person.owners = fresh.owners;
        person.claims_nothing = fresh.claims_nothing;
        person.referred_sms = fresh.referred_sms;
        person.recent_sms = fresh.recent_sms;
        loaded.world = person;
    }
    if loaded.world.contact.is_none() {
        loaded.world.loose_tasks = records.late.loose().cloned().collect();
    }
    loaded.world.is_repeated_message = repeated;
    name_task(records, loaded);
    loaded.world.suppressed = phones_of(loaded).iter().any(|p| records.suppressed.contains(p));
}

/// The task that the event is about; one of the log by what it is called here.
fn name_task(records: &Records, loaded: &mut Loaded) {
    if matches!(loaded.event.payload.action.as_deref(), Some(StaffAction::OpenTask(_))) {
        return;
    }
    let Some(id) = &loaded.event.payload.task_id else { return };
    if loaded.world.find_task(id).is_some() {
        return;
    }
    let tasks = || loaded.world.open_tasks.iter().map(Arc::as_ref).chain(records.late.loose());
    let named =
        tasks().find(|t| t.id == *id).or_else(|| records.find_like(id, tasks())).or_else(|| records.closed_task(id)).cloned();
    loaded.event.payload.task_id = named.as_ref().map(|task| task.id.clone());
    loaded.world.named_tasks.extend(named.filter(|task| task.contact_id.is_none() || !task.status.is_open()));
}

/// Only rules with a limit want to know when they fired, and only as long as the longest limit.
pub(super) fn prune(world: &mut World, ruleset: &Ruleset, now: Timestamp) {
    if world.fired.is_empty() {
        return;
    }
    let longest = ruleset.rules.iter().filter_map(|r| r.limit.map(|l| l.within)).max();
    let Some(longest) = longest else { return world.fired.clear() };
    world.fired.retain(|f| f.at >= now - longest);
}
