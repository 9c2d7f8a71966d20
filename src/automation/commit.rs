//! Writes decisions: the fence first, then the check that nothing has changed since they were made, then all rows.

use super::guard;
use super::world::{Changes, SmsChange, Suppression, World};
use crate::domain::contact::Identity;
use crate::domain::job::ClaimedJob;
use crate::domain::task::Task;
use crate::domain::time::Timestamp;
use crate::store::sms::StatusChange;
use crate::store::{
    StoreError, StoreResult, Tx, bookings, consents, contacts, events, history, jobs, numbers, privacy, runs, skips, sms, tasks,
    timers, waiting,
};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// A decided world and the job that it completes.
pub struct Decision {
    pub job: Option<ClaimedJob>,
    pub world: World,
}

/// Writes all decisions, or nothing.
///
/// # Errors
/// `LeaseLost` when any job is somebody else's now, `Conflict` or `Duplicate` when a record changed since it was loaded.
pub fn commit(tx: &mut Tx<'_>, decisions: &[Decision], now: Timestamp) -> StoreResult<()> {
    fence(tx, decisions, now)?;
    check_versions(tx, decisions)?;
    write_contacts(tx, decisions, now)?;
    write_records(tx, decisions)?;
    write_sms(tx, decisions, now)?;
    write_log(tx, decisions, now)?;
    let jobs_new: Vec<_> = all(decisions, |c| &c.jobs).cloned().collect();
    jobs::enqueue_many(tx, &jobs_new, now)?;
    Ok(())
}

fn fence(tx: &mut Tx<'_>, decisions: &[Decision], now: Timestamp) -> StoreResult<()> {
    let claimed: Vec<&ClaimedJob> = decisions.iter().filter_map(|d| d.job.as_ref()).collect();
    let held = jobs::complete_many(tx, &claimed, now)?;
    if held.iter().all(|h| *h) { Ok(()) } else { Err(StoreError::LeaseLost) }
}

/// The contact is the root of everything about it: an unchanged version means an unchanged world.
fn check_versions(tx: &mut Tx<'_>, decisions: &[Decision]) -> StoreResult<()> {
    let mut expected: HashMap<&str, i64> = HashMap::new();
    for world in decisions.iter().map(|d| &d.world) {
        if let (Some(contact), Some(version)) = (&world.contact, world.loaded_version)
            && expected.insert(&contact.id, version).is_some()
        {
            return Err(StoreError::Conflict { what: "contact (twice in one batch)" });
        }
    }
    let mut ids: Vec<String> = expected.keys().map(ToString::to_string).collect();
    // STOP and START change everybody at the number: locked together with the others, in one order.
    let phones: Vec<String> = all(decisions, |c| &c.suppressions).map(|s| s.phone().to_owned()).collect();
    ids.extend(numbers::list_contacts(tx, &phones)?);
    let actual = contacts::lock_versions(tx, &ids)?;
    let unchanged = expected.iter().all(|(id, version)| actual.get(*id) == Some(version));
    if unchanged { Ok(()) } else { Err(StoreError::Conflict { what: "contact" }) }
}

fn write_contacts(tx: &mut Tx<'_>, decisions: &[Decision], now: Timestamp) -> StoreResult<()> {
    let changed = || decisions.iter().map(|d| &d.world).filter(|w| w.changes.contact);
    let rows: Vec<_> = changed().filter_map(|w| w.contact.as_ref()).collect();
    contacts::upsert_many(tx, &rows)?;
    let owned = |pick: fn(&Changes) -> &Vec<Identity>| -> Vec<(&Identity, &str)> {
        let people = changed().filter_map(|w| w.contact.as_ref().map(|c| (w, c)));
        people.flat_map(|(w, c)| pick(&w.changes).iter().map(move |i| (i, c.id.as_str()))).collect()
    };
    contacts::delete_identities(tx, &owned(|c| &c.gone_identities))?;
    contacts::insert_identities(tx, &owned(|c| &c.new_identities), now)
}

