//! `/api/users`: who may come in. For admins.

use super::listing::{Listing, Wall, find_record, whole};
use super::session::is_about_password;
use super::words;
use crate::automation::staff::{self, StaffError, USERS_MAX, UserChange, needs_second_factor};
use crate::domain::ids::is_id;
use crate::domain::staff::{Role, Scopes};
use crate::http::doc::Doc;
use crate::http::endpoint::{Call, Endpoint, Shared, reading, writing};
use crate::http::problem::ApiError;
use crate::http::query::Query;
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use crate::store::StoreResult;
use crate::store::staff::{User, find_proofs, find_user, list_users};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use warp::http::StatusCode;

const LIST: Route = Route::get("/api/users", Permission::Admin);
const ADD: Route = Route::post("/api/users", Permission::Admin);
const ONE: Route = Route::get("/api/users/{id}", Permission::Admin);
const CHANGE: Route = Route::patch("/api/users/{id}", Permission::Admin);
const INVITE: Route = Route::post("/api/users/{id}/invite", Permission::Admin);

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    let doc = |summary| Doc::new("Users", summary).secret();
    vec![
        reading(LIST, shared, list).doc(doc("Lists members of staff.").answers::<Listing<UserView>>()),
        writing(ADD, shared, add).doc(
            doc("Adds a member of staff; the code lets them choose a password.")
                .takes::<AddingUser>()
                .answers_as::<Invited>(StatusCode::CREATED)
                .secret(),
        ),
        reading(ONE, shared, show).doc(doc("Shows a member of staff.").answers::<UserView>()),
        writing(CHANGE, shared, change)
            .doc(doc("Changes a member of staff's name, role or access.").takes::<ChangingUser>().answers::<UserView>()),
        writing(INVITE, shared, invite).doc(
            doc("Takes a member of staff's password away and makes a code with which they choose a new one.")
                .takes::<Inviting>()
                .answers::<Invited>()
                .secret(),
        ),
    ]
}

#[derive(Serialize, ToSchema)]
#[schema(as = User)]
struct UserView {
    id: String,
    email: String,
    name: String,
    #[schema(value_type = words::Role)]
    role: &'static str,
    active: bool,
    has_password: bool,
    mfa: bool,
    mfa_required: bool,
    version: i64,
    created_at: String,
    updated_at: String,
}

#[derive(Serialize, ToSchema)]
struct Invited {
    user: UserView,
    /// Signs them in once, within three days. Shown this once.
    one_time_code: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewUser, example = json!({ "email": "ana@clinic.example", "name": "Ana Lima", "role": "front_desk" }))]
struct AddingUser {
    email: String,
    name: String,
    /// front_desk, ops, manager or admin.
    #[schema(value_type = words::Role)]
    role: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserEdit, example = json!({ "role": "ops" }))]
