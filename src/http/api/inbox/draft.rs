//! `/api/inbox/{contact_id}/draft`: the answer that somebody is writing, on whatever computer.

use crate::automation::inbox::{DraftError, delete_draft, write_draft};
use crate::domain::ids::is_id;
use crate::http::api::contacts::{followed, followed_alive};
use crate::http::api::listing::{Wall, one};
use crate::http::doc::Doc;
use crate::http::endpoint::{Call, Endpoint, Shared, reading, writing};
use crate::http::problem::ApiError;
use crate::http::query::Query;
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use crate::store::inbox;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

const SHOW: Route = Route::get("/api/inbox/{id}/draft", Permission::Clinic);
const PUT: Route = Route::put("/api/inbox/{id}/draft", Permission::Clinic);
const DELETE: Route = Route::delete("/api/inbox/{id}/draft", Permission::Clinic);

/// Characters of a draft: more than any text may have.
const DRAFT_CHARS_MAX: usize = 2_000;

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    let put_doc = Doc::new("Inbox", "Keeps a draft. If-Match names the version that was seen, \"0\" when there was none.");
    vec![
        reading(SHOW, shared, show).doc(Doc::new("Inbox", "Shows the draft of a conversation.").answers::<Draft>()),
        writing(PUT, shared, put).doc(put_doc.edits().takes::<NewDraft>().answers::<Draft>()),
        writing(DELETE, shared, delete).doc(Doc::new("Inbox", "Throws the draft away.").answers::<Deleted>()),
    ]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewDraft {
    body: String,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Draft {
    contact_id: String,
    body: String,
    /// `staff:ID`, `key:NAME`.
    author: String,
    version: i64,
    updated_at: String,
}

#[derive(Serialize, ToSchema)]
struct Deleted {
    /// False when there was none.
    deleted: bool,
}

pub(super) fn draft_of(draft: inbox::Draft, wall: Wall) -> Draft {
    Draft {
        contact_id: draft.contact_id,
        body: draft.body,
        author: draft.author,
        version: draft.version,
        updated_at: wall.time(draft.updated_at),
    }
}

async fn show(call: Call) -> Result<Response, ApiError> {
    let call = followed(call).await?;
    let draft = one(&call, inbox::find_draft).await?;
    let version = draft.version;
    Ok(reply::with_etag(reply::json(&draft_of(draft, Wall::of(&call))), version))
}

async fn put(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let seen = call.if_match()?;
    let NewDraft { body } = call.json()?;
    if body.chars().nth(DRAFT_CHARS_MAX).is_some() {
        return Err(ApiError::refused("/body/body", format!("may have {DRAFT_CHARS_MAX} characters")));
    }
    if !is_id(&call.parameter) {
        return Err(ApiError::not_found());
    }
    let call = followed_alive(call).await?;
    let updated_at = call.context.clock.now().0;
    let draft = inbox::Draft { contact_id: call.parameter.clone(), body, author: call.by.clone(), version: 0, updated_at };
    let wall = Wall::of(&call);
    match write_draft(&call.context.store, draft, seen).await {
        Ok(kept) => {
            let version = kept.version;
            Ok(reply::with_etag(reply::json(&draft_of(kept, wall)), version))
        }
        Err(DraftError::Nobody) => Err(ApiError::not_found()),
        Err(DraftError::Changed(current)) => {
            let current = current.map(|draft| draft_of(draft, wall));
            Err(ApiError::changed_meanwhile(serde_json::to_value(current).unwrap_or_default()))
        }
        Err(DraftError::Store(error)) => Err(error.into()),
    }
}

async fn delete(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    if !is_id(&call.parameter) {
        return Err(ApiError::not_found());
    }
    let call = followed(call).await?;
    let deleted = delete_draft(&call.context.store, &call.parameter).await?;
    Ok(reply::json(&Deleted { deleted }))
}
