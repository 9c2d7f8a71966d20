//! Two again: what moved and still is where it went goes back; fields that nobody has changed since are what they were.

use super::{Journal, MergeError, REASON, UNDO_WITHIN, fields, lock_both, record_event, refuse_changed, texts};
use crate::automation::audit;
use crate::domain::audit::{Entry, Who, action};
use crate::domain::booking::{Booking, BookingStatus};
use crate::domain::contact::Contact;
use crate::domain::event::{CONTACTS_UNMERGED, SubjectKind, Timer, WaitState};
use crate::domain::task::TaskStatus;
use crate::domain::time::Timestamp;
use crate::store::merges::{self, Merge};
use crate::store::{Store, StoreError, StoreResult, Tx, bookings, contacts, numbers, sms, tasks, timers};

/// Both contacts, as they are after the undo.
#[derive(Clone, Debug)]
pub struct Unmerged {
    pub winner: Contact,
    /// The one that is itself again.
    pub contact: Contact,
    pub event_id: String,
}

/// Undoes the merge of `loser_id` into another contact.
///
/// `version`: of the one that is left, as they have seen it.
pub async fn unmerge(
    store: &Store,
    loser_id: &str,
    who: Who,
    version: Option<i64>,
    now: Timestamp,
) -> Result<Unmerged, MergeError> {
    let loser_id = loser_id.to_owned();
    store.write(move |tx| unmerge_in(tx, &loser_id, who, version, now)).await
}

fn unmerge_in(tx: &mut Tx<'_>, loser_id: &str, who: Who, version: Option<i64>, now: Timestamp) -> Result<Unmerged, MergeError> {
    contacts::find(tx, loser_id)?.ok_or(MergeError::Nobody)?;
    let merge = merges::find_of_loser(tx, loser_id)?.ok_or(MergeError::NotMerged)?;
    let (winner, tombstone) = lock_both(tx, &merge.winner_id, loser_id)?;
    check(tx, &merge, &winner, &tombstone, now)?;
    refuse_changed(&winner, version)?;
    let journal: Journal = serde_json::from_str(&merge.journal).map_err(|e| StoreError::Statement(e.to_string()))?;
    // Nothing is remembered of whoever was erased since.
    if journal.loser_before.id != loser_id || journal.winner_before.id != merge.winner_id {
        return Err(MergeError::Forgotten);
    }
    lift_stop(tx, &journal, now)?;
    let winner = contacts::find(tx, &merge.winner_id)?.ok_or(MergeError::Nobody)?;
    let mut parted = fields::parted(&winner, &journal.winner_before, &journal.winner_after, now);
    let mut risen = fields::risen(&journal.loser_before, &tombstone, &winner, now);
    part_no_shows(tx, &journal, (&mut parted, &winner), &mut risen, merge.merged_at)?;
    move_back(tx, &journal)?;
    keep_numbers_apart(tx, &mut parted, &mut risen)?;
    contacts::upsert_many(tx, &[&parted])?;
    contacts::upsert_many(tx, &[&risen])?;
    texts::restore(tx, &journal.texts, now)?;
    reopen(tx, &journal, now)?;
    merges::mark_undone(tx, &merge.id, &who.by, now)?;
    record_event(tx, CONTACTS_UNMERGED, &parted, loser_id, &who.by, now)?;
    let event_id = record_event(tx, CONTACTS_UNMERGED, &risen, &merge.winner_id, &who.by, now)?;
    let entry = Entry::new(who, action::CONTACTS_UNMERGED).of("contact", loser_id).with_id("from", &merge.winner_id);
    audit::note(tx, &entry, now)?;
    Ok(Unmerged { winner: parted, contact: risen, event_id })
}

fn check(tx: &mut Tx<'_>, merge: &Merge, winner: &Contact, tombstone: &Contact, now: Timestamp) -> Result<(), MergeError> {
    // Somebody else may have undone it while this one waited for the contacts.
    if merges::find_of_loser(tx, &tombstone.id)?.is_none_or(|newest| newest.id != merge.id) {
        return Err(MergeError::NotMerged);
    }
    if winner.merged_into_id.is_some() || tombstone.merged_into_id.as_ref() != Some(&winner.id) {
        return Err(MergeError::MergedOn(winner.id.clone()));
    }
    if now.0 - merge.merged_at > UNDO_WITHIN.0 {
        return Err(MergeError::TooLate);
    }
    Ok(())
}

/// The number that was silenced by the merge alone may be texted again.
fn lift_stop(tx: &mut Tx<'_>, journal: &Journal, now: Timestamp) -> StoreResult<()> {
    let Some(phone) = &journal.stopped else { return Ok(()) };
    if journal.winner_before.opted_out_at.is_none() && sms::find_suppression_reason(tx, phone)?.as_deref() == Some(REASON) {
        numbers::start(tx, phone, now)?;
    }
    Ok(())
}