struct ChangingUser {
    name: Option<String>,
    #[schema(value_type = Option<words::Role>)]
    role: Option<String>,
    active: Option<bool>,
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct Inviting {
    /// Also take their second factor away: they lost it.
    reset_mfa: bool,
}

async fn list(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let read = |conn: &mut _| {
        let users = list_users(conn, USERS_MAX)?;
        users.into_iter().map(|user| Ok((find_proofs(conn, &user.id)?.active_totp().is_some(), user))).collect()
    };
    let users: Vec<(bool, User)> = call.context.store.read::<_, crate::store::StoreError>(read).await?;
    let wall = Wall::of(&call);
    Ok(whole(users.into_iter().map(|(mfa, user)| view(user, mfa, wall)).collect()))
}

async fn add(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    refuse_narrow(&call)?;
    let AddingUser { email, name, role } = call.json()?;
    let (context, role) = (&call.context, parse_role(&role)?);
    let (user, code) = staff::invite(&context.store, &context.clock, call.who(), &email, &name, role).await.map_err(refused)?;
    let version = user.version;
    let invited = Invited { user: view(user, false, Wall::of(&call)), one_time_code: code };
    Ok(reply::with_etag(reply::created(&invited), version))
}

async fn show(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let read = |conn: &mut crate::store::Conn, id: &str| {
        let Some(user) = find_user(conn, id)? else { return Ok(None) };
        StoreResult::Ok(Some((find_proofs(conn, id)?.active_totp().is_some(), user)))
    };
    let (mfa, user) = find_record(&call, read).await?;
    let version = user.version;
    Ok(reply::with_etag(reply::json(&view(user, mfa, Wall::of(&call))), version))
}

async fn change(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let version = call.if_match()?;
    let ChangingUser { name, role, active } = call.json()?;
    if role.is_some() || active == Some(true) {
        refuse_narrow(&call)?;
    }
    let change = UserChange { name, role: role.as_deref().map(parse_role).transpose()?, active };
    let (context, id) = (&call.context, known_id(&call)?);
    let changed = staff::change_user(&context.store, &context.clock, call.who(), id, version, change).await;
    let user = match changed {
        Err(StaffError::Changed(current)) => {
            let mfa = has_mfa(&call, &current.id).await?;
            let current = view(*current, mfa, Wall::of(&call));
            return Err(ApiError::changed_meanwhile(serde_json::to_value(current).unwrap_or_default()));
        }
        other => other.map_err(refused)?,
    };
    let (mfa, version) = (has_mfa(&call, &user.id).await?, user.version);
    Ok(reply::with_etag(reply::json(&view(user, mfa, Wall::of(&call))), version))
}

async fn invite(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    refuse_narrow(&call)?;
    let Inviting { reset_mfa } = call.json()?;
    let (context, id) = (&call.context, known_id(&call)?);
    let invited = staff::invite_again(&context.store, &context.clock, call.who(), id, reset_mfa).await;
    let (user, code) = invited.map_err(refused)?;
    let mfa = has_mfa(&call, &user.id).await?;
    Ok(reply::json(&Invited { user: view(user, mfa, Wall::of(&call)), one_time_code: code }))
}

/// Whoever comes in may do everything of their role: a key that may not lets nobody in.
fn refuse_narrow(call: &Call) -> Result<(), ApiError> {
    let may_everything = call.caller.as_ref().is_none_or(|caller| caller.scopes.cover(&Scopes::all()));
    if may_everything { Ok(()) } else { Err(ApiError::out_of_scope()) }
}

fn known_id(call: &Call) -> Result<&str, ApiError> {
    if is_id(&call.parameter) { Ok(&call.parameter) } else { Err(ApiError::not_found()) }
}

async fn has_mfa(call: &Call, id: &str) -> Result<bool, ApiError> {
    let id = id.to_owned();
    Ok(call.context.store.read(move |conn| find_proofs(conn, &id)).await?.active_totp().is_some())
}

pub(super) fn parse_role(text: &str) -> Result<Role, ApiError> {
    Role::parse(text).ok_or_else(|| ApiError::refused("/body/role", "is front_desk, ops, manager or admin"))
}

fn view(user: User, mfa: bool, wall: Wall) -> UserView {
    UserView {
        role: user.role.as_str(),
        active: user.active,
        has_password: user.password_hash.is_some(),
        mfa,
        mfa_required: needs_second_factor(user.role),
        version: user.version,
        created_at: wall.time(user.created_at.0),
        updated_at: wall.time(user.updated_at.0),
        id: user.id,
        email: user.email,
        name: user.name,
    }
}

/// Also of one's own password.
pub(super) fn refused(error: StaffError) -> ApiError {
    let text = error.to_string();
    match error {
        StaffError::DuplicateEmail | StaffError::InvalidEmail => ApiError::refused("/body/email", text),
        StaffError::InvalidName => ApiError::refused("/body/name", text),
        StaffError::Nobody => ApiError::not_found(),
        StaffError::Busy => ApiError::too_many_requests(),
        StaffError::RoleTooHigh => ApiError::refused("/body/role", text),
        StaffError::LastAdmin => ApiError::conflict("This is the last admin who can come in."),
        StaffError::Changed(_) => ApiError::conflict("Somebody else changed this meanwhile; try again."),
        StaffError::TooMany => ApiError::conflict("There are too many members of staff."),
        StaffError::Store(error) => error.into(),
        other if is_about_password(&other) => ApiError::refused("/body/new_password", text),
        _ => {
            tracing::error!("a password cannot be hashed");
            ApiError::internal()
        }
    }
}
