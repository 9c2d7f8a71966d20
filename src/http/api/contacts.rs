//! `/api/contacts`: the people.

use super::assignees::whose;
use super::contacts_export;
use super::listing::{PAGING, Wall, find_record, one, whole};
use super::words;
use crate::automation::next::{Item, next};
use crate::http::doc::Doc;
use crate::http::endpoint::{Call, Endpoint, Shared, reading};
use crate::http::problem::ApiError;
use crate::http::query::{Query, encode_cursor};
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use crate::store::privacy::ERASED;
use crate::store::views::PageRequest;
use crate::store::views::contacts::{self, ContactFilter, ContactSort, ContactView};
use crate::store::{Conn, StoreResult};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

const LIST: Route = Route::get("/api/contacts", Permission::Clinic);
const ONE: Route = Route::get("/api/contacts/{id}", Permission::Clinic);
const NEXT: Route = Route::get("/api/contacts/{id}/next", Permission::Clinic);

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    let list_doc = Doc::new("Contacts", "Lists people, or finds them by name, email address or phone number.");
    let next_doc = Doc::new("Contacts", "Lists what is planned for a person, soonest first.");
    vec![
        reading(LIST, shared, list).doc(list_doc.query(FILTERS).answers::<Contacts>()),
        reading(ONE, shared, show).doc(Doc::new("Contacts", "Shows a person.").answers::<Contact>()),
        reading(NEXT, shared, show_next).doc(next_doc.answers::<super::listing::Listing<Upcoming>>()),
    ]
}

const FILTERS: &[super::listing::Parameter] = &[
    ("q", "beginnings of words of the name, of the email address, or any part of the phone number as people write it"),
    ("pipeline", "in one pipeline"),
    ("stage", "in one stage"),
    ("opted_out", "true or false"),
    ("assigned_to", "a member of staff; me: whoever asks"),
    ("sort", "updated (the last changed first), warmness (the warmest first) or name; updated unless given"),
    PAGING[0],
    PAGING[1],
];

const SORTS: &str = "one of updated, warmness, name";

#[derive(Serialize, ToSchema)]
struct Contacts {
    items: Vec<Contact>,
    /// People on all pages; at least so many when `total_is_exact` is false.
    total: i64,
    total_is_exact: bool,
    next_cursor: Option<String>,
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
    #[schema(value_type = words::Consent)]
    marketing_consent: String,
    #[schema(value_type = words::Consent)]
    recall_consent: String,
    #[schema(value_type = words::Consent)]
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
    /// The id that was asked for, when that contact was merged into this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    merged_from: Option<String>,
    pub(super) version: i64,
    created_at: String,
    updated_at: String,
}

pub(super) fn contact(view: ContactView, wall: Wall) -> Contact {
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
        merged_from: None,
        version: view.version,
        created_at: wall.time(view.created_at),
        updated_at: wall.time(view.updated_at),
    }
}

async fn list(call: Call) -> Result<Response, ApiError> {
    let mut query = Query::parse(&call.query);
    let filter = filter(&mut query, &call);
    let sort = query.parsed("sort", SORTS, parse_sort).unwrap_or_default();
    let request = query.page();
    query.finish()?;
    if contacts_export::is_wanted(&call)? {
        return export(&call, filter, sort).await;
    }
    let found = call.context.store.read(move |conn| contacts::list(conn, &filter, sort, &request)).await?;
    let wall = Wall::of(&call);
    Ok(reply::json(&Contacts {
        total: found.rows.total,
        total_is_exact: found.total_is_exact,
        next_cursor: found.rows.next.as_ref().map(encode_cursor),
        items: found.rows.items.into_iter().map(|view| contact(view, wall)).collect(),
    }))
}

/// The filters of the list.
pub(super) fn filter(query: &mut Query, call: &Call) -> ContactFilter {
    ContactFilter {
        text: query.text("q"),
        pipeline: query.text("pipeline"),
        stage: query.text("stage"),
        opted_out: query.parsed("opted_out", "true or false", |text| text.parse().ok()),
        assigned_to: query.text("assigned_to").map(|who| whose(who, call)),
    }
}

fn parse_sort(text: &str) -> Option<ContactSort> {
    match text {
        "updated" => Some(ContactSort::Updated),
        "warmness" => Some(ContactSort::Warmness),
        "name" => Some(ContactSort::Name),
        _ => None,
    }
}

/// All of them, page by page, in one reading: the list is of one moment.
async fn export(call: &Call, filter: ContactFilter, sort: ContactSort) -> Result<Response, ApiError> {
    let read = move |conn: &mut Conn| {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let rows = contacts::list(conn, &filter, sort, &PageRequest { after, limit: contacts_export::PAGE_ROWS })?.rows;
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
    let view = one(&call, contacts::find_survivor).await?;
    let version = view.version;
    let shown = contact(view, Wall::of(&call));
    let merged_from = (shown.id != call.parameter).then(|| call.parameter.clone());
    Ok(reply::with_etag(reply::json(&Contact { merged_from, ..shown }), version))
}

/// The contact with this id, as everybody sees it.
pub(super) async fn shown(call: &Call, id: &str) -> Result<Contact, ApiError> {
    let id = id.to_owned();
    let view = call.context.store.read(move |conn| contacts::find_survivor(conn, &id)).await?.ok_or_else(ApiError::not_found)?;
    Ok(contact(view, Wall::of(call)))
}

/// The id of whoever is meant by one that may have been merged into another since.
pub(super) async fn survivor_of(call: &Call, id: Option<String>) -> Result<Option<String>, ApiError> {
    let Some(id) = id else { return Ok(None) };
    let asked = id.clone();
    let found = call.context.store.read(move |conn| contacts::find_survivor(conn, &asked)).await?;
    Ok(Some(found.map_or(id, |view| view.id)))
}

/// The call, about whoever is left of a contact that was merged.
pub(super) async fn followed(call: Call) -> Result<Call, ApiError> {
    let parameter = survivor_of(&call, Some(call.parameter.clone())).await?.unwrap_or_default();
    Ok(Call { parameter, ..call })
}

/// Like [`followed`], for changes: nothing is done about somebody who was erased.
pub(super) async fn followed_alive(call: Call) -> Result<Call, ApiError> {
    let call = followed(call).await?;
    let contact = find_record(&call, contacts::find).await?;
    if contact.phone_status == ERASED { Err(ApiError::conflict("Not possible: erased.")) } else { Ok(call) }
}

#[derive(Serialize, ToSchema)]
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
    Query::parse(&call.query).finish()?;
    let in_force = call.context.rules.host().and_then(|host| host.current());
    let items = find_record(&call, move |conn, id| {
        contacts::find_survivor(conn, id)?.map(|known| next(conn, in_force.as_deref(), &known.id)).transpose()
    })
    .await?;
    let wall = Wall::of(&call);
    Ok(whole(items.into_iter().map(|item| upcoming(item, wall)).collect()))
}
