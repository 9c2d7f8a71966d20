//! Request bodies: never larger than allowed, never waited for longer than allowed, chunked or not.

use super::problem::ApiError;
use super::server::BODY_DISCARD_BYTES_MAX;
use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use std::time::Duration;
use warp::http::HeaderMap;
use warp::http::header::{CONTENT_LENGTH, EXPECT};

/// What a body may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct BodyLimits {
    pub bytes_max: usize,
    /// From now to the last byte.
    pub timeout: Duration,
}

/// Reads the whole body. 413 when it is too large (as soon as that is known), 408 when it is too slow, 400 when it breaks off.
pub(super) async fn read<S, B>(stream: S, headers: &HeaderMap, limits: BodyLimits) -> Result<Bytes, ApiError>
where
    S: Stream<Item = Result<B, warp::Error>>,
    B: Buf,
{
    match tokio::time::timeout(limits.timeout, read_bounded(stream, headers, limits.bytes_max)).await {
        Ok(result) => result,
        Err(_elapsed) => Err(ApiError::request_timeout()),
    }
}

async fn read_bounded<S, B>(stream: S, headers: &HeaderMap, bytes_max: usize) -> Result<Bytes, ApiError>
where
    S: Stream<Item = Result<B, warp::Error>>,
    B: Buf,
{
    let announced = announced_length(headers);
    let too_large = announced.is_some_and(|length| length > bytes_max as u64);
    if too_large && headers.contains_key(EXPECT) {
        // The sender waits for our word before it sends anything.
        return Err(ApiError::body_too_large(bytes_max));
    }
    let mut stream = std::pin::pin!(stream);
    if too_large {
        return refuse_large(stream, bytes_max).await;
    }
    let mut body = BytesMut::with_capacity(announced.unwrap_or(0) as usize);
    while let Some(chunk) = stream.next().await {
        let mut chunk = chunk.map_err(|_broken| ApiError::bad_request("The body broke off."))?;
        if body.len() + chunk.remaining() > bytes_max {
            return refuse_large(stream, bytes_max).await;
        }
        let length = chunk.remaining();
        if body.is_empty() && announced == Some(length as u64) {
            // The usual case: all of it in one piece, which is taken without a copy.
            return Ok(chunk.copy_to_bytes(length));
        }
        while chunk.has_remaining() {
            let piece = chunk.chunk();
            body.extend_from_slice(piece);
            let taken = piece.len();
            chunk.advance(taken);
        }
    }
    Ok(body.freeze())
}

/// Reads on for a while without keeping anything: a sender that is still sending does not see an answer on a closed connection.
async fn refuse_large<S, B>(mut stream: std::pin::Pin<&mut S>, bytes_max: usize) -> Result<Bytes, ApiError>
where
    S: Stream<Item = Result<B, warp::Error>>,
    B: Buf,
{
    let mut discarded = 0;
    while discarded < BODY_DISCARD_BYTES_MAX {
        match stream.next().await {
            Some(Ok(chunk)) => discarded += chunk.remaining(),
            Some(Err(_)) | None => break,
        }
    }
    Err(ApiError::body_too_large(bytes_max))
}

fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
