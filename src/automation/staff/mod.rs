//! Members of staff and API keys: who may come in.

mod keys;
pub(in crate::automation) mod passwords;
mod users;
mod weak;

pub use keys::{
    KEY_DAYS_MAX, KEYS_LISTED_MAX, NewKey, create_api_key, is_secret_of, make_api_key, note_key_use, revoke_api_key, revoke_key,
    split_api_key,
};
pub use passwords::{PASSWORD_BYTES_MAX, PASSWORD_CHARACTERS_MIN, PASSWORD_CHARACTERS_MIN_MFA, Passwords};
pub(in crate::automation) use users::update as update_in;
pub use users::{USERS_MAX, UserChange, add_user, change_user, invite, invite_again, link_for};

use crate::domain::staff::Role;
use crate::store::StoreError;
use crate::store::staff::User;
use sha2::{Digest, Sha256};

pub const EMAIL_BYTES_MAX: usize = 254;
pub const NAME_BYTES_MAX: usize = 200;

#[derive(Debug, thiserror::Error)]
pub enum StaffError {
    #[error("somebody has this email address already")]
    DuplicateEmail,
    #[error("this is no email address")]
    InvalidEmail,
    #[error("a name has 1 to {NAME_BYTES_MAX} bytes")]
    InvalidName,
    #[error("a password has at least {0} characters")]
    PasswordTooShort(usize),
    #[error("a password has at most {PASSWORD_BYTES_MAX} bytes")]
    PasswordTooLong,
    #[error("this password is among the first that everybody tries")]
    PasswordCommon,
    #[error("this password is easy to guess: do not build it from names, the clinic, or repetition")]
    PasswordGuessable,
    #[error("the password cannot be hashed")]
    Hashing,
    #[error("passwords are being checked for others; try again")]
    Busy,
    #[error("there is nobody with this id")]
    Nobody,
    #[error("this is the last admin who can come in")]
    LastAdmin,
    #[error("somebody else changed this meanwhile")]
    Changed(Box<User>),
    #[error("an API key's role may not exceed its maker's")]
    RoleTooHigh,
    #[error("there are too many members of staff")]
    TooMany,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Admins and whoever can change rules prove themselves with a second factor.
#[must_use]
pub const fn needs_second_factor(role: Role) -> bool {
    matches!(role, Role::Ops | Role::Manager | Role::Admin)
}

/// How secrets with many random bits are kept: nobody can try them all, so a fast hash is enough.
#[must_use]
pub fn hash_secret(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

/// Addresses are compared without case.
pub fn normal_email(email: &str) -> Result<String, StaffError> {
    let email = email.trim().to_lowercase();
    let is_address = email.len() <= EMAIL_BYTES_MAX
        && !email.chars().any(|c| c.is_whitespace() || c.is_control())
        && email.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'));
    if is_address { Ok(email) } else { Err(StaffError::InvalidEmail) }
}

fn checked_name(name: &str) -> Result<String, StaffError> {
    let name = name.trim();
    let is_name = !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.chars().any(char::is_control);
    if is_name { Ok(name.to_owned()) } else { Err(StaffError::InvalidName) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_without_case() {
        assert_eq!(normal_email(" Kim@Clinic.Example ").expect("an address"), "kim@clinic.example");
        for wrong in ["", "kim", "@clinic", "kim@", "kim @clinic", "a@b@c"] {
            assert!(normal_email(wrong).is_err(), "{wrong}");
        }
    }
}
