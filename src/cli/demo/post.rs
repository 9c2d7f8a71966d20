//! Posting one request as its provider does, and looking at the answer.

use super::request::{Body, DemoRequest, Expect, Route};
use super::secrets::SigningKeys;
use crate::domain::time::Timestamp;
use crate::gateway::{HttpClient, HttpError};
use crate::inbound::sign::{Identity, SignError, WixSigner};
use serde::Deserialize;

#[derive(Debug, thiserror::Error)]
pub enum PostError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error(transparent)]
    Sign(#[from] SignError),
    #[error("a request to {route:?} was answered with {status} (duplicate: {duplicate}), not as {expected:?}")]
    Unexpected { route: Route, status: u16, duplicate: bool, expected: Expect },
}

/// The providers of the demo, at the other end of a wire.
pub struct Providers {
    pub client: HttpClient,
    pub base_url: String,
    pub keys: SigningKeys,
}

#[derive(Default, Deserialize)]
struct Answer {
    #[serde(default)]
    duplicate: bool,
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

impl Providers {
    /// Posts it and checks that the answer is the expected one.
    pub async fn post(&self, request: &DemoRequest) -> Result<(), PostError> {
        let url = self.url(request.route);
        let body = self.body(&request.body, request.at)?;
        let content_type = match &request.body {
            Body::Json(_) => JSON,
            Body::Form(_) => FORM,
            _ => "text/plain",
        };
        let mut headers = vec![("Content-Type", content_type)];
        if request.route == Route::ManyChat {
            headers.push(("X-Webhook-Token", &self.keys.manychat));
        }
        let (status, answer) = self.client.post(&url, &headers, body.into_bytes()).await?;
        check(request, status, &answer)
    }

    fn url(&self, route: Route) -> String {
        let (base, token) = (&self.base_url, &self.keys.sms_token);
        match route {
            Route::Wix => format!("{base}/webhooks/wix/bookings"),
            Route::ManyChat => format!("{base}/webhooks/manychat"),
            Route::SmsInbound => format!("{base}/webhooks/sms/inbound/{token}"),
            Route::SmsReceipt => format!("{base}/webhooks/sms/receipts/{token}"),
        }
    }

    fn body(&self, body: &Body, at: Timestamp) -> Result<String, SignError> {
        const CREATED: &str = "wix.bookings.v2.booking_created";
        match body {
            Body::Wix { event_type, inner, identity } => self.keys.wix.sign_event(event_type, inner, *identity, at),
            Body::WixClaims(claims) => self.keys.wix.sign_claims(claims),
            Body::Forged(inner) => WixSigner::sign_event(&self.keys.stranger, CREATED, inner, Identity::Visitor, at),
            Body::Json(text) | Body::Form(text) => Ok(text.clone()),
        }
    }
}

fn check(request: &DemoRequest, status: u16, body: &[u8]) -> Result<(), PostError> {
    let duplicate = serde_json::from_slice::<Answer>(body).unwrap_or_default().duplicate;
    let as_expected = match request.expect {
        Expect::Accepted => status == 200 && !duplicate,
        Expect::Duplicate => status == 200 && duplicate,
        Expect::Refused => status == 401,
    };
    if as_expected {
        return Ok(());
    }
    Err(PostError::Unexpected { route: request.route, status, duplicate, expected: request.expect })
}
