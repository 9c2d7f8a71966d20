//! `/api/sms`: every text in and out.

use super::contacts::survivor_of;
use super::listing::{CURSOR, LIMIT, Listing, Parameter, Wall, page};
use super::words;
use crate::domain::handover::Handover;
use crate::domain::sms::SmsStatus;
use crate::http::doc::Doc;
use crate::http::endpoint::{Call, Endpoint, Shared, reading};
use crate::http::problem::ApiError;
use crate::http::query::Query;
use crate::http::reply::Response;
use crate::http::route::{Permission, Route};
use crate::store::views::sms::{self, SmsFilter, SmsView};
use crate::store::{Conn, StoreResult, handovers};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::ToSchema;

const LIST: Route = Route::get("/api/sms", Permission::Clinic);

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    vec![
        reading(LIST, shared, list).doc(
            Doc::new("Texts", "Lists texts in and out, the newest first.")
                .query(FILTERS)
                .one_of("status", &SmsStatus::ALL.map(SmsStatus::as_str))
                .answers::<Listing<Sms>>(),
        ),
    ]
}

const FILTERS: &[Parameter] = &[
    ("contact_id", "with one contact"),
    ("booking_id", "about one booking"),
    ("template", "from one template"),
    ("status", "as a text's status"),
    CURSOR,
    LIMIT,
];

#[derive(Serialize, ToSchema)]
pub(super) struct Sms {
    id: String,
    /// `in` or `out`.
    #[schema(value_type = words::Direction)]
    direction: String,
    contact_id: Option<String>,
    booking_id: Option<String>,
    template: Option<String>,
    #[schema(value_type = words::SmsCategory)]
    category: String,
    to: String,
    from: Option<String>,
    body: String,
    encoding: String,
    parts: i32,
    #[schema(value_type = words::SmsStatus)]
    status: String,
    status_reason: Option<String>,
    provider: Option<String>,
    provider_message_id: Option<String>,
    /// The provider's own word when it took the text.
    provider_status: Option<String>,
    /// What the provider charges, in `currency`.
    price: Option<f64>,
    currency: Option<String>,
    /// The provider names no price: it is reckoned with the setting `sms.price_per_part`.
    price_is_estimate: bool,
    in_reply_to: Option<String>,
    run_id: Option<String>,
    /// Who of staff wrote it: `staff:ID`, `key:NAME`; `null` when a rule did, or a person sent it.
    sent_by: Option<String>,
    scheduled_at: Option<String>,
    accepted_at: Option<String>,
    delivered_at: Option<String>,
    created_at: String,
    updated_at: String,
}

pub(super) fn text(view: SmsView, handover: Option<&Handover>, wall: Wall) -> Sms {
    Sms {
        provider_status: handover.and_then(|h| h.provider_status.clone()),
        price: handover.and_then(|h| h.price_micros).map(|micros| micros as f64 / 1e6),
        currency: handover.and_then(|h| h.currency.clone()),
        price_is_estimate: handover.is_some_and(|h| h.price_is_estimate),
        id: view.id,
        direction: view.direction,
        contact_id: view.contact_id,
        booking_id: view.booking_id,
        template: view.template,
        category: view.category,
        to: view.to_number,
        from: view.from_number,
        body: view.body,
        encoding: view.encoding,
        parts: view.parts,
        status_reason: reason(&view.status, view.status_reason),
        status: view.status,
        provider: view.provider,
        provider_message_id: view.provider_message_id,
        in_reply_to: view.in_reply_to,
        run_id: view.run_id,
        sent_by: view.sent_by,
        scheduled_at: wall.optional(view.scheduled_at),
        accepted_at: wall.optional(view.accepted_at),
        delivered_at: wall.optional(view.delivered_at),
        created_at: wall.time(view.created_at),
        updated_at: wall.time(view.updated_at),
    }
}

/// Why a text waits is no reason of what became of it since.
fn reason(status: &str, reason: Option<String>) -> Option<String> {
    let is_over = !matches!(status, "scheduled" | "suppressed" | "cancelled");
    reason.filter(|reason| !(is_over && HELD.contains(&reason.as_str())))
}

const HELD: [&str; 3] = ["undo", "send_at", "quiet_hours"];

/// The text with this id, as everybody sees it.
pub(super) async fn shown(call: &Call, id: &str) -> Result<Sms, ApiError> {
    let id = id.to_owned();
    let read = move |conn: &mut Conn| {
        let Some(view) = sms::find(conn, &id)? else { return Ok(None) };
        StoreResult::Ok(Some((view, handovers::list_by_ids(conn, &[id])?)))
    };
    let (view, handed) = call.context.store.read(read).await?.ok_or_else(ApiError::not_found)?;
    Ok(text(view, handed.first(), Wall::of(call)))
}

async fn list(call: Call) -> Result<Response, ApiError> {
    let mut query = Query::parse(&call.query);
    let mut filter = SmsFilter {
        contact_id: query.text("contact_id"),
        booking_id: query.text("booking_id"),
        template: query.text("template"),
        status: query.one_of("status", &SmsStatus::ALL.map(SmsStatus::as_str)),
    };
    let request = query.page();
    query.finish()?;
    filter.contact_id = survivor_of(&call, filter.contact_id).await?;
    let read = move |conn: &mut Conn| {
        let rows = sms::list(conn, &filter, &request)?;
        let ids: Vec<String> = rows.items.iter().map(|view| view.id.clone()).collect();
        StoreResult::Ok((rows, handovers::list_by_ids(conn, &ids)?))
    };
    let (rows, handed) = call.context.store.read(read).await?;
    let handed: HashMap<String, Handover> = handed.into_iter().map(|h| (h.sms_id.clone(), h)).collect();
    let wall = Wall::of(&call);
    Ok(page(rows, |view| {
        let handover = handed.get(&view.id);
        text(view, handover, wall)
    }))
}
