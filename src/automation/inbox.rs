//! What staff does with conversations: each is an event that rules can use; a draft is not.

use super::audit;
use super::privacy::is_erased;
use super::timers::delivery;
use crate::domain::audit::{Entry, Who, action};
use crate::domain::contact::Contact;
use crate::domain::event::{Actor, CONVERSATION_ASSIGNED, CONVERSATION_DONE, EventPayload};
use crate::domain::ids::new_id;
use crate::domain::time::Timestamp;
use crate::store::inbox::{self, Draft, InboxState};
use crate::store::{Cause, Store, StoreError, StoreResult, Tx, contacts, record};

/// What becomes of a conversation.
#[derive(Clone, Debug)]
pub enum Change {
    /// Its messages so far need no answer.
    Done,
    /// It is this member of staff's, or nobody's.
    Assigned(Option<String>),
}

/// Changes a conversation; `None` when there is no such contact.
pub async fn change(
    store: &Store,
    contact_id: &str,
    change: Change,
    who: Who,
    now: Timestamp,
) -> StoreResult<Option<InboxState>> {
    let contact_id = contact_id.to_owned();
    store
        .write(move |tx| {
            let Some(contact) = contacts::find(tx, &contact_id)?.filter(|contact| !is_erased(contact)) else { return Ok(None) };
            match &change {
                Change::Done => inbox::mark_done(tx, &contact_id, &who.by, now)?,
                Change::Assigned(to) => inbox::assign(tx, &contact_id, to.as_deref(), now)?,
            }
            record_event(tx, &contact, &change, &who.by, now)?;
            let state = inbox::find_state(tx, &contact_id)?;
            audit::note(tx, &entry(who, &contact_id, &change), now)?;
            Ok(state)
        })
        .await
}

fn entry(who: Who, contact_id: &str, change: &Change) -> Entry {
    match change {
        Change::Done => Entry::new(who, action::CONVERSATION_DONE).of("contact", contact_id),
        Change::Assigned(to) => {
            let entry = Entry::new(who, action::CONVERSATION_ASSIGNED).of("contact", contact_id);
            to.iter().fold(entry, |entry, to| entry.with_id("to", to))
        }
    }
}

fn record_event(tx: &mut Tx<'_>, contact: &Contact, change: &Change, by: &str, now: Timestamp) -> StoreResult<()> {
    let mut payload = EventPayload::default();
    payload.data.insert("by".to_owned(), by.to_owned());
    let event_type = match change {
        Change::Done => CONVERSATION_DONE,
        Change::Assigned(to) => {
            payload.data.extend(to.iter().map(|who| ("assigned_to".to_owned(), who.clone())));
            CONVERSATION_ASSIGNED
        }
    };
    let mut event = delivery(event_type, "staff", new_id(now), now, payload, (&contact.id, Some(contact)));
    event.actor = Actor::Staff;
    let cause = Cause { contact_id: Some(contact.id.clone()), ..Cause::default() };
    record(tx, event, now, cause).map(drop)
}

/// Why a draft was not kept.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    #[error("there is no contact with this id")]
    Nobody,
    /// Somebody else wrote meanwhile; what they wrote, unless they have thrown it away.
    #[error("somebody else wrote meanwhile")]
    Changed(Option<Draft>),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Keeps the answer that somebody is writing. `version`: of the draft as they saw it, 0 when there was none.
pub async fn write_draft(store: &Store, mut draft: Draft, version: i64) -> Result<Draft, DraftError> {
    draft.version = version + 1;
    store
        .write(move |tx| {
            contacts::find(tx, &draft.contact_id)?.filter(|contact| !is_erased(contact)).ok_or(DraftError::Nobody)?;
            if inbox::put_draft(tx, &draft, version)? {
                return Ok(draft);
            }
            Err(DraftError::Changed(inbox::find_draft(tx, &draft.contact_id)?))
        })
        .await
}

/// Throws the draft away; false when there was none.
pub async fn delete_draft(store: &Store, contact_id: &str) -> StoreResult<bool> {
    let contact_id = contact_id.to_owned();
    store.write(move |tx| inbox::delete_draft(tx, &contact_id)).await
}

/// Throws a draft away that this author wrote.
pub async fn delete_own_draft(store: &Store, contact_id: &str, author: &str) -> StoreResult<()> {
    let (contact_id, author) = (contact_id.to_owned(), author.to_owned());
    let mine = move |draft: &Draft| draft.author == author;
    store
        .write(move |tx| {
            if inbox::find_draft(tx, &contact_id)?.as_ref().is_some_and(mine) {
                inbox::delete_draft(tx, &contact_id)?;
            }
            Ok(())
        })
        .await
}
