//! Requests that other sites make a browser send.

use crate::http::problem::ApiError;
use warp::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, ORIGIN, TRANSFER_ENCODING};
use warp::http::{HeaderMap, HeaderValue};

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// What no form of another site can send without asking first.
const TYPES_ALLOWED: &[&str] = &["application/json", "text/csv"];

/// Refuses what does not come from our own pages. Browsers say where a request comes from; old ones name the origin at least.
pub(in crate::http) fn refuse_other_sites(headers: &HeaderMap, frontend_url: &str) -> Result<(), ApiError> {
    let is_ours = match headers.get(FETCH_SITE).map(HeaderValue::as_bytes) {
        Some(site) => matches!(site, b"same-origin" | b"none"),
        None => headers.get(ORIGIN).and_then(|origin| origin.to_str().ok()).is_some_and(|o| is_own(o, headers, frontend_url)),
    };
    if is_ours { Ok(()) } else { Err(ApiError::cross_site()) }
}

fn is_own(origin: &str, headers: &HeaderMap, frontend_url: &str) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let (_, named) = origin.split_once("://").unwrap_or_default();
    origin_of(frontend_url) == origin || (!named.is_empty() && host == Some(named))
}

/// Scheme, host and port of a URL.
pub(super) fn origin_of(url: &str) -> &str {
    let begin = url.find("://").map_or(0, |at| at + 3);
    url[begin..].find('/').map_or(url, |end| &url[..begin + end])
}

/// A body under the cookie is of a type that forms cannot send. They can only POST.
pub(super) fn refuse_forms(headers: &HeaderMap) -> Result<(), ApiError> {
    let has_body = headers.get(CONTENT_LENGTH).is_some_and(|length| length != "0") || headers.contains_key(TRANSFER_ENCODING);
    let given = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if has_body && !TYPES_ALLOWED.contains(&kind.as_str()) {
        return Err(ApiError::unsupported_media_type("Send application/json."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comes_in(pairs: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        refuse_other_sites(&headers, "https://clinic.example/app").is_ok()
    }

    #[test]
    fn the_browser_says_where_it_comes_from() {
        assert!(comes_in(&[("sec-fetch-site", "same-origin")]) && comes_in(&[("sec-fetch-site", "none")]));
        for other in ["cross-site", "same-site", "", "SAME-ORIGIN"] {
            assert!(!comes_in(&[("sec-fetch-site", other), ("origin", "https://clinic.example")]), "{other}");
        }
    }

    #[test]
    fn an_old_browser_names_the_origin_and_nobody_else_uses_the_cookie() {
        assert!(comes_in(&[("origin", "https://clinic.example")]));
        assert!(comes_in(&[("origin", "http://localhost:8787"), ("host", "localhost:8787")]));
        for other in ["https://evil.example", "https://clinic.example.evil", "http://clinic.example", "null", ""] {
            assert!(!comes_in(&[("origin", other), ("host", "localhost:8787")]), "{other}");
        }
        assert!(!comes_in(&[("host", "localhost:8787")]));
    }
}
