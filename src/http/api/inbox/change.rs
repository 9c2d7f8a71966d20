//! `/api/inbox/{contact_id}/done`, `…/assign`: what staff does with a conversation.

use crate::automation::inbox::{Change, change};
use crate::domain::ids::is_id;
use crate::http::api::assignees::Assignees;
use crate::http::api::contacts::followed_alive;
use crate::http::api::fields::Fields;
use crate::http::api::listing::Wall;
use crate::http::doc::Doc;
use crate::http::endpoint::{Call, Endpoint, Shared, writing};
use crate::http::problem::ApiError;
use crate::http::query::Query;
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

const DONE: Route = Route::post("/api/inbox/{id}/done", Permission::Clinic);
const ASSIGN: Route = Route::post("/api/inbox/{id}/assign", Permission::Clinic);

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    vec![
        writing(DONE, shared, done).doc(Doc::new("Inbox", "Says that the texts so far need no answer.").answers::<State>()),
        writing(ASSIGN, shared, assign).doc(
            Doc::new("Inbox", "Gives a conversation to a member of staff, or to nobody.").takes::<Assigning>().answers::<State>(),
        ),
    ]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Assignment, example = json!({ "assigned_to": "me" }))]
struct Assigning {
    /// A team or a member of staff by id or email address, or `me`; `null`: nobody.
    #[schema(max_length = 200)]
    assigned_to: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Nothing {}

#[derive(Serialize, ToSchema)]
#[schema(as = ConversationState)]
struct State {
    contact_id: String,
    assigned_to: Option<String>,
    /// Texts until then need no answer.
    done_at: Option<String>,
    done_by: Option<String>,
    version: i64,
}

async fn done(call: Call) -> Result<Response, ApiError> {
    let Nothing {} = call.json()?;
    apply(call, Change::Done).await
}

async fn assign(call: Call) -> Result<Response, ApiError> {
    let Assigning { assigned_to } = call.json()?;
    let mut fields = Fields::default();
    let to = Assignees::load(&call).await?.field(&mut fields, "assigned_to", assigned_to);
    fields.finish()?;
    apply(call, Change::Assigned(to)).await
}

async fn apply(call: Call, wanted: Change) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    if !is_id(&call.parameter) {
        return Err(ApiError::not_found());
    }
    let call = followed_alive(call).await?;
    let done = change(&call.context.store, &call.parameter, wanted, call.who(), call.context.clock.now()).await?;
    let state = done.ok_or_else(ApiError::not_found)?;
    let wall = Wall::of(&call);
    let version = state.version;
    let answer = State {
        contact_id: state.contact_id,
        assigned_to: state.assigned_to,
        done_at: wall.optional(state.done_at),
        done_by: state.done_by,
        version,
    };
    Ok(reply::with_etag(reply::json(&answer), version))
}
