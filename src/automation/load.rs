//! Loads the worlds of a batch of events with a bounded number of queries.

use super::caps;
use super::privacy;
use super::project::{find_named_booking, identities_of, resolve};
use super::promises::{RecentAction, WAITS_MAX};
use super::replies;
use super::waits;
use super::world::World;
use crate::domain::booking::Booking;
use crate::domain::contact::{Contact, Identity, IdentityKind};
use crate::domain::event::{Event, SCHEDULE_DUE, SubjectKind, TASK_OVERDUE, Timer, WaitingRun};
use crate::domain::sms::SmsMessage;
use crate::domain::staff_action::StaffAction;
use crate::domain::time::{Millis, Timestamp};
use crate::engine::Ruleset;
use crate::engine::facts::{FiredBefore, TOUCHPOINTS_MAX};
use crate::engine::guard::Rollout;
use crate::engine::promise::Promised;
use crate::store::{Conn, StoreResult, bookings, contacts, departures, history, runs, sms, tasks, timers, waiting};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Open tasks about nobody that an event about nobody is compared with.
const LOOSE_TASKS_MAX: i64 = 200;
/// Bookings that began longer ago than this play no part in rules.
pub const BOOKINGS_PAST_MAX: Millis = Millis::days(60);

/// An event and everything known about whom it concerns.
pub struct Loaded {
    pub event: Event,
    pub world: World,
    /// Contacts that may be the same person.
    pub also: Vec<String>,
}

/// Loads the worlds of `events`, in their order.
pub fn load(conn: &mut Conn, events: Vec<Event>, ruleset: &Ruleset, now: Timestamp) -> StoreResult<Vec<Loaded>> {
    let identities: Vec<Identity> = events.iter().flat_map(|e| identities_of(&e.payload)).collect();
    let owners = contacts::find_owners(conn, &identities)?;
    let named = named_bookings(conn, &events)?;
    let texts = texts_spoken_of(conn, &events)?;
    let mut wanted: HashSet<String> = owners.values().cloned().collect();
    wanted.extend(named.iter().map(|b| b.contact_id.clone()));
    wanted.extend(texts.referred.values().chain(texts.recent.values().flatten()).filter_map(|s| s.contact_id.clone()));
    wanted.extend(events.iter().filter_map(|e| e.contact_id.clone().or_else(|| e.payload.contact.as_ref()?.id.clone())));
    let mut known = by_id(contacts::list_by_ids(conn, &sorted(wanted))?);
    follow_merges(conn, &mut known)?;
    let ids_of = contacts::list_identities(conn, &known.keys().cloned().collect::<Vec<_>>())?;
    let mut loaded: Vec<Loaded> = events.into_iter().map(|event| who(event, &owners, &known, &ids_of, &named, &texts)).collect();
    fill(conn, &mut loaded, ruleset, now)?;
    Ok(loaded)
}

fn named_bookings(conn: &mut Conn, events: &[Event]) -> StoreResult<Vec<Booking>> {
    let inputs = || events.iter().filter_map(|e| e.payload.booking.as_ref());
    let wix: Vec<String> = inputs().filter_map(|b| b.wix_booking_id.clone()).collect();
    let own: Vec<String> =
        inputs().filter_map(|b| b.id.clone()).chain(events.iter().filter_map(|e| e.booking_id.clone())).collect();
    let mut found = bookings::list_by_wix_ids(conn, &wix)?;
    found.extend(bookings::list_by_ids(conn, &own)?);
    Ok(found)
}

/// Texts that receipts and replies are about, by event.
#[derive(Default)]
pub(super) struct Texts {
    /// The one that the event names.
    pub referred: HashMap<String, SmsMessage>,
    /// Where a reply names none: those that went to its number lately, newest first.
    pub recent: HashMap<String, Vec<SmsMessage>>,
}

