//! `/api/session`: coming in, going out, and one's own sessions.

use super::listing::{Listing, Wall, whole};
use super::words;
use crate::automation::sign_in::{self, Attempt, Opened, Own, Pending, SESSIONS_OF_USER_MAX, SignInError, SignedIn, pending};
use crate::automation::staff::{StaffError, needs_second_factor};
use crate::domain::audit::action;
use crate::http::auth::{Caller, CallerKind, client_ip, ended, refuse_other_sites, set_token};
use crate::http::doc::Doc;
use crate::http::endpoint::{Call, Endpoint, Shared, reading, writing};
use crate::http::problem::ApiError;
use crate::http::query::Query;
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use crate::store::StoreResult;
use crate::store::staff::{Session, count_recovery_codes, find_proofs, list_sessions};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::http::header::{COOKIE, HeaderName, ORIGIN, USER_AGENT};

const SIGN_IN: Route = Route::post("/api/session", Permission::Public);
const SHOW: Route = Route::get("/api/session", Permission::SignedIn);
const SIGN_OUT: Route = Route::delete("/api/session", Permission::SignedIn);
const LIST: Route = Route::get("/api/session/all", Permission::SignedIn);
const REVOKE_OTHERS: Route = Route::delete("/api/session/all", Permission::SignedIn);
const REVOKE: Route = Route::delete("/api/session/{id}", Permission::SignedIn);
const PASSWORD: Route = Route::post("/api/session/password", Permission::SignedIn);

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const CSRF: &str = "Changes under the cookie are taken from our own pages only; there is no token to send.";

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    let doc = |summary| Doc::new("Session", summary).secret();
    vec![
        writing(SIGN_IN, shared, begin).doc(
            doc("Signs somebody in, with a password or a one-time code.")
                .takes::<SigningIn>()
                .secret()
                .answers_as::<SessionView>(StatusCode::CREATED),
        ),
        reading(SHOW, shared, show).doc(doc("Says who is calling.").answers::<SessionView>()),
        writing(SIGN_OUT, shared, sign_out).doc(doc("Ends this session.").answers_text(StatusCode::NO_CONTENT, "")),
        reading(LIST, shared, list).doc(doc("Lists one's own sessions.").answers::<Listing<OwnSession>>()),
        writing(REVOKE_OTHERS, shared, revoke_others).doc(doc("Ends all of one's own sessions but this one.").answers::<Ended>()),
        writing(REVOKE, shared, revoke).doc(doc("Ends one of one's own sessions.").answers_text(StatusCode::NO_CONTENT, "")),
        writing(PASSWORD, shared, change_password).doc(
            doc("Chooses a new password; all other sessions end.").takes::<ChangingPassword>().secret().answers::<SessionView>(),
        ),
    ]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SignIn, example = json!({ "email": "ana@clinic.example", "password": "correct horse battery staple", "bearer": true }))]
struct SigningIn {
    email: Option<String>,
    password: Option<String>,
    /// Of the authenticator app, or a recovery code.
    code: Option<String>,
    /// Of an invitation, in place of everything else.
    one_time_code: Option<String>,
    /// The token in the answer, and no cookie: for programs.
    #[serde(default)]
    bearer: bool,
}

/// Who is calling.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub(super) struct SessionView {
    /// `user` or `key`.
    kind: &'static str,
    id: String,
    name: String,
    email: Option<String>,
    #[schema(value_type = words::Role)]
    role: &'static str,
    clinic: ClinicView,
    /// What is to be done before the session is good for anything else: `password` or `second_factor`.
    pending: Option<&'static str>,
    session: Option<OwnSession>,
    mfa: Option<MfaView>,
    csrf: &'static str,
    /// Shown once, to whoever asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    token: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct ClinicView {
    name: String,
    timezone: String,
}

#[derive(Serialize, ToSchema)]
struct MfaView {
    enabled: bool,
    required: bool,
    recovery_codes_left: i64,
}

#[derive(Serialize, ToSchema)]
struct OwnSession {
    id: String,
    current: bool,
    second_factor: bool,
    created_at: String,
    last_seen_at: String,
    /// Without a request it ends then; each request moves it.
    idle_ends_at: String,
    /// It ends then, whatever happens.
    expires_at: String,
    ip: Option<String>,
    agent: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Ended {
    ended: i64,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPassword, example = json!({ "password": "correct horse battery staple", "new_password": "four words nobody guesses" }))]
