//! The door: who may come in, and who has to wait.

use super::sessions::{Beginning, Opened, SessionLimits, open};
use super::throttle::{FORGOTTEN_AFTER, FREE_OF_ACCOUNT, FREE_OF_ADDRESS, Throttle, pause};
use super::{SignInError, one_time, totp};
use crate::automation::audit;
use crate::automation::staff::{Passwords, hash_secret};
use crate::domain::audit::{Entry, Who, action};
use crate::domain::clock::SharedClock;
use crate::domain::time::{Millis, Timestamp};
use crate::store::staff::{self, BeganWith, CodePurpose, Proofs, User};
use crate::store::{Store, StoreResult, Tx};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// An address that failed is forgotten after so long without another failure.
const ADDRESS_FORGOTTEN_AFTER: Millis = Millis::minutes(15);
/// Failures of accounts that do not exist are written down at most once in this time: anybody can make them.
const UNKNOWN_NOTED_EVERY: Millis = Millis::MINUTE;

/// What this node knows of tries, and the places at which passwords are worked on.
pub struct Door {
    pub passwords: Passwords,
    pub limits: SessionLimits,
    addresses: Throttle,
    /// Accounts that do not exist: they behave like those that do.
    unknown: Throttle,
    unknown_noted: Mutex<Option<Timestamp>>,
}

/// Somebody at the door.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub email: String,
    pub password: String,
    /// Of the authenticator app, or a recovery code.
    pub code: Option<String>,
    pub ip: Option<IpAddr>,
    pub agent: Option<String>,
}

impl Door {
    #[must_use]
    pub fn new(limits: SessionLimits) -> Self {
        Self {
            passwords: Passwords::default(),
            limits,
            addresses: Throttle::new(FREE_OF_ADDRESS, ADDRESS_FORGOTTEN_AFTER),
            unknown: Throttle::new(FREE_OF_ACCOUNT, FORGOTTEN_AFTER),
            unknown_noted: Mutex::default(),
        }
    }

    /// Signs somebody in with their password, and with a code if they have a second factor.
    pub async fn sign_in(&self, store: &Store, clock: &SharedClock, attempt: Attempt) -> Result<Opened, SignInError> {
        let email = attempt.email.trim().to_lowercase();
        let user = store.read(move |conn| staff::find_user_by_email(conn, &email)).await?;
        let user = user.filter(|user| user.active);
        let fresh_hash =
            self.prove_password(store, clock, (user.as_ref(), &attempt.email), &attempt.password, attempt.ip).await?;
        let Some(mut user) = user else { return Err(SignInError::Wrong) };
        let now = clock.now();
        if let Some(hash) = fresh_hash {
            self.keep_hash(store, &mut user, hash, now).await?;
        }
        let (limits, ip, who) = (self.limits, attempt.ip, Who::new(format!("staff:{}", user.id), attempt.ip));
        let result = store.write(move |tx| admit(tx, user, attempt, who, limits, now)).await?;
        match result {
            Admitted::In(opened) => {
                self.forgive_address(ip);
                Ok(*opened)
            }
            Admitted::CodeNeeded => {
                self.forgive_address(ip);
                Err(SignInError::CodeNeeded)
            }
            Admitted::Refused => Err(SignInError::Wrong),
        }
    }

    /// Signs somebody in with a code that counts once.
    pub async fn redeem(
        &self,
        store: &Store,
        clock: &SharedClock,
        code: &str,
        ip: Option<IpAddr>,
        agent: Option<String>,
    ) -> Result<Opened, SignInError> {
        let now = clock.now();
        self.count_address(ip, now)?;
        let (code_sha256, limits) = (one_time::hash_typed(code), self.limits);
        let opened = store
            .write(move |tx| {
                let Some((user_id, purpose)) = staff::take_one_time_code(tx, &code_sha256, now)? else { return Ok(None) };
                let Some(user) = staff::lock_user(tx, &user_id)?.filter(|user| user.active) else { return Ok(None) };
                let began_with = match purpose {
                    CodePurpose::Invitation => BeganWith::Invitation,
                    CodePurpose::Link => BeganWith::Link,
                };
                let who = Who::new(format!("staff:{user_id}"), ip);
                let opened = open(tx, user, Beginning { began_with, second_factor: false, ip, agent }, limits, now)?;
                note_in(tx, who, &opened, now)?;
                StoreResult::Ok(Some(opened))
            })
            .await?;
        let Some(opened) = opened else {
            self.note_failure(store, None, ip, now).await?;
            return Err(SignInError::Wrong);
        };
        self.forgive_address(ip);
        Ok(opened)
    }

