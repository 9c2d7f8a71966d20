//! Sessions: an opaque token that only its hash is kept of, ended by idleness, by time, or by hand.

use super::SignInError;
use crate::automation::audit;
use crate::automation::staff::{hash_secret, needs_second_factor};
use crate::domain::audit::{Entry, Who, action};
use crate::domain::clock::SharedClock;
use crate::domain::ids::{fill_random, new_id};
use crate::domain::time::{Millis, Timestamp};
use crate::store::staff::{self, BeganWith, Session, User};
use crate::store::{Store, StoreResult, Tx};
use std::net::IpAddr;

const TOKEN_PREFIX: &str = "avs_";
const TOKEN_BYTES: usize = 32;
/// A session's use is recorded at most once in this time, so it may end so much early.
const LAST_SEEN_RESOLUTION: Millis = Millis::MINUTE;
/// Sessions that one person has at once; a further one ends the oldest.
pub const SESSIONS_OF_USER_MAX: i64 = 20;
/// What is kept of the name by which a browser calls itself.
const AGENT_CHARACTERS_MAX: usize = 120;

/// How long sessions last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// Without a request.
    pub idle: Millis,
    /// Whatever happens.
    pub absolute: Millis,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self { idle: Millis::minutes(30), absolute: Millis::hours(12) }
    }
}

/// Somebody who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    pub session: Session,
    pub user: User,
}

/// A session that just began. The token is shown this once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    pub token: String,
    pub signed_in: SignedIn,
}

/// What somebody has to do before their session is good for anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pending {
    /// Choose a password.
    Password,
    /// Set up a second factor, or prove it.
    SecondFactor,
}

/// By what holds now, so a new role counts from the next request on.
#[must_use]
pub fn pending(signed_in: &SignedIn) -> Option<Pending> {
    match signed_in.session.began_with {
        BeganWith::Invitation => Some(Pending::Password),
        BeganWith::Link => None,
        BeganWith::Password => {
            let lacks = needs_second_factor(signed_in.user.role) && !signed_in.session.second_factor;
            lacks.then_some(Pending::SecondFactor)
        }
    }
}

/// True for what is written like a session's token.
#[must_use]
pub fn is_token(presented: &str) -> bool {
    let secret = presented.strip_prefix(TOKEN_PREFIX).unwrap_or_default();
    secret.len() == TOKEN_BYTES * 2 && secret.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whose session this is, if it lasts and they may still come in.
pub async fn find(store: &Store, token: &str, limits: SessionLimits, now: Timestamp) -> StoreResult<Option<SignedIn>> {
    if !is_token(token) {
        return Ok(None);
    }
    let token_sha256 = hash_secret(token);
    store
        .read(move |conn| {
            let Some(session) = staff::find_session(conn, &token_sha256)? else { return Ok(None) };
            let lasts = now < session.expires_at && now - session.last_seen_at < limits.idle;
            if !lasts {
                return Ok(None);
            }
            let user = staff::find_user(conn, &session.user_id)?.filter(|user| user.active);
            Ok(user.map(|user| SignedIn { session, user }))
        })
        .await
}

/// Records that a session was in use then, at most once a minute.
pub async fn note_use(store: &Store, session: &Session, now: Timestamp) -> StoreResult<()> {
    if now - session.last_seen_at < LAST_SEEN_RESOLUTION {
        return Ok(());
    }
    let id = session.id.clone();
    store.write(move |tx| staff::touch_session(tx, &id, now, LAST_SEEN_RESOLUTION)).await
}

/// How a session begins.
pub(super) struct Beginning {
    pub began_with: BeganWith,
    pub second_factor: bool,
    pub ip: Option<IpAddr>,
    pub agent: Option<String>,
}

fn new_token() -> String {
    let mut secret = [0u8; TOKEN_BYTES];
    fill_random(&mut secret);
    format!("{TOKEN_PREFIX}{}", hex::encode(secret))
}

/// Begins a session for somebody.
pub(super) fn open(
    tx: &mut Tx<'_>,
    user: User,
    beginning: Beginning,
    limits: SessionLimits,
    now: Timestamp,
) -> StoreResult<Opened> {
    let token = new_token();
    let Beginning { began_with, second_factor, ip, agent } = beginning;
    let session = Session {
        id: new_id(now),
        user_id: user.id.clone(),
        token_sha256: hash_secret(&token),
        began_with,
        second_factor,
        created_at: now,
        last_seen_at: now,
        expires_at: now + limits.absolute,
        ip: ip.map(|ip| ip.to_string()),
        agent: agent.map(|agent| agent.chars().filter(|c| !c.is_control()).take(AGENT_CHARACTERS_MAX).collect()),
    };
    staff::prune_sessions(tx, now, limits.idle)?;
    for oldest in staff::list_sessions(tx, &user.id, i64::MAX)?.iter().skip(SESSIONS_OF_USER_MAX as usize - 1) {
        staff::delete_session(tx, &user.id, &oldest.id)?;
    }
    staff::insert_session(tx, &session)?;
    Ok(Opened { token, signed_in: SignedIn { session, user } })
}

/// Whoever this session is of, as they are now, if it goes on and they may come in. Nobody ends it until the end of the
/// transaction: what was proved before it may be worth nothing by now.
pub(super) fn still(tx: &mut Tx<'_>, signed_in: &SignedIn) -> Result<User, SignInError> {
    let user = staff::lock_user(tx, &signed_in.user.id)?.filter(|user| user.active).ok_or(SignInError::Ended)?;
    staff::find_session(tx, &signed_in.session.token_sha256)?.ok_or(SignInError::Ended)?;
    Ok(user)
}

/// The same session under a new token, with what is new about it: whoever knew the old token has nothing. `user`: whom
/// [`still`] has found.
pub(super) fn rotate(
    tx: &mut Tx<'_>,
    user: User,
    old: &Session,
    began_with: BeganWith,
    second_factor: bool,
    now: Timestamp,
) -> StoreResult<Opened> {
    let token = new_token();
    let session = Session {
        id: new_id(now),
        token_sha256: hash_secret(&token),
        began_with,
        second_factor,
        last_seen_at: now,
        ..old.clone()
    };
    staff::delete_sessions_of(tx, &user.id, None)?;
    staff::insert_session(tx, &session)?;
    Ok(Opened { token, signed_in: SignedIn { session, user } })
}

/// Ends one of somebody's sessions. False when they have none of this id.
pub async fn revoke(
    store: &Store,
    clock: &SharedClock,
    who: Who,
    user_id: &str,
    id: &str,
    action: &'static str,
) -> StoreResult<bool> {
    let (user_id, id, now) = (user_id.to_owned(), id.to_owned(), clock.now());
    store
        .write(move |tx| {
            let ended = staff::delete_session(tx, &user_id, &id)?;
            if ended {
                audit::note(tx, &Entry::new(who, action).of("session", &id), now)?;
            }
            Ok(ended)
        })
        .await
}

/// Ends all of somebody's sessions but `except`; answers with how many.
pub async fn revoke_others(
    store: &Store,
    clock: &SharedClock,
    who: Who,
    user_id: &str,
    except: Option<&str>,
) -> StoreResult<i64> {
    let (user_id, except, now) = (user_id.to_owned(), except.map(str::to_owned), clock.now());
    store
        .write(move |tx| {
            let ended = staff::delete_sessions_of(tx, &user_id, except.as_deref())?;
            let entry = Entry::new(who, action::SESSION_REVOKED).of("user", &user_id).with_number("sessions", ended);
            audit::note(tx, &entry, now)?;
            Ok(ended)
        })
        .await
}
