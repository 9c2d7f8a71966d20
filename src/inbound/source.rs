//! One source: its schemes with their keys, its limits, and where its fields are.

use super::json::Json;
use super::mapping::Mapping;
use super::parsed::{Envelope, Parsed, sha256_hex};
use super::secrets::Secrets;
use super::sources::{BODY_BYTES_MAX_DEFAULT, Problem, Provider, SourceSpec, TOLERANCE_S_DEFAULT};
use super::verify::{Failure, Scheme, Verified};
use super::{Moment, RawRequest, Received, Refusal, generic, manychat, sms, wix};
use crate::domain::event::Delivery;
use crate::domain::time::{Millis, Timestamp};
use chrono_tz::Tz;

pub struct Source {
    name: String,
    provider: Provider,
    schemes: Vec<Scheme>,
    /// Names of the variables that the secrets come from, for messages.
    variables: String,
    /// Lower case; empty: any.
    content_types: Vec<String>,
    body_bytes_max: usize,
    tolerance: Millis,
    zone: Tz,
    mapping: Mapping,
}

impl Source {
    /// Verifies and parses one request. Ok is never empty.
    pub fn receive(&self, request: &RawRequest<'_>, now: Timestamp) -> Received {
        self.check_content(request)?;
        self.check_size(request.body)?;
        let verified = self.verify(request, now)?;
        let envelope =
            Envelope { source: &self.name, state: verified.state, body: request.body, sha256: sha256_hex(request.body) };
        Ok(self.parse(request, verified.claims.as_deref(), &envelope, now))
    }

    /// Its name in `config/webhooks.yaml`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The most that the reader of the body needs to read.
    #[must_use]
    pub const fn body_bytes_max(&self) -> usize {
        self.body_bytes_max
    }

    /// What it may send, as text for messages.
    #[must_use]
    pub fn content_types(&self) -> String {
        if self.content_types.is_empty() { "any content type".to_owned() } else { self.content_types.join(" or ") }
    }

    #[must_use]
    pub fn is_configured(&self) -> bool {
        self.schemes.iter().any(Scheme::is_configured)
    }

    /// The variables that its secrets come from, as text for messages.
    #[must_use]
    pub fn variables(&self) -> &str {
        &self.variables
    }

    pub(super) fn build(name: &str, spec: &SourceSpec, secrets: &Secrets, zone: Tz) -> Result<Self, Vec<Problem>> {
        let mut schemes = Vec::new();
        let mut problems = Vec::new();
        for (index, scheme) in spec.schemes().iter().enumerate() {
            match Scheme::build(scheme, secrets) {
                Ok(built) => schemes.push(built),
                Err(bad) => {
                    problems.push(Problem {
                        path: format!("sources.{name}.verify[{index}]"),
                        line: None,
                        message: bad.to_string(),
                    });
                }
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut variables: Vec<&str> = spec.schemes().iter().map(super::sources::SchemeSpec::secret_env).collect();
        variables.dedup();
        Ok(Self {
            name: name.to_owned(),
            provider: spec.provider.unwrap_or_default(),
            schemes,
            variables: variables.join(" or "),
            content_types: content_types(spec),
            body_bytes_max: spec.body_bytes_max.unwrap_or(BODY_BYTES_MAX_DEFAULT),
            tolerance: Millis::seconds(i64::from(spec.tolerance_s.unwrap_or(TOLERANCE_S_DEFAULT))),
            zone,
            mapping: Mapping::build(spec),
        })
    }

    /// A missing content type is accepted: the body decides. A compressed body is not: the signature is over other bytes.
    fn check_content(&self, request: &RawRequest<'_>) -> Result<(), Refusal> {
        if (request.headers)("content-encoding").is_some_and(|e| !e.trim().eq_ignore_ascii_case("identity")) {
            return Err(Refusal::UnsupportedMediaType);
        }
        let Some(given) = request.content_type else { return Ok(()) };
        let given = given.split(';').next().unwrap_or_default().trim();
        let listed = self.content_types.is_empty() || self.content_types.iter().any(|t| t.eq_ignore_ascii_case(given));
        if listed { Ok(()) } else { Err(Refusal::UnsupportedMediaType) }
    }

    fn check_size(&self, body: &[u8]) -> Result<(), Refusal> {
        match body.len() {
            0 => Err(Refusal::EmptyBody),
            bytes if bytes > self.body_bytes_max => Err(Refusal::TooLarge { bytes_max: self.body_bytes_max }),
            _ => Ok(()),
        }
    }

    /// The first scheme that accepts is enough; otherwise the answer that says most is given.
    fn verify(&self, request: &RawRequest<'_>, now: Timestamp) -> Result<Verified, Refusal> {
        let mut worst = Failure::Unconfigured;
        for scheme in &self.schemes {
            match scheme.verify(request, now, self.tolerance) {
                Ok(verified) => return Ok(verified),
                Err(failure) => worst = worst.max(failure),
            }
        }
        Err(match worst {
            Failure::Unconfigured => Refusal::Unconfigured { variables: self.variables.clone() },
            Failure::Missing => Refusal::MissingSignature,
            Failure::Unreadable => Refusal::Unreadable,
            Failure::Bad => Refusal::BadSignature,
            Failure::Stale => Refusal::Stale,
        })
    }

    fn parse(&self, request: &RawRequest<'_>, claims: Option<&[u8]>, envelope: &Envelope<'_>, now: Timestamp) -> Vec<Delivery> {
        let moment = Moment { now, zone: self.zone };
        let one = |parsed: Result<Parsed, String>| match parsed {
            Ok(parsed) => vec![envelope.deliver(parsed, None)],
            Err(reason) => vec![envelope.quarantine(reason, None)],
        };
        let document = claims.unwrap_or(request.body);
        match self.provider {
            Provider::Sms => sms::parse(document, request.content_type, moment, envelope),
            Provider::Wix if claims.is_some() => one(with_json(document, |doc| wix::parse_claims(doc, moment))),
            Provider::Wix => one(with_json(document, |doc| wix::parse_plain(doc, &self.mapping, moment))),
            Provider::Manychat => one(with_json(document, |doc| manychat::parse(doc, &envelope.sha256, moment))),
            Provider::Generic => one(with_json(document, |doc| generic::parse(doc, &self.mapping, &self.name, moment))),
        }
    }
}

fn content_types(spec: &SourceSpec) -> Vec<String> {
    spec.content_types.clone().unwrap_or_else(|| vec!["application/json".to_owned()])
}

/// Runs `parse` on the bytes as a JSON object.
pub(super) fn with_json(bytes: &[u8], parse: impl FnOnce(&Json<'_>) -> Result<Parsed, String>) -> Result<Parsed, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "the body is not UTF-8".to_owned())?;
    let doc = Json::parse(text.trim_start_matches('\u{feff}'))?;
    if doc.is_object() { parse(&doc) } else { Err("the body is no JSON object".to_owned()) }
}
