//! HMAC-SHA256 in a header: GitHub's, a Wix relay's, and whatever the file describes.

use super::keys::Keys;
use super::template::Template;
use super::{Failure, fresh, header, unix_seconds};
use crate::domain::time::{Millis, Timestamp};
use crate::inbound::RawRequest;
use crate::inbound::secrets::Secret;
use crate::inbound::sources::Encoding;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub struct Hmac {
    pub(super) keys: Keys<ring::hmac::Key>,
    header: String,
    encoding: Encoding,
    prefix: String,
    /// `None`: the body alone.
    content: Option<Template>,
    timestamp_header: Option<String>,
}

impl Hmac {
    pub fn build(
        secrets: &[Secret],
        header: &str,
        encoding: Encoding,
        prefix: &str,
        content: &str,
        timestamp_header: Option<&str>,
    ) -> Result<Self, &'static str> {
        let template = Template::parse(content, timestamp_header.is_some()).map_err(|_| "its `signed_content` is wrong")?;
        Ok(Self {
            keys: Keys::hmac_sha256(secrets),
            header: header.to_owned(),
            encoding,
            prefix: prefix.to_owned(),
            content: Some(template),
            timestamp_header: timestamp_header.map(ToOwned::to_owned),
        })
    }

    pub fn github(secrets: &[Secret]) -> Self {
        Self {
            keys: Keys::hmac_sha256(secrets),
            header: "X-Hub-Signature-256".to_owned(),
            encoding: Encoding::Hex,
            prefix: "sha256=".to_owned(),
            content: None,
            timestamp_header: None,
        }
    }

    pub fn verify(&self, request: &RawRequest<'_>, now: Timestamp, tolerance: Millis) -> Result<(), Failure> {
        let given = header(request, &self.header)?;
        let signature = given.strip_prefix(self.prefix.as_str()).and_then(|text| self.decode(text)).ok_or(Failure::Bad)?;
        let timestamp = match &self.timestamp_header {
            Some(name) => header(request, name)?,
            None => "",
        };
        let parts = match &self.content {
            Some(template) => template.fill(request.body, timestamp, request.method, request.path),
            None => vec![request.body],
        };
        if !self.keys.signed(now, &parts, &[signature]) {
            return Err(Failure::Bad);
        }
        if self.timestamp_header.is_some() { fresh(unix_seconds(timestamp)?, now, tolerance) } else { Ok(()) }
    }

    fn decode(&self, text: &str) -> Option<Vec<u8>> {
        match self.encoding {
            Encoding::Hex => hex::decode(text).ok(),
            Encoding::Base64 => STANDARD.decode(text).ok(),
        }
    }
}
