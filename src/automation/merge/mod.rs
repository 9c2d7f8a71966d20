//! Two contacts that are one person become one; and, for a month, two again.
//!
//! Everything that hangs on the loser moves to the winner in one transaction; the loser stays as a tombstone that leads to the
//! winner. A journal keeps what both were and which rows moved, so that undoing moves back exactly those.

mod fields;
mod texts;
mod undo;

use super::audit;
use super::timers::delivery;
use crate::automation::privacy::is_erased;
use crate::domain::audit::{Entry, Who, action};
use crate::domain::contact::{Contact, Identity};
use crate::domain::event::{Actor, CONTACTS_MERGED, EventPayload, SubjectKind, Timer, WaitState};
use crate::domain::ids::new_id;
use crate::domain::task::TaskStatus;
use crate::domain::time::{Millis, Timestamp};
use crate::store::merges::{self, Merge, Moved};
use crate::store::{Cause, Store, StoreError, StoreResult, Tx, contacts, numbers, record, tasks, timers, waiting};
use serde::{Deserialize, Serialize};

pub use undo::unmerge;

/// Rows that one merge moves; a contact with more is no person.
pub const ROWS_MAX: usize = 20_000;
/// A merge can be undone for so long.
pub const UNDO_WITHIN: Millis = Millis::days(30);
/// Why texts and runs ended with a merge.
const REASON: &str = "merged";

#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    #[error("there is no contact with this id")]
    Nobody,
    #[error("a contact cannot be merged with itself")]
    Itself,
    #[error("this contact was merged into {0} already")]
    MergedAlready(String),
    #[error("one of them looks after the other: they are two people")]
    LooksAfter,
    #[error("there are more than {ROWS_MAX} records of this contact")]
    TooMuch,
    #[error("this contact was not merged into another")]
    NotMerged,
    #[error("{0} was merged into another contact since: undo that first")]
    MergedOn(String),
    #[error("one of the two was erased since: nothing is left to undo")]
    Forgotten,
    #[error("a merge can be undone for 30 days")]
    TooLate,
    #[error("one of the two was erased: nothing is left to merge")]
    Erased,
    #[error("somebody else has changed the contact meanwhile")]
    Changed(Box<Contact>),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a merge does, or would do.
#[derive(Clone, Debug)]
pub struct Merged {
    /// As it is afterwards.
    pub contact: Contact,
    /// Rows that changed hands, by table.
    pub moved: Vec<(String, usize)>,
    /// Texts that do not leave, for the person has got the same or wants none.
    pub texts_withdrawn: usize,
    /// The person must not be texted any more.
    pub is_opted_out: bool,
    /// `None` in a preview.
    pub event_id: Option<String>,
}

/// What is needed to undo a merge.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Journal {
    winner_before: Contact,
    winner_after: Contact,
    loser_before: Contact,
    moved: Moved,
    identities: Vec<Identity>,
    /// The loser's, as they were.
    timers: Vec<Timer>,
    waits: Vec<EndedWait>,
    texts: texts::Texts,
    tasks_closed: Vec<String>,
    /// Drafts and marks of the conversation that went along, by table.
    inbox: Vec<String>,
    /// The loser's bookings that were missed by then.
    missed: Vec<String>,
    /// The number that must not be texted since, because the person had said so from the other.
    stopped: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct EndedWait {
    id: String,
    state: WaitState,
    reason: Option<String>,
    memory: String,
}

/// Who is merged, and by whom.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Stays.
    pub winner_id: String,
    /// Becomes a part of it.
    pub loser_id: String,
    /// Who says so.
    pub who: Who,
    /// Nothing is changed; what would be is told.
    pub dry_run: bool,
    /// The version of the one that stays, as they have seen it; another by now refuses the merge.
    pub version: Option<i64>,
}

enum Undone {
    Preview(Box<Merged>),
    Refused(MergeError),
}

impl From<StoreError> for Undone {
    fn from(error: StoreError) -> Self {
        Self::Refused(error.into())
    }
}

/// Merges two contacts. A preview does the same and takes it back.
pub async fn merge(store: &Store, wanted: Wanted, now: Timestamp) -> Result<Merged, MergeError> {
    let done = store
        .write(move |tx| {
            let merged = merge_in(tx, &wanted, now).map_err(Undone::Refused)?;
            if wanted.dry_run { Err(Undone::Preview(Box::new(merged))) } else { Ok(merged) }
        })
        .await;
    match done {
        Ok(merged) => Ok(merged),
        Err(Undone::Preview(merged)) => Ok(Merged { event_id: None, ..*merged }),
        Err(Undone::Refused(error)) => Err(error),
    }
}

