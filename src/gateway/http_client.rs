//! A small HTTP client: one call, no retries, no redirects, no proxy. What it reads is bounded.

use std::time::Duration;

/// What is read of an answer. A provider repeats the texts of a whole batch, with all that it knows of each.
const ANSWER_BYTES_MAX: usize = 2 * 1024 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// A connection that was idle for longer may be half closed, and a text that is lost on it is of unknown fate.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// Keeps its connections for a moment. Cheap to clone.
#[derive(Clone)]
pub struct HttpClient(reqwest::Client);

/// Errors hold no URL: a webhook's URL may hold a token.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("the client cannot be made: {0}")]
    Client(String),
    /// Surely nothing was sent: the name was not found, the connection refused, or TLS not agreed on.
    #[error("no connection: {0}")]
    Connect(String),
    #[error("no answer: {0}")]
    Answer(String),
    #[error("the answer broke off: {reason}")]
    Cut { status: u16, read: Vec<u8>, reason: String },
    #[error("the answer is larger than {ANSWER_BYTES_MAX} bytes")]
    TooLarge,
}

/// A whole answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub status: u16,
    /// Seconds, as the header says.
    pub retry_after: Option<i64>,
    pub body: Vec<u8>,
}

/// One request.
pub(super) struct Call<'a> {
    pub url: &'a str,
    pub headers: &'a [(&'a str, &'a str)],
    /// `None`: a GET.
    pub body: Option<Vec<u8>>,
    /// For the whole call.
    pub timeout: Duration,
}

impl HttpClient {
    /// # Errors
    /// When the machine's TLS or resolver settings cannot be used.
    pub fn new() -> Result<Self, HttpError> {
        // Another part of the program may have chosen one already; any is good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .build()
            .map(Self)
            .map_err(|error| HttpError::Client(error.to_string()))
    }

    /// Posts `body` and reads the whole answer.
    ///
    /// # Errors
    /// When there is no answer, or one that is too large. Any status is an answer.
    pub async fn post(&self, url: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Result<(u16, Vec<u8>), HttpError> {
        let reply = self.call(Call { url, headers, body: Some(body), timeout: REQUEST_TIMEOUT }).await?;
        Ok((reply.status, reply.body))
    }

    pub(super) async fn call(&self, call: Call<'_>) -> Result<Reply, HttpError> {
        let mut request = match call.body {
            Some(body) => self.0.post(call.url).body(body),
            None => self.0.get(call.url),
        };
        for (name, value) in call.headers {
            request = request.header(*name, *value);
        }
        let mut answer = request.timeout(call.timeout).send().await.map_err(of_sending)?;
        let status = answer.status().as_u16();
        let retry_after = retry_after(answer.headers());
        let mut read = Vec::new();
        loop {
            match answer.chunk().await {
                Ok(None) => return Ok(Reply { status, retry_after, body: read }),
                Ok(Some(chunk)) if read.len() + chunk.len() > ANSWER_BYTES_MAX => return Err(HttpError::TooLarge),
                Ok(Some(chunk)) => read.extend_from_slice(&chunk),
                Err(error) => return Err(HttpError::Cut { status, read, reason: cause(&error.without_url()) }),
            }
        }
    }
}

/// Seconds, or a date, which is read by the answer's own clock.
fn retry_after(headers: &reqwest::header::HeaderMap) -> Option<i64> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let wanted = text(reqwest::header::RETRY_AFTER)?;
    wanted.parse().ok().or_else(|| {
        let [until, now] = [wanted, text(reqwest::header::DATE)?].map(chrono::DateTime::parse_from_rfc2822);
        Some((until.ok()? - now.ok()?).num_seconds())
    })
}

fn of_sending(error: reqwest::Error) -> HttpError {
    let error = error.without_url();
    if error.is_connect() { HttpError::Connect(cause(&error)) } else { HttpError::Answer(cause(&error)) }
}

/// The innermost reason: `connection refused` says more than `error sending request`.
fn cause(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}
