//! Pages of one other origin, `FRONTEND_URL`, may call the API with a token. Cookies stay at home.

use super::origin::origin_of;
use crate::http::reply::Response;
use std::sync::Arc;
use warp::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, STRICT_TRANSPORT_SECURITY, VARY,
};
use warp::http::{HeaderMap, HeaderValue, Method, StatusCode};

const METHODS: &str = "GET, POST, PUT, PATCH, DELETE";
const HEADERS: &str = "authorization, content-type, if-match, idempotency-key, last-event-id";
const EXPOSED: &str = "etag, retry-after, x-request-id, location";
/// For how long a browser need not ask again.
const MAX_AGE_S: &str = "600";
/// Two years, as browsers' own lists ask.
const HSTS: &str = "max-age=63072000; includeSubDomains";

/// Who may call from elsewhere, and whether our own address is https.
#[derive(Clone)]
pub(in crate::http) struct Cors {
    allowed: Arc<str>,
    is_https: bool,
}

impl Cors {
    pub(in crate::http) fn new(frontend_url: &str) -> Self {
        Self { allowed: origin_of(frontend_url).into(), is_https: frontend_url.starts_with("https://") }
    }

    /// The answer to a browser that asks before it sends; `None` when it does not ask.
    pub(in crate::http) fn preflight(&self, method: &Method, headers: &HeaderMap) -> Option<Response> {
        let asks = method == Method::OPTIONS && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if !asks || !self.is_allowed(headers) {
            return None;
        }
        let mut response = Response::new(Vec::new().into());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let answer = response.headers_mut();
        answer.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
        answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(HEADERS));
        answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE_S));
        Some(response)
    }

    /// True when the request says that it comes from the one other origin.
    pub(in crate::http) fn is_allowed(&self, headers: &HeaderMap) -> bool {
        headers.get(ORIGIN).is_some_and(|origin| origin.as_bytes() == self.allowed.as_bytes())
    }

    /// Lets that origin's pages read the answer, and keeps browsers on https where we are.
    pub(in crate::http) fn finish(&self, response: &mut Response, is_allowed: bool, in_api: bool) {
        let headers = response.headers_mut();
        if in_api {
            headers.append(VARY, HeaderValue::from_static("origin"));
        }
        if in_api
            && is_allowed
            && let Ok(origin) = HeaderValue::from_str(&self.allowed)
        {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
        }
        if self.is_https {
            headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished(frontend_url: &str, origin: &'static str) -> HeaderMap {
        let cors = Cors::new(frontend_url);
        let mut asked = HeaderMap::new();
        asked.insert(ORIGIN, HeaderValue::from_static(origin));
        let mut response = Response::new(Vec::new().into());
        cors.finish(&mut response, cors.is_allowed(&asked), true);
        response.headers().clone()
    }

    #[test]
    fn browsers_stay_on_https_where_we_are() {
        assert!(finished("https://clinic.example/app", "https://other.example").contains_key(STRICT_TRANSPORT_SECURITY));
        assert!(!finished("http://127.0.0.1:8787", "https://other.example").contains_key(STRICT_TRANSPORT_SECURITY));
    }

    #[test]
    fn the_path_of_the_address_is_no_part_of_the_origin() {
        let headers = finished("https://clinic.example/app", "https://clinic.example");
        assert_eq!(headers.get(ACCESS_CONTROL_ALLOW_ORIGIN).map(HeaderValue::as_bytes), Some(&b"https://clinic.example"[..]));
        assert!(!finished("https://clinic.example/app", "https://clinic.example.evil").contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
    }
}