fn merge_in(tx: &mut Tx<'_>, wanted: &Wanted, now: Timestamp) -> Result<Merged, MergeError> {
    let Wanted { winner_id, loser_id, who, .. } = wanted;
    if winner_id == loser_id {
        return Err(MergeError::Itself);
    }
    let (winner, loser) = lock_both(tx, winner_id, loser_id)?;
    for contact in [&winner, &loser] {
        if let Some(into) = &contact.merged_into_id {
            return Err(MergeError::MergedAlready(into.clone()));
        }
    }
    if is_erased(&winner) || is_erased(&loser) {
        return Err(MergeError::Erased);
    }
    refuse_changed(&winner, wanted.version)?;
    let looks_after = |a: &Contact, b: &Contact| a.guardian_contact_id.as_ref() == Some(&b.id);
    if looks_after(&winner, &loser) || looks_after(&loser, &winner) {
        return Err(MergeError::LooksAfter);
    }
    let mut journal = Journal { winner_before: winner.clone(), loser_before: loser.clone(), ..Journal::default() };
    let merged = fields::combined(&winner, &loser, now);
    journal.texts = texts::decide(tx, &winner, &loser, &merged, now)?;
    let counts = move_all(tx, &mut journal, now)?;
    journal.missed = undo::missed(tx, &journal)?;
    let texts_withdrawn = texts::withdraw(tx, &journal.texts, now)?;
    // The tombstone first: it gives up the number.
    contacts::upsert_many(tx, &[&fields::tombstone(&loser, winner_id, now)])?;
    contacts::upsert_many(tx, &[&merged])?;
    let event_id = record_event(tx, CONTACTS_MERGED, &merged, loser_id, &who.by, now)?;
    journal.stopped = texts::keep_stop(tx, &winner, &loser, &merged, &event_id, now)?;
    let contact = contacts::find(tx, winner_id)?.ok_or(MergeError::Nobody)?;
    journal.winner_after = contact.clone();
    let is_opted_out = contact.opted_out_at.is_some();
    keep_journal(tx, wanted, &journal, now)?;
    let entry = Entry::new(who.clone(), action::CONTACTS_MERGED).of("contact", winner_id).with_id("merged", loser_id);
    audit::note(tx, &entry, now)?;
    Ok(Merged { contact, moved: counts, texts_withdrawn, is_opted_out, event_id: Some(event_id) })
}

fn refuse_changed(contact: &Contact, seen: Option<i64>) -> Result<(), MergeError> {
    let is_as_seen = seen.is_none_or(|seen| seen == contact.version);
    if is_as_seen { Ok(()) } else { Err(MergeError::Changed(Box::new(contact.clone()))) }
}

/// Both as they are, and nobody changes them, texts them or hears them until the transaction ends. Lanes first, then contacts:
/// the order of everybody who takes both.
fn lock_both(tx: &mut Tx<'_>, winner_id: &str, loser_id: &str) -> Result<(Contact, Contact), MergeError> {
    let ids = [winner_id.to_owned(), loser_id.to_owned()];
    let phones: Vec<String> = contacts::list_by_ids(tx, &ids)?.into_iter().filter_map(|c| c.phone).collect();
    numbers::lock(tx, &phones)?;
    let mut locked = numbers::list_contacts(tx, &phones)?;
    locked.extend(ids);
    contacts::lock_versions(tx, &locked)?;
    let winner = contacts::find(tx, winner_id)?.ok_or(MergeError::Nobody)?;
    let loser = contacts::find(tx, loser_id)?.ok_or(MergeError::Nobody)?;
    Ok((winner, loser))
}

fn move_all(tx: &mut Tx<'_>, journal: &mut Journal, now: Timestamp) -> Result<Vec<(String, usize)>, MergeError> {
    let (winner, loser) = (journal.winner_before.id.clone(), journal.loser_before.id.clone());
    journal.moved = merges::list_children(tx, &loser)?;
    if journal.moved.iter().map(|(_, keys)| keys.len()).sum::<usize>() > ROWS_MAX {
        return Err(MergeError::TooMuch);
    }
    end_doubled_waits(tx, journal, now)?;
    let mut counts = merges::move_children(tx, &journal.moved, &loser, &winner)?;
    let identities = contacts::list_identities(tx, std::slice::from_ref(&loser))?.remove(&loser).unwrap_or_default();
    for identity in &identities {
        merges::move_identity(tx, identity.kind.as_str(), &identity.value, &loser, &winner)?;
    }
    counts.push(("contact_identities".to_owned(), identities.len()));
    journal.identities = identities;
    counts.push(("timers".to_owned(), move_timers(tx, journal)?));
    journal.inbox = merges::move_inbox(tx, &merges::INBOX, &loser, &winner)?;
    close_reviews(tx, journal, now)?;
    counts.retain(|(_, count)| *count > 0);
    Ok(counts)
}

