//! API keys: looked up by id, compared by hash, remembered for a moment.

use crate::automation::staff;
use crate::domain::time::{Millis, Timestamp};
use crate::http::context::HttpContext;
use crate::http::problem::ApiError;
use crate::store::staff::{ApiKey, find_api_key};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// A valid key is not looked up again for so long; a revoked one works no longer than this.
const CACHE_TIME: Millis = Millis::seconds(5);
/// Keys remembered at once.
const CACHE_KEYS_MAX: usize = 1_024;

/// Ids of keys that are known not to exist, remembered at once, for as long as valid keys.
const UNKNOWN_KEYS_MAX: usize = 1_000;

/// The keys that were valid a moment ago, and the ids that nobody had.
#[derive(Default)]
pub(super) struct Keys {
    recent: Mutex<HashMap<String, (Timestamp, ApiKey)>>,
    unknown: Mutex<HashMap<String, Timestamp>>,
}

impl Keys {
    /// The key that was presented, if it is one that counts.
    pub(super) async fn find(&self, context: &HttpContext, presented: &str) -> Result<ApiKey, ApiError> {
        let (id, secret) = staff::split_api_key(presented).ok_or_else(ApiError::unauthorized)?;
        let now = context.clock.now();
        let remembered = self.remembered(id, now);
        let is_new = remembered.is_none();
        let key = match remembered {
            Some(key) => key,
            None => self.look_up(context, id, now).await?,
        };
        if !staff::is_secret_of(secret, &key.secret_sha256) || !key.is_usable(now) {
            return Err(ApiError::unauthorized());
        }
        if is_new {
            self.remember(key.clone(), now);
            note_use(context, key.clone());
        }
        Ok(key)
    }

    /// A made-up key costs one reading of the database in [`CACHE_TIME`], however often it is tried.
    async fn look_up(&self, context: &HttpContext, id: &str, now: Timestamp) -> Result<ApiKey, ApiError> {
        if self.is_unknown(id, now) {
            return Err(ApiError::unauthorized());
        }
        let wanted = id.to_owned();
        let found = context.store.read(move |conn| find_api_key(conn, &wanted)).await?;
        found.ok_or_else(|| {
            self.remember_unknown(id, now);
            ApiError::unauthorized()
        })
    }

    fn is_unknown(&self, id: &str, now: Timestamp) -> bool {
        let unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        unknown.get(id).is_some_and(|at| is_recent(*at, now))
    }

    fn remember_unknown(&self, id: &str, now: Timestamp) {
        let mut unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        if unknown.len() >= UNKNOWN_KEYS_MAX {
            unknown.retain(|_, at| is_recent(*at, now));
        }
        if unknown.len() < UNKNOWN_KEYS_MAX {
            unknown.insert(id.to_owned(), now);
        }
    }

    fn remembered(&self, id: &str, now: Timestamp) -> Option<ApiKey> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, key) = recent.get(id)?;
        is_recent(*at, now).then(|| key.clone())
    }

    fn remember(&self, key: ApiKey, now: Timestamp) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.len() >= CACHE_KEYS_MAX {
            recent.retain(|_, (at, _)| now - *at < CACHE_TIME);
        }
        if recent.len() < CACHE_KEYS_MAX {
            recent.insert(key.id.clone(), (now, key));
        }
    }
}

fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    now >= at && now - at < CACHE_TIME
}

/// Beside the request: reading must not wait for a write, nor fail with it.
fn note_use(context: &HttpContext, key: ApiKey) {
    let (store, clock) = (context.store.clone(), context.clock.clone());
    tokio::spawn(async move {
        if let Err(error) = staff::note_key_use(&store, &clock, &key).await {
            tracing::debug!(%error, key_id = key.id, "cannot record the use of a key");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_ids_are_remembered_for_seconds_and_not_without_end() {
        let keys = Keys::default();
        let start = Timestamp(1_000_000);
        for number in 0..3 * UNKNOWN_KEYS_MAX {
            keys.remember_unknown(&number.to_string(), start);
        }
        let count = |keys: &Keys| keys.unknown.lock().unwrap_or_else(PoisonError::into_inner).len();
        assert_eq!(count(&keys), UNKNOWN_KEYS_MAX);
        assert!(keys.is_unknown("0", start + Millis(4_999)));
        assert!(!keys.is_unknown("0", start + CACHE_TIME) && !keys.is_unknown("0", start - Millis(1)));
        keys.remember_unknown("later", start + CACHE_TIME);
        assert_eq!(count(&keys), 1, "what is old makes room");
        assert!(keys.is_unknown("later", start + CACHE_TIME));
    }
}
