//! Plain values: text, yes or no, durations, times of day.

use super::fields::Reader;
use crate::domain::time::Millis;
use crate::engine::diagnostic::names;
use crate::engine::source::{Kind, Node, Scalar};

/// Longest duration: ten years.
const DURATION_MAX: Millis = Millis::days(3_660);
/// Items in one list of conditions or names.
const LIST_ITEMS_MAX: usize = 100;

impl Reader<'_> {
    /// A single value; `what` names it in the message.
    pub fn scalar(&mut self, node: Node, what: &str) -> Option<Scalar> {
        match node.kind {
            Kind::Scalar(scalar) if !scalar.is_null() => Some(scalar),
            Kind::Map(_, true) => {
                let help = Some("text that begins with `{` needs quotes around it".to_owned());
                self.error(names::WRONG_SHAPE, node.at, format!("{what} is a single value, not a map"), help);
                None
            }
            _ => {
                let message = format!("{what} is a single value, not {}", node.describe());
                self.error(names::WRONG_SHAPE, node.at, message, None);
                None
            }
        }
    }

    /// One value or a list of them.
    pub fn scalars(&mut self, node: Node, what: &str) -> Vec<Scalar> {
        match node.kind {
            Kind::List(items) => {
                if items.len() > LIST_ITEMS_MAX {
                    self.error(names::TOO_MANY, node.at, format!("{what} has more than {LIST_ITEMS_MAX} items"), None);
                    return Vec::new();
                }
                items.into_iter().filter_map(|item| self.scalar(item, what)).collect()
            }
            _ => self.scalar(node, what).into_iter().collect(),
        }
    }

    pub fn boolean(&mut self, node: Node, what: &str) -> Option<bool> {
        let scalar = self.scalar(node, what)?;
        match scalar.text.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            other => {
                let message = format!("{what} is `true` or `false`, not `{other}`");
                self.error(names::BAD_VALUE, scalar.at, message, None);
                None
            }
        }
    }

    pub fn duration(&mut self, node: Node, what: &str) -> Option<Millis> {
        let scalar = self.scalar(node, what)?;
        let found = parse_duration(&scalar.text).filter(|d| *d <= DURATION_MAX);
        if found.is_none() {
            let message = format!("{what} is a duration, and `{}` is none", scalar.text);
            self.error(names::BAD_VALUE, scalar.at, message, Some("write it as `30m`, `4h`, `2d` or `1w`".to_owned()));
        }
        found
    }

    /// Minutes after midnight of `HH:MM`.
    pub fn time_of_day(&mut self, scalar: &Scalar) -> Option<u32> {
        let found = parse_time_of_day(&scalar.text);
        if found.is_none() {
            let message = format!("`at` is a time of day, and `{}` is none", scalar.text);
            self.error(names::BAD_VALUE, scalar.at, message, Some("write it as \"09:30\", from 00:00 to 23:59".to_owned()));
        }
        found
    }
}

/// Longest name that a rule gives to a trigger, an event or a tag.
const WORD_BYTES_MAX: usize = 60;

/// `lead_lost`: small letters, digits and `_`, beginning with a letter.
pub(crate) fn is_word(text: &str) -> bool {
    text.len() <= WORD_BYTES_MAX
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

pub(crate) fn parse_duration(text: &str) -> Option<Millis> {
    let unit = text.chars().last()?;
    let count: i64 = text.strip_suffix(unit)?.parse().ok().filter(|n| *n >= 0)?;
    match unit {
        'm' => Some(Millis::minutes(count)),
        'h' => Some(Millis::hours(count)),
        'd' => Some(Millis::days(count)),
        'w' => Some(Millis::days(count.saturating_mul(7))),
        _ => None,
    }
}

fn parse_time_of_day(text: &str) -> Option<u32> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(hour) || !digits(minute) {
        return None;
    }
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}
