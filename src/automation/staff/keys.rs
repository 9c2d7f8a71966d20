//! API keys: `avatar_<id>_<secret>`. Only the secret's hash is kept.

use super::{StaffError, checked_name, hash_secret};
use crate::automation::audit;
use crate::domain::audit::{Entry, Who, action};
use crate::domain::clock::SharedClock;
use crate::domain::ids::{fill_random, new_id};
use crate::domain::staff::{Role, Scopes};
use crate::domain::time::{Millis, Timestamp};
use crate::store::staff::{self, ApiKey};
use crate::store::{Store, StoreError, StoreResult};
use subtle::ConstantTimeEq;

const KEY_PREFIX: &str = "avatar_";
const SECRET_BYTES: usize = 32;
/// A key's use is recorded at most once in this time.
const LAST_USED_RESOLUTION: Millis = Millis::MINUTE;
/// A key that ends does so within so many days.
pub const KEY_DAYS_MAX: i64 = 3_660;
/// Keys that a list shows.
pub const KEYS_LISTED_MAX: i64 = 500;

/// What a new key is to be.
#[derive(Clone, Debug)]
pub struct NewKey {
    pub name: String,
    pub role: Role,
    pub scopes: Scopes,
    /// `None`: until it is revoked.
    pub expires_at: Option<Timestamp>,
}

/// Makes an API key at the machine itself, for everything that the role allows, and answers with it.
pub async fn create_api_key(store: &Store, clock: &SharedClock, name: &str, role: Role) -> Result<String, StaffError> {
    let wanted = NewKey { name: name.to_owned(), role, scopes: Scopes::all(), expires_at: None };
    make_api_key(store, clock, Who::from("cli"), wanted).await.map(|(_, shown)| shown)
}

/// Makes an API key and answers with it, and with the text that is shown this once.
pub async fn make_api_key(store: &Store, clock: &SharedClock, who: Who, wanted: NewKey) -> Result<(ApiKey, String), StaffError> {
    let name = checked_name(&wanted.name)?;
    let now = clock.now();
    let mut secret = [0u8; SECRET_BYTES];
    fill_random(&mut secret);
    let secret = hex::encode(secret);
    let key = ApiKey {
        id: new_id(now),
        name,
        role: wanted.role,
        secret_sha256: hash_secret(&secret),
        created_at: now,
        last_used_at: None,
        expires_at: wanted.expires_at,
        revoked_at: None,
        scopes: wanted.scopes,
        created_by: Some(who.by.clone()),
    };
    let shown = format!("{KEY_PREFIX}{}_{secret}", key.id);
    let made = key.clone();
    let write = move |tx: &mut crate::store::Tx<'_>| {
        staff::insert_api_key(tx, &made)?;
        let entry = Entry::new(who, action::KEY_MADE).of("key", &made.id).with_word("role", made.role.as_str());
        audit::note(tx, &entry, now)
    };
    store.write::<_, StoreError>(write).await?;
    Ok((key, shown))
}

/// Ends an API key, at the machine itself. False when there is none of this id.
pub async fn revoke_api_key(store: &Store, clock: &SharedClock, id: &str) -> Result<bool, StaffError> {
    revoke_key(store, clock, Who::from("cli"), id).await
}

/// Ends an API key. False when there is none of this id.
pub async fn revoke_key(store: &Store, clock: &SharedClock, who: Who, id: &str) -> Result<bool, StaffError> {
    let (id, now) = (id.to_owned(), clock.now());
    let write = move |tx: &mut crate::store::Tx<'_>| {
        let known = staff::revoke_api_key(tx, &id, now)?;
        if known {
            audit::note(tx, &Entry::new(who, action::KEY_REVOKED).of("key", &id), now)?;
        }
        StoreResult::Ok(known)
    };
    Ok(store.write(write).await?)
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
