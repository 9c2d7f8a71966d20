//! One action of staff, from the request to stable storage: read, decide, write, all in the time of the request.

use super::{tasks, texts};
use crate::automation::Automation;
use crate::automation::audit;
use crate::automation::commit::{Decision, commit};
use crate::automation::load::{Loaded, load};
use crate::automation::project::{Match, identities_of, resolve};
use crate::automation::rulesets::InForce;
use crate::automation::run::{count_decided, decide_one};
use crate::automation::world::World;
use crate::domain::audit::{Entry, Who};
use crate::domain::event::{Actor, ContactInput, Event, EventPayload, EventStatus, lane_key};
use crate::domain::ids::{fill_random, new_id};
use crate::domain::staff_action::StaffAction;
use crate::domain::time::Timestamp;
use crate::store::views::contacts::find_survivor;
use crate::store::{Conn, Store, StoreError, StoreResult, Tx, bookings, contacts, events, sms, tasks as task_rows};
use std::sync::Arc;
use std::time::Duration;

/// How often an action is decided anew because a record changed under it.
const CONFLICTS_MAX: u32 = 12;
/// After the first time; each further pause may be twice as long.
const PAUSE: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_millis(60);

/// What somebody wants done.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// `staff:ID` or `key:NAME`.
    pub who: Who,
    pub about: About,
    pub action: StaffAction,
    /// The version of the record as they have seen it; another by now refuses the action.
    pub version: Option<i64>,
}

/// The record that an action is about.
#[derive(Clone, Debug, PartialEq)]
pub enum About {
    Task(String),
    Contact(String),
    Booking(String),
    Sms(String),
    /// A contact, and one of their bookings.
    Both {
        contact_id: String,
        booking_id: Option<String>,
    },
    /// A person who is new.
    Person(Box<ContactInput>),
    /// Nobody in particular.
    Nobody,
}

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    pub event_id: String,
    pub contact_id: Option<String>,
    pub booking_id: Option<String>,
    pub task_id: Option<String>,
    pub sms_id: Option<String>,
}

