//! Erasure: everything that says who somebody is, destroyed in one transaction, and then in the file.

use crate::automation::audit;
use crate::domain::audit::{Entry, Who, action};
use crate::domain::clock::SharedClock;
use crate::store::privacy::{self, Counts, Erasure};
use crate::store::{Store, StoreError, contacts};

/// Why a person's data could not be handed over or destroyed.
#[derive(Debug, thiserror::Error)]
pub enum PrivacyError {
    #[error("there is no such contact")]
    Unknown,
    #[error("say why, in at least three characters")]
    NoReason,
    #[error("a text to them is leaving at this moment; try again in a minute")]
    TextLeaving,
    #[error("somebody else has changed the contact meanwhile")]
    Changed,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was destroyed, or would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    /// The contact that stayed, and those merged into it.
    pub contact_ids: Vec<String>,
    pub counts: Counts,
    pub scrubbed: Scrubbed,
}

/// Whether traces are gone from the database's file, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scrubbed {
    /// Nothing was to be scrubbed: a preview.
    No,
    Yes,
    /// The file is large or in use: `avatar db vacuum` does it at a quiet time. On PostgreSQL its own VACUUM does.
    Later,
}

const REASON_CHARS_MIN: usize = 3;

/// What [`erase`] would destroy. It is done, counted and undone.
pub async fn preview(store: &Store, clock: &SharedClock, contact_id: &str, version: Option<i64>) -> Result<Erased, PrivacyError> {
    let erasure = Erasure { by: String::new(), reason: String::new(), at: clock.now(), is_thorough: true };
    match run(store, contact_id, erasure, None, version).await {
        Err(Stopped::Counted(erased)) => Ok(erased),
        Err(Stopped::Failed(error)) => Err(error),
        Ok(erased) => Ok(erased),
    }
}

/// Destroys what is known of a person. `version`: of the contact that is left of all merged ones, as they have seen it; another
/// by now refuses it.
pub async fn erase(
    store: &Store,
    clock: &SharedClock,
    contact_id: &str,
    who: Who,
    reason: &str,
    version: Option<i64>,
) -> Result<Erased, PrivacyError> {
    if reason.trim().chars().count() < REASON_CHARS_MIN {
        return Err(PrivacyError::NoReason);
    }
    let erasure = Erasure { by: who.by.clone(), reason: reason.trim().to_owned(), at: clock.now(), is_thorough: true };
    let mut erased = rows(store, contact_id, erasure, who, version).await?;
    erased.scrubbed = scrub(store).await;
    tracing::info!(contact = erased.contact_ids.first(), "a contact was erased");
    Ok(erased)
}

/// Like [`erase`], for many people one after the other: what others wrote is not searched, and the file is left as it is.
pub async fn erase_rows(
    store: &Store,
    clock: &SharedClock,
    contact_id: &str,
    by: &str,
    reason: &str,
) -> Result<Erased, PrivacyError> {
    let erasure = Erasure { by: by.to_owned(), reason: reason.to_owned(), at: clock.now(), is_thorough: false };
    rows(store, contact_id, erasure, by.into(), None).await
}

async fn rows(store: &Store, contact_id: &str, erasure: Erasure, who: Who, version: Option<i64>) -> Result<Erased, PrivacyError> {
    match run(store, contact_id, erasure, Some(who), version).await {
        Ok(erased) | Err(Stopped::Counted(erased)) => Ok(erased),
        Err(Stopped::Failed(error)) => Err(error),
    }
}

/// The rows are gone already, so a failure here is told and not an error.
async fn scrub(store: &Store) -> Scrubbed {
    let store = store.clone();
    match tokio::task::spawn_blocking(move || store.scrub()).await {
        Ok(Ok(true)) => Scrubbed::Yes,
        Ok(Ok(false)) => Scrubbed::Later,
        Ok(Err(error)) => {
            tracing::warn!(%error, "traces of an erased contact may be left in the database file: run `avatar db vacuum`");
            Scrubbed::Later
        }
        Err(_) => Scrubbed::Later,
    }
}

enum Stopped {
    /// Undone on purpose.
    Counted(Erased),
    Failed(PrivacyError),
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Failed(match error {
            StoreError::Conflict { .. } => PrivacyError::TextLeaving,
            other => other.into(),
        })
    }
}

/// Without anybody who does it, it is undone.
async fn run(
    store: &Store,
    contact_id: &str,
    erasure: Erasure,
    who: Option<Who>,
    version: Option<i64>,
) -> Result<Erased, Stopped> {
    let is_thorough = erasure.is_thorough;
    let id = contact_id.to_owned();
    // The long search is done beside the writer; what has come since is searched in the transaction.
    let searched = store
        .read(move |conn| {
            let Some(person) = privacy::find_person(conn, &id)? else { return Ok::<_, StoreError>(None) };
            let newest = crate::store::events::find_newest_id(conn)?;
            let loose = if is_thorough { privacy::find_loose_events(conn, &person, "")? } else { Vec::new() };
            Ok(Some((newest, loose)))
        })
        .await?;
    let (newest, mut loose) = searched.ok_or(Stopped::Failed(PrivacyError::Unknown))?;
    let id = contact_id.to_owned();
    store
        .write(move |tx| {
            let person = privacy::find_person(tx, &id)?.ok_or(Stopped::Failed(PrivacyError::Unknown))?;
            let versions = contacts::lock_versions(tx, &person.contact_ids)?;
            let left = person.contact_ids.first().and_then(|id| versions.get(id));
            if version.is_some() && version.as_ref() != left {
                return Err(Stopped::Failed(PrivacyError::Changed));
            }
            if is_thorough {
                loose.extend(privacy::find_loose_events(tx, &person, &newest)?);
            }
            let counts = privacy::erase(tx, &person, &loose, &erasure)?;
            let erased = Erased { contact_ids: person.contact_ids, counts, scrubbed: Scrubbed::No };
            let Some(who) = who else { return Err(Stopped::Counted(erased)) };
            for id in &erased.contact_ids {
                audit::note(tx, &Entry::new(who.clone(), action::CONTACT_ERASED).of("contact", id), erasure.at)?;
            }
            Ok(erased)
        })
        .await
}
