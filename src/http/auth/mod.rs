//! Who is calling, and whether they may: an API key or a session in the `Authorization` header, or a session in the cookie.

mod address;
mod cookie;
mod cors;
mod keys;
mod origin;
mod rate;

pub(super) use address::{client_ip, mark_client};
pub(super) use cookie::{ended, set_token};
pub(super) use cors::Cors;
pub(super) use origin::refuse_other_sites;

use super::context::HttpContext;
use super::problem::ApiError;
use super::route::{Permission, Route, Verb};
use crate::automation::sign_in::{self, Pending, SignedIn, pending};
use crate::domain::audit::Who;
use crate::domain::staff::{Role, Scopes};
use keys::Keys;
use rate::Rates;
use warp::http::HeaderMap;
use warp::http::header::AUTHORIZATION;

/// Whoever is calling, once proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    pub kind: CallerKind,
    /// Of the key or of the member of staff.
    pub id: String,
    pub name: String,
    pub role: Role,
    /// Everything, of people.
    pub scopes: Scopes,
    /// Of people only.
    pub signed_in: Option<Box<SignedIn>>,
    /// The session came in the cookie, so a new token goes there too.
    pub by_cookie: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallerKind {
    /// A program, by its API key.
    Key,
    /// A member of staff, signed in.
    User,
}

impl Caller {
    /// As it goes into the record of what was done. People by their id: names change.
    pub(super) fn recorded(&self) -> String {
        match self.kind {
            CallerKind::Key => format!("key:{}", self.name),
            CallerKind::User => format!("staff:{}", self.id),
        }
    }
}

/// Who makes a request, as the audit log wants it.
pub(super) fn who(by: &str, headers: &HeaderMap) -> Who {
    Who::new(by, client_ip(headers))
}

/// The one place that decides who may use a route.
#[derive(Default)]
pub(super) struct Gate {
    keys: Keys,
    rates: Rates,
}

/// Routes that somebody may use whose session is good for nothing else yet.
const OWN_ROUTES: &str = "/api/session";

impl Gate {
    /// The caller, if the headers prove one who may use the route.
    pub(super) async fn authorise(
        &self,
        context: &HttpContext,
        headers: &HeaderMap,
        route: Route,
    ) -> Result<Option<Caller>, ApiError> {
        let (access, now) = (&context.access, context.clock.now());
        if route.template.starts_with("/api/") {
            self.rates.of_address(client_ip(headers), access.settings.per_address, now)?;
        }
        if matches!(route.permission, Permission::Public | Permission::Provider) {
            return Ok(None);
        }
        let caller = self.authenticate(context, headers, route).await?;
        self.rates.of_caller(&caller.id, access.settings.per_caller, now)?;
        if let Some(signed_in) = &caller.signed_in {
            note_use(context, signed_in);
        }
        refuse_what_is_not_allowed(&caller, route)?;
        Ok(Some(caller))
    }

    /// True while the headers still prove somebody who may use the route: asked again and again while an event stream runs. That a
    /// page stands open is no use of a session. A database that does not answer just now says nothing.
    pub(super) async fn is_still_allowed(&self, context: &HttpContext, headers: &HeaderMap, route: Route) -> bool {
        match self.authenticate(context, headers, route).await {
            Ok(caller) => refuse_what_is_not_allowed(&caller, route).is_ok(),
            Err(error) => error.is_for_now(),
        }
    }

    /// Whoever sends an `Authorization` header is known by it alone: the cookie is not looked at.
    async fn authenticate(&self, context: &HttpContext, headers: &HeaderMap, route: Route) -> Result<Caller, ApiError> {
        if headers.contains_key(AUTHORIZATION) {
            let token = bearer(headers).ok_or_else(ApiError::unauthorized)?;
            if sign_in::is_token(token) {
                return session(context, token, false).await;
            }
            let key = self.keys.find(context, token).await?;
            let (id, name, role, scopes) = (key.id, key.name, key.role, key.scopes);
            return Ok(Caller { kind: CallerKind::Key, id, name, role, scopes, signed_in: None, by_cookie: false });
        }
        let token = cookie::token(headers).ok_or_else(ApiError::unauthorized)?;
        if route.method != Verb::Get {
            refuse_other_sites(headers, &context.access.settings.frontend_url)?;
        }
        if route.method == Verb::Post {
            origin::refuse_forms(headers)?;
        }
        session(context, token, true).await
    }
}

async fn session(context: &HttpContext, token: &str, by_cookie: bool) -> Result<Caller, ApiError> {
    let limits = context.access.door.limits;
    let found = sign_in::find(&context.store, token, limits, context.clock.now()).await?;
    let signed_in = found.ok_or_else(ApiError::unauthorized)?;
    let user = &signed_in.user;
    let (id, name, role) = (user.id.clone(), user.name.clone(), user.role);
    let scopes = Scopes::all();
    Ok(Caller { kind: CallerKind::User, id, name, role, scopes, signed_in: Some(Box::new(signed_in)), by_cookie })
}

/// Beside the request: reading must not wait for a write, nor fail with it.
fn note_use(context: &HttpContext, signed_in: &SignedIn) {
    // The time of the request, however late it is written down.
    let (store, session, now) = (context.store.clone(), signed_in.session.clone(), context.clock.now());
    tokio::spawn(async move {
        if let Err(error) = sign_in::note_use(&store, &session, now).await {
            tracing::debug!(%error, session_id = session.id, "cannot record the use of a session");
        }
    });
}

fn refuse_what_is_not_allowed(caller: &Caller, route: Route) -> Result<(), ApiError> {
    refuse_unfinished(caller, route)?;
    let in_scope = caller.scopes.allow(family(route.template), route.method == Verb::Get);
    if in_scope && route.permission.allows(caller.role) {
        return Ok(());
    }
    // Somebody who tries doors is seen in the log.
    let (method, path) = (route.method.as_str(), route.template);
    tracing::warn!(by = caller.id, method, path, in_scope, "refused: not allowed");
    Err(if in_scope { ApiError::forbidden() } else { ApiError::out_of_scope() })
}

/// Who still has to choose a password, or to prove a second factor, may do only that.
fn refuse_unfinished(caller: &Caller, route: Route) -> Result<(), ApiError> {
    if route.template.starts_with(OWN_ROUTES) {
        return Ok(());
    }
    match caller.signed_in.as_deref().and_then(pending) {
        None => Ok(()),
        Some(Pending::Password) => Err(ApiError::unfinished("Choose a password first: POST /api/session/password.")),
        Some(Pending::SecondFactor) => Err(ApiError::unfinished("Set up a second factor first: POST /api/session/mfa.")),
    }
}

/// What a key's scopes name: the first part of the path after `/api/`.
fn family(template: &str) -> &str {
    template.strip_prefix("/api/").and_then(|rest| rest.split('/').next()).unwrap_or_default()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
