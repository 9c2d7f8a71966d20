//! Taking fields out of providers' documents: paths, tidy text, times in every shape they come in.

use super::json::Json;
use crate::domain::calendar::resolve_local;
use crate::domain::event::ContactInput;
use crate::domain::phone;
use crate::domain::time::Timestamp;
use chrono::NaiveDateTime;
use chrono_tz::Tz;
use std::borrow::Cow;

/// A person's name, and other short texts.
pub const NAME_CHARS_MAX: usize = 200;
/// What a person wrote.
pub const BODY_CHARS_MAX: usize = 2_000;
/// One value of `event.data`.
pub const DATA_CHARS_MAX: usize = 500;
/// Values in `event.data`.
pub const DATA_FIELDS_MAX: usize = 50;
/// Ids of providers.
pub const ID_CHARS_MAX: usize = 200;
/// Numbers below this are Unix seconds, others milliseconds (10^11 s is the year 5138).
const SECONDS_MAX: i64 = 100_000_000_000;
const POINTER_PARTS_MAX: usize = 16;

/// A JSON pointer (RFC 6901), split once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer(Vec<String>);

impl Pointer {
    /// `None` unless it begins with `/` and has at most 16 parts.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('/')?;
        let parts: Vec<String> = rest.split('/').map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
        (parts.len() <= POINTER_PARTS_MAX).then_some(Self(parts))
    }

    #[must_use]
    pub fn find<'d, 'a>(&self, doc: &'d Json<'a>) -> Option<&'d Json<'a>> {
        self.0.iter().try_fold(doc, |node, part| match node {
            Json::List(items) => items.get(part.parse::<usize>().ok()?),
            _ => node.get(part),
        })
    }
}

/// The first pointer that leads to a value which is not null.
pub fn first<'d, 'a>(pointers: &[Pointer], doc: &'d Json<'a>) -> Option<&'d Json<'a>> {
    pointers.iter().find_map(|p| p.find(doc).filter(|v| **v != Json::Null))
}

/// Trimmed, without control characters other than line breaks and tabs, at most `chars_max` characters; `None` when nothing is left.
/// Databases refuse NUL in text, so it must not get further than here.
#[must_use]
pub fn tidy(text: &str, chars_max: usize) -> Option<String> {
    let text = text.trim();
    let clean: Cow<'_, str> = if text.contains(is_junk) { Cow::Owned(text.replace(is_junk, "")) } else { Cow::Borrowed(text) };
    let clean = clean.trim();
    if clean.is_empty() {
        return None;
    }
    let end = if clean.len() <= chars_max { None } else { clean.char_indices().nth(chars_max).map(|(at, _)| at) };
    Some(end.map_or(clean, |at| &clean[..at]).to_owned())
}

fn is_junk(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\r' | '\t')
}

/// A short text, or a number as text.
pub fn short(value: Option<&Json<'_>>) -> Option<String> {
    tidy(&value?.scalar()?, NAME_CHARS_MAX)
}

/// A provider's id.
pub fn id(value: Option<&Json<'_>>) -> Option<String> {
    match value? {
        value @ (Json::Text(_) | Json::Int(_)) => tidy(&value.scalar()?, ID_CHARS_MAX),
        _ => None,
    }
}

/// What a person wrote.
pub fn body(value: Option<&Json<'_>>) -> Option<String> {
    tidy(&value?.scalar()?, BODY_CHARS_MAX)
}

/// Lower case, if it can be an address at all.
pub fn email(value: Option<&Json<'_>>) -> Option<String> {
    let text = tidy(value?.text()?, NAME_CHARS_MAX)?.to_lowercase();
    let (name, host) = text.rsplit_once('@')?;
    (!name.is_empty() && host.contains('.') && !text.contains(char::is_whitespace)).then_some(text)
}

/// Fills the phone as written and, when it can be understood, as E.164.
pub fn set_phone(contact: &mut ContactInput, value: Option<&Json<'_>>) {
    let Some(raw) = short(value) else { return };
    contact.phone = phone::normalise(&raw).ok().map(|p| p.e164);
    contact.phone_raw = Some(raw);
}

