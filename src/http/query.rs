//! Query parameters: each is taken by name, what nobody takes is an error, and all errors are told at once.

use super::problem::{ApiError, FieldError, pointer_step};
use crate::domain::time::Timestamp;
use crate::store::views::{Cursor, PageRequest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Rows of a page when the caller does not say.
pub const PAGE_ROWS_DEFAULT: i64 = 50;
pub const PAGE_ROWS_MAX: i64 = 200;
/// Parameters of one request.
const PARAMETERS_MAX: usize = 32;
/// Bytes of one value.
const VALUE_BYTES_MAX: usize = 256;
/// Parts of a cursor: sort keys and id.
const CURSOR_SEPARATOR: char = '~';

/// A query string as it came, with the parameters that its route documents.
#[derive(Clone, Debug, Default)]
pub(super) struct RawQuery {
    raw: String,
    named: &'static [(&'static str, &'static str)],
}

impl RawQuery {
    pub(super) const fn new(raw: String, named: &'static [(&'static str, &'static str)]) -> Self {
        Self { raw, named }
    }
}

/// The parameters that nobody has taken yet, and what was wrong with the others.
#[derive(Debug)]
pub(super) struct Query {
    named: &'static [(&'static str, &'static str)],
    given: Vec<(String, String)>,
    errors: Vec<FieldError>,
}

impl Query {
    pub(super) fn parse(raw: &RawQuery) -> Self {
        let mut query = Self { named: raw.named, given: Vec::new(), errors: Vec::new() };
        for (name, value) in form_urlencoded::parse(raw.raw.as_bytes()).take(PARAMETERS_MAX + 1) {
            if query.given.len() == PARAMETERS_MAX {
                query.refuse("", "too many parameters");
            } else if query.given.iter().any(|(known, _)| *known == name) {
                query.refuse(&name, "is given twice");
            } else if value.len() > VALUE_BYTES_MAX {
                query.refuse(&name, "is too long");
            } else if value.chars().any(char::is_control) {
                query.refuse(&name, "has characters that no value has");
            } else {
                query.given.push((name.into_owned(), value.into_owned()));
            }
        }
        query
    }

    /// The text of a parameter. An empty one counts as absent, so that a form may send all its fields.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        // Whoever takes a parameter that nobody can read about hears of it in the first test of the route.
        debug_assert!(self.named.iter().any(|(known, _)| *known == name), "the endpoint's Doc does not name `{name}`");
        let position = self.given.iter().position(|(known, _)| known == name)?;
        Some(self.given.swap_remove(position).1).filter(|value| !value.is_empty())
    }

    /// A parameter that has to be understood by `parse`; `expected` says what it may be.
    pub(super) fn parsed<T>(&mut self, name: &str, expected: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let value = self.text(name)?;
        let parsed = parse(&value);
        if parsed.is_none() {
            self.refuse(name, &format!("must be {expected}"));
        }
        parsed
    }

    /// A parameter with one of a few values.
    pub(super) fn one_of(&mut self, name: &str, allowed: &[&str]) -> Option<String> {
        self.parsed(name, &format!("one of {}", allowed.join(", ")), |value| allowed.contains(&value).then(|| value.to_owned()))
    }

    /// A point in time with an offset.
    pub(super) fn time(&mut self, name: &str) -> Option<Timestamp> {
        self.parsed(name, "a time such as 2026-03-05T10:00:00+11:00", Timestamp::parse_rfc3339)
    }

    /// `cursor` and `limit`.
    pub(super) fn page<const N: usize>(&mut self) -> PageRequest<N> {
        self.page_of(PAGE_ROWS_DEFAULT)
    }

    /// Like [`Query::page`], with another number of rows unless the caller says.
    pub(super) fn page_of<const N: usize>(&mut self, rows_default: i64) -> PageRequest<N> {
        let limit = self.parsed("limit", &format!("a number from 1 to {PAGE_ROWS_MAX}"), |value| {
            value.parse().ok().filter(|rows| (1..=PAGE_ROWS_MAX).contains(rows))
        });
        let after = self.parsed("cursor", "a next_cursor of this list", decode_cursor);
        PageRequest { after, limit: limit.unwrap_or(rows_default) }
    }

    /// To be called when everything known is taken: whatever is left is unknown.
    pub(super) fn finish(mut self) -> Result<(), ApiError> {
        for (name, _) in std::mem::take(&mut self.given) {
            self.refuse(&name, "is not a parameter of this route");
        }
        if self.errors.is_empty() { Ok(()) } else { Err(ApiError::bad_parameters(self.errors)) }
    }

    fn refuse(&mut self, name: &str, detail: &str) {
        let pointer = format!("/query/{}", pointer_step(name));
        self.errors.push(FieldError { pointer, detail: detail.to_owned() });
    }
}

/// Opaque for callers: they hand it back as they got it.
pub(super) fn encode_cursor<const N: usize>(cursor: &Cursor<N>) -> String {
    let mut text = String::new();
    for key in cursor.keys {
        text.push_str(&key.to_string());
        text.push(CURSOR_SEPARATOR);
    }
    text.push_str(&cursor.id);
    URL_SAFE_NO_PAD.encode(text)
}

fn decode_cursor<const N: usize>(text: &str) -> Option<Cursor<N>> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let mut parts = text.splitn(N + 1, CURSOR_SEPARATOR);
    let mut keys = [0; N];
    for key in &mut keys {
        *key = parts.next()?.parse().ok()?;
    }
    let id = parts.next()?;
    let is_id = id.chars().all(|c| c.is_ascii_graphic() && c != CURSOR_SEPARATOR);
    is_id.then(|| Cursor { keys, id: id.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(raw: &str) -> Query {
        let named = &[("status", ""), ("limit", ""), ("cursor", ""), ("from", "")];
        Query::parse(&RawQuery::new(raw.to_owned(), named))
    }

    fn pointers(error: ApiError) -> String {
        format!("{error:?}")
    }

    #[test]
    fn what_nobody_takes_is_named_in_the_error() {
        let mut query = parse("status=todo&colour=red&limit=10");
        assert_eq!(query.text("status").as_deref(), Some("todo"));
        assert_eq!(query.page::<0>().limit, 10);
        let error = pointers(query.finish().expect_err("an unknown parameter"));
        assert!(error.contains("/query/colour") && !error.contains("red"), "{error}");
    }

    #[test]
    fn every_wrong_value_is_told_at_once() {
        let mut query = parse("limit=0&cursor=%21&q=%00&from=tomorrow&limit=3");
        query.page::<1>();
        query.time("from");
        let error = pointers(query.finish().expect_err("five errors"));
        for pointer in ["/query/limit", "/query/cursor", "/query/from", "/query/q", "is given twice"] {
            assert!(error.contains(pointer), "{pointer} in {error}");
        }
    }

    #[test]
    fn a_cursor_comes_back_as_it_went_and_fits_its_list_only() {
        let cursor = Cursor { keys: [-5, 1_700_000_000_000], id: "018f-abc".into() };
        assert_eq!(decode_cursor::<2>(&encode_cursor(&cursor)), Some(cursor.clone()));
        assert_eq!(decode_cursor::<0>(&encode_cursor(&cursor)), None);
        assert_eq!(decode_cursor::<2>("!!"), None);
        assert_eq!(decode_cursor::<0>(&encode_cursor(&Cursor { keys: [], id: "a\0b".into() })), None);
    }
}
