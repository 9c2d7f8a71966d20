//! From text to values, with words for what was wrong.

use super::problem::hint;
use crate::domain::time::Millis;
use std::net::{IpAddr, SocketAddr};

/// Why a value was refused: the message ends the sentence "`key` …".
pub(super) struct Refusal {
    pub message: String,
    pub help: Option<String>,
}

pub(super) type Parsed<T> = Result<T, Refusal>;

fn refuse<T>(message: String, help: &str) -> Parsed<T> {
    Err(Refusal { message, help: Some(help.to_owned()) })
}

/// A whole number between `low` and `high`.
pub(super) fn number(text: &str, low: u64, high: u64) -> Parsed<u64> {
    match text.replace('_', "").parse::<u64>() {
        Ok(n) if (low..=high).contains(&n) => Ok(n),
        Ok(n) => refuse(format!("is {n}"), &format!("it can be {low} to {high}")),
        Err(_) => refuse(format!("is a whole number, not `{text}`"), &format!("it can be {low} to {high}")),
    }
}

/// A$ for one part of a text.
pub(super) fn price(text: &str) -> Parsed<f64> {
    match text.parse::<f64>() {
        Ok(price) if (0.0..=PRICE_MAX).contains(&price) => Ok(price),
        _ => refuse(format!("is a price in A$, not `{text}`"), "write it as 0.0792"),
    }
}

/// No text costs more, in A$.
const PRICE_MAX: f64 = 10.0;

pub(super) fn flag(text: &str) -> Parsed<bool> {
    text.parse().or_else(|_| refuse(format!("is true or false, not `{text}`"), "write true or false"))
}

/// One of `choices`.
pub(super) fn choice<T>(text: &str, choices: &[&'static str], parse: impl Fn(&str) -> Option<T>) -> Parsed<T> {
    parse(text).ok_or_else(|| Refusal { message: format!("cannot be `{text}`"), help: Some(hint(text, choices.iter().copied())) })
}

/// An address and port to listen on.
pub(super) fn listen(text: &str) -> Parsed<SocketAddr> {
    text.parse().or_else(|_| refuse(format!("is an address with a port, not `{text}`"), "write it as 127.0.0.1:8787"))
}

/// A base URL without a path's trailing slash: `https://…`, or `http://` for this machine only when `strict`.
pub(super) fn base_url(text: &str, strict: bool) -> Parsed<String> {
    let host = |rest: &str| rest.split(['/', '?']).next().unwrap_or("").to_owned();
    let good = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => !host(rest).is_empty(),
        (None, Some(rest)) => !host(rest).is_empty() && (!strict || is_this_machine(&host(rest))),
        (None, None) => false,
    };
    if good && !text.contains(char::is_whitespace) {
        return Ok(text.trim_end_matches('/').to_owned());
    }
    refuse("is not a URL that can be used".to_owned(), "write it as https://host (http:// only for this machine)")
}

/// `http://127.0.0.1:8899`, `https://localhost` …
pub(super) fn is_url_of_this_machine(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or(url);
    is_this_machine(rest.split(['/', '?']).next().unwrap_or_default())
}

fn is_this_machine(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name == "localhost" || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// An IANA time zone.
pub(super) fn zone(text: &str) -> Parsed<chrono_tz::Tz> {
    text.parse().or_else(|_| {
        let near = super::problem::nearest(text, chrono_tz::TZ_VARIANTS.iter().map(|z| z.name()));
        let help = near.map_or("write an IANA name such as Australia/Sydney".to_owned(), |n| format!("did you mean `{n}`?"));
        refuse(format!("cannot be `{text}`"), &help)
    })
}

pub(super) fn seconds(count: u64) -> Millis {
    Millis::seconds(i64::try_from(count).unwrap_or(i64::MAX))
}

pub(super) fn days(count: u64) -> Millis {
    Millis::days(i64::try_from(count).unwrap_or(i64::MAX))
}

pub(super) fn millis(count: u64) -> Millis {
    Millis(i64::try_from(count).unwrap_or(i64::MAX))
}