fn texts_spoken_of(conn: &mut Conn, events: &[Event]) -> StoreResult<Texts> {
    let referred = referred_texts(conn, events)?;
    let mut recent = HashMap::new();
    for event in events {
        if let Some(phone) = replies::unreferred_number(event, referred.get(&event.id)) {
            recent.insert(event.id.clone(), sms::list_sent_to(conn, phone, event.timestamp - replies::ANSWERS_WITHIN)?);
        }
    }
    Ok(Texts { referred, recent })
}

fn referred_texts(conn: &mut Conn, events: &[Event]) -> StoreResult<HashMap<String, SmsMessage>> {
    let mut found = HashMap::new();
    for event in events {
        if let Some(StaffAction::RetrySms { sms_id }) = event.payload.action.as_deref() {
            found.extend(sms::find(conn, sms_id)?.map(|text| (event.id.clone(), text)));
            continue;
        }
        let (own, provider, provider_id) = match (&event.payload.receipt, &event.payload.message) {
            (Some(r), _) => (r.sms_id.as_ref(), &r.provider, r.provider_message_id.as_ref()),
            (None, Some(m)) => (m.reply_to_sms_id.as_ref(), &m.provider, m.in_reply_to.as_ref()),
            (None, None) => continue,
        };
        let mut text = match own {
            Some(id) => sms::find(conn, id)?,
            None => None,
        };
        if text.is_none()
            && let Some(id) = provider_id
        {
            text = sms::find_by_provider_id(conn, provider, id)?;
        }
        if let Some(text) = text.filter(|text| replies::can_answer(event, text)) {
            found.insert(event.id.clone(), text);
        }
    }
    Ok(found)
}

/// Contacts that were merged lead to the one that stayed.
fn follow_merges(conn: &mut Conn, known: &mut HashMap<String, Contact>) -> StoreResult<()> {
    let survivors: Vec<String> =
        known.values().filter_map(|c| c.merged_into_id.clone()).filter(|id| !known.contains_key(id)).collect();
    for contact in contacts::list_by_ids(conn, &survivors)? {
        known.insert(contact.id.clone(), contact);
    }
    Ok(())
}

/// Who the event is about: the one place where identities, bookings and texts lead to a contact.
pub(super) fn who(
    event: Event,
    owners: &HashMap<Identity, String>,
    known: &HashMap<String, Contact>,
    ids_of: &HashMap<String, Vec<Identity>>,
    named: &[Booking],
    texts: &Texts,
) -> Loaded {
    use super::project::Match;
    let identities = identities_of(&event.payload);
    let referred_sms = texts.referred.get(&event.id).cloned();
    let recent_sms = texts.recent.get(&event.id).cloned().unwrap_or_default();
    let mut world = World { referred_sms, recent_sms, ..World::default() };
    world.owners = owners.iter().filter(|(i, _)| identities.contains(i)).map(|(i, c)| (i.clone(), c.clone())).collect();
    let booked = event.payload.booking.as_ref().and_then(|input| find_named_booking(named, input));
    let by_record = event
        .contact_id
        .clone()
        .or_else(|| event.payload.contact.as_ref().and_then(|c| c.id.clone()))
        .or_else(|| booked.map(|b| b.contact_id.clone()))
        .or_else(|| named.iter().find(|b| Some(&b.id) == event.booking_id.as_ref()).map(|b| b.contact_id.clone()))
        .or_else(|| replies::who_answers(&event, &world, owners, known));
    let mut also = Vec::new();
    if let Some(stranger) = booked.and_then(|b| stranger_to(&b.contact_id, &identities, ids_of)) {
        world.claims_nothing = true;
        also.push(format!("the booking's event names {} {}", stranger.kind.as_str(), stranger.value));
    }
    let contact_id = by_record.filter(|id| known.contains_key(id)).or_else(|| {
        match resolve(&identities, owners, known, ids_of, event.payload.contact.as_ref()) {
            Match::New => world.referred_sms.as_ref().filter(|_| identities.is_empty()).and_then(|s| s.contact_id.clone()),
            Match::Known(id) => Some(id),
            Match::Several { strongest, others } => {
                also = others;
                Some(strongest)
            }
            Match::Dependant { guardian } => {
                world.guardian = known.get(&guardian).cloned();
                None
            }
        }
    });
    let found = contact_id.and_then(|id| survivor(&id, known));
    // Somebody who writes after they were erased is somebody new: what they say is heard.
    let writes_anew = |contact: &&Contact| event.payload.message.is_some() && privacy::is_erased(contact);
    if let Some(contact) = found.filter(|contact| !writes_anew(contact)) {
        world.loaded_version = Some(contact.version);
        world.identities = ids_of.get(&contact.id).cloned().unwrap_or_default();
        world.contact = Some(contact.clone());
    }
    Loaded { event, world, also }
}

