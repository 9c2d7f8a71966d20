//! How each fault looks on the wire.

use super::Shared;
use super::faults::CallFault;
use super::options::Provider;
use super::wire::{Answer, Request};
use super::{clicksend, messagemedia};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::watch;

/// What the caller sees.
pub(super) enum Manner {
    Answer(Answer),
    /// Nothing, for as long as the caller waits.
    Nothing,
    Reset,
    Close,
    /// Bytes that are no HTTP, then the end.
    Raw(&'static [u8]),
    /// When it is released, or the caller has waited for [`HOLD_MAX`].
    Held(Answer, watch::Receiver<u64>),
    /// The head of the answer, half of its body, then a reset.
    Half(Answer),
    /// The head of the answer, its body but for [`CUT_BYTES`], then the end.
    Cut(Answer),
    /// A byte at a time.
    Drip(Answer),
    /// A body of [`HUGE_BYTES`].
    Huge,
}

/// How long a call without an answer is held at most.
const HOLD_MAX: Duration = Duration::from_mins(10);
/// What a client is told to wait after a 429.
const RETRY_AFTER_S: u32 = 2;
/// What a cut answer lacks: its closing brackets. What it says of a text is whole, the document is not.
const CUT_BYTES: usize = 2;
const HUGE_BYTES: usize = 100 * 1024 * 1024;
const CHUNK_BYTES: usize = 64 * 1024;
const GARBAGE: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 no HTTP at all \x00\xff\xfe\r\n\r\n";
const PAGE: &str =
    "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Welcome to the network of the hotel.</body></html>";

impl Manner {
    /// The status that is sent; `None` when there is none.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Answer(answer) | Self::Held(answer, _) | Self::Half(answer) | Self::Cut(answer) | Self::Drip(answer) => {
                Some(answer.status)
            }
            Self::Huge => Some(200),
            Self::Nothing | Self::Reset | Self::Close | Self::Raw(_) => None,
        }
    }
}

/// `honest` is the right answer, when the call was worked on.
pub(super) fn manner(shared: &Shared, fault: CallFault, honest: Option<Answer>, request: &Request) -> Manner {
    let provider = shared.options.provider;
    let error = |status| match provider {
        Provider::ClickSend => clicksend::error(status),
        Provider::MessageMedia => messagemedia::error(status),
    };
    let whole = || honest.clone().unwrap_or_else(|| error(500));
    match fault {
        CallFault::Fine => Manner::Answer(whole()),
        CallFault::TooManyRequests { says_when: true } => Manner::Answer(error(429).with("Retry-After", RETRY_AFTER_S)),
        CallFault::TooManyRequests { says_when: false } => Manner::Answer(error(429)),
        CallFault::NoCredit => Manner::Answer(match provider {
            Provider::ClickSend => clicksend::without_credit(request),
            Provider::MessageMedia => messagemedia::error(402),
        }),
        // A proxy in front of the provider speaks no JSON.
        CallFault::Status(502) => Manner::Answer(Answer::html(502, "<html><body><h1>502 Bad Gateway</h1></body></html>")),
        CallFault::Status(status) => Manner::Answer(error(status)),
        CallFault::Timeout => Manner::Nothing,
        CallFault::Reset => Manner::Reset,
        CallFault::Close => Manner::Close,
        CallFault::Garbage => Manner::Raw(GARBAGE),
        CallFault::Html => Manner::Answer(Answer::html(200, PAGE)),
        CallFault::Redirect => Manner::Answer(Answer::html(307, "").with("Location", super::control::TRAP)),
        CallFault::Huge => Manner::Huge,
        CallFault::Empty => Manner::Answer(match provider {
            Provider::ClickSend => clicksend::nothing(request),
            Provider::MessageMedia => messagemedia::nothing(request),
        }),
        CallFault::Hang => Manner::Held(whole(), shared.released.subscribe()),
        CallFault::Cut => Manner::Cut(whole()),
        CallFault::ResetMidBody => Manner::Half(whole()),
        CallFault::Slow => Manner::Drip(whole()),
        CallFault::Truncated => Manner::Answer(truncated(whole())),
    }
}

fn truncated(mut answer: Answer) -> Answer {
    answer.body.truncate(answer.body.len() / 2);
    answer
}

/// False when the connection has ended.
pub(super) async fn perform(stream: &mut BufReader<TcpStream>, manner: Manner, keeps_alive: bool, shared: &Shared) -> bool {
    match manner {
        Manner::Answer(answer) => return stream.write_all(&answer.bytes(keeps_alive)).await.is_ok(),
        Manner::Nothing => hold(stream).await,
        Manner::Reset => reset(stream),
        Manner::Close => {}
        Manner::Raw(bytes) => {
            let _ = stream.write_all(bytes).await;
        }
        Manner::Half(answer) => {
            let mut bytes = answer.head(answer.body.len(), keeps_alive);
            bytes.extend_from_slice(&answer.body[..answer.body.len() / 2]);
            // The half is to arrive before the reset, which throws away what has not been read.
            let _ = stream.write_all(&bytes).await;
            tokio::time::sleep(HALF_READ).await;
            reset(stream);
        }
        Manner::Cut(answer) => {
            let mut bytes = answer.bytes(keeps_alive);
            bytes.truncate(bytes.len().saturating_sub(CUT_BYTES));
            let _ = stream.write_all(&bytes).await;
        }
        Manner::Held(answer, mut released) => {
            let _ = tokio::time::timeout(HOLD_MAX, released.changed()).await;
            return stream.write_all(&answer.bytes(keeps_alive)).await.is_ok();
        }
        Manner::Drip(answer) => return drip(stream, &answer.bytes(keeps_alive), shared.options.drip).await,
        Manner::Huge => return flood(stream, keeps_alive).await.is_ok(),
    }
    false
}

/// For the caller to read the half of an answer.
const HALF_READ: Duration = Duration::from_millis(20);

/// With nothing to linger for, closing is a reset.
fn reset(stream: &BufReader<TcpStream>) {
    let _ = stream.get_ref().set_zero_linger();
}

/// Until the caller gives up.
async fn hold(stream: &mut BufReader<TcpStream>) {
    let mut byte = [0];
    let _ = tokio::time::timeout(HOLD_MAX, stream.read(&mut byte)).await;
}

async fn drip(stream: &mut BufReader<TcpStream>, bytes: &[u8], pause: Duration) -> bool {
    for byte in bytes {
        if stream.write_all(&[*byte]).await.is_err() {
            return false;
        }
        tokio::time::sleep(pause).await;
    }
    true
}

async fn flood(stream: &mut BufReader<TcpStream>, keeps_alive: bool) -> std::io::Result<()> {
    let head = Answer { status: 200, content_type: "application/json", headers: Vec::new(), body: Vec::new() };
    stream.write_all(&head.head(HUGE_BYTES, keeps_alive)).await?;
    let chunk = vec![b' '; CHUNK_BYTES];
    for _ in 0..HUGE_BYTES / CHUNK_BYTES {
        stream.write_all(&chunk).await?;
    }
    Ok(())
}