/// A run that waits for the person already is enough.
fn end_doubled_waits(tx: &mut Tx<'_>, journal: &mut Journal, now: Timestamp) -> StoreResult<()> {
    let of_winner = waiting::list_alive_of_contacts(tx, std::slice::from_ref(&journal.winner_before.id))?;
    for mut run in waiting::list_alive_of_contacts(tx, std::slice::from_ref(&journal.loser_before.id))? {
        if !of_winner.iter().any(|other| other.rule_id == run.rule_id) {
            continue;
        }
        journal.waits.push(EndedWait {
            id: run.id.clone(),
            state: run.state,
            reason: run.reason.replace(REASON.to_owned()),
            memory: std::mem::take(&mut run.memory),
        });
        run.state = WaitState::Ended;
        run.updated_at = now;
        waiting::update(tx, &run)?;
    }
    Ok(())
}

/// Timers of bookings go along. Of the contact's own, those that have fired stay fired for the winner; the rest is derived anew
/// when the event of the merge is worked on.
fn move_timers(tx: &mut Tx<'_>, journal: &mut Journal) -> StoreResult<usize> {
    let winner = journal.winner_before.id.clone();
    journal.timers = timers::list_of_contacts(tx, std::slice::from_ref(&journal.loser_before.id))?;
    for timer in &journal.timers {
        timers::delete(tx, timer)?;
        if timer.subject_kind == SubjectKind::Booking {
            merges::put_timer(tx, &Timer { contact_id: winner.clone(), ..timer.clone() })?;
        } else if timer.state == "fired" {
            merges::put_timer(tx, &Timer { contact_id: winner.clone(), subject_id: winner.clone(), ..timer.clone() })?;
        }
    }
    Ok(journal.timers.len())
}

/// Whoever asked whether these two are one person has the answer.
fn close_reviews(tx: &mut Tx<'_>, journal: &mut Journal, now: Timestamp) -> StoreResult<()> {
    let pair = [journal.winner_before.id.as_str(), journal.loser_before.id.as_str()];
    let keys = pair.map(|id| format!("merge_review:{id}"));
    for mut task in tasks::list_open_by_keys(tx, &keys)? {
        let others = others_named(task.note.as_deref().unwrap_or_default());
        if others.iter().all(|other| pair.contains(&other.as_str())) {
            task.status = TaskStatus::Done;
            task.completed_at = Some(now);
            task.updated_at = now;
            task.version += 1;
            tasks::upsert_many(tx, &[&task])?;
            journal.tasks_closed.push(task.id);
        }
    }
    Ok(())
}

/// The contacts that the note of a `merge_review` names.
#[must_use]
pub fn others_named(note: &str) -> Vec<String> {
    let words = note.split(|c: char| !(c.is_ascii_hexdigit() || c == '-'));
    words.filter(|word| crate::domain::ids::is_id(word)).map(str::to_owned).collect()
}

/// The event, in the winner's lane.
fn record_event(
    tx: &mut Tx<'_>,
    event_type: &str,
    contact: &Contact,
    other: &str,
    by: &str,
    now: Timestamp,
) -> StoreResult<String> {
    let mut payload = EventPayload::default();
    payload.data.insert("other_contact_id".to_owned(), other.to_owned());
    payload.data.insert("by".to_owned(), by.to_owned());
    let mut event = delivery(event_type, "staff", new_id(now), now, payload, (&contact.id, Some(contact)));
    event.actor = Actor::Staff;
    let cause = Cause { contact_id: Some(contact.id.clone()), ..Cause::default() };
    Ok(record(tx, event, now, cause)?.event_id)
}

fn keep_journal(tx: &mut Tx<'_>, wanted: &Wanted, journal: &Journal, now: Timestamp) -> StoreResult<()> {
    let row = Merge {
        id: new_id(now),
        winner_id: wanted.winner_id.clone(),
        loser_id: wanted.loser_id.clone(),
        merged_at: now.0,
        merged_by: wanted.who.by.clone(),
        undone_at: None,
        undone_by: None,
        journal: serde_json::to_string(journal).map_err(|e| StoreError::Statement(e.to_string()))?,
    };
    merges::insert(tx, &row)
}