/// An account at the source that is not the owner's, although the owner has one there.
fn stranger_to<'a>(owner: &str, named: &'a [Identity], ids_of: &HashMap<String, Vec<Identity>>) -> Option<&'a Identity> {
    let owned = ids_of.get(owner)?;
    named.iter().find(|i| {
        i.kind == IdentityKind::WixContact && !owned.contains(i) && owned.iter().any(|o| o.kind == IdentityKind::WixContact)
    })
}

fn survivor<'a>(id: &str, known: &'a HashMap<String, Contact>) -> Option<&'a Contact> {
    let contact = known.get(id)?;
    contact.merged_into_id.as_ref().and_then(|into| known.get(into)).or(Some(contact))
}

/// Everything that hangs on the contacts found.
fn fill(conn: &mut Conn, loaded: &mut [Loaded], ruleset: &Ruleset, now: Timestamp) -> StoreResult<()> {
    let ids: Vec<String> = sorted(loaded.iter().filter_map(|l| l.world.contact.as_ref()).map(|c| c.id.clone()).collect());
    let guardians: Vec<String> = loaded.iter().filter_map(|l| l.world.contact.as_ref()?.guardian_contact_id.clone()).collect();
    let guardians = by_id(contacts::list_by_ids(conn, &guardians)?);
    let mut all_bookings = group(bookings::list_of_contacts(conn, &ids, now - BOOKINGS_PAST_MAX)?, |b| b.contact_id.clone());
    let extra: Vec<String> = loaded.iter().filter_map(|l| l.event.booking_id.clone().or_else(|| named_id(l))).collect();
    let old = bookings::list_by_wix_ids(conn, &extra)?.into_iter().chain(bookings::list_by_ids(conn, &extra)?);
    for booking in old {
        let list = all_bookings.entry(booking.contact_id.clone()).or_default();
        if !list.iter().any(|b| b.id == booking.id) {
            list.push(booking);
        }
    }
    let timers_all = timers::list_of_contacts(conn, &ids)?;
    let waiting_all = waiting::list_alive_of_contacts(conn, &ids)?;
    add_awaited_bookings(conn, &mut all_bookings, &timers_all, &waiting_all)?;
    let waiting = group(waiting_all, |w| w.contact_id.clone());
    let open_tasks = group(
        tasks::list_open_of_contacts(conn, &ids)?.into_iter().map(Arc::new).collect(),
        |t: &Arc<crate::domain::task::Task>| t.contact_id.clone().unwrap_or_default(),
    );
    let unsent = group(sms::list_unsent_of_contacts(conn, &ids)?, |s| s.contact_id.clone().unwrap_or_default());
    let pending = group(timers_all, |t| t.contact_id.clone());
    let fired = fired_before(conn, &ids, ruleset, now)?;
    let recent = recent_actions(conn, &ids, ruleset, now)?;
    let of_clinic = [SCHEDULE_DUE, TASK_OVERDUE];
    let about_nobody = loaded.iter().any(|l| l.world.contact.is_none() && of_clinic.contains(&l.event.event_type.as_str()));
    let loose = if about_nobody { tasks::list_open_loose(conn, LOOSE_TASKS_MAX)? } else { Vec::new() };
    for item in loaded.iter_mut() {
        let Some(contact) = &item.world.contact else {
            item.world.loose_tasks.clone_from(&loose);
            continue;
        };
        let id = contact.id.clone();
        if let Some(guardian) = &contact.guardian_contact_id {
            item.world.guardian = guardians.get(guardian).cloned();
        }
        item.world.bookings = all_bookings.get(&id).cloned().unwrap_or_default();
        let touchpoints = history::list_touchpoints(conn, &id, TOUCHPOINTS_MAX as i64)?;
        item.world.touchpoints = touchpoints.into_iter().map(Arc::new).collect();
        item.world.open_tasks = open_tasks.get(&id).cloned().unwrap_or_default();
        item.world.unsent_sms = unsent.get(&id).cloned().unwrap_or_default();
        item.world.waiting = waiting.get(&id).cloned().unwrap_or_default();
        item.world.timers = pending.get(&id).cloned().unwrap_or_default();
        item.world.fired = fired.get(&id).cloned().unwrap_or_default();
        item.world.recent = recent.get(&id).cloned().unwrap_or_default();
    }
    for item in loaded.iter_mut() {
        let named = item.event.payload.task_id.iter().cloned().chain(waits::tasks_of(&item.world.waiting));
        let missing: Vec<String> = named.filter(|id| item.world.find_task(id).is_none()).collect();
        item.world.named_tasks = tasks::list_by_ids(conn, &missing)?;
    }
    sms_facts(conn, loaded, &caps::day_of(&ruleset.catalogue.clinic, now))
}

