//! Members of staff and what their roles allow.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    FrontDesk,
    Ops,
    Manager,
    Admin,
}

impl Role {
    pub const ALL: [Self; 4] = [Self::FrontDesk, Self::Ops, Self::Manager, Self::Admin];
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FrontDesk => "front_desk",
            Self::Ops => "ops",
            Self::Manager => "manager",
            Self::Admin => "admin",
        }
    }
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.as_str() == text)
    }
}

/// What an API key may be used for, beyond what its role allows: `tasks:read`, `rules:write`, `bookings:*` or `*`.
/// The family is the first part of the path after `/api/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scopes(Vec<String>);

/// Scopes of one key.
pub const SCOPES_MAX: usize = 32;
const FAMILY_CHARACTERS_MAX: usize = 40;

impl Scopes {
    /// Everything that the role allows.
    #[must_use]
    pub fn all() -> Self {
        Self(vec!["*".to_owned()])
    }

    /// The first that is no scope is the error.
    pub fn parse(given: Vec<String>) -> Result<Self, String> {
        match given.iter().find(|scope| !is_scope(scope)) {
            Some(wrong) => Err(wrong.clone()),
            None if given.is_empty() || given.len() > SCOPES_MAX => Err(String::new()),
            None => Ok(Self(given)),
        }
    }

    /// True when one of them covers the use of a route family.
    #[must_use]
    pub fn allow(&self, family: &str, is_reading: bool) -> bool {
        self.0.iter().any(|scope| match scope.split_once(':') {
            None => true,
            Some((of, how)) => of == family && (how == "*" || how == if is_reading { "read" } else { "write" }),
        })
    }

    /// True when the other ones allow nothing that these do not.
    #[must_use]
    pub fn cover(&self, other: &Self) -> bool {
        other.0.iter().all(|wanted| {
            self.0.iter().any(|scope| match (scope.split_once(':'), wanted.split_once(':')) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some((of, how)), Some((family, wanted_how))) => of == family && (how == "*" || how == wanted_how),
            })
        })
    }

    #[must_use]
    pub fn list(&self) -> &[String] {
        &self.0
    }

    /// As JSON.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::Value::from(self.0.clone()).to_string()
    }

    /// `None` when it is not what [`Scopes::to_text`] wrote.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Self::parse(serde_json::from_str(text).ok()?).ok()
    }
}

fn is_scope(scope: &str) -> bool {
    let is_family = |f: &str| {
        !f.is_empty()
            && f.len() <= FAMILY_CHARACTERS_MAX
            && f.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'_' | b'-' | b'.'))
    };
    match scope.split_once(':') {
        None => scope == "*",
        Some((family, how)) => is_family(family) && matches!(how, "read" | "write" | "*"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_covers_its_family_only() {
        let scopes = Scopes::parse(vec!["tasks:read".into(), "bookings:*".into()]).expect("scopes");
        assert!(scopes.allow("tasks", true) && !scopes.allow("tasks", false));
        assert!(scopes.allow("bookings", false) && !scopes.allow("users", true));
        assert!(Scopes::all().allow("users", false));
        assert_eq!(Scopes::from_text(&scopes.to_text()), Some(scopes));
    }

    #[test]
    fn what_is_no_scope_is_named() {
        for wrong in ["", "tasks", "tasks:", ":read", "Tasks:read", "tasks:delete", "*:read", "a:read:write"] {
            assert_eq!(Scopes::parse(vec!["*".into(), wrong.into()]), Err(wrong.to_owned()));
        }
        assert!(Scopes::parse(vec![]).is_err());
    }
}
