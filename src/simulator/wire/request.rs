//! Reading one request: bounded head, bounded body.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::io;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// Request line and headers.
pub(in crate::simulator) const HEAD_BYTES_MAX: usize = 16 * 1024;
pub(in crate::simulator) const HEADERS_MAX: usize = 64;
/// A thousand long texts fit.
pub(in crate::simulator) const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

#[derive(Debug)]
pub(in crate::simulator) struct Request {
    pub method: String,
    pub path: String,
    /// Without the question mark; empty when there is none.
    pub query: String,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub keeps_alive: bool,
}

#[derive(Debug)]
pub(in crate::simulator) enum ReadError {
    /// The other side is gone, or speaks something else.
    Gone,
    /// To be answered with this status; then the connection ends.
    Refused(u16),
}

impl From<io::Error> for ReadError {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// User name and password of `Authorization: Basic`.
    pub fn basic(&self) -> Option<(String, String)> {
        let (scheme, coded) = self.header("authorization")?.split_once(' ')?;
        let plain = STANDARD.decode(coded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
        let plain = String::from_utf8(plain).ok()?;
        plain.split_once(':').map(|(name, key)| (name.to_owned(), key.to_owned()))
    }

    /// A field of the query. A `+` in front of a number that was not escaped came through as a space: it is one again.
    pub fn asked(&self, name: &str) -> Option<String> {
        let found = form_urlencoded::parse(self.query.as_bytes()).find(|(key, _)| key == name);
        found.map(|(_, value)| value.replace(' ', "+"))
    }

    pub fn is_json(&self) -> bool {
        self.header("content-type").is_some_and(|t| t.to_ascii_lowercase().starts_with("application/json"))
    }
}

/// `None`: the other side has closed between two requests.
pub(in crate::simulator) async fn read<S: AsyncBufRead + Unpin>(stream: &mut S) -> Result<Option<Request>, ReadError> {
    let mut left = HEAD_BYTES_MAX;
    let Some(first) = line(stream, &mut left).await? else { return Ok(None) };
    let mut words = first.split(' ');
    let (Some(method), Some(target), Some(version)) = (words.next(), words.next(), words.next()) else {
        return Err(ReadError::Refused(400));
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = headers(stream, &mut left).await?;
    let mut request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: Vec::new(),
        keeps_alive: version == "HTTP/1.1",
    };
    if request.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
        request.keeps_alive = false;
    }
    request.body = body(stream, &request).await?;
    Ok(Some(request))
}

async fn headers<S: AsyncBufRead + Unpin>(stream: &mut S, left: &mut usize) -> Result<Vec<(String, String)>, ReadError> {
    let mut headers = Vec::new();
    loop {
        let line = line(stream, left).await?.ok_or(ReadError::Gone)?;
        if line.is_empty() {
            return Ok(headers);
        }
        let (name, value) = line.split_once(':').ok_or(ReadError::Refused(400))?;
        if headers.len() == HEADERS_MAX {
            return Err(ReadError::Refused(431));
        }
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
}

/// One line without its end; `None` when there is no more.
async fn line<S: AsyncBufRead + Unpin>(stream: &mut S, left: &mut usize) -> Result<Option<String>, ReadError> {
    let mut bytes = Vec::new();
    let read = (&mut *stream).take(*left as u64).read_until(b'\n', &mut bytes).await?;
    *left -= read;
    if read == 0 {
        return if *left == 0 { Err(ReadError::Refused(431)) } else { Ok(None) };
    }
    if bytes.pop() != Some(b'\n') {
        return Err(if *left == 0 { ReadError::Refused(431) } else { ReadError::Gone });
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    String::from_utf8(bytes).map(Some).map_err(|_| ReadError::Refused(400))
}

async fn body<S: AsyncBufRead + Unpin>(stream: &mut S, request: &Request) -> Result<Vec<u8>, ReadError> {
    if request.header("transfer-encoding").is_some() {
        return Err(ReadError::Refused(411));
    }
    let Some(length) = request.header("content-length") else { return Ok(Vec::new()) };
    let length: usize = length.parse().map_err(|_| ReadError::Refused(400))?;
    if length > BODY_BYTES_MAX {
        return Err(ReadError::Refused(413));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read_all(mut bytes: &[u8]) -> Vec<Result<String, u16>> {
        let mut seen = Vec::new();
        loop {
            match read(&mut bytes).await {
                Ok(None) => return seen,
                Ok(Some(r)) => seen.push(Ok(format!("{} {} {:?} {}", r.method, r.path, r.asked("q"), r.body.len()))),
                Err(ReadError::Refused(status)) => {
                    seen.push(Err(status));
                    return seen;
                }
                Err(ReadError::Gone) => {
                    seen.push(Err(0));
                    return seen;
                }
            }
        }
    }

    #[tokio::test]
    async fn requests_follow_one_another_on_a_connection() {
        let seen = read_all(b"POST /v3/sms/send HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /a?q=to:+61 HTTP/1.1\r\n\r\n").await;
        assert_eq!(seen, [Ok("POST /v3/sms/send None 3".to_owned()), Ok("GET /a Some(\"to:+61\") 0".to_owned())]);
    }

    #[tokio::test]
    async fn what_is_too_large_or_no_http_is_refused() {
        let long = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "a".repeat(HEAD_BYTES_MAX));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(HEADERS_MAX + 1));
        for (bytes, refused) in [
            (long.as_bytes(), 431),
            (many.as_bytes(), 431),
            (b"hello\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nContent-Length: 8388609\r\n\r\n", 413),
            (b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
            (b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf", 0),
            (b"POST / HT", 0),
        ] {
            assert_eq!(read_all(bytes).await, [Err(refused)], "{}", String::from_utf8_lossy(&bytes[..20.min(bytes.len())]));
        }
    }
}
