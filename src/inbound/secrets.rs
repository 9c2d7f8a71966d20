//! The secrets that sources are verified with, under the names that `config/webhooks.yaml` uses for them.

use crate::domain::time::Timestamp;
use std::collections::BTreeMap;
use std::fmt;

/// Several values may be active at once while a secret is being rotated.
pub const SECRETS_PER_NAME_MAX: usize = 8;

/// Environment variable → its values.
#[derive(Clone, Debug, Default)]
pub struct Secrets(BTreeMap<String, Vec<Secret>>);

/// One secret value. It cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    value: String,
    /// Refused after this time.
    pub not_after: Option<Timestamp>,
}

impl Secrets {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value that does not expire. Empty text is no secret and adds nothing.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.add(name, Secret::new(value));
        self
    }

    /// Adds every value of a comma-separated list, as an environment variable holds it. A value may end in
    /// ` until 2026-12-01T00:00:00+11:00` (RFC 3339): it is refused after that.
    pub fn add_list(&mut self, name: &str, list: &str) {
        for item in list.split(',') {
            self.add(name, Secret::parse(item));
        }
    }

    /// Adds one value; values over [`SECRETS_PER_NAME_MAX`] and empty ones are left out.
    pub fn add(&mut self, name: &str, secret: Secret) {
        if secret.value.is_empty() {
            return;
        }
        let held = self.0.entry(name.to_owned()).or_default();
        if held.len() < SECRETS_PER_NAME_MAX && !held.contains(&secret) {
            held.push(secret);
        }
    }

    #[must_use]
    pub fn get(&self, name: &str) -> &[Secret] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }
}

impl Secret {
    /// Space around the value is not part of it: files end in a line break.
    #[must_use]
    pub fn new(value: &str) -> Self {
        Self { value: value.trim().to_owned(), not_after: None }
    }

    #[must_use]
    pub fn until(value: &str, not_after: Timestamp) -> Self {
        Self { not_after: Some(not_after), ..Self::new(value) }
    }

    fn parse(item: &str) -> Self {
        if let Some((value, end)) = item.rsplit_once(" until ")
            && let Some(not_after) = Timestamp::parse_rfc3339(end.trim())
        {
            return Self::until(value, not_after);
        }
        Self::new(item)
    }

    pub(super) fn expose(&self) -> &str {
        &self.value
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret(…, not_after: {:?})", self.not_after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_values_are_held_and_none_twice() {
        let mut secrets = Secrets::new().with("NAME", "v0");
        secrets.add_list("NAME", "v0,v0,v1,v2,v3,v4,v5,v6,v7,v8,v9");
        let held: Vec<&str> = secrets.get("NAME").iter().map(Secret::expose).collect();
        assert_eq!(held, ["v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7"]);
    }

    #[test]
    fn a_list_keeps_order_and_ends() {
        let mut secrets = Secrets::new();
        secrets.add_list("NAME", "new-one, old-one until 2026-12-01T00:00:00+11:00,,");
        let held = secrets.get("NAME");
        assert_eq!(held.len(), 2);
        assert_eq!((held[0].expose(), held[0].not_after), ("new-one", None));
        assert_eq!(held[1].expose(), "old-one");
        assert_eq!(held[1].not_after, Timestamp::parse_rfc3339("2026-12-01T00:00:00+11:00"));
        assert!(secrets.get("OTHER").is_empty());
        assert!(!format!("{secrets:?}").contains("-one"), "a secret was printed");
    }
}
