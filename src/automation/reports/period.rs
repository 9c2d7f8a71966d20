//! Weeks and months of the clinic's calendar.

use crate::domain::calendar::resolve_local;
use crate::domain::time::Timestamp;
use crate::store::reports::Span;
use chrono::{Datelike, Months, NaiveDate, NaiveTime, TimeDelta};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Weekly,
    Monthly,
}

impl Kind {
    pub const ALL: [Self; 2] = [Self::Weekly, Self::Monthly];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
        }
    }

    /// The day on which the week or month of `day` begins.
    fn begins(self, day: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Weekly => day.checked_sub_signed(TimeDelta::days(i64::from(day.weekday().num_days_from_monday()))),
            Self::Monthly => day.with_day(1),
        }
    }

    fn next(self, start: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Weekly => start.checked_add_signed(TimeDelta::days(7)),
            Self::Monthly => start.checked_add_months(Months::new(1)),
        }
    }

    fn previous(self, start: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Weekly => start.checked_sub_signed(TimeDelta::days(7)),
            Self::Monthly => start.checked_sub_months(Months::new(1)),
        }
    }

    /// The same month a year before; the week 52 weeks before, which has the same days of the week.
    fn last_year(self, start: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Weekly => start.checked_sub_signed(TimeDelta::days(7 * 52)),
            Self::Monthly => start.checked_sub_months(Months::new(12)),
        }
    }
}

/// One week or month, from its first midnight to its last on the wall clock of `tz`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    pub kind: Kind,
    pub start: NaiveDate,
    pub tz: Tz,
    pub span: Span,
}

/// A day that no period begins with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongStart {
    #[error("a week starts on a Monday; the week of this day starts on {0}")]
    NotMonday(NaiveDate),
    #[error("a month starts on the first; the month of this day starts on {0}")]
    NotFirst(NaiveDate),
    #[error("must be a day from {YEAR_MIN} until today")]
    OutOfRange,
}

/// No clinic's records begin before.
pub const YEAR_MIN: i32 = 2000;

impl Period {
    /// The period that starts on `start`, and has begun at `now`.
    pub fn starting(kind: Kind, start: NaiveDate, tz: Tz, now: Timestamp) -> Result<Self, WrongStart> {
        match kind.begins(start) {
            Some(begins) if begins == start => {}
            Some(begins) if kind == Kind::Weekly => return Err(WrongStart::NotMonday(begins)),
            Some(begins) => return Err(WrongStart::NotFirst(begins)),
            None => return Err(WrongStart::OutOfRange),
        }
        let period = Self::of(kind, start, tz).ok_or(WrongStart::OutOfRange)?;
        if start.year() < YEAR_MIN || period.span.from > now { Err(WrongStart::OutOfRange) } else { Ok(period) }
    }

    /// The last one that is over at `now`.
    #[must_use]
    pub fn last_over(kind: Kind, tz: Tz, now: Timestamp) -> Option<Self> {
        let current = kind.begins(now.local(tz).date_naive())?;
        Self::of(kind, kind.previous(current)?, tz)
    }

    #[must_use]
    pub fn before(self) -> Option<Self> {
        Self::of(self.kind, self.kind.previous(self.start)?, self.tz)
    }

    #[must_use]
    pub fn last_year(self) -> Option<Self> {
        Self::of(self.kind, self.kind.last_year(self.start)?, self.tz)
    }

    fn of(kind: Kind, start: NaiveDate, tz: Tz) -> Option<Self> {
        let midnight = |day: NaiveDate| resolve_local(tz, day.and_time(NaiveTime::MIN));
        let span = Span { from: midnight(start), to: midnight(kind.next(start)?) };
        Some(Self { kind, start, tz, span })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Millis;
    use chrono_tz::Australia::{Lord_Howe, Sydney};

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }
    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).expect("a time")
    }
    fn hours(kind: Kind, start: &str, tz: Tz) -> i64 {
        let period = Period::starting(kind, day(start), tz, at("2027-01-01T00:00:00Z")).expect("a period");
        (period.span.to - period.span.from).0 / Millis::MINUTE.0
    }

    #[test]
    fn weeks_in_which_clocks_change_are_an_hour_longer_or_shorter() {
        assert_eq!(hours(Kind::Weekly, "2026-03-30", Sydney), 169 * 60);
        assert_eq!(hours(Kind::Weekly, "2026-09-28", Sydney), 167 * 60);
        assert_eq!(hours(Kind::Weekly, "2026-09-28", Lord_Howe), 167 * 60 + 30);
        assert_eq!(hours(Kind::Monthly, "2026-04-01", Sydney), (30 * 24 + 1) * 60);
        assert_eq!(hours(Kind::Monthly, "2026-10-01", Sydney), (31 * 24 - 1) * 60);
    }

    #[test]
    fn a_wrong_start_names_the_right_one() {
        let now = at("2026-11-23T00:00:00Z");
        let wrong = |kind, start| Period::starting(kind, day(start), Sydney, now).expect_err("wrong");
        assert_eq!(wrong(Kind::Weekly, "2026-11-22"), WrongStart::NotMonday(day("2026-11-16")));
        assert_eq!(wrong(Kind::Monthly, "2026-11-22"), WrongStart::NotFirst(day("2026-11-01")));
        assert_eq!(wrong(Kind::Weekly, "2026-11-30"), WrongStart::OutOfRange);
        assert_eq!(wrong(Kind::Monthly, "1999-12-01"), WrongStart::OutOfRange);
    }

    #[test]
    fn the_last_period_that_is_over_ends_at_the_last_midnight() {
        let monday = Period::last_over(Kind::Weekly, Sydney, at("2026-11-23T06:00:00+11:00")).expect("a week");
        assert_eq!((monday.start, monday.span.to), (day("2026-11-16"), at("2026-11-23T00:00:00+11:00")));
        let first = Period::last_over(Kind::Monthly, Sydney, at("2026-03-01T06:00:00+11:00")).expect("a month");
        assert_eq!(first.start, day("2026-02-01"));
        assert_eq!(first.last_year().expect("a month").start, day("2025-02-01"));
        assert_eq!(monday.last_year().expect("a week").start, day("2025-11-17"));
    }
}
