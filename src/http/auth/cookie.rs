//! The dashboard's cookie. Its prefix makes browsers refuse it unless it is Secure, of this host alone and for all paths; they
//! take Secure cookies from http on this machine, too.

use crate::http::reply::Response;
use warp::http::header::{COOKIE, HeaderName, SET_COOKIE};
use warp::http::{HeaderMap, HeaderValue};

const NAME: &str = "__Host-sid";
const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Strict";
const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// The session's token that a browser sends along.
pub(super) fn token(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(';')).find_map(|pair| pair.trim().strip_prefix(NAME)?.strip_prefix('='))
}

/// Gives the browser a session. The cookie ends with the browser; the session's own limits are the server's.
pub(in crate::http) fn set_token(mut response: Response, token: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(&format!("{NAME}={token}; {ATTRIBUTES}")) {
        response.headers_mut().insert(SET_COOKIE, value);
    }
    response
}

/// Takes everything away that a browser keeps of a session.
pub(in crate::http) fn ended(mut response: Response) -> Response {
    let gone = format!("{NAME}=; {ATTRIBUTES}; Max-Age=0");
    if let Ok(value) = HeaderValue::from_str(&gone) {
        response.headers_mut().insert(SET_COOKIE, value);
    }
    response.headers_mut().insert(CLEAR_SITE_DATA, HeaderValue::from_static("\"cache\", \"cookies\", \"storage\""));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_found_among_other_cookies() {
        let mut headers = HeaderMap::new();
        assert_eq!(token(&headers), None);
        headers.append(COOKIE, HeaderValue::from_static("theme=dark; x__Host-sid=no"));
        headers.append(COOKIE, HeaderValue::from_static("a=b;__Host-sid=avs_1; c=d"));
        assert_eq!(token(&headers), Some("avs_1"));
    }
}
