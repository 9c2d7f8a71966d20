//! `/api/contacts/{id}/timeline`: what happened with one person.

use super::listing::{Listing, PAGING, Wall, find_record, page};
use crate::automation::audit::note_alone;
use crate::automation::warmness::{self, Part};
use crate::domain::audit::{self, action};
use crate::http::doc::Doc;
use crate::http::endpoint::{Call, Endpoint, Shared, reading};
use crate::http::problem::ApiError;
use crate::http::query::Query;
use crate::http::reply::Response;
use crate::http::route::{Permission, Route};
use crate::store::views::contacts;
use crate::store::views::timeline::{self, KINDS, TimelineEntry};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::ToSchema;

const TIMELINE: Route = Route::get("/api/contacts/{id}/timeline", Permission::Clinic);

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    let doc = Doc::new("Contacts", "Lists everything that happened with a person, the newest first.");
    vec![reading(TIMELINE, shared, show).doc(doc.query(FILTERS).answers::<Listing<Entry>>())]
}

const FILTERS: &[(&str, &str)] = &[
    (
        "kind",
        "some of touchpoint, note, stage_change, field_change, sms, task, booking, run, action, with commas; all unless given",
    ),
    PAGING[0],
    PAGING[1],
];

#[derive(Serialize, ToSchema)]
#[schema(as = TimelineEntry)]
struct Entry {
    at: String,
    id: String,
    /// `touchpoint`, `note`, `stage_change`, `field_change`, `sms`, `task`, `booking`, `run` or `action` (what staff
    /// did with tasks, consent, merges).
    kind: &'static str,
    /// What exactly: the touchpoint's kind, the task's type, the stage moved to, the text's template, the field, the event of a
    /// booking, the rule.
    what: Option<String>,
    /// Its words; of a change `20 → 61`, of warmness also what it adds up from: `20 → 61: time -4, booking +45`; when nobody can
    /// tell any more, what came before it: `20 → 61: +41 after booking`.
    text: Option<String>,
    /// Of warmness: what the change adds up from, as far as the script in force explains it. `null` otherwise.
    sum: Option<Vec<Term>>,
    direction: Option<String>,
    /// Of texts, tasks and runs; the pipeline of a move.
    status: Option<String>,
    booking_id: Option<String>,
    /// Until when a task was put off; when the appointment of a booking's event is now.
    when: Option<String>,
    by: Option<String>,
    /// Entries with the same event belong together.
    event_id: Option<String>,
    run_id: Option<String>,
}

/// Part of a change.
#[derive(Serialize, ToSchema)]
struct Term {
    /// A kind of touchpoint, or `time`: what there was before has faded.
    what: String,
    points: i64,
}

fn entry(view: TimelineEntry, sum: Option<Vec<Part>>, wall: Wall) -> Entry {
    Entry {
        at: wall.time(view.at),
        id: view.id,
        kind: view.kind,
        what: view.what,
        text: view.text.map(|text| sum.as_deref().map_or_else(|| text.clone(), |parts| warmness::told(&text, parts))),
        sum: sum.map(|parts| parts.into_iter().map(|part| Term { what: part.what, points: part.points }).collect()),
        direction: view.direction,
        status: view.status,
        booking_id: view.booking_id,
        when: wall.optional(view.when),
        by: view.by,
        event_id: view.event_id,
        run_id: view.run_id,
    }
}

async fn show(call: Call) -> Result<Response, ApiError> {
    let mut query = Query::parse(&call.query);
    let expected = format!("some of {}, with commas", KINDS.join(", "));
    let kinds = query.parsed("kind", &expected, parse_kinds).unwrap_or_default();
    let request = query.page();
    query.finish()?;
    let in_force = call.context.rules.host().and_then(|host| host.current());
    let (rows, sums) = find_record(&call, move |conn, id| {
        let Some(known) = contacts::find_survivor(conn, id)? else { return Ok(None) };
        let rows = timeline::list(conn, &known.id, &kinds, &request)?;
        let sums = match &in_force {
            Some(in_force) => warmness::sums(conn, &in_force.ruleset, &known.id, &rows.items)?,
            None => Vec::new(),
        };
        Ok(Some((rows, sums)))
    })
    .await?;
    let read = audit::Entry::new(call.who(), action::TIMELINE_READ).of("contact", &call.parameter);
    note_alone(&call.context.store, &call.context.clock, read).await?;
    let wall = Wall::of(&call);
    let mut sums: HashMap<usize, Vec<Part>> = sums.into_iter().collect();
    let mut place = 0..;
    Ok(page(rows, |view| entry(view, place.next().and_then(|place| sums.remove(&place)), wall)))
}

fn parse_kinds(text: &str) -> Option<Vec<String>> {
    text.split(',').map(|kind| KINDS.contains(&kind).then(|| kind.to_owned())).collect()
}