/// An action that is not done.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("there is no {0} with this id")]
    Nothing(&'static str),
    #[error("somebody else has changed the record meanwhile")]
    Changed,
    #[error("{0}")]
    Impossible(String),
    #[error("this person is known already")]
    Known { contact_id: String },
    #[error("no rules are in force yet")]
    NoRules,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Does it: its event, what it means and what the rules make of it are written in one transaction.
pub async fn act(context: &Automation, wanted: Wanted) -> Result<Done, Refused> {
    let in_force = rules(context).await?;
    let mut tries = 0;
    loop {
        tries += 1;
        let collided = |e: &StoreError| matches!(e, StoreError::Conflict { .. } | StoreError::Duplicate { .. });
        match attempt(context, &in_force, wanted.clone()).await {
            Err(Refused::Store(error)) if tries < CONFLICTS_MAX && (collided(&error) || error.is_transient()) => {
                tokio::time::sleep(pause(tries)).await;
            }
            done => return done,
        }
    }
}

/// Whoever collides waits for another while: together they would collide again.
fn pause(tries: u32) -> Duration {
    let mut random = [0u8; 1];
    fill_random(&mut random);
    let most = PAUSE_MAX.min(PAUSE * 2u32.pow(tries.min(10)));
    most * u32::from(random[0]) / 255
}

/// What a text would be, and nothing is done.
pub async fn compose(
    context: &Automation,
    contact_id: String,
    booking_id: Option<String>,
    text: crate::domain::staff_action::NewText,
) -> Result<Result<texts::Composed, String>, Refused> {
    let in_force = rules(context).await?;
    let (context, now) = (context.clone(), context.clock.now());
    context
        .store
        .clone()
        .read(move |conn| {
            let about = About::Both { contact_id, booking_id };
            let wanted = Wanted { who: Who::from(""), about, action: StaffAction::SendSms(text.clone()), version: None };
            let place = place(conn, &wanted)?;
            let event = event(&wanted, &place, now);
            let mut loaded = load(conn, vec![event], &in_force.ruleset, now)?;
            let loaded = loaded.pop().ok_or(Refused::Nothing("contact"))?;
            let pinned = context.rules.pinned(conn, &in_force, loaded.world.waiting.iter())?;
            let deciding = crate::automation::run::deciding(&context, &in_force, &pinned, now);
            Ok(texts::preview(&loaded.world, &loaded.event, &text, deciding))
        })
        .await
}

async fn rules(context: &Automation) -> Result<Arc<InForce>, Refused> {
    if context.rules.current().is_none() {
        drop(context.rules.follow().await);
    }
    context.rules.current().ok_or(Refused::NoRules)
}

async fn attempt(context: &Automation, in_force: &Arc<InForce>, wanted: Wanted) -> Result<Done, Refused> {
    let now = context.clock.now();
    let decided = {
        let (context, in_force, wanted) = (context.clone(), Arc::clone(in_force), wanted.clone());
        context.store.clone().read(move |conn| decide(conn, &context, &in_force, &wanted, now)).await?
    };
    let (done, worlds) = write(&context.store, decided, wanted, now).await?;
    count_decided(&worlds);
    Ok(done)
}

/// The event, and the world as it will be.
struct Decided {
    event: Event,
    world: World,
    /// The task about nobody that the action is about: nothing but its own version keeps two people apart.
    loose_task: Option<(String, i64)>,
}

fn decide(
    conn: &mut Conn,
    context: &Automation,
    in_force: &InForce,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<Decided, Refused> {
    let place = place(conn, wanted)?;
    if let About::Person(input) = &wanted.about {
        refuse_known(conn, input)?;
    }
    if let StaffAction::RetrySms { sms_id } = &wanted.action
        && sms::has_key(conn, &texts::retry_key(sms_id))?
    {
        return Err(Refused::Impossible("the text was tried again already".to_owned()));
    }
    let loose_task = match (&place.contact_id, &wanted.about, place.version) {
        (None, About::Task(id), Some(version)) => Some((id.clone(), version)),
        _ => None,
    };
    let event = event(wanted, &place, now);
    let mut loaded = load(conn, vec![event], &in_force.ruleset, now)?;
    let loaded = loaded.pop().ok_or(StoreError::NotFound { what: "event" })?;
    // Looked at after loading: whoever was faster before it is seen here, and whoever comes after it changes what was loaded.
    if wanted.version.is_some() && self::place(conn, wanted)?.version != wanted.version {
        return Err(Refused::Changed);
    }
    let Loaded { event, .. } = &loaded;
    let event = event.clone();
    let pinned = context.rules.pinned(conn, in_force, loaded.world.waiting.iter())?;
    let world = decide_one(loaded, context, in_force, &pinned, now);
    match world.changes.results.first() {
        Some(result) if result.status == EventStatus::Ignored => {
            Err(Refused::Impossible(result.status_reason.clone().unwrap_or_else(|| "it changes nothing".to_owned())))
        }
        _ => Ok(Decided { event, world, loose_task }),
    }
}

/// Nobody may have been faster; then everything at once.
async fn write(store: &Store, decided: Decided, wanted: Wanted, now: Timestamp) -> Result<(Done, Vec<World>), Refused> {
    let write = move |tx: &mut Tx<'_>| {
        let Decided { event, world, loose_task } = decided;
        if let Some((id, version)) = &loose_task
            && task_rows::lock_version(tx, id)? != Some(*version)
        {
            return Err(StoreError::Conflict { what: "task" });
        }
        events::insert_chained(tx, &[&event])?;
        let done = done(&event, &world);
        let decision = Decision { job: None, world };
        commit(tx, std::slice::from_ref(&decision), now)?;
        if let Some((id, _)) = &loose_task {
            task_rows::close_loose_alerts_about(tx, id, now)?;
        }
        note_change(tx, &wanted, subject(&wanted.about, &done), now)?;
        StoreResult::Ok((done, vec![decision.world]))
    };
    Ok(store.write(write).await?)
}

/// The audit log's one way in: called last in the transaction of every change that a person makes.
fn note_change(tx: &mut Tx<'_>, wanted: &Wanted, object: (&'static str, Option<&str>), now: Timestamp) -> StoreResult<()> {
    let entry = Entry::new(wanted.who.clone(), wanted.action.name());
    let entry = match object {
        (kind, Some(id)) => entry.of(kind, id),
        (_, None) => entry,
    };
    audit::note(tx, &entry, now)
}

fn subject<'d>(about: &About, done: &'d Done) -> (&'static str, Option<&'d str>) {
    match about {
        About::Task(_) | About::Nobody => ("task", done.task_id.as_deref()),
        About::Contact(_) | About::Person(_) | About::Both { .. } if done.task_id.is_some() => ("task", done.task_id.as_deref()),
        About::Sms(_) => ("sms", done.sms_id.as_deref()),
        About::Both { .. } if done.sms_id.is_some() => ("sms", done.sms_id.as_deref()),
        About::Booking(_) => ("booking", done.booking_id.as_deref()),
        About::Contact(_) | About::Person(_) | About::Both { .. } => ("contact", done.contact_id.as_deref()),
    }
}

