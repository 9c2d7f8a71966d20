//! `config/webhooks.yaml`: who may send us webhooks, how we know that it is them, and where their fields are.

mod builtin;
mod check;

pub use check::Problem;

use crate::domain::event::KNOWN_EVENTS;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Largest file read.
pub const FILE_BYTES_MAX: usize = 256 * 1024;
/// Largest request body unless a source says otherwise.
pub const BODY_BYTES_MAX_DEFAULT: usize = 256 * 1024;
/// What a source may at most allow itself.
pub const BODY_BYTES_MAX_LIMIT: usize = 4 * 1024 * 1024;
/// How far a signed time may be from ours, both ways.
pub const TOLERANCE_S_DEFAULT: u32 = 300;

/// Everything declared, over the built-in `wix`, `manychat` and `sms`.
#[derive(Clone, Debug, PartialEq)]
pub struct Sources(pub BTreeMap<String, SourceSpec>);

/// One source as written. What is missing is filled from the built-in source of the same name, or has the default named here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SourceSpec {
    /// Further paths after `/webhooks/`; the name itself is always one.
    pub paths: Option<Vec<String>>,
    /// Default `generic`.
    pub provider: Option<Provider>,
    /// Any one of these must accept the request.
    pub verify: Option<Vec<SchemeSpec>>,
    /// Empty: any. Default `application/json`.
    pub content_types: Option<Vec<String>>,
    pub body_bytes_max: Option<usize>,
    pub tolerance_s: Option<u32>,
    /// JSON pointers to the sender's event id, first hit wins. Without a hit the hash of the body stands for it.
    pub id: Option<Vec<String>>,
    /// The event that every delivery of this source is.
    pub event: Option<String>,
    /// Or JSON pointers to its name …
    pub event_path: Option<Vec<String>>,
    /// … and what the sender's names mean here.
    pub event_map: Option<BTreeMap<String, String>>,
    /// JSON pointers to when it happened.
    pub occurred_at: Option<Vec<String>>,
    /// `contact.phone` and so on (see [`FIELDS`]) → JSON pointers, first hit wins.
    pub fields: Option<BTreeMap<String, Vec<String>>>,
    /// Names for `event.data` → JSON pointers to plain values.
    pub data: Option<BTreeMap<String, Vec<String>>>,
    /// Who is behind the events: `patient` (default), `staff`, `system` or `provider`.
    pub actor: Option<String>,
    /// Events of this source that the program does not know by itself, for rules to listen to.
    pub events: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    Wix,
    Manychat,
    Sms,
    #[default]
    Generic,
}

/// How a request proves where it comes from. `secret_env` names an environment variable; the secret itself is never in the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "scheme", rename_all = "snake_case", deny_unknown_fields)]
pub enum SchemeSpec {
    /// The whole body is a JWT, RS256. The secret is Wix's public key, PEM or base64 of it.
    WixJwt {
        secret_env: String,
    },
    /// HMAC-SHA256 in a header.
    Hmac {
        secret_env: String,
        header: String,
        #[serde(default)]
        encoding: Encoding,
        /// In front of the signature, such as `sha256=`.
        #[serde(default)]
        prefix: String,
        /// What is signed: text with `{body}` and perhaps `{timestamp}`, `{method}`, `{path}`.
        #[serde(default = "body_only")]
        signed_content: String,
        /// Where `{timestamp}` is, in Unix seconds; checked against `tolerance_s`.
        #[serde(default)]
        timestamp_header: Option<String>,
    },
    /// <https://www.standardwebhooks.com>: `v1` with a shared secret (`whsec_…`), `v1a` with the sender's public key (`whpk_…`).
    StandardWebhooks {
        secret_env: String,
    },
    Stripe {
        secret_env: String,
    },
    Github {
        secret_env: String,
    },
    Slack {
        secret_env: String,
    },
    /// RSA over request line, `Date` and body. The secret is the public key, base64 of its DER, or PEM.
    MessagemediaRsa {
        secret_env: String,
        /// Default: any of the three.
        #[serde(default)]
        digest: Option<RsaDigest>,
        /// Path (and query) as the sender sees it, when a proxy changes it.
        #[serde(default)]
        public_path: Option<String>,
    },
    /// A shared secret in a header, or in `Authorization: Bearer`.
    HeaderToken {
        secret_env: String,
        #[serde(default = "webhook_token_header")]
        header: String,
    },
    /// A shared secret as the last segment of the path.
    UrlToken {
        secret_env: String,
    },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    #[default]
    Hex,
    Base64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RsaDigest {
    #[serde(rename = "SHA224")]
    Sha224,
    #[serde(rename = "SHA256")]
    Sha256,
    #[serde(rename = "SHA512")]
    Sha512,
}

/// What `fields:` can fill.
pub const FIELDS: &[&str] = &[
    "contact.name",
    "contact.first_name",
    "contact.last_name",
    "contact.phone",
    "contact.email",
    "contact.wix_contact",
    "contact.manychat",
    "contact.interest",
    "contact.is_existing_patient",
    "contact.marketing_consent",
    "contact.sms_consent",
    "booking.wix_booking_id",
    "booking.status",
    "booking.appointment_datetime",
    "booking.end_datetime",
    "booking.previous_appointment_datetime",
    "booking.timezone",
    "booking.service_id",
    "booking.service_name",
    "booking.location",
    "booking.resource_name",
    "booking.payment_status",
    "booking.urgency_level",
    "booking.sequence",
    "booking.revision",
    "message.body",
    "message.from",
    "message.to",
    "message.id",
    "campaign.source",
    "campaign.medium",
    "campaign.campaign",
];

impl Sources {
    /// Only the built-in sources.
    #[must_use]
    pub fn builtin() -> Self {
        Self(builtin::specs())
    }