    /// Looks at a password; a right one still counts as a failure of its account, until what else is asked for is proved.
    /// Answers with a fresh hash, when the old one is of cheaper times.
    pub(super) async fn prove_password(
        &self,
        store: &Store,
        clock: &SharedClock,
        (user, given): (Option<&User>, &str),
        password: &str,
        ip: Option<IpAddr>,
    ) -> Result<Option<String>, SignInError> {
        let now = clock.now();
        if let Some(wait) = ip.and_then(|ip| self.addresses.wait(&address(ip), now)) {
            return Err(SignInError::Wait(wait));
        }
        // Before it is counted: whoever is turned away here has not failed.
        let turn = self.passwords.turn().ok_or(SignInError::Busy)?;
        match user {
            Some(user) => count_try(store, &user.id, now).await?,
            None => self.unknown.count(&hash_secret(&given.trim().to_lowercase()), now).map_err(SignInError::Wait)?,
        }
        self.count_address(ip, now)?;
        let checked = turn.check(password, user.and_then(|user| user.password_hash.clone())).await?;
        if checked.is_right {
            return Ok(checked.fresh_hash);
        }
        self.note_failure(store, user, ip, now).await?;
        Err(SignInError::Wrong)
    }

    /// A right password whose account has no second factor to prove.
    pub(super) async fn forgive(&self, store: &Store, user_id: &str, ip: Option<IpAddr>) -> StoreResult<()> {
        self.forgive_address(ip);
        let user_id = user_id.to_owned();
        store.write(move |tx| forgive_all(tx, &user_id)).await
    }

    async fn keep_hash(&self, store: &Store, user: &mut User, hash: String, now: Timestamp) -> StoreResult<()> {
        let row = User { password_hash: Some(hash), ..user.clone() };
        let kept = row.clone();
        if store.write(move |tx| staff::update_user(tx, &row, now)).await? {
            *user = User { version: kept.version + 1, ..kept };
        }
        Ok(())
    }

    async fn note_failure(&self, store: &Store, user: Option<&User>, ip: Option<IpAddr>, now: Timestamp) -> StoreResult<()> {
        let entry = match user {
            Some(user) => failed(&user.id, ip),
            None if self.may_note_unknown(now) => Entry::new(Who::new("nobody", ip), action::SIGN_IN_FAILED),
            None => return Ok(()),
        };
        store.write(move |tx| audit::note(tx, &entry, now)).await
    }

    fn may_note_unknown(&self, now: Timestamp) -> bool {
        let mut noted = self.unknown_noted.lock().unwrap_or_else(PoisonError::into_inner);
        let may = noted.is_none_or(|at| now - at >= UNKNOWN_NOTED_EVERY);
        if may {
            *noted = Some(now);
        }
        may
    }

    fn count_address(&self, ip: Option<IpAddr>, now: Timestamp) -> Result<(), SignInError> {
        ip.map_or(Ok(()), |ip| self.addresses.count(&address(ip), now)).map_err(SignInError::Wait)
    }

    fn forgive_address(&self, ip: Option<IpAddr>) {
        if let Some(ip) = ip {
            self.addresses.forgive(&address(ip));
        }
    }
}

/// Of an IPv6 address the network: one machine has many.
fn address(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or_else(
            || {
                let [a, b, c, d, ..] = v6.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}")
            },
            |v4| v4.to_string(),
        ),
    }
}

enum Admitted {
    In(Box<Opened>),
    CodeNeeded,
    Refused,
}

