//! `/api/keys`: API keys of programs. For admins.

use super::listing::{Listing, Wall, whole};
use super::session::no_content;
use super::users::{parse_role, refused};
use super::words;
use crate::automation::staff::{self, KEY_DAYS_MAX, KEYS_LISTED_MAX, NewKey};
use crate::domain::ids::is_id;
use crate::domain::staff::Scopes;
use crate::domain::time::{Millis, Timestamp};
use crate::http::doc::Doc;
use crate::http::endpoint::{Call, Endpoint, Shared, reading, writing};
use crate::http::problem::ApiError;
use crate::http::query::Query;
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use crate::store::staff::{ApiKey, list_api_keys};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use warp::http::StatusCode;

const LIST: Route = Route::get("/api/keys", Permission::Admin);
const MAKE: Route = Route::post("/api/keys", Permission::Admin);
const REVOKE: Route = Route::delete("/api/keys/{id}", Permission::Admin);

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    let doc = |summary| Doc::new("Keys", summary).secret();
    vec![
        reading(LIST, shared, list).doc(doc("Lists API keys, also those that ended.").answers::<Listing<KeyView>>()),
        writing(MAKE, shared, make)
            .doc(doc("Makes an API key.").takes::<MakingKey>().answers_as::<Made>(StatusCode::CREATED).secret()),
        writing(REVOKE, shared, revoke).doc(doc("Ends an API key.").answers_text(StatusCode::NO_CONTENT, "")),
    ]
}

#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
struct KeyView {
    id: String,
    name: String,
    #[schema(value_type = words::Role)]
    role: &'static str,
    scopes: Vec<String>,
    created_at: String,
    created_by: Option<String>,
    last_used_at: Option<String>,
    expires_at: Option<String>,
    revoked_at: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = CreatedApiKey)]
struct Made {
    key: KeyView,
    /// To be sent as `Authorization: Bearer`. Shown this once.
    token: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewApiKey, example = json!({ "name": "reception screen", "role": "front_desk", "scopes": ["tasks:read", "bookings:*"] }))]
struct MakingKey {
    name: String,
    /// front_desk, ops, manager or admin.
    #[schema(value_type = words::Role)]
    role: String,
    /// Such as `tasks:read`, `bookings:*`; everything that the role allows unless given.
    scopes: Option<Vec<String>>,
    /// RFC 3339; never unless given.
    expires_at: Option<String>,
}

async fn list(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let keys = call.context.store.read(|conn| list_api_keys(conn, KEYS_LISTED_MAX)).await?;
    let wall = Wall::of(&call);
    Ok(whole(keys.into_iter().map(|key| view(key, wall)).collect()))
}

async fn make(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let MakingKey { name, role, scopes, expires_at } = call.json()?;
    let scopes = scopes.map_or(Ok(Scopes::all()), Scopes::parse);
    let scopes = scopes
        .map_err(|_| ApiError::refused("/body/scopes", "are 1 to 32 of: *, tasks:read, tasks:write, tasks:* and the like"))?;
    if call.caller.as_ref().is_some_and(|caller| !caller.scopes.cover(&scopes)) {
        return Err(ApiError::refused("/body/scopes", "reach further than those of the key that makes it"));
    }
    let expires_at = expires_at.map(|text| parse_end(&text, call.context.clock.now())).transpose()?;
    let wanted = NewKey { name, role: parse_role(&role)?, scopes, expires_at };
    let context = &call.context;
    let (key, token) = staff::make_api_key(&context.store, &context.clock, call.who(), wanted).await.map_err(refused)?;
    Ok(reply::created(&Made { key: view(key, Wall::of(&call)), token }))
}

async fn revoke(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let context = &call.context;
    let known = is_id(&call.parameter)
        && staff::revoke_key(&context.store, &context.clock, call.who(), &call.parameter).await.map_err(refused)?;
    if known { Ok(no_content()) } else { Err(ApiError::not_found()) }
}

fn parse_end(text: &str, now: Timestamp) -> Result<Timestamp, ApiError> {
    let end = Timestamp::parse_rfc3339(text).filter(|end| *end > now && *end - now <= Millis::days(KEY_DAYS_MAX));
    end.ok_or_else(|| ApiError::refused("/body/expires_at", "is a time in the next ten years, such as 2027-03-05T10:00:00+11:00"))
}

fn view(key: ApiKey, wall: Wall) -> KeyView {
    let time = |at: Option<Timestamp>| wall.optional(at.map(|at| at.0));
    KeyView {
        role: key.role.as_str(),
        scopes: key.scopes.list().to_vec(),
        created_at: wall.time(key.created_at.0),
        last_used_at: time(key.last_used_at),
        expires_at: time(key.expires_at),
        revoked_at: time(key.revoked_at),
        id: key.id,
        name: key.name,
        created_by: key.created_by,
    }
}