fn done(event: &Event, world: &World) -> Done {
    let result = world.changes.results.first();
    let sms_id = match event.payload.action.as_deref() {
        Some(StaffAction::SendSms(_) | StaffAction::RetrySms { .. }) => Some(texts::new_sms_id(&event.id, event.timestamp)),
        Some(StaffAction::CancelSms { sms_id }) => Some(sms_id.clone()),
        _ => None,
    };
    Done {
        event_id: event.id.clone(),
        contact_id: world.contact.as_ref().map(|c| c.id.clone()),
        booking_id: result.and_then(|r| r.booking_id.clone()),
        task_id: event.payload.task_id.clone(),
        sms_id,
    }
}

/// Where an action's record hangs, and which version it is.
#[derive(Default)]
struct Place {
    contact_id: Option<String>,
    booking_id: Option<String>,
    version: Option<i64>,
}

fn place(conn: &mut Conn, wanted: &Wanted) -> Result<Place, Refused> {
    Ok(match &wanted.about {
        About::Task(id) => {
            let task = task_rows::find(conn, id)?.ok_or(Refused::Nothing("task"))?;
            Place { contact_id: task.contact_id, booking_id: task.booking_id, version: Some(task.version) }
        }
        About::Contact(id) => {
            // Whoever still has the page of somebody who was merged means the person that is left, and that one's version.
            let contact = find_survivor(conn, id)?.ok_or(Refused::Nothing("contact"))?;
            Place { contact_id: Some(contact.id), booking_id: None, version: Some(contact.version) }
        }
        About::Booking(id) => {
            let booking = bookings::find(conn, id)?.ok_or(Refused::Nothing("booking"))?;
            Place { contact_id: Some(booking.contact_id), booking_id: Some(booking.id), version: Some(booking.version) }
        }
        About::Sms(id) => {
            let text = sms::find(conn, id)?.ok_or(Refused::Nothing("text"))?;
            let contact_id = text.contact_id.ok_or(Refused::Nothing("contact of this text"))?;
            Place { contact_id: Some(contact_id), booking_id: text.booking_id, version: None }
        }
        About::Both { contact_id, booking_id } => {
            let contact = find_survivor(conn, contact_id)?.ok_or(Refused::Nothing("contact"))?;
            if let Some(id) = booking_id {
                let booking = bookings::find(conn, id)?.filter(|b| b.contact_id == contact.id);
                booking.ok_or(Refused::Nothing("booking of this contact"))?;
            }
            Place { contact_id: Some(contact.id), booking_id: booking_id.clone(), version: Some(contact.version) }
        }
        About::Person(_) | About::Nobody => Place::default(),
    })
}

/// A person is found as a webhook finds them: by number, then by address.
fn refuse_known(conn: &mut Conn, input: &ContactInput) -> Result<(), Refused> {
    match known(conn, input)? {
        Some(contact_id) => Err(Refused::Known { contact_id }),
        None => Ok(()),
    }
}

/// Who this person is, if we know them.
pub async fn find_known(store: &Store, input: ContactInput) -> Result<Option<String>, Refused> {
    Ok(store.read(move |conn| known(conn, &input)).await?)
}

fn known(conn: &mut Conn, input: &ContactInput) -> StoreResult<Option<String>> {
    let payload = EventPayload { contact: Some(input.clone()), ..EventPayload::default() };
    let identities = identities_of(&payload);
    let owners = contacts::find_owners(conn, &identities)?;
    let ids: Vec<String> = owners.values().cloned().collect();
    let owned = contacts::list_identities(conn, &ids)?;
    let people = contacts::list_by_ids(conn, &ids)?.into_iter().map(|c| (c.id.clone(), c)).collect();
    Ok(match resolve(&identities, &owners, &people, &owned, Some(input)) {
        Match::New => None,
        Match::Known(id) | Match::Several { strongest: id, .. } | Match::Dependant { guardian: id } => Some(id),
    })
}

/// The event that somebody's click is. Its lane is that of everything else about the person.
fn event(wanted: &Wanted, place: &Place, now: Timestamp) -> Event {
    let id = new_id(now);
    let task_id = match (&wanted.about, &wanted.action) {
        (_, StaffAction::OpenTask(_)) => Some(tasks::new_task_id(&id, now)),
        (About::Task(id), _) => Some(id.clone()),
        _ => None,
    };
    let contact = match &wanted.about {
        About::Person(input) => Some((**input).clone()),
        _ => None,
    };
    let lane = lane_key(contact.as_ref(), None).or_else(|| place.contact_id.as_ref().map(|id| format!("c:{id}")));
    let payload = EventPayload {
        contact,
        task_id,
        action: Some(Box::new(wanted.action.clone())),
        by: Some(wanted.who.by.clone()),
        ..EventPayload::default()
    };
    Event {
        source: "staff".into(),
        occurred_at: Some(now),
        actor: Actor::Staff,
        payload,
        lane_key: lane,
        contact_id: place.contact_id.clone(),
        booking_id: place.booking_id.clone(),
        ..Event::accepted(id, wanted.action.event_type(), now)
    }
}
