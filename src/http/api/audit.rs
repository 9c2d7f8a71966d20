//! `/api/audit`: what people did. For admins.

use super::listing::{Listing, Wall, page};
use crate::domain::audit::AuditRow;
use crate::http::doc::Doc;
use crate::http::endpoint::{Call, Endpoint, Shared, reading};
use crate::http::problem::ApiError;
use crate::http::query::Query;
use crate::http::reply::Response;
use crate::http::route::{Permission, Route};
use crate::store::audit::{self, AuditFilter};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

const LIST: Route = Route::get("/api/audit", Permission::Admin);

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    let doc = Doc::new("Audit", "Lists what people did, newest first.").query(FILTERS);
    vec![reading(LIST, shared, list).doc(doc.answers::<Listing<AuditView>>())]
}

const FILTERS: &[(&str, &str)] = &[
    ("actor", "such as staff:ID or key:NAME"),
    ("action", "such as session.signed_in"),
    ("object_id", "the record that it was done to"),
    ("from", "RFC 3339; from then on"),
    ("to", "RFC 3339; before then"),
    ("cursor", "where the page begins: the next_cursor of the page before"),
    ("limit", "rows of a page, 1 to 200; 50 unless given"),
];

#[derive(Serialize, ToSchema)]
struct AuditView {
    seq: i64,
    at: String,
    actor: String,
    ip: Option<String>,
    action: String,
    object_kind: Option<String>,
    object_id: Option<String>,
    #[schema(value_type = Object)]
    details: serde_json::Value,
    hash: String,
}

async fn list(call: Call) -> Result<Response, ApiError> {
    let mut query = Query::parse(&call.query);
    let filter = AuditFilter {
        actor: query.text("actor"),
        action: query.text("action"),
        object_id: query.text("object_id"),
        from: query.time("from"),
        before: query.time("to"),
    };
    let request = query.page();
    query.finish()?;
    let rows = call.context.store.read(move |conn| audit::list(conn, &filter, &request)).await?;
    let wall = Wall::of(&call);
    Ok(page(rows, |row| view(row, wall)))
}

fn view(row: AuditRow, wall: Wall) -> AuditView {
    AuditView {
        seq: row.seq,
        at: wall.time(row.at.0),
        details: serde_json::from_str(&row.details).unwrap_or_default(),
        actor: row.actor,
        ip: row.ip,
        action: row.action,
        object_kind: row.object_kind,
        object_id: row.object_id,
        hash: row.hash,
    }
}
