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
