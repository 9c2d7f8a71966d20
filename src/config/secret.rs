//! Values that must not be seen. They have no `Debug` and no `Display`: they cannot be logged by accident.

/// One secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The secret itself. Every call of this is a place to review.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// The secrets that are valid at the moment: more than one while a secret is being rotated.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretList(Vec<Secret>);

impl SecretList {
    /// Splits a comma-separated list; empty items do not count.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self(text.split(',').map(str::trim).filter(|s| !s.is_empty()).map(Secret::new).collect())
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Secret> {
        self.0.iter()
    }

    /// The secret to use for calls that we make: the first.
    #[must_use]
    pub fn first(&self) -> Option<&Secret> {
        self.0.first()
    }

    /// How the list is shown to people.
    #[must_use]
    pub fn redacted(&self) -> String {
        match self.len() {
            0 => "(not set)".to_owned(),
            1 => "(secret)".to_owned(),
            count => format!("({count} secrets)"),
        }
    }
}
