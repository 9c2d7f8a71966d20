//! Passwords: Argon2id, two at a time, away from the async threads.

use super::StaffError;
use super::weak::{self, Weakness};
use argon2::password_hash::PasswordHasher;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordVerifier, Version};
use std::sync::{Arc, LazyLock};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A password without a second factor has at least so many characters.
pub const PASSWORD_CHARACTERS_MIN: usize = 15;
/// A password beside a second factor has at least so many.
pub const PASSWORD_CHARACTERS_MIN_MFA: usize = 8;
/// Longer passwords only keep the processor busy.
pub const PASSWORD_BYTES_MAX: usize = 256;

/// Argon2id: memory, passes, lanes.
const ARGON2_MEMORY_KIB: u32 = 19_456;
const ARGON2_PASSES: u32 = 2;
const ARGON2_LANES: u32 = 1;
/// What a hash with these settings begins with.
const CURRENT_PREFIX: &str = "$argon2id$v=19$m=19456,t=2,p=1$";

/// Passwords that are worked on at once. More would take the processor from patients' webhooks.
const AT_ONCE: usize = 2;

/// Whoever nobody knows is checked against this, so that it takes as long as for somebody known.
static NOBODYS: LazyLock<Option<String>> = LazyLock::new(|| hash_password("nobody has this password").ok());

/// The places at which passwords are worked on.
#[derive(Clone)]
pub struct Passwords(Arc<Semaphore>);

/// One of the places, until dropped.
pub struct Turn {
    _permit: OwnedSemaphorePermit,
}

impl Default for Passwords {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

/// What a look at a password gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    pub is_right: bool,
    /// A new hash, when the old one was made with other settings than today's.
    pub fresh_hash: Option<String>,
}

impl Passwords {
    /// `None` when all are taken: whoever asks may try again soon.
    #[must_use]
    pub fn turn(&self) -> Option<Turn> {
        Arc::clone(&self.0).try_acquire_owned().ok().map(|permit| Turn { _permit: permit })
    }
}

impl Turn {
    /// Compares a password with a hash; with none it takes as long and is wrong.
    pub async fn check(self, password: &str, hash: Option<String>) -> Result<Checked, StaffError> {
        let password = password.to_owned();
        let work = move || {
            let _turn = self;
            check(&password, hash.as_deref())
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| StaffError::Hashing)?
    }

    pub async fn hash(self, password: &str) -> Result<String, StaffError> {
        let password = password.to_owned();
        let work = move || {
            let _turn = self;
            hash_password(&password)
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| StaffError::Hashing)?
    }
}

fn check(password: &str, hash: Option<&str>) -> Result<Checked, StaffError> {
    let nobodys = NOBODYS.as_deref().ok_or(StaffError::Hashing)?;
    let parsed = PasswordHash::new(hash.unwrap_or(nobodys)).map_err(|_| StaffError::Hashing)?;
    let fits = password.len() <= PASSWORD_BYTES_MAX;
    let matches = fits && Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok();
    let is_right = matches && hash.is_some();
    let is_old = hash.is_some_and(|hash| !hash.starts_with(CURRENT_PREFIX));
    let fresh_hash = if is_right && is_old { Some(hash_password(password)?) } else { None };
    Ok(Checked { is_right, fresh_hash })
}

/// Refuses a new password that is too short, too long or easily guessed. `about` are words that belong to the person and the clinic.
pub fn refuse_weak(password: &str, characters_min: usize, about: &[&str]) -> Result<(), StaffError> {
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(StaffError::PasswordTooLong);
    }
    if password.chars().count() < characters_min {
        return Err(StaffError::PasswordTooShort(characters_min));
    }
    match weak::find(password, about) {
        Some(Weakness::Common) => Err(StaffError::PasswordCommon),
        Some(Weakness::Guessable) => Err(StaffError::PasswordGuessable),
        None => Ok(()),
    }
}

/// Some tens of milliseconds of pure work.
fn hash_password(password: &str) -> Result<String, StaffError> {
    let params = Params::new(ARGON2_MEMORY_KIB, ARGON2_PASSES, ARGON2_LANES, None).map_err(|_| StaffError::Hashing)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon2.hash_password(password.as_bytes()).map_err(|_| StaffError::Hashing)?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_kept_as_argon2id_with_the_chosen_cost() {
        let hash = hash_password("correct horse battery").expect("a hash");
        assert!(hash.starts_with(CURRENT_PREFIX), "{hash}");
        let right = Checked { is_right: true, fresh_hash: None };
        assert_eq!(check("correct horse battery", Some(&hash)).expect("a look"), right);
        assert!(!check("correct horse batterz", Some(&hash)).expect("a look").is_right);
        assert!(!check("nobody has this password", None).expect("a look").is_right);
    }

    #[test]
    fn a_hash_of_cheaper_times_is_made_anew_when_the_password_is_known() {
        let cheap = Params::new(8_192, 1, 1, None).expect("parameters");
        let old =
            Argon2::new(Algorithm::Argon2id, Version::V0x13, cheap).hash_password(b"correct horse battery").expect("a hash");
        let checked = check("correct horse battery", Some(&old.to_string())).expect("a look");
        assert!(checked.is_right && checked.fresh_hash.is_some_and(|hash| hash.starts_with(CURRENT_PREFIX)));
        assert_eq!(check("wrong", Some(&old.to_string())).expect("a look").fresh_hash, None);
    }

    #[test]
    fn passwords_have_a_shortest_and_a_longest() {
        let min = PASSWORD_CHARACTERS_MIN;
        assert!(matches!(refuse_weak("fourteen chars", min, &[]), Err(StaffError::PasswordTooShort(15))));
        assert!(refuse_weak("fifteen charss!", min, &[]).is_ok());
        assert!(matches!(refuse_weak(&"é".repeat(129), min, &[]), Err(StaffError::PasswordTooLong)));
    }

    #[test]
    fn only_two_passwords_are_worked_on_at_once() {
        let passwords = Passwords::default();
        let (first, second) = (passwords.turn(), passwords.turn());
        assert!(first.is_some() && second.is_some() && passwords.turn().is_none());
        drop(first);
        assert!(passwords.turn().is_some());
    }
}
