//! Values as text: for the trace, and for people.

use super::api::Record;
use super::api::booking::BookingRecord;
use super::api::contact::{ContactRecord, TouchpointRecord};
use super::api::task::TaskRecord;
use super::api::time;
use crate::domain::calendar::Calendar;
use crate::domain::time::{Millis, Timestamp};
use rhai::Dynamic;

/// Longest text of one value in a trace.
const TRACE_CHARS_MAX: usize = 200;

/// How a trace shows a value: `missing`, `true`, `42`, the text itself, `2026-12-04 10:30` at the clinic, a record's id.
#[must_use]
pub fn for_trace(calendar: &Calendar, value: &Dynamic) -> String {
    if value.is_unit() {
        return "missing".to_owned();
    }
    if let Some(at) = value.read_lock::<Timestamp>() {
        return at.local(calendar.tz).format("%Y-%m-%d %H:%M").to_string();
    }
    if let Some(list) = value.read_lock::<rhai::Array>() {
        return format!("{} items", list.len());
    }
    if let Some(id) = record_id(value) {
        return id;
    }
    plain(value).map_or_else(|| value.type_name().to_owned(), |text| shorten(&text, TRACE_CHARS_MAX))
}

/// How a title, a note or a text shows a value: nothing when it is missing, `Thu 4 Dec 10:30 am`; `None` for what cannot be
/// shown, such as a whole record.
#[must_use]
pub fn for_people(calendar: &Calendar, value: &Dynamic) -> Option<String> {
    if value.is_unit() {
        return Some(String::new());
    }
    if let Some(at) = value.read_lock::<Timestamp>() {
        return Some(time::for_people(calendar, *at));
    }
    if let Ok(yes) = value.as_bool() {
        return Some(if yes { "yes" } else { "no" }.to_owned());
    }
    plain(value)
}

/// At most `chars_max` characters, the last one `…` when something was left out.
#[must_use]
pub fn shorten(text: &str, chars_max: usize) -> String {
    if text.chars().nth(chars_max).is_none() {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(chars_max.saturating_sub(1)).collect();
    short.push('…');
    short
}

fn plain(value: &Dynamic) -> Option<String> {
    if let Ok(text) = value.as_immutable_string_ref() {
        return Some(text.to_string());
    }
    if let Some(span) = value.read_lock::<Millis>() {
        return Some(duration(*span));
    }
    (value.is_bool() || value.is_int() || value.is_float()).then(|| value.to_string())
}

fn record_id(value: &Dynamic) -> Option<String> {
    fn id<T: Record>(value: &Dynamic) -> Option<String> {
        value.read_lock::<T>().and_then(|record| record.field("id")).map(|id| format!("{} {id}", T::NAME))
    }
    id::<ContactRecord>(value)
        .or_else(|| id::<BookingRecord>(value))
        .or_else(|| id::<TaskRecord>(value))
        .or_else(|| value.read_lock::<TouchpointRecord>().map(|_| "touchpoint".to_owned()))
}

/// `2d 4h`, `90m`, `45s`: the way durations are written in rules.
fn duration(span: Millis) -> String {
    let sign = if span.0 < 0 { "-" } else { "" };
    let seconds = span.0.unsigned_abs() / 1_000;
    let units = [(seconds / 86_400, "d"), (seconds / 3_600 % 24, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let parts: Vec<String> = units.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    if parts.is_empty() { "0m".to_owned() } else { format!("{sign}{}", parts.join(" ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_they_are_written() {
        assert_eq!(duration(Millis::hours(52)), "2d 4h");
        assert_eq!(duration(Millis(-90 * 60_000)), "-1h 30m");
        assert_eq!(duration(Millis(0)), "0m");
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(shorten("Zoë Nguyễn", 10), "Zoë Nguyễn");
        assert_eq!(shorten("Zoë Nguyễn", 9), "Zoë Nguy…");
    }
}