    /// Reads the file's text over the built-in sources; all problems at once.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let declared = check::read(text)?;
        let mut specs = builtin::specs();
        for (name, spec) in declared {
            let merged = match specs.remove(&name) {
                Some(builtin) => spec.over(builtin),
                None => spec,
            };
            specs.insert(name, merged);
        }
        let sources = Self(specs);
        let problems = check::problems(&sources, text);
        if problems.is_empty() { Ok(sources) } else { Err(problems) }
    }

    /// Every environment variable that a scheme names: what the secrets are to be read from.
    #[must_use]
    pub fn secret_names(&self) -> BTreeSet<String> {
        self.0.values().flat_map(SourceSpec::schemes).map(|scheme| scheme.secret_env().to_owned()).collect()
    }

    /// Names of events that declared sources add to those the program knows.
    #[must_use]
    pub fn added_events(&self) -> BTreeSet<String> {
        let declared = self.0.values().flat_map(|s| s.events.iter().flatten());
        declared.filter(|name| !KNOWN_EVENTS.contains(&name.as_str())).cloned().collect()
    }
}

impl SourceSpec {
    #[must_use]
    pub fn schemes(&self) -> &[SchemeSpec] {
        self.verify.as_deref().unwrap_or_default()
    }

    fn over(self, base: Self) -> Self {
        Self {
            paths: self.paths.or(base.paths),
            provider: self.provider.or(base.provider),
            verify: self.verify.or(base.verify),
            content_types: self.content_types.or(base.content_types),
            body_bytes_max: self.body_bytes_max.or(base.body_bytes_max),
            tolerance_s: self.tolerance_s.or(base.tolerance_s),
            id: self.id.or(base.id),
            event: self.event.or(base.event),
            event_path: self.event_path.or(base.event_path),
            event_map: self.event_map.or(base.event_map),
            occurred_at: self.occurred_at.or(base.occurred_at),
            fields: merged(self.fields, base.fields),
            data: self.data.or(base.data),
            actor: self.actor.or(base.actor),
            events: self.events.or(base.events),
        }
    }
}

/// A declared field replaces the built-in one; the other built-in fields stay.
fn merged<V>(over: Option<BTreeMap<String, V>>, base: Option<BTreeMap<String, V>>) -> Option<BTreeMap<String, V>> {
    match (over, base) {
        (Some(over), Some(mut base)) => {
            base.extend(over);
            Some(base)
        }
        (over, base) => over.or(base),
    }
}

impl SchemeSpec {
    #[must_use]
    pub fn secret_env(&self) -> &str {
        match self {
            Self::WixJwt { secret_env }
            | Self::Hmac { secret_env, .. }
            | Self::StandardWebhooks { secret_env }
            | Self::Stripe { secret_env }
            | Self::Github { secret_env }
            | Self::Slack { secret_env }
            | Self::MessagemediaRsa { secret_env, .. }
            | Self::HeaderToken { secret_env, .. }
            | Self::UrlToken { secret_env } => secret_env,
        }
    }
}

fn body_only() -> String {
    "{body}".to_owned()
}

fn webhook_token_header() -> String {
    "X-Webhook-Token".to_owned()
}