/// A booking of long ago that still has a timer or a waiting run to come.
fn add_awaited_bookings(
    conn: &mut Conn,
    found: &mut HashMap<String, Vec<Booking>>,
    timers: &[Timer],
    waiting: &[WaitingRun],
) -> StoreResult<()> {
    let known: HashSet<&str> = found.values().flatten().map(|b| b.id.as_str()).collect();
    let is_awaited = |t: &&Timer| t.state == "pending" && t.subject_kind == SubjectKind::Booking;
    let awaited =
        timers.iter().filter(is_awaited).map(|t| &t.subject_id).chain(waiting.iter().filter_map(|w| w.booking_id.as_ref()));
    let missing = sorted(awaited.filter(|id| !known.contains(id.as_str())).cloned().collect());
    if missing.is_empty() {
        return Ok(());
    }
    for booking in bookings::list_by_ids(conn, &missing)? {
        found.entry(booking.contact_id.clone()).or_default().push(booking);
    }
    Ok(())
}

fn named_id(loaded: &Loaded) -> Option<String> {
    let input = loaded.event.payload.booking.as_ref()?;
    input.wix_booking_id.clone().or_else(|| input.id.clone())
}

/// Which texts exist already, and whose number has said STOP.
fn sms_facts(conn: &mut Conn, loaded: &mut [Loaded], day: &str) -> StoreResult<()> {
    let booking_ids: Vec<String> = loaded.iter().flat_map(|l| l.world.bookings.iter().map(|b| b.id.clone())).collect();
    for item in loaded.iter_mut() {
        let message = item.event.payload.message.as_ref().filter(|m| m.channel == "sms");
        if let Some((provider, id)) = message.and_then(|m| Some((&m.provider, m.provider_message_id.as_ref()?))) {
            item.world.is_repeated_message = sms::find_by_provider_id(conn, provider, id)?.is_some();
        }
    }
    let keys =
        group(sms::list_known_dedupe_keys(conn, &sorted(booking_ids.into_iter().collect()))?, |(booking, _)| booking.clone());
    let phones: Vec<String> = loaded.iter().flat_map(phones_of).collect();
    let phones = sorted(phones.into_iter().collect());
    let suppressed = sms::list_suppressed(conn, &phones)?;
    let departed = departures::list(conn, day, &phones)?;
    for item in loaded.iter_mut() {
        let known = item.world.bookings.iter().filter_map(|b| keys.get(&b.id)).flatten();
        item.world.known_sms_keys = known.map(|(_, key)| key.clone()).collect();
        item.world.departed.clone_from(&departed);
        item.world.suppressed = phones_of(item).iter().any(|p| suppressed.contains(p));
    }
    Ok(())
}

