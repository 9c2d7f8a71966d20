//! Signing in: passwords, second factors, one-time codes, sessions.
//!
//! A try is counted as failed before the password is looked at, and taken back when it was right: many at once cannot all find
//! the door open, on one node or on several.

mod base32;
mod door;
pub(in crate::automation) mod one_time;
mod own;
mod second_factor;
mod sessions;
mod throttle;
mod totp;

pub use door::{Attempt, Door};
pub use own::{Own, change_password};
pub use second_factor::{Enrolment, begin_enrolment, confirm_enrolment, renew_recovery_codes, turn_off};
pub use sessions::{
    Opened, Pending, SESSIONS_OF_USER_MAX, SessionLimits, SignedIn, find, is_token, note_use, pending, revoke, revoke_others,
};
pub use totp::code_now;

use super::staff::StaffError;
use crate::domain::time::Millis;
use crate::store::StoreError;

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Which of the parts was wrong is not said.
    #[error("the email address, the password or the code is wrong")]
    Wrong,
    #[error("the code of the second factor is needed")]
    CodeNeeded,
    #[error("too many tries failed")]
    Wait(Millis),
    #[error("passwords are being checked for others")]
    Busy,
    /// For what only somebody may do who signed in a moment ago.
    #[error("sign in again first")]
    Stale,
    /// Meanwhile the session ended, or the password is another.
    #[error("the session has ended")]
    Ended,
    #[error("there is a second factor already")]
    Enrolled,
    #[error("there is no second factor")]
    NotEnrolled,
    #[error(transparent)]
    Staff(StaffError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<StaffError> for SignInError {
    fn from(error: StaffError) -> Self {
        match error {
            StaffError::Store(error) => Self::Store(error),
            StaffError::Busy => Self::Busy,
            other => Self::Staff(other),
        }
    }
}
