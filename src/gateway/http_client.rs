//! A small HTTP client: posts a body, answers with status and body. What it reads is bounded.

use std::time::Duration;

/// What is read of an answer.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Keeps its connections. Cheap to clone.
#[derive(Clone)]
pub struct HttpClient(reqwest::Client);

/// Errors hold no URL: a webhook's URL may hold a token.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("the client cannot be made: {0}")]
    Client(String),
    #[error("no connection: {0}")]
    Connect(String),
    #[error("no answer: {0}")]
    Answer(String),
    #[error("the answer is larger than {ANSWER_BYTES_MAX} bytes")]
    TooLarge,
}

impl HttpClient {
    /// # Errors
    /// When the machine's TLS or resolver settings cannot be used.
    pub fn new() -> Result<Self, HttpError> {
        // Another part of the program may have chosen one already; any is good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map(Self)
            .map_err(|error| HttpError::Client(error.to_string()))
    }

    /// Posts `body` and reads the whole answer.
    ///
    /// # Errors
    /// When there is no answer, or one that is too large. Any status is an answer.
    pub async fn post(&self, url: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Result<(u16, Vec<u8>), HttpError> {
        let mut request = self.0.post(url).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut answer = request.send().await.map_err(of_sending)?;
        let status = answer.status().as_u16();
        let mut read = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|e| HttpError::Answer(e.without_url().to_string()))? {
            if read.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(HttpError::TooLarge);
            }
            read.extend_from_slice(&chunk);
        }
        Ok((status, read))
    }
}

fn of_sending(error: reqwest::Error) -> HttpError {
    let error = error.without_url();
    if error.is_connect() { HttpError::Connect(error.to_string()) } else { HttpError::Answer(error.to_string()) }
}