/// Each has missed what they had missed, and of what was missed since, their own bookings.
fn part_no_shows(
    tx: &mut Tx<'_>,
    journal: &Journal,
    (parted, winner): (&mut Contact, &Contact),
    risen: &mut Contact,
    merged_at: i64,
) -> StoreResult<()> {
    let is_missed = |b: &&Booking| b.status == BookingStatus::NoShow;
    let theirs = bookings::list_by_ids(tx, booking_ids(journal))?;
    let since =
        |b: &&Booking| is_missed(b) && b.no_show_at.is_some_and(|at| at.0 >= merged_at) && !journal.missed.contains(&b.id);
    let corrected = |b: &&Booking| !is_missed(b) && journal.missed.contains(&b.id);
    let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
    let (more, fewer) = (theirs.iter().filter(since).count(), theirs.iter().filter(corrected).count());
    risen.no_shows = risen.no_shows.saturating_add(count(more)).saturating_sub(count(fewer)).max(0);
    parted.no_shows = (winner.no_shows - risen.no_shows).max(0);
    Ok(())
}

/// The bookings that change hands and were missed.
pub(super) fn missed(tx: &mut Tx<'_>, journal: &Journal) -> StoreResult<Vec<String>> {
    let moved = bookings::list_by_ids(tx, booking_ids(journal))?.into_iter();
    Ok(moved.filter(|booking| booking.status == BookingStatus::NoShow).map(|booking| booking.id).collect())
}

fn booking_ids(journal: &Journal) -> &[String] {
    journal.moved.iter().find(|(table, _)| table == "bookings").map_or(&[], |(_, ids)| ids)
}

fn move_back(tx: &mut Tx<'_>, journal: &Journal) -> StoreResult<()> {
    let (winner, loser) = (journal.winner_before.id.as_str(), journal.loser_before.id.as_str());
    merges::move_children(tx, &journal.moved, winner, loser)?;
    for identity in &journal.identities {
        merges::move_identity(tx, identity.kind.as_str(), &identity.value, winner, loser)?;
    }
    move_timers_back(tx, journal)?;
    merges::follow_bookings(tx, booking_ids(journal), winner, loser)?;
    let inbox: Vec<&str> = journal.inbox.iter().map(String::as_str).collect();
    merges::move_inbox(tx, &inbox, winner, loser)?;
    Ok(())
}

/// Timers that are as the merge left them are as they were before. What the winner has fired itself stays fired.
fn move_timers_back(tx: &mut Tx<'_>, journal: &Journal) -> StoreResult<()> {
    let winner = &journal.winner_before.id;
    let present = timers::list_of_contacts(tx, std::slice::from_ref(winner))?;
    for timer in &journal.timers {
        let subject = if timer.subject_kind == SubjectKind::Booking { &timer.subject_id } else { winner };
        let moved = Timer { contact_id: winner.clone(), subject_id: subject.clone(), ..timer.clone() };
        let is_moved = |t: &&Timer| {
            (&t.subject_id, &t.rule_id, t.trigger, &t.occurrence)
                == (&moved.subject_id, &moved.rule_id, moved.trigger, &moved.occurrence)
        };
        match present.iter().find(is_moved) {
            // Untouched since.
            Some(now) if *now == moved => {
                timers::delete(tx, now)?;
                merges::put_timer(tx, timer)?;
            }
            // Changed since: it goes with its booking as it is, or stays.
            Some(_) => {}
            // A booking's timer that is gone has become wrong; the contact's own pending ones were left to be derived.
            None if timer.subject_kind == SubjectKind::Booking => {}
            None => merges::put_timer(tx, timer)?,
        }
    }
    Ok(())
}

/// Nobody has a number or an address that is not theirs.
fn keep_numbers_apart(tx: &mut Tx<'_>, winner: &mut Contact, loser: &mut Contact) -> StoreResult<()> {
    let ids = [winner.id.clone(), loser.id.clone()];
    let owned = contacts::list_identities(tx, &ids)?;
    for contact in [winner, loser] {
        let owns = |value: &String| owned.get(&contact.id).is_some_and(|all| all.iter().any(|i| i.value == *value));
        if contact.phone.as_ref().is_some_and(|phone| !owns(phone)) {
            contact.phone = None;
        }
    }
    Ok(())
}

fn reopen(tx: &mut Tx<'_>, journal: &Journal, now: Timestamp) -> StoreResult<()> {
    for wait in &journal.waits {
        // The event of one whose time was up has passed it by.
        if wait.state != WaitState::Due {
            let before = (wait.state.as_str(), wait.reason.as_deref());
            merges::restore_wait(tx, &wait.id, REASON, before, &wait.memory, now)?;
        }
    }
    for mut task in tasks::list_by_ids(tx, &journal.tasks_closed)? {
        let keys: Vec<String> = task.dedupe_key.iter().cloned().collect();
        if task.status == TaskStatus::Done && tasks::list_open_by_keys(tx, &keys)?.is_empty() {
            task.status = TaskStatus::Todo;
            task.completed_at = None;
            task.updated_at = now;
            task.version += 1;
            tasks::upsert_many(tx, &[&task])?;
        }
    }
    Ok(())
}
