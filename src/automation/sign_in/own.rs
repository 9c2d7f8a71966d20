//! What somebody changes about their own way in.

use super::door::Door;
use super::sessions::{Opened, SignedIn, rotate, still};
use super::{Pending, SignInError, pending};
use crate::automation::audit;
use crate::automation::staff::needs_second_factor;
use crate::automation::staff::passwords::{PASSWORD_CHARACTERS_MIN, PASSWORD_CHARACTERS_MIN_MFA, refuse_weak};
use crate::domain::audit::{Entry, Who, action};
use crate::domain::clock::SharedClock;
use crate::domain::time::Timestamp;
use crate::store::staff::{self, BeganWith};
use crate::store::{Store, Tx};
use std::net::IpAddr;

/// Somebody signed in, and where they are.
#[derive(Clone, Copy)]
pub struct Own<'a> {
    pub store: &'a Store,
    pub clock: &'a SharedClock,
    pub door: &'a Door,
    pub signed_in: &'a SignedIn,
    pub ip: Option<IpAddr>,
}

impl Own<'_> {
    pub(super) fn who(&self) -> Who {
        Who::new(format!("staff:{}", self.signed_in.user.id), self.ip)
    }

    /// Their password once more: a screen left alone must not be enough.
    pub(super) async fn prove(&self, password: &str) -> Result<(), SignInError> {
        let user = &self.signed_in.user;
        self.door.prove_password(self.store, self.clock, (Some(user), &user.email), password, self.ip).await?;
        Ok(self.door.forgive(self.store, &user.id, self.ip).await?)
    }
}

/// Chooses a new password. Whoever came by an invitation has none to prove. All sessions end; this one goes on under a new
/// token, unless there is a second factor that it has not proved: `None`, then they sign in anew.
pub async fn change_password(own: Own<'_>, old: Option<&str>, new: &str, clinic: &str) -> Result<Option<Opened>, SignInError> {
    if pending(own.signed_in) != Some(Pending::Password) {
        own.prove(old.unwrap_or_default()).await?;
    }
    let user = own.signed_in.user.clone();
    let id = user.id.clone();
    let has_totp = own.store.read(move |conn| staff::find_proofs(conn, &id)).await?.active_totp().is_some();
    let shortest = if has_totp || needs_second_factor(user.role) { PASSWORD_CHARACTERS_MIN_MFA } else { PASSWORD_CHARACTERS_MIN };
    refuse_weak(new, shortest, &[&user.email, &user.name, clinic])?;
    let turn = own.door.passwords.turn().ok_or(SignInError::Busy)?;
    let hash = turn.hash(new).await?;
    let (signed_in, who, now) = (own.signed_in.clone(), own.who(), own.clock.now());
    own.store.write(move |tx| put_password(tx, &signed_in, hash, has_totp, who, now)).await
}

fn put_password(
    tx: &mut Tx<'_>,
    signed_in: &SignedIn,
    hash: String,
    has_totp: bool,
    who: Who,
    now: Timestamp,
) -> Result<Option<Opened>, SignInError> {
    let mut user = still(tx, signed_in)?;
    if user.password_hash != signed_in.user.password_hash {
        // What was proved is not their password any more.
        return Err(SignInError::Ended);
    }
    user.password_hash = Some(hash);
    crate::automation::staff::update_in(tx, &user, now)?;
    staff::delete_codes_of(tx, &user.id)?;
    let proved = signed_in.session.second_factor;
    let opened = if has_totp && !proved {
        staff::delete_sessions_of(tx, &user.id, None)?;
        None
    } else {
        Some(rotate(tx, user, &signed_in.session, BeganWith::Password, proved, now)?)
    };
    audit::note(tx, &Entry::new(who, action::PASSWORD_CHANGED).of("user", &signed_in.user.id), now)?;
    Ok(opened)
}
