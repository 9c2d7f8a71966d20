//! Fields of a body, looked at one by one: everything that is wrong is told at once.

use crate::domain::edit::Edit;
use crate::domain::phone;
use crate::domain::time::Timestamp;
use crate::http::problem::{ApiError, FieldError};

/// Characters of a name, a title and other short texts.
pub(super) const SHORT_CHARS_MAX: usize = 200;
/// Characters of notes and reasons.
pub(super) const NOTE_CHARS_MAX: usize = 4_000;
/// RFC 5321.
const EMAIL_BYTES_MAX: usize = 254;

/// The year 1900; nothing that a clinic writes down lies before it.
const EARLIEST: Timestamp = Timestamp(-2_208_988_800_000);
/// The year 2200.
const LATEST: Timestamp = Timestamp(7_258_118_400_000);

/// What is wrong so far.
#[derive(Default)]
pub(super) struct Fields(Vec<FieldError>);

impl Fields {
    pub(super) fn refuse(&mut self, name: &str, detail: impl Into<String>) {
        self.0.push(FieldError { pointer: format!("/body/{name}"), detail: detail.into() });
    }

    pub(super) fn finish(self) -> Result<(), ApiError> {
        if self.0.is_empty() { Ok(()) } else { Err(ApiError::bad_fields(self.0)) }
    }

    /// What is wrong, in one sentence for each field.
    pub(super) fn sentences(&self) -> Vec<String> {
        self.0.iter().map(|e| format!("{} {}", e.pointer.trim_start_matches("/body/"), e.detail)).collect()
    }

    /// A text without blanks around it; an empty one counts as absent.
    pub(super) fn text(&mut self, name: &str, value: Option<String>, chars_max: usize) -> Option<String> {
        let text = value?.trim().to_owned();
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            self.refuse(name, "has characters that no text has");
        } else if text.chars().nth(chars_max).is_some() {
            self.refuse(name, format!("has more than {chars_max} characters"));
        }
        (!text.is_empty()).then_some(text)
    }

    pub(super) fn required(&mut self, name: &str, value: Option<String>, chars_max: usize) -> String {
        let text = self.text(name, value, chars_max);
        if text.is_none() {
            self.refuse(name, "is missing");
        }
        text.unwrap_or_default()
    }

    /// An edit of a text; an empty one clears the field.
    pub(super) fn edit(&mut self, name: &str, edit: Edit<String>, chars_max: usize) -> Edit<String> {
        match edit {
            Edit::To(text) => self.text(name, Some(text), chars_max).map_or(Edit::Clear, Edit::To),
            other => other,
        }
    }

    pub(super) fn one_of(&mut self, name: &str, value: Option<String>, allowed: &[&str]) -> Option<String> {
        let value = value?;
        if allowed.contains(&value.as_str()) {
            return Some(value);
        }
        self.refuse(name, format!("must be one of {}", allowed.join(", ")));
        None
    }

    pub(super) fn time(&mut self, name: &str, value: Option<&str>) -> Option<Timestamp> {
        let value = value?;
        let time = Timestamp::parse_rfc3339(value);
        if time.is_none() {
            self.refuse(name, "must be a time such as 2026-03-05T10:00:00+11:00");
        } else if time.is_some_and(|at| at < EARLIEST || at >= LATEST) {
            self.refuse(name, "lies outside of the years 1900 to 2200");
        }
        time
    }

    /// E.164 of a number as people write them.
    pub(super) fn phone(&mut self, name: &str, value: String) -> Option<String> {
        match phone::normalise(&value) {
            Ok(number) => Some(number.e164),
            Err(error) => {
                self.refuse(name, error.to_string());
                None
            }
        }
    }

    /// Lower case.
    pub(super) fn email(&mut self, name: &str, value: &str) -> Option<String> {
        let email = value.trim().to_lowercase();
        if !is_email(&email) {
            self.refuse(name, "is no email address");
            return None;
        }
        Some(email)
    }
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '@' | ',' | ';' | '<' | '>' | '"');
    text.len() <= EMAIL_BYTES_MAX
        && !local.is_empty()
        && text.chars().filter(|c| *c != '@').all(is_plain)
        && !local.contains('@')
        && domain.contains('.')
        && domain.split('.').all(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_texts() {
        for good in ["jane@example.com", "j.o'neil+x@mail.example.com.au"] {
            assert!(is_email(good), "{good}");
        }
        for bad in ["jane", "jane@", "@example.com", "jane@example", "a@b@c.com", "a b@c.com", "a@c..com", "a@.com", "a,b@c.com"]
        {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn every_wrong_field_is_named() {
        let mut fields = Fields::default();
        fields.required("title", Some("  ".into()), 10);
        fields.text("note", Some("a\0b".into()), 10);
        fields.time("due", Some("tomorrow"));
        fields.phone("phone", "12".into());
        assert_eq!(fields.sentences().len(), 4, "{:?}", fields.sentences());
    }
}