/// The password was right. What else is asked for is proved in the transaction that begins the session.
fn admit(
    tx: &mut Tx<'_>,
    user: User,
    attempt: Attempt,
    who: Who,
    limits: SessionLimits,
    now: Timestamp,
) -> StoreResult<Admitted> {
    let known = staff::lock_user(tx, &user.id)?.filter(|known| known.active && known.password_hash == user.password_hash);
    let Some(user) = known else {
        // Their password was taken away, or they were, while it was looked at.
        return Ok(Admitted::Refused);
    };
    let proofs = staff::lock_proofs(tx, &user.id)?;
    let second_factor = proofs.active_totp().is_some();
    if second_factor {
        match attempt.code.as_deref().map(str::trim).filter(|code| !code.is_empty()) {
            None => {
                forgive_one(tx, proofs)?;
                return Ok(Admitted::CodeNeeded);
            }
            Some(code) if !prove_code(tx, &proofs, code, now)? => {
                audit::note(tx, &failed(&user.id, attempt.ip).with_word("part", "code"), now)?;
                return Ok(Admitted::Refused);
            }
            Some(_) => {}
        }
    }
    forgive_all(tx, &user.id)?;
    let beginning = Beginning { began_with: BeganWith::Password, second_factor, ip: attempt.ip, agent: attempt.agent };
    let opened = open(tx, user, beginning, limits, now)?;
    note_in(tx, who, &opened, now)?;
    Ok(Admitted::In(Box::new(opened)))
}

/// Uses up a code of the app, or a recovery code.
pub(super) fn prove_code(tx: &mut Tx<'_>, proofs: &Proofs, code: &str, now: Timestamp) -> StoreResult<bool> {
    let secret = proofs.totp_secret.as_deref().and_then(|secret| hex::decode(secret).ok()).unwrap_or_default();
    match totp::find_step(&secret, code, now) {
        Some(step) => staff::use_totp_step(tx, &proofs.user_id, step),
        None => staff::take_recovery_code(tx, &proofs.user_id, &one_time::hash_typed(code)),
    }
}

/// Counts a try of an account that exists, unless it has to wait. Whoever has to is told without a write.
pub(super) async fn count_try(store: &Store, user_id: &str, now: Timestamp) -> Result<(), SignInError> {
    let id = user_id.to_owned();
    refuse_early(&store.read(move |conn| staff::find_proofs(conn, &id)).await?, now)?;
    let id = user_id.to_owned();
    store
        .write(move |tx| {
            let mut proofs = staff::lock_proofs(tx, &id)?;
            refuse_early(&proofs, now)?;
            let is_old = proofs.failed_at.is_some_and(|at| now - at >= FORGOTTEN_AFTER);
            proofs.failures = if is_old { 1 } else { proofs.failures + 1 };
            proofs.failed_at = Some(now);
            proofs.blocked_until = pause(proofs.failures, FREE_OF_ACCOUNT).map(|pause| now + pause);
            Ok(staff::put_proofs(tx, &proofs)?)
        })
        .await
}

fn refuse_early(proofs: &Proofs, now: Timestamp) -> Result<(), SignInError> {
    match proofs.blocked_until {
        Some(until) if now < until => Err(SignInError::Wait(until - now)),
        _ => Ok(()),
    }
}

/// Takes one counted try back.
fn forgive_one(tx: &mut Tx<'_>, mut proofs: Proofs) -> StoreResult<()> {
    proofs.failures = (proofs.failures - 1).max(0);
    proofs.blocked_until = None;
    staff::put_proofs(tx, &proofs)
}

pub(super) fn forgive_all(tx: &mut Tx<'_>, user_id: &str) -> StoreResult<()> {
    let mut proofs = staff::lock_proofs(tx, user_id)?;
    (proofs.failures, proofs.failed_at, proofs.blocked_until) = (0, None, None);
    staff::put_proofs(tx, &proofs)
}

fn failed(user_id: &str, ip: Option<IpAddr>) -> Entry {
    Entry::new(Who::new("nobody", ip), action::SIGN_IN_FAILED).of("user", user_id)
}

fn note_in(tx: &mut Tx<'_>, who: Who, opened: &Opened, now: Timestamp) -> StoreResult<()> {
    let session = &opened.signed_in.session;
    let entry = Entry::new(who, action::SIGNED_IN)
        .of("session", &session.id)
        .with_word("with", session.began_with.as_str())
        .with_flag("second_factor", session.second_factor);
    audit::note(tx, &entry, now)
}
