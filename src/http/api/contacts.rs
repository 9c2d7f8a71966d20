//! `/api/contacts`: the people, and what happened with each.

use super::contacts_export;
use super::listing::{Wall, find_record, one, page, whole};
use crate::automation::next::{Item, next};
use crate::http::endpoint::{Call, Endpoint, Shared, reading};
use crate::http::problem::ApiError;
use crate::http::query::Query;
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use crate::store::views::PageRequest;
use crate::store::views::contacts::{self, ContactFilter, ContactView};
use crate::store::views::timeline::{self, TimelineEntry};
use crate::store::{Conn, StoreResult};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

const LIST: Route = Route::get("/api/contacts", Permission::Clinic);
const ONE: Route = Route::get("/api/contacts/{id}", Permission::Clinic);
const NEXT: Route = Route::get("/api/contacts/{id}/next", Permission::Clinic);
const TIMELINE: Route = Route::get("/api/contacts/{id}/timeline", Permission::Clinic);

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    vec![
        reading(LIST, shared, list),
        reading(ONE, shared, show),
        reading(TIMELINE, shared, show_timeline),
        reading(NEXT, shared, show_next),
    ]
}

#[derive(Serialize, ToSchema)]
pub(super) struct Contact {
    id: String,
    name: String,
    first_name: String,
    last_name: String,
    /// E.164.
    phone: Option<String>,
    phone_status: String,
    email: Option<String>,
    is_existing_patient: bool,
    marketing_consent: String,
    recall_consent: String,
    sms_consent: String,
    current_pipeline: Option<String>,
    current_stage: Option<String>,
    stage_entered_at: Option<String>,
    warmness: i32,
    opted_out_at: Option<String>,
    source: String,
    interest: Option<String>,
    assigned_to: Option<String>,
    last_inbound_at: Option<String>,
    last_outbound_at: Option<String>,
    no_shows: i32,
    merged_into_id: Option<String>,
    pub(super) version: i64,
    created_at: String,
    updated_at: String,
}

fn contact(view: ContactView, wall: Wall) -> Contact {
    Contact {
        id: view.id,
        name: view.name,
        first_name: view.first_name,
        last_name: view.last_name,
        phone: view.phone,
        phone_status: view.phone_status,
        email: view.email,
        is_existing_patient: view.is_existing_patient,
        marketing_consent: view.marketing_consent,
        recall_consent: view.recall_consent,
        sms_consent: view.sms_consent,
        current_pipeline: view.current_pipeline,
        current_stage: view.current_stage,
        stage_entered_at: wall.optional(view.stage_entered_at),
        warmness: view.warmness,
        opted_out_at: wall.optional(view.opted_out_at),
        source: view.source,
        interest: view.interest,
        assigned_to: view.assigned_to,
        last_inbound_at: wall.optional(view.last_inbound_at),
        last_outbound_at: wall.optional(view.last_outbound_at),
        no_shows: view.no_shows,
        merged_into_id: view.merged_into_id,
        version: view.version,
        created_at: wall.time(view.created_at),
        updated_at: wall.time(view.updated_at),
    }
}

#[derive(Serialize)]
struct Entry {
    at: String,
    id: String,
    /// `touchpoint`, `note`, `stage_change`, `field_change`, `sms` or `task`.
    kind: &'static str,
    what: Option<String>,
    text: Option<String>,
    direction: Option<String>,
    status: Option<String>,
    booking_id: Option<String>,
    by: Option<String>,
    run_id: Option<String>,
}

fn entry(view: TimelineEntry, wall: Wall) -> Entry {
    Entry {
        at: wall.time(view.at),
        id: view.id,
        kind: view.kind,
        what: view.what,
        text: view.text,
        direction: view.direction,
        status: view.status,
        booking_id: view.booking_id,
        by: view.by,
        run_id: view.run_id,
    }
}

async fn list(call: Call) -> Result<Response, ApiError> {
    let mut query = Query::parse(&call.query);
    let filter = ContactFilter { text: query.text("q"), pipeline: query.text("pipeline"), stage: query.text("stage") };
    let request = query.page();
    query.finish()?;
    if contacts_export::is_wanted(&call)? {
        return export(&call, filter).await;
    }
    let rows = call.context.store.read(move |conn| contacts::list(conn, &filter, &request)).await?;
    let wall = Wall::of(&call);
    Ok(page(rows, |view| contact(view, wall)))
}

/// All of them, page by page, in one reading: the list is of one moment.
async fn export(call: &Call, filter: ContactFilter) -> Result<Response, ApiError> {
    let read = move |conn: &mut Conn| {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let rows = contacts::list(conn, &filter, &PageRequest { after, limit: contacts_export::PAGE_ROWS })?;
            if rows.total > contacts_export::ROWS_MAX {
                return StoreResult::Ok(None);
            }
            all.extend(rows.items);
            after = rows.next;
            if after.is_none() {
                return Ok(Some(all));
            }
        }
    };
    let found = call.context.store.read(read).await?;
    let found = found
        .ok_or_else(|| ApiError::conflict(format!("A list may have {} people: narrow it down.", contacts_export::ROWS_MAX)))?;
    let wall = Wall::of(call);
    contacts_export::answer(&found.into_iter().map(|view| contact(view, wall)).collect::<Vec<_>>())
}

async fn show(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let contact = shown(&call, &call.parameter).await?;
    Ok(reply::with_etag(reply::json(&contact), contact.version))
}

/// The contact with this id, as everybody sees it.
pub(super) async fn shown(call: &Call, id: &str) -> Result<Contact, ApiError> {
    let id = id.to_owned();
    let view = call.context.store.read(move |conn| contacts::find(conn, &id)).await?.ok_or_else(ApiError::not_found)?;
    Ok(contact(view, Wall::of(call)))
}

#[derive(Serialize)]
struct Upcoming {
    at: String,
    /// `timer`, `text` or `task`.
    kind: &'static str,
    /// Of texts and tasks.
    id: Option<String>,
    rule_id: Option<String>,
    what: String,
    booking_id: Option<String>,
    /// Why it may come to nothing.
    held: Option<String>,
}

fn upcoming(item: Item, wall: Wall) -> Upcoming {
    Upcoming {
        at: wall.time(item.at.0),
        kind: item.kind.as_str(),
        id: item.id,
        rule_id: item.rule_id,
        what: item.what,
        booking_id: item.booking_id,
        held: item.held,
    }
}

async fn show_next(call: Call) -> Result<Response, ApiError> {
    let in_force = call.context.rules.host().and_then(|host| host.current());
    let items =
        one(&call, move |conn, id| contacts::find(conn, id)?.map(|known| next(conn, in_force.as_deref(), &known.id)).transpose())
            .await?;
    let wall = Wall::of(&call);
    Ok(whole(items.into_iter().map(|item| upcoming(item, wall)).collect()))
}

async fn show_timeline(call: Call) -> Result<Response, ApiError> {
    let mut query = Query::parse(&call.query);
    let request = query.page();
    query.finish()?;
    let rows = find_record(&call, move |conn, id| {
        contacts::find(conn, id)?.map(|known| timeline::list(conn, &known.id, &request)).transpose()
    })
    .await?;
    let wall = Wall::of(&call);
    Ok(page(rows, |view| entry(view, wall)))
}
