//! Times in test files: the clinic's wall clock, `2026-03-05 10:00`.

use crate::domain::calendar::Calendar;
use crate::domain::time::Timestamp;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

/// A wall-clock time, a day (its first minute), or RFC 3339.
pub(crate) fn parse_time(text: &str, calendar: &Calendar) -> Option<Timestamp> {
    let local = ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"].iter().find_map(|f| NaiveDateTime::parse_from_str(text, f).ok());
    let day = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(|d| d.and_time(NaiveTime::MIN));
    local.or_else(day).map(|t| calendar.instant(t)).or_else(|| Timestamp::parse_rfc3339(text))
}