struct ChangingPassword {
    /// Whoever came by an invitation has none.
    #[serde(default)]
    password: Option<String>,
    new_password: String,
}

async fn begin(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    // Another site must not sign a browser in as somebody else.
    let is_browser = [FETCH_SITE, ORIGIN, COOKIE].iter().any(|name| call.headers.contains_key(name));
    if is_browser {
        refuse_other_sites(&call.headers, &call.context.access.settings.frontend_url)?;
    }
    let SigningIn { email, password, code, one_time_code, bearer } = call.json()?;
    let (ip, agent) = (client_ip(&call.headers), agent(&call));
    let (context, door) = (&call.context, &call.context.access.door);
    let opened = match (email, password, one_time_code) {
        (None, None, Some(code)) => door.redeem(&context.store, &context.clock, &code, ip, agent).await,
        (Some(email), Some(password), None) => {
            let attempt = Attempt { email, password, code, ip, agent };
            door.sign_in(&context.store, &context.clock, attempt).await
        }
        _ => return Err(ApiError::bad_request("Send `email` and `password`, or `one_time_code`.")),
    };
    let mut response = opened_as(&call, &opened.map_err(refused)?, !bearer).await?;
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

/// The session with its new token: in the cookie, or in the body for whoever has no cookie.
pub(super) async fn opened_as(call: &Call, opened: &Opened, in_cookie: bool) -> Result<Response, ApiError> {
    let mut view = of_user(call, &opened.signed_in).await?;
    if in_cookie {
        return Ok(set_token(reply::json(&view), &opened.token));
    }
    view.token = Some(opened.token.clone());
    Ok(reply::json(&view))
}

async fn show(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let caller = call.caller.as_ref().ok_or_else(ApiError::unauthorized)?;
    Ok(reply::json(&match &caller.signed_in {
        Some(signed_in) => of_user(&call, signed_in).await?,
        None => of_key(&call, caller),
    }))
}

async fn sign_out(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let signed_in = signed_in(&call)?;
    let (context, user, session) = (&call.context, &signed_in.user.id, &signed_in.session.id);
    sign_in::revoke(&context.store, &context.clock, call.who(), user, session, action::SIGNED_OUT).await?;
    Ok(ended(no_content()))
}

async fn list(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let signed_in = signed_in(&call)?;
    let (id, current) = (signed_in.user.id.clone(), signed_in.session.id.clone());
    let limits = call.context.access.door.limits;
    let now = call.context.clock.now();
    let rows = call.context.store.read(move |conn| list_sessions(conn, &id, SESSIONS_OF_USER_MAX)).await?;
    let live = rows.iter().filter(|s| now < s.expires_at && now - s.last_seen_at < limits.idle);
    Ok(whole(live.map(|session| own_session(&call, session, session.id == current)).collect()))
}

async fn revoke(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let signed_in = signed_in(&call)?;
    let (context, user) = (&call.context, &signed_in.user.id);
    let who = call.who();
    let ended = sign_in::revoke(&context.store, &context.clock, who, user, &call.parameter, action::SESSION_REVOKED).await?;
    if ended { Ok(no_content()) } else { Err(ApiError::not_found()) }
}

async fn revoke_others(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let signed_in = signed_in(&call)?;
    let (context, user, session) = (&call.context, &signed_in.user.id, &signed_in.session.id);
    let ended = sign_in::revoke_others(&context.store, &context.clock, call.who(), user, Some(session)).await?;
    Ok(reply::json(&Ended { ended }))
}

async fn change_password(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let ChangingPassword { password, new_password } = call.json()?;
    let clinic = call.context.clinic.name.clone();
    let opened = sign_in::change_password(own(&call)?, password.as_deref(), &new_password, &clinic).await.map_err(refused)?;
    match opened {
        Some(opened) => opened_as(&call, &opened, by_cookie(&call)).await,
        // The second factor was not proved: they sign in anew.
        None => Ok(ended(no_content())),
    }
}

/// Who is calling, for what only people can do.
pub(super) fn signed_in(call: &Call) -> Result<&SignedIn, ApiError> {
    call.caller.as_ref().and_then(|caller| caller.signed_in.as_deref()).ok_or_else(ApiError::forbidden)
}

pub(super) fn own(call: &Call) -> Result<Own<'_>, ApiError> {
    let context = &call.context;
    Ok(Own {
        store: &context.store,
        clock: &context.clock,
        door: &context.access.door,
        signed_in: signed_in(call)?,
        ip: client_ip(&call.headers),
    })
}

