//! Webhooks of providers: verify over the raw bytes, then parse into [`Delivery`]. Pure: no I/O and no clock.
//!
//! content type → size → verify → parse. What does not verify is a [`Refusal`]. What verifies and cannot be understood is
//! a delivery too, `quarantined`: the same bytes sent again would not be understood either, so refusing them helps nobody.

mod fields;
mod generic;
mod json;
mod manychat;
mod mapping;
mod parsed;
mod secrets;
pub mod sign;
mod sms;
mod source;
pub mod sources;
mod verify;
mod wix;

pub use secrets::{Secret, Secrets};
pub use source::Source;
pub use sources::{Problem, Sources};
pub use wix::WIX_OTHER;

use crate::domain::event::Delivery;
use crate::domain::time::Timestamp;
use chrono_tz::Tz;
use std::collections::{BTreeSet, HashMap};

/// Every source that may send us webhooks, with its secrets.
pub struct Inbound {
    sources: Vec<Source>,
    /// Path after `/webhooks/` → index in `sources`.
    paths: HashMap<String, usize>,
    events: BTreeSet<String>,
}

/// One request as it came, before anything is known about it.
#[derive(Clone, Copy)]
pub struct RawRequest<'r> {
    pub method: &'r str,
    /// Path and query, as in the request line.
    pub path: &'r str,
    pub content_type: Option<&'r str>,
    /// What follows the source's path, when there is one more segment.
    pub token_from_path: Option<&'r str>,
    /// A header's value by its name, in any case.
    pub headers: &'r dyn Fn(&str) -> Option<&'r str>,
    pub body: &'r [u8],
}

/// Why a request is not taken. The words are for our log; the sender learns the status alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the signature or token is wrong")]
    BadSignature,
    #[error("the request carries no signature or token")]
    MissingSignature,
    #[error("no secret is configured, so nothing can be accepted: set {variables}")]
    Unconfigured { variables: String },
    #[error("the body is empty")]
    EmptyBody,
    #[error("the signed time is too far from now")]
    Stale,
    #[error("the signature's header or signed time cannot be read")]
    Unreadable,
    #[error("the content type is not one of this source")]
    UnsupportedMediaType,
    #[error("the body is larger than {bytes_max} bytes")]
    TooLarge { bytes_max: usize },
}

impl Refusal {
    /// The HTTP status that tells the sender the right thing: 401, 400, 415 or 413.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::BadSignature | Self::MissingSignature | Self::Unconfigured { .. } | Self::EmptyBody => 401,
            Self::Stale | Self::Unreadable => 400,
            Self::UnsupportedMediaType => 415,
            Self::TooLarge { .. } => 413,
        }
    }

    /// Short name for metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadSignature => "bad_signature",
            Self::MissingSignature => "missing_signature",
            Self::Unconfigured { .. } => "unconfigured",
            Self::EmptyBody => "empty_body",
            Self::Stale => "stale",
            Self::Unreadable => "unreadable",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::TooLarge { .. } => "too_large",
        }
    }
}

impl Inbound {
    /// Parses every key once. A secret that is there but cannot be used is a problem; one that is missing is not:
    /// its source refuses everything (see [`Inbound::unconfigured`]). `zone` is for local times without an offset.
    pub fn new(sources: &Sources, secrets: &Secrets, zone: Tz) -> Result<Self, Vec<Problem>> {
        let mut inbound = Self { sources: Vec::new(), paths: HashMap::new(), events: sources.added_events() };
        let mut problems = Vec::new();
        for (name, spec) in &sources.0 {
            match Source::build(name, spec, secrets, zone) {
                Ok(source) => {
                    let index = inbound.sources.len();
                    for path in std::iter::once(name).chain(spec.paths.iter().flatten()) {
                        inbound.paths.insert(path.clone(), index);
                    }
                    inbound.sources.push(source);
                }
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() { Ok(inbound) } else { Err(problems) }
    }

    /// The source of a path after `/webhooks/`, such as `wix/bookings` or a declared name.
    #[must_use]
    pub fn source_for(&self, path: &str) -> Option<&Source> {
        self.paths.get(path).and_then(|index| self.sources.get(*index))
    }

    /// The source of a path that may end in one more segment, a token: `sms/inbound/TOKEN`.
    #[must_use]
    pub fn route<'p>(&self, path: &'p str) -> Option<(&Source, Option<&'p str>)> {
        if let Some(source) = self.source_for(path) {
            return Some((source, None));
        }
        let (path, token) = path.rsplit_once('/')?;
        self.source_for(path).map(|source| (source, Some(token)))
    }

    /// Sources without any secret, with the variables that would configure them.
    #[must_use]
    pub fn unconfigured(&self) -> Vec<(&str, &str)> {
        self.sources.iter().filter(|s| !s.is_configured()).map(|s| (s.name(), s.variables())).collect()
    }

    /// The names under which events of sources are recorded; texts are recorded under the name of their provider.
    pub fn source_names(&self) -> impl Iterator<Item = &str> {
        self.sources.iter().map(Source::name).filter(|name| *name != "sms")
    }

    /// Events that declared sources add to the known ones: rules may listen to them.
    #[must_use]
    pub const fn added_events(&self) -> &BTreeSet<String> {
        &self.events
    }

    #[must_use]
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }
}

/// What [`Source::receive`] answers.
pub type Received = Result<Vec<Delivery>, Refusal>;

/// The place and time of a parse.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    pub now: Timestamp,
    pub zone: Tz,
}