/// A point in time: Unix seconds or milliseconds (also as text), RFC 3339, or a local time in `zone`.
pub fn time(value: Option<&Json<'_>>, zone: Tz) -> Option<Timestamp> {
    match value? {
        Json::Int(number) => unix(*number),
        Json::Float(number) if number.is_finite() => unix(*number as i64),
        Json::Text(text) => time_of_text(text.trim(), zone),
        _ => None,
    }
}

fn unix(number: i64) -> Option<Timestamp> {
    match number {
        1..SECONDS_MAX => Some(Timestamp(number.saturating_mul(1_000))),
        SECONDS_MAX..=MILLIS_MAX => Some(Timestamp(number)),
        _ => None,
    }
}

/// The year 9999: later times have no RFC 3339 form.
const MILLIS_MAX: i64 = 253_402_300_799_999;

fn time_of_text(text: &str, zone: Tz) -> Option<Timestamp> {
    if let Some(instant) = Timestamp::parse_rfc3339(text) {
        return Some(instant);
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return unix(text.parse().ok()?);
    }
    let mut formats =
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S:%3f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"].iter();
    formats.find_map(|format| NaiveDateTime::parse_from_str(text, format).ok()).map(|local| resolve_local(zone, local))
}

/// Splits a full name at the first space.
pub fn set_full_name(contact: &mut ContactInput, full: &str) {
    let mut words = full.splitn(2, char::is_whitespace);
    if contact.first_name.is_none() {
        contact.first_name = words.next().and_then(|w| tidy(w, NAME_CHARS_MAX));
        if contact.last_name.is_none() {
            contact.last_name = words.next().and_then(|w| tidy(w, NAME_CHARS_MAX));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Australia::Sydney;

    #[test]
    fn text_is_trimmed_and_cut_between_characters() {
        assert_eq!(tidy("  Zoë \u{0}Nguyễn ", 8).as_deref(), Some("Zoë Nguy"));
        assert_eq!(tidy("👍👍👍", 2).as_deref(), Some("👍👍"));
        assert_eq!(tidy("a\nb", 9).as_deref(), Some("a\nb"));
        for empty in ["", "  ", "\u{0}\u{7}", " \u{0} "] {
            assert_eq!(tidy(empty, 9), None, "{empty:?}");
        }
    }

    #[test]
    fn one_instant_in_every_shape_is_one_time() {
        let at = Timestamp::parse_rfc3339("2026-12-04T10:30:00+11:00").expect("a time");
        for text in [
            "1796340600",
            "1796340600000",
            "\"1796340600\"",
            "\"2026-12-04T10:30:00.000+11:00\"",
            "\"2026-12-03T23:30:00Z\"",
            "\"2026-12-04T10:30:00\"",
            "\"2026-12-04T10:30:00.000\"",
            "\"2026-12-04T10:30:00:000\"",
            "\"2026-12-04T10:30\"",
            "\"2026-12-04 10:30\"",
            "1796340600.5",
        ] {
            assert_eq!(time(Json::parse(text).ok().as_ref(), Sydney), Some(at), "{text}");
        }
        for text in ["0", "-5", "\"\"", "\"tomorrow\"", "true", "9223372036854775807", "1e300"] {
            assert_eq!(time(Json::parse(text).ok().as_ref(), Sydney), None, "{text}");
        }
    }

    #[test]
    fn a_pointer_goes_through_objects_lists_and_escapes() {
        let doc = Json::parse(r#"{"a":[{"b/c":{"~":7}}]}"#).expect("a document");
        let found = Pointer::parse("/a/0/b~1c/~0").expect("a pointer");
        assert_eq!(found.find(&doc).and_then(Json::int), Some(7));
        assert_eq!(Pointer::parse("a/b"), None);
    }

    #[test]
    fn an_email_is_lower_case_or_nothing() {
        let read = |text: &str| email(Some(&Json::Text(text.into())));
        assert_eq!(read(" Jane@Example.COM ").as_deref(), Some("jane@example.com"));
        for bad in ["", "jane", "@x.com", "jane@host", "ja ne@x.com"] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }
}