fn write_records(tx: &mut Tx<'_>, decisions: &[Decision]) -> StoreResult<()> {
    let worlds = || decisions.iter().map(|d| &d.world);
    let changed: Vec<_> = worlds().flat_map(|w| w.bookings.iter().filter(|b| w.changes.bookings.contains(&b.id))).collect();
    bookings::upsert_many(tx, &changed)?;
    let tasks_changed: Vec<&Task> =
        worlds().flat_map(|w| w.open_tasks.iter().map(Arc::as_ref).filter(|t| w.changes.tasks.contains(&t.id))).collect();
    tasks::upsert_many(tx, &tasks_changed)?;
    write_loose_tasks(tx, decisions)?;
    for id in all(decisions, |c| &c.touchpoints_gone) {
        history::delete_touchpoint(tx, id)?;
    }
    history::insert_touchpoints(tx, &all(decisions, |c| &c.touchpoints).collect::<Vec<_>>())?;
    history::insert_notes(tx, &all(decisions, |c| &c.notes).collect::<Vec<_>>())?;
    consents::insert_many(tx, &all(decisions, |c| &c.consents).collect::<Vec<_>>())?;
    history::insert_field_changes(tx, &all(decisions, |c| &c.field_changes).collect::<Vec<_>>())?;
    history::insert_transitions(tx, &all(decisions, |c| &c.transitions).collect::<Vec<_>>())?;
    timers::upsert_many(tx, &all(decisions, |c| &c.timers).collect::<Vec<_>>())?;
    for timer in all(decisions, |c| &c.timers_gone) {
        timers::delete(tx, timer)?;
    }
    write_waiting(tx, decisions)
}

fn write_waiting(tx: &mut Tx<'_>, decisions: &[Decision]) -> StoreResult<()> {
    let picked = |pick: fn(&Changes) -> &BTreeSet<String>| {
        decisions.iter().flat_map(move |d| d.world.waiting.iter().filter(move |run| pick(&d.world.changes).contains(&run.id)))
    };
    waiting::insert_many(tx, &picked(|c| &c.waiting_new).collect::<Vec<_>>())?;
    picked(|c| &c.waiting).try_for_each(|run| waiting::update(tx, run))
}

/// Tasks about no contact: one open task for each key is enough.
fn write_loose_tasks(tx: &mut Tx<'_>, decisions: &[Decision]) -> StoreResult<()> {
    all(decisions, |c| &c.loose_tasks).try_for_each(|task| tasks::open_once(tx, task).map(drop))
}

fn write_sms(tx: &mut Tx<'_>, decisions: &[Decision], now: Timestamp) -> StoreResult<()> {
    sms::insert_many(tx, &all(decisions, |c| &c.sms).collect::<Vec<_>>())?;
    for change in all(decisions, |c| &c.sms_changes) {
        change_sms(tx, change, now)?;
    }
    for decision in decisions {
        sms::insert_status_events(tx, &decision.world.changes.sms_status_events)?;
    }
    for suppression in all(decisions, |c| &c.suppressions) {
        match suppression {
            Suppression::Stop { phone, reason, event_id, .. } => numbers::stop(tx, phone, reason, event_id, now)?,
            Suppression::Lift { phone } => numbers::start(tx, phone, now)?,
        }
    }
    Ok(())
}

fn change_sms(tx: &mut Tx<'_>, change: &SmsChange, now: Timestamp) -> StoreResult<()> {
    let details = StatusChange {
        reason: change.reason.clone(),
        provider_message_id: change.provider_message_id.clone(),
        ..StatusChange::default()
    };
    let changed = sms::change_status(tx, &change.sms_id, &change.from, change.to, &details, now)?;
    if changed || !change.is_required { Ok(()) } else { Err(StoreError::Conflict { what: "text" }) }
}

fn write_log(tx: &mut Tx<'_>, decisions: &[Decision], now: Timestamp) -> StoreResult<()> {
    events::insert_chained(tx, &all(decisions, |c| &c.events).collect::<Vec<_>>())?;
    write_runs(tx, decisions)?;
    guard::after_failures(tx, all(decisions, |c| &c.failures), now)?;
    events::finish_many(tx, &all(decisions, |c| &c.results).collect::<Vec<_>>(), now)?;
    privacy::forget_events(tx, &all(decisions, |c| &c.erased_events).cloned().collect::<Vec<_>>())
}

/// What did nothing is folded: one row for each event.
fn write_runs(tx: &mut Tx<'_>, decisions: &[Decision]) -> StoreResult<()> {
    let folded: Vec<_> = all(decisions, |c| &c.skips).collect();
    let skipped: HashSet<(&str, &str)> =
        folded.iter().flat_map(|s| s.rules.iter().map(|r| (s.event_id.as_str(), r.rule_id.as_str()))).collect();
    let kept = all(decisions, |c| &c.runs).filter(|run| !skipped.contains(&(run.event_id.as_str(), run.rule_id.as_str())));
    runs::insert_many(tx, &kept.collect::<Vec<_>>())?;
    skips::insert_many(tx, &folded)
}

fn all<'a, T: 'a>(decisions: &'a [Decision], pick: impl Fn(&'a Changes) -> &'a Vec<T>) -> impl Iterator<Item = &'a T> {
    decisions.iter().flat_map(move |d| pick(&d.world.changes))
}