/// Every number that a text of this event could go to.
pub(super) fn phones_of(loaded: &Loaded) -> Vec<String> {
    let world = &loaded.world;
    let given = loaded.event.payload.contact.as_ref().and_then(|c| c.phone.clone());
    let from = loaded.event.payload.message.as_ref().map(|m| m.from.clone());
    let known = world.contact.as_ref().and_then(|c| c.phone.clone());
    let guardian = world.guardian.as_ref().and_then(|g| g.phone.clone());
    [given, from, known, guardian].into_iter().flatten().collect()
}

fn fired_before(
    conn: &mut Conn,
    contact_ids: &[String],
    ruleset: &Ruleset,
    now: Timestamp,
) -> StoreResult<HashMap<String, Vec<Arc<FiredBefore>>>> {
    let limited = ruleset.rules.iter().filter_map(|r| r.limit.map(|l| (r.id.clone(), l.within)));
    let (mut rules, spans): (Vec<String>, Vec<Millis>) = limited.unzip();
    // What a renamed rule did under its old id counts.
    let renamed: HashMap<String, String> =
        rules.iter().filter_map(|id| Some((ruleset.was.get(id)?.clone(), id.clone()))).collect();
    rules.extend(renamed.keys().cloned());
    let Some(longest) = spans.into_iter().max() else { return Ok(HashMap::new()) };
    let shadows = ruleset.rules.iter().filter(|r| r.limit.is_some() && r.guard.rollout == Rollout::Shadow);
    let in_shadow: Vec<String> = shadows.map(|r| r.id.clone()).collect();
    let mut rows = runs::list_fired(conn, &rules, contact_ids, now - longest)?;
    // Newest first, as all of them are expected to be.
    rows.extend(runs::list_planned(conn, &in_shadow, contact_ids, now - longest)?);
    rows.sort_by_key(|(.., at)| std::cmp::Reverse(*at));
    let fired = rows.into_iter().map(|(rule_id, contact_id, booking_id, at)| {
        let rule_id = renamed.get(&rule_id).cloned().unwrap_or(rule_id);
        Arc::new(FiredBefore { rule_id, contact_id, booking_id, at: Timestamp(at) })
    });
    Ok(group(fired.collect(), |f: &Arc<FiredBefore>| f.contact_id.clone().unwrap_or_default()))
}

/// What limits of promises count, by contact.
fn recent_actions(
    conn: &mut Conn,
    contact_ids: &[String],
    ruleset: &Ruleset,
    now: Timestamp,
) -> StoreResult<HashMap<String, Vec<RecentAction>>> {
    let limits = ruleset.promises.iter().filter_map(|p| if let Promised::Limit(limit) = p.what { Some(limit) } else { None });
    let longest = |action: &str| limits.clone().filter(|l| l.action == action).map(|l| l.within).max();
    let mut found: HashMap<String, Vec<RecentAction>> = HashMap::new();
    if let Some(within) = longest("sms") {
        for (contact, booking_id, at) in sms::list_recent(conn, contact_ids, now - within - WAITS_MAX)? {
            found.entry(contact).or_default().push(RecentAction { action: "sms", at, booking_id });
        }
    }
    if let Some(within) = longest("task") {
        for (contact, booking_id, at) in tasks::list_recent(conn, contact_ids, now - within)? {
            found.entry(contact).or_default().push(RecentAction { action: "task", at, booking_id });
        }
    }
    Ok(found)
}

fn by_id(list: Vec<Contact>) -> HashMap<String, Contact> {
    list.into_iter().map(|c| (c.id.clone(), c)).collect()
}

fn group<T>(list: Vec<T>, key: impl Fn(&T) -> String) -> HashMap<String, Vec<T>> {
    let mut groups: HashMap<String, Vec<T>> = HashMap::new();
    for item in list {
        groups.entry(key(&item)).or_default().push(item);
    }
    groups
}

fn sorted(set: HashSet<String>) -> Vec<String> {
    let mut list: Vec<String> = set.into_iter().collect();
    list.sort_unstable();
    list
}
