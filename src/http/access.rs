//! How people come in: settings, and the door that they come through.

use crate::automation::sign_in::{Door, SessionLimits};

/// The settings of who may come in, and the tries of this node.
pub struct Access {
    pub settings: AccessSettings,
    pub door: Door,
}

/// What the routes need to know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessSettings {
    /// Public base URL: the only other origin whose pages may call the API.
    pub frontend_url: String,
    pub sessions: SessionLimits,
    /// Of the API, for each address.
    pub per_address: Rate,
    /// Of the API, for each key and member of staff.
    pub per_caller: Rate,
}

/// Requests that are let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub per_second: u32,
    /// At once, after a pause.
    pub burst: u32,
}

impl Default for AccessSettings {
    fn default() -> Self {
        Self {
            frontend_url: "http://127.0.0.1:8787".to_owned(),
            sessions: SessionLimits::default(),
            per_address: Rate { per_second: 400, burst: 4_000 },
            per_caller: Rate { per_second: 200, burst: 2_000 },
        }
    }
}

impl Access {
    #[must_use]
    pub fn new(settings: AccessSettings) -> Self {
        Self { door: Door::new(settings.sessions), settings }
    }
}

impl Default for Access {
    fn default() -> Self {
        Self::new(AccessSettings::default())
    }
}