pub(super) fn by_cookie(call: &Call) -> bool {
    call.caller.as_ref().is_some_and(|caller| caller.by_cookie)
}

pub(super) fn no_content() -> Response {
    let mut response = Response::new(Vec::new().into());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// Says as much as they may know.
pub(super) fn refused(error: SignInError) -> ApiError {
    match error {
        SignInError::Wrong => ApiError::not_signed_in("The email address, the password or the code is wrong."),
        SignInError::CodeNeeded => ApiError::not_signed_in("Send `code`, too: the authenticator app shows it."),
        SignInError::Wait(wait) => ApiError::too_many_for(wait),
        SignInError::Busy => ApiError::too_many_requests(),
        SignInError::Ended => ApiError::unauthorized(),
        SignInError::Stale => ApiError::unfinished("You signed in a while ago: sign in again first."),
        SignInError::Enrolled => ApiError::conflict("There is a second factor already: end it first."),
        SignInError::NotEnrolled => ApiError::conflict("There is no second factor yet."),
        SignInError::Staff(error) => super::users::refused(error),
        SignInError::Store(error) => error.into(),
    }
}

/// Of a new password.
pub(super) fn is_about_password(error: &StaffError) -> bool {
    matches!(
        error,
        StaffError::PasswordTooShort(_)
            | StaffError::PasswordTooLong
            | StaffError::PasswordCommon
            | StaffError::PasswordGuessable
    )
}

async fn of_user(call: &Call, signed_in: &SignedIn) -> Result<SessionView, ApiError> {
    let id = signed_in.user.id.clone();
    let read = move |conn: &mut _| StoreResult::Ok((find_proofs(conn, &id)?, count_recovery_codes(conn, &id)?));
    let (proofs, recovery_codes_left) = call.context.store.read(read).await?;
    let user = &signed_in.user;
    let required = needs_second_factor(user.role);
    Ok(SessionView {
        kind: "user",
        id: user.id.clone(),
        name: user.name.clone(),
        email: Some(user.email.clone()),
        role: user.role.as_str(),
        clinic: clinic(call),
        pending: pending(signed_in).map(|pending| match pending {
            Pending::Password => "password",
            Pending::SecondFactor => "second_factor",
        }),
        session: Some(own_session(call, &signed_in.session, true)),
        mfa: Some(MfaView { enabled: proofs.active_totp().is_some(), required, recovery_codes_left }),
        csrf: CSRF,
        token: None,
    })
}

fn of_key(call: &Call, caller: &Caller) -> SessionView {
    SessionView {
        kind: match caller.kind {
            CallerKind::Key => "key",
            CallerKind::User => "user",
        },
        id: caller.id.clone(),
        name: caller.name.clone(),
        email: None,
        role: caller.role.as_str(),
        clinic: clinic(call),
        pending: None,
        session: None,
        mfa: None,
        csrf: CSRF,
        token: None,
    }
}

fn clinic(call: &Call) -> ClinicView {
    let clinic = &call.context.clinic;
    ClinicView { name: clinic.name.clone(), timezone: clinic.calendar.tz.name().to_owned() }
}

fn own_session(call: &Call, session: &Session, current: bool) -> OwnSession {
    let (wall, limits) = (Wall::of(call), call.context.access.door.limits);
    let last_seen_at = if current { call.context.clock.now() } else { session.last_seen_at };
    let idle_ends_at = (last_seen_at + limits.idle).min(session.expires_at);
    OwnSession {
        id: session.id.clone(),
        current,
        second_factor: session.second_factor,
        created_at: wall.time(session.created_at.0),
        last_seen_at: wall.time(last_seen_at.0),
        idle_ends_at: wall.time(idle_ends_at.0),
        expires_at: wall.time(session.expires_at.0),
        ip: session.ip.clone(),
        agent: session.agent.clone(),
    }
}

fn agent(call: &Call) -> Option<String> {
    call.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).map(str::to_owned)
}
