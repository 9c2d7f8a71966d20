//! Setting up an authenticator app, proving it, and what helps when it is lost.

use super::door::{count_try, forgive_all, prove_code};
use super::own::Own;
use super::sessions::{Opened, SignedIn, rotate, still};
use super::{SignInError, base32, one_time, totp};
use crate::automation::audit;
use crate::automation::staff::{PASSWORD_CHARACTERS_MIN, StaffError, needs_second_factor};
use crate::domain::audit::{Entry, Who, action};
use crate::domain::ids::fill_random;
use crate::domain::time::{Millis, Timestamp};
use crate::store::Tx;
use crate::store::staff::{self, BeganWith};

/// Who signed in longer ago signs in again before they set up a second factor: a session that somebody took must not be enough.
const FRESH: Millis = Millis::minutes(15);

/// What an authenticator app needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolment {
    /// In base 32, to be typed.
    pub secret: String,
    /// To be shown as a QR code.
    pub uri: String,
}

/// Makes a secret, in place of one that was never confirmed.
pub async fn begin_enrolment(own: Own<'_>, clinic: &str) -> Result<Enrolment, SignInError> {
    let now = own.clock.now();
    refuse_stale(own.signed_in, now)?;
    let mut secret = [0u8; totp::SECRET_BYTES];
    fill_random(&mut secret);
    let id = own.signed_in.user.id.clone();
    own.store
        .write(move |tx| {
            let mut proofs = staff::lock_proofs(tx, &id)?;
            if proofs.active_totp().is_some() {
                return Err(SignInError::Enrolled);
            }
            (proofs.totp_secret, proofs.totp_step) = (Some(hex::encode(secret)), 0);
            Ok(staff::put_proofs(tx, &proofs)?)
        })
        .await?;
    let uri = totp::uri(&secret, clinic, &own.signed_in.user.email);
    Ok(Enrolment { secret: base32::encode(&secret).to_uppercase(), uri })
}

/// The app shows the right code: from now on it is asked for. All other sessions end, and this one goes on under a new token.
/// Answers with recovery codes, which are shown this once.
pub async fn confirm_enrolment(own: Own<'_>, code: &str) -> Result<(Opened, Vec<String>), SignInError> {
    let now = own.clock.now();
    refuse_stale(own.signed_in, now)?;
    count_try(own.store, &own.signed_in.user.id, now).await?;
    let (signed_in, who, code) = (own.signed_in.clone(), own.who(), code.trim().to_owned());
    own.store.write(move |tx| confirm(tx, &signed_in, &code, who, now)).await
}

fn confirm(
    tx: &mut Tx<'_>,
    signed_in: &SignedIn,
    code: &str,
    who: Who,
    now: Timestamp,
) -> Result<(Opened, Vec<String>), SignInError> {
    let user = still(tx, signed_in)?;
    let id = &signed_in.user.id;
    let mut proofs = staff::lock_proofs(tx, id)?;
    if proofs.active_totp().is_some() {
        return Err(SignInError::Enrolled);
    }
    let secret = proofs.totp_secret.as_deref().and_then(|secret| hex::decode(secret).ok()).ok_or(SignInError::NotEnrolled)?;
    let step = totp::find_step(&secret, code, now).ok_or(SignInError::Wrong)?;
    (proofs.totp_since, proofs.totp_step) = (Some(now), step);
    (proofs.failures, proofs.failed_at, proofs.blocked_until) = (0, None, None);
    staff::put_proofs(tx, &proofs)?;
    let codes = one_time::issue_recovery_codes(tx, id)?;
    let opened = rotate(tx, user, &signed_in.session, BeganWith::Password, true, now)?;
    audit::note(tx, &Entry::new(who, action::MFA_ON).of("user", id), now)?;
    Ok((opened, codes))
}

/// New recovery codes in place of all earlier ones, for whoever proves the second factor once more.
pub async fn renew_recovery_codes(own: Own<'_>, code: &str) -> Result<Vec<String>, SignInError> {
    let now = own.clock.now();
    prove(own, code, now).await?;
    let (signed_in, who) = (own.signed_in.clone(), own.who());
    let write = move |tx: &mut Tx<'_>| {
        let id = still(tx, &signed_in)?.id;
        let codes = one_time::issue_recovery_codes(tx, &id)?;
        audit::note(tx, &Entry::new(who, action::RECOVERY_CODES_MADE).of("user", &id), now)?;
        Ok(codes)
    };
    own.store.write(write).await
}

/// Ends the second factor, for whoever proves both. Who needs one sets up another at once.
pub async fn turn_off(own: Own<'_>, password: &str, code: &str) -> Result<Opened, SignInError> {
    let now = own.clock.now();
    own.prove(password).await?;
    let is_short = password.chars().count() < PASSWORD_CHARACTERS_MIN;
    if is_short && !needs_second_factor(own.signed_in.user.role) {
        return Err(StaffError::PasswordTooShort(PASSWORD_CHARACTERS_MIN).into());
    }
    prove(own, code, now).await?;
    let (signed_in, who) = (own.signed_in.clone(), own.who());
    let write = move |tx: &mut Tx<'_>| {
        let user = still(tx, &signed_in)?;
        let id = &signed_in.user.id;
        let mut proofs = staff::lock_proofs(tx, id)?;
        (proofs.totp_secret, proofs.totp_since) = (None, None);
        staff::put_proofs(tx, &proofs)?;
        staff::replace_recovery_codes(tx, id, &[])?;
        let opened = rotate(tx, user, &signed_in.session, signed_in.session.began_with, false, now)?;
        audit::note(tx, &Entry::new(who, action::MFA_RESET).of("user", id), now)?;
        Ok(opened)
    };
    own.store.write(write).await
}

/// Uses up a code of the second factor. Tries that fail count like those at the door.
async fn prove(own: Own<'_>, code: &str, now: Timestamp) -> Result<(), SignInError> {
    let id = own.signed_in.user.id.clone();
    count_try(own.store, &id, now).await?;
    let code = code.trim().to_owned();
    own.store
        .write(move |tx| {
            let proofs = staff::lock_proofs(tx, &id)?;
            if proofs.active_totp().is_none() {
                return Err(SignInError::NotEnrolled);
            }
            if !prove_code(tx, &proofs, &code, now)? {
                return Err(SignInError::Wrong);
            }
            Ok(forgive_all(tx, &id)?)
        })
        .await
}

fn refuse_stale(signed_in: &SignedIn, now: Timestamp) -> Result<(), SignInError> {
    if now - signed_in.session.created_at < FRESH { Ok(()) } else { Err(SignInError::Stale) }
}
