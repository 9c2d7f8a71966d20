//! What the rules would do with an event now: loaded and decided like any other, and nothing of it written.

use super::decide::{Deciding, decide};
use super::load::load;
use super::rulesets::{Draft, RulesetError, RulesetHost};
use super::world::World;
use crate::domain::event::{Actor, Event, EventPayload, EventStatus, Run};
use crate::domain::ids::new_id;
use crate::domain::task::Task;
use crate::domain::time::Timestamp;
use crate::engine::Ruleset;
use crate::store::{Conn, Store, StoreError, StoreResult, bookings, contacts, events};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The event that rules are tried with.
#[derive(Clone, Debug)]
pub enum Tried {
    /// A recorded one, as if it came now.
    Recorded(String),
    /// One of this name, about these.
    Made { event_type: String, contact_id: Option<String>, booking_id: Option<String>, data: BTreeMap<String, String> },
}

/// The rules that are tried.
#[derive(Clone, Debug)]
pub enum With {
    InForce,
    /// The files on disk, with these texts instead of theirs.
    Draft(BTreeMap<String, String>),
}

/// What would come of it.
#[derive(Debug)]
pub struct Told {
    pub event_type: String,
    pub contact_id: Option<String>,
    pub booking_id: Option<String>,
    /// Every rule that looked at it, in the order of their files.
    pub runs: Vec<Run>,
    /// With everything that would be written.
    pub world: World,
}

impl Told {
    /// Tasks that would be new or other than they are.
    pub fn tasks(&self) -> impl Iterator<Item = &Task> {
        let changes = &self.world.changes;
        let of_contact = self.world.open_tasks.iter().map(std::sync::Arc::as_ref).filter(|task| changes.tasks.contains(&task.id));
        of_contact.chain(&changes.loose_tasks)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum DryRunError {
    #[error("another dry run or replay of files is running")]
    Busy,
    #[error("no ruleset is in force")]
    NothingInForce,
    /// The files, with the texts given, have problems.
    #[error("the rule files have problems")]
    NotClean(Box<Draft>),
    #[error("there is no {0} of this id")]
    Unknown(&'static str),
    #[error(transparent)]
    Ruleset(#[from] RulesetError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Tries the rules with an event.
///
/// # Errors
/// When there are no rules that could be tried, nothing that the event is about, or the database cannot be read.
pub async fn dry_run(
    store: &Store,
    host: &Arc<RulesetHost>,
    tried: Tried,
    with: With,
    now: Timestamp,
) -> Result<Told, DryRunError> {
    host.follow().await?;
    let current = host.current().ok_or(DryRunError::NothingInForce)?;
    let _turn; // Compiling takes a processor: one at a time.
    let ruleset = match with {
        With::InForce => Arc::clone(&current.ruleset),
        With::Draft(texts) => {
            _turn = host.begin_replay().ok_or(DryRunError::Busy)?;
            let (draft, ruleset) = host.examine_with(texts).await?;
            Arc::new(ruleset.ok_or_else(|| DryRunError::NotClean(Box::new(draft)))?)
        }
    };
    let host = Arc::clone(host);
    store
        .read(move |conn| {
            let event = event_of(conn, tried, now)?;
            let catalogue = host.catalogue();
            let loaded = load(conn, vec![event], &ruleset, now)?.pop().ok_or(DryRunError::Unknown("event"))?;
            let pinned = host.pinned(conn, &current, loaded.world.waiting.iter())?;
            let (mut world, root) = (loaded.world, loaded.event);
            let deciding = Deciding {
                ruleset: &ruleset,
                overrides: &current.overrides,
                revision: current.number,
                clinic: &catalogue.clinic,
                pipelines: &catalogue.pipelines,
                now,
                is_demo: false,
                pinned: &pinned,
            };
            decide(&mut world, &root, deciding);
            Ok(told(world, &root, &ruleset))
        })
        .await
}

fn told(world: World, root: &Event, ruleset: &Ruleset) -> Told {
    let mut runs = world.changes.runs.clone();
    let place = |run: &Run| ruleset.by_id.get(&run.rule_id).copied().unwrap_or(usize::MAX);
    runs.sort_by_key(place);
    Told {
        event_type: root.event_type.clone(),
        contact_id: world.contact.as_ref().map(|contact| contact.id.clone()),
        booking_id: root.booking_id.clone(),
        runs,
        world,
    }
}

fn event_of(conn: &mut Conn, tried: Tried, now: Timestamp) -> Result<Event, DryRunError> {
    match tried {
        Tried::Recorded(id) => {
            let event = events::find(conn, &id)?.ok_or(DryRunError::Unknown("event"))?;
            let status = if event.status == EventStatus::Quarantined { EventStatus::Quarantined } else { EventStatus::Accepted };
            Ok(Event { id: new_id(now), timestamp: now, status, processed_at: None, revision: None, ..event })
        }
        Tried::Made { event_type, contact_id, booking_id, data } => {
            let contact_id = whose(conn, contact_id, booking_id.as_deref())?;
            Ok(made(event_type, contact_id, booking_id, data, now))
        }
    }
}

/// The contact that is meant, or the one that the booking belongs to.
fn whose(conn: &mut Conn, contact_id: Option<String>, booking_id: Option<&str>) -> Result<Option<String>, DryRunError> {
    let owner = match booking_id {
        Some(id) => Some(bookings::find(conn, id)?.ok_or(DryRunError::Unknown("booking"))?.contact_id),
        None => None,
    };
    if let Some(id) = &contact_id
        && find_contact(conn, id)?.is_none()
    {
        return Err(DryRunError::Unknown("contact"));
    }
    Ok(contact_id.or(owner))
}

fn find_contact(conn: &mut Conn, id: &str) -> StoreResult<Option<String>> {
    Ok(contacts::find(conn, id)?.map(|contact| contact.id))
}

fn made(
    event_type: String,
    contact_id: Option<String>,
    booking_id: Option<String>,
    data: BTreeMap<String, String>,
    now: Timestamp,
) -> Event {
    Event {
        source: "staff".to_owned(),
        occurred_at: Some(now),
        actor: Actor::Staff,
        payload: EventPayload { data, ..EventPayload::default() },
        contact_id,
        booking_id,
        ..Event::accepted(new_id(now), event_type, now)
    }
}
