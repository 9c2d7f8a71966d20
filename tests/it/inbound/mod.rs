//! Webhooks as their senders make them, through the one door that the server uses.

mod declared;
mod hostile;
mod manychat;
mod signatures;
mod sms;
mod tokens;
mod wix;

use avatar::domain::event::Delivery;
use avatar::domain::time::Timestamp;
use avatar::inbound::{Inbound, RawRequest, Refusal, Secrets, Sources};

/// A request, and what its sender has put on it.
#[derive(Clone, Default)]
struct Sent {
    to: String,
    content_type: Option<&'static str>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    at: Timestamp,
    path: Option<String>,
}

impl Sent {
    fn to(path: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { to: path.to_owned(), body: body.into(), at: now(), ..Self::default() }
    }
    fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
    fn content_type(mut self, content_type: &'static str) -> Self {
        self.content_type = Some(content_type);
        self
    }
    fn at(mut self, at: Timestamp) -> Self {
        self.at = at;
        self
    }
    fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    fn arrive(&self, inbound: &Inbound) -> Result<Vec<Delivery>, Refusal> {
        let headers = |name: &str| self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str());
        let (source, token) = inbound.route(&self.to).unwrap_or_else(|| panic!("no source takes {}", self.to));
        let path = self.path.clone().unwrap_or_else(|| format!("/webhooks/{}", self.to));
        let request = RawRequest {
            method: "POST",
            path: &path,
            content_type: self.content_type,
            token_from_path: token,
            headers: &headers,
            body: &self.body,
        };
        source.receive(&request, self.at)
    }

    /// The one event that comes of it.
    fn delivered(&self, inbound: &Inbound) -> Delivery {
        let mut deliveries = self.arrive(inbound).unwrap_or_else(|refusal| panic!("{}: {refusal}", self.to));
        assert_eq!(deliveries.len(), 1);
        deliveries.remove(0)
    }

    fn refused(&self, inbound: &Inbound) -> Refusal {
        self.arrive(inbound).expect_err("the request should have been refused")
    }
}

/// An hour after the samples were signed.
fn now() -> Timestamp {
    at("2026-11-22T14:00:00+11:00")
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap_or_else(|| panic!("{text} is no time"))
}

fn sample(name: &str) -> String {
    let path = format!("{}/tests/samples/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

const HMAC_SECRET: &str = "test-secret";
const MANYCHAT_SECRET: &str = "manychat-secret";
const SMS_TOKEN: &str = "sms-token-of-32-characters-000000";

fn secrets() -> Secrets {
    Secrets::new()
        .with("WIX_WEBHOOK_PUBLIC_KEY", &sample("wix_test_public.pem"))
        .with("WIX_WEBHOOK_SECRET", HMAC_SECRET)
        .with("MANYCHAT_WEBHOOK_SECRET", MANYCHAT_SECRET)
        .with("SMS_WEBHOOK_TOKEN", SMS_TOKEN)
}

/// The built-in sources, configured.
fn inbound() -> Inbound {
    with_sources("", &secrets())
}

fn with_sources(yaml: &str, secrets: &Secrets) -> Inbound {
    let sources = Sources::parse(yaml).unwrap_or_else(|problems| panic!("{problems:#?}"));
    Inbound::new(&sources, secrets, chrono_tz::Australia::Sydney).unwrap_or_else(|problems| panic!("{problems:#?}"))
}
