//! Members of staff and API keys: who may come in.

use crate::domain::clock::SharedClock;
use crate::domain::ids::{fill_random, new_id};
use crate::domain::staff::{Role, Scopes};
use crate::domain::time::Millis;
use crate::store::staff::{self, ApiKey, NewUser};
use crate::store::{Store, StoreError};
use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A password without a second factor has at least so many characters.
pub const PASSWORD_CHARACTERS_MIN: usize = 15;
/// Longer passwords only keep the processor busy.
pub const PASSWORD_BYTES_MAX: usize = 256;
pub const EMAIL_BYTES_MAX: usize = 254;
pub const NAME_BYTES_MAX: usize = 200;

/// Argon2id: memory, passes, lanes.
const ARGON2_MEMORY_KIB: u32 = 19_456;
const ARGON2_PASSES: u32 = 2;
const ARGON2_LANES: u32 = 1;

const KEY_PREFIX: &str = "avatar_";
const SECRET_BYTES: usize = 32;
/// A key's use is recorded at most once in this time.
const LAST_USED_RESOLUTION: Millis = Millis::MINUTE;

#[derive(Debug, thiserror::Error)]
pub enum StaffError {
    #[error("somebody has this email address already")]
    DuplicateEmail,
    #[error("this is no email address")]
    InvalidEmail,
    #[error("a name has 1 to {NAME_BYTES_MAX} bytes")]
    InvalidName,
    #[error("a password has at least {PASSWORD_CHARACTERS_MIN} characters")]
    PasswordTooShort,
    #[error("a password has at most {PASSWORD_BYTES_MAX} bytes")]
    PasswordTooLong,
    #[error("the password cannot be hashed")]
    Hashing,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Adds a member of staff and answers with their id. Without a password they cannot sign in yet.
pub async fn add_user(
    store: &Store,
    clock: &SharedClock,
    email: &str,
    name: &str,
    role: Role,
    password: Option<&str>,
) -> Result<String, StaffError> {
    let email = normal_email(email)?;
    let name = checked_name(name)?;
    let password_hash = match password {
        Some(password) => Some(hash_away_from_async(password).await?),
        None => None,
    };
    let now = clock.now();
    let user = NewUser { id: new_id(now), email, name, role, password_hash };
    let id = user.id.clone();
    match store.write(move |tx| staff::insert_user(tx, &user, now)).await {
        Ok(()) => Ok(id),
        Err(StoreError::Duplicate { .. }) => Err(StaffError::DuplicateEmail),
        Err(error) => Err(error.into()),
    }
}

/// Makes an API key and answers with it: `avatar_<id>_<secret>`. It is shown this once; only its hash is kept.
pub async fn create_api_key(store: &Store, clock: &SharedClock, name: &str, role: Role) -> Result<String, StaffError> {
    let name = checked_name(name)?;
    let now = clock.now();
    let mut secret = [0u8; SECRET_BYTES];
    fill_random(&mut secret);
    let secret = hex::encode(secret);
    let key = ApiKey {
        id: new_id(now),
        name,
        role,
        secret_sha256: hash_secret(&secret),
        created_at: now,
        last_used_at: None,
        expires_at: None,
        revoked_at: None,
        scopes: Scopes::all(),
        created_by: None,
    };
    let shown = format!("{KEY_PREFIX}{}_{secret}", key.id);
    store.write(move |tx| staff::insert_api_key(tx, &key)).await?;
    Ok(shown)
}

/// Ends an API key. False when there is none of this id.
pub async fn revoke_api_key(store: &Store, clock: &SharedClock, id: &str) -> Result<bool, StaffError> {
    let (id, now) = (id.to_owned(), clock.now());
    Ok(store.write(move |tx| staff::revoke_api_key(tx, &id, now)).await?)
}

/// Records that a key was used, at most once a minute.
pub async fn note_key_use(store: &Store, clock: &SharedClock, key: &ApiKey) -> Result<(), StoreError> {
    let now = clock.now();
    if key.last_used_at.is_some_and(|last| now - last < LAST_USED_RESOLUTION) {
        return Ok(());
    }
    let id = key.id.clone();
    store.write(move |tx| staff::touch_api_key(tx, &id, now, LAST_USED_RESOLUTION)).await
}

/// Splits a presented key into its id and its secret; `None` when it is not written like one.
#[must_use]
pub fn split_api_key(presented: &str) -> Option<(&str, &str)> {
    let (id, secret) = presented.strip_prefix(KEY_PREFIX)?.split_once('_')?;
    (crate::domain::ids::is_id(id) && secret.len() == SECRET_BYTES * 2).then_some((id, secret))
}

/// True when `secret` is the key's. Takes the same time wherever they differ.
#[must_use]
pub fn is_secret_of(secret: &str, secret_sha256: &str) -> bool {
    hash_secret(secret).as_bytes().ct_eq(secret_sha256.as_bytes()).into()
}

fn hash_secret(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

async fn hash_away_from_async(password: &str) -> Result<String, StaffError> {
    check_password(password)?;
    let password = password.to_owned();
    tokio::task::spawn_blocking(move || hash_password(&password)).await.map_err(|_| StaffError::Hashing)?
}

fn check_password(password: &str) -> Result<(), StaffError> {
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(StaffError::PasswordTooLong);
    }
    if password.chars().count() < PASSWORD_CHARACTERS_MIN {
        return Err(StaffError::PasswordTooShort);
    }
    Ok(())
}

/// Some tens of milliseconds of pure work.
fn hash_password(password: &str) -> Result<String, StaffError> {
    let params = Params::new(ARGON2_MEMORY_KIB, ARGON2_PASSES, ARGON2_LANES, None).map_err(|_| StaffError::Hashing)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon2.hash_password(password.as_bytes()).map_err(|_| StaffError::Hashing)?;
    Ok(hash.to_string())
}

fn normal_email(email: &str) -> Result<String, StaffError> {
    let email = email.trim().to_lowercase();
    let is_address = email.len() <= EMAIL_BYTES_MAX
        && !email.chars().any(|c| c.is_whitespace() || c.is_control())
        && email.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'));
    if is_address { Ok(email) } else { Err(StaffError::InvalidEmail) }
}

fn checked_name(name: &str) -> Result<String, StaffError> {
    let name = name.trim();
    if name.is_empty() || name.len() > NAME_BYTES_MAX { Err(StaffError::InvalidName) } else { Ok(name.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::PasswordVerifier;
    use argon2::password_hash::phc::PasswordHash;

    #[test]
    fn a_password_is_kept_as_argon2id_with_the_chosen_cost() {
        let hash = hash_password("correct horse battery").expect("a hash");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let parsed = PasswordHash::new(&hash).expect("a PHC string");
        assert!(Argon2::default().verify_password(b"correct horse battery", &parsed).is_ok());
        assert!(Argon2::default().verify_password(b"correct horse batterz", &parsed).is_err());
    }

    #[test]
    fn passwords_have_a_shortest_and_a_longest() {
        assert!(matches!(check_password("fourteen chars"), Err(StaffError::PasswordTooShort)));
        assert!(check_password("fifteen charss!").is_ok());
        assert!(matches!(check_password(&"é".repeat(129)), Err(StaffError::PasswordTooLong)));
    }

    #[test]
    fn a_key_is_split_only_when_it_is_one() {
        let secret = "0".repeat(64);
        let id = "018f4e9a-0000-7000-8000-000000000000";
        let key = format!("avatar_{id}_{secret}");
        assert_eq!(split_api_key(&key), Some((id, secret.as_str())));
        for wrong in ["", "avatar_", "avatar_x_y", &key[1..], &key[..key.len() - 1], &format!("{key}0")] {
            assert_eq!(split_api_key(wrong), None, "{wrong}");
        }
        assert!(is_secret_of(&secret, &hash_secret(&secret)));
        assert!(!is_secret_of(&"1".repeat(64), &hash_secret(&secret)));
    }

    #[test]
    fn addresses_are_compared_without_case() {
        assert_eq!(normal_email(" Kim@Clinic.Example ").expect("an address"), "kim@clinic.example");
        for wrong in ["", "kim", "@clinic", "kim@", "kim @clinic", "a@b@c"] {
            assert!(normal_email(wrong).is_err(), "{wrong}");
        }
    }
}
