//! The clinic's own calendar: time zone, opening hours, holidays. DST is respected everywhere.

use super::time::{Millis, Timestamp};
use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Weekday};
use chrono_tz::Tz;
use std::collections::BTreeSet;

/// Days searched for opening hours before giving up.
const SEARCH_DAYS_MAX: i64 = 60;
/// Days over which opening hours are counted.
const COUNTED_DAYS_MAX: i64 = 366;

#[derive(Clone, Debug, PartialEq)]
pub struct Calendar {
    pub tz: Tz,
    /// Opening spans of each weekday (Monday first), in minutes after local midnight, sorted.
    pub hours: [Vec<(u32, u32)>; 7],
    pub holidays: BTreeSet<NaiveDate>,
}

impl Calendar {
    /// Monday to Friday 8:00–18:00, no holidays.
    #[must_use]
    pub fn weekdays(tz: Tz) -> Self {
        let day = || vec![(8 * 60, 18 * 60)];
        Self { tz, hours: [day(), day(), day(), day(), day(), vec![], vec![]], holidays: BTreeSet::new() }
    }

    /// The instant of a local wall-clock time. A time that DST skips is the next valid minute; a doubled one is the first.
    #[must_use]
    pub fn instant(&self, local: NaiveDateTime) -> Timestamp {
        resolve_local(self.tz, local)
    }

    #[must_use]
    pub fn date_of(&self, at: Timestamp) -> NaiveDate {
        at.local(self.tz).date_naive()
    }

    /// Minutes after local midnight.
    #[must_use]
    pub fn minute_of_day(&self, at: Timestamp) -> u32 {
        let local = at.local(self.tz);
        local.hour() * 60 + local.minute()
    }

    /// The instant of `minute` after midnight on a local day.
    #[must_use]
    pub fn at_minute(&self, day: NaiveDate, minute: u32) -> Timestamp {
        let midnight = day.and_time(NaiveTime::MIN);
        self.instant(midnight + TimeDelta::minutes(i64::from(minute)))
    }

    /// When the clinic closes today; if it is closed now for the day, when it closes on the next open day.
    #[must_use]
    pub fn end_of_day(&self, now: Timestamp) -> Timestamp {
        let today = self.date_of(now);
        for offset in 0..SEARCH_DAYS_MAX {
            let Some(day) = today.checked_add_signed(TimeDelta::days(offset)) else { break };
            if let Some(&(_, close)) = self.open_spans(day).last() {
                let end = self.at_minute(day, close);
                if end > now {
                    return end;
                }
            }
        }
        now + Millis::DAY
    }

    /// The instant when `span` of opening hours has passed since `from`.
    #[must_use]
    pub fn plus_business(&self, from: Timestamp, span: Millis) -> Timestamp {
        let mut left = span.0.max(0);
        let first = self.date_of(from);
        for offset in 0..SEARCH_DAYS_MAX {
            let Some(day) = first.checked_add_signed(TimeDelta::days(offset)) else { break };
            for &(open, close) in self.open_spans(day) {
                let start = self.at_minute(day, open).max(from);
                let end = self.at_minute(day, close);
                if end <= start {
                    continue;
                }
                let room = (end - start).0;
                if left <= room {
                    return start + Millis(left);
                }
                left -= room;
            }
        }
        from + span
    }

    /// How much of the time from `from` to `to` lies in opening hours. Counted over a year at most.
    #[must_use]
    pub fn business_between(&self, from: Timestamp, to: Timestamp) -> Millis {
        let (first, last) = (self.date_of(from), self.date_of(to));
        let days = (0..COUNTED_DAYS_MAX).map_while(|offset| first.checked_add_signed(TimeDelta::days(offset)));
        let open = |day: NaiveDate| {
            let spans = self.open_spans(day).iter();
            spans
                .map(|&(open, close)| (self.at_minute(day, close).min(to) - self.at_minute(day, open).max(from)).0.max(0))
                .sum::<i64>()
        };
        Millis(days.take_while(|day| *day <= last).map(open).sum())
    }

    /// True inside opening hours.
    #[must_use]
    pub fn is_open(&self, at: Timestamp) -> bool {
        let minute = self.minute_of_day(at);
        self.open_spans(self.date_of(at)).iter().any(|&(open, close)| (open..close).contains(&minute))
    }

    fn open_spans(&self, day: NaiveDate) -> &[(u32, u32)] {
        if self.holidays.contains(&day) {
            return &[];
        }
        &self.hours[weekday_index(day.weekday())]
    }
}

/// Resolves a wall-clock time in `tz`: the first of two, or the next valid minute when DST skips it.
#[must_use]
pub fn resolve_local(tz: Tz, local: NaiveDateTime) -> Timestamp {
    let mut candidate = local;
    for _ in 0..=MINUTES_SKIPPED_MAX {
        if let Some(found) = candidate.and_local_timezone(tz).earliest() {
            return Timestamp(found.timestamp_millis());
        }
        candidate += TimeDelta::minutes(1);
    }
    Timestamp(local.and_utc().timestamp_millis())
}

/// No zone skips more than a day.
const MINUTES_SKIPPED_MAX: u32 = 24 * 60;

fn weekday_index(day: Weekday) -> usize {
    day.num_days_from_monday() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sydney() -> Calendar {
        Calendar::weekdays(chrono_tz::Australia::Sydney)
    }
    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).expect("a time")
    }

    #[test]
    fn four_business_hours_from_friday_afternoon_end_on_monday() {
        let due = sydney().plus_business(at("2026-11-20T16:00:00+11:00"), Millis::hours(4));
        assert_eq!(due, at("2026-11-23T10:00:00+11:00"));
    }

    #[test]
    fn opening_hours_between_two_times_are_counted_over_the_weekend_and_a_change_of_clocks() {
        let between = |from, to| sydney().business_between(at(from), at(to));
        assert_eq!(between("2026-11-20T16:00:00+11:00", "2026-11-23T10:00:00+11:00"), Millis::hours(4));
        assert_eq!(between("2026-11-21T16:00:00+11:00", "2026-11-22T10:00:00+11:00"), Millis(0));
        assert_eq!(between("2026-10-02T17:00:00+10:00", "2026-10-05T09:30:00+11:00"), Millis::minutes(150));
        assert_eq!(between("2026-11-23T10:00:00+11:00", "2026-11-23T09:00:00+11:00"), Millis(0));
    }

    #[test]
    fn a_holiday_has_no_business_hours() {
        let mut clinic = sydney();
        clinic.holidays.insert(NaiveDate::from_ymd_opt(2026, 12, 25).expect("a day"));
        let due = clinic.plus_business(at("2026-12-24T17:00:00+11:00"), Millis::hours(2));
        assert_eq!(due, at("2026-12-28T09:00:00+11:00"));
    }

    #[test]
    fn after_closing_the_end_of_day_is_tomorrows() {
        assert_eq!(sydney().end_of_day(at("2026-11-23T19:00:00+11:00")), at("2026-11-24T18:00:00+11:00"));
        assert_eq!(sydney().end_of_day(at("2026-11-23T09:00:00+11:00")), at("2026-11-23T18:00:00+11:00"));
    }

    #[test]
    fn a_skipped_local_time_is_the_next_valid_minute_and_a_doubled_one_the_first() {
        let local = |text: &str| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").expect("a local time");
        assert_eq!(sydney().instant(local("2026-10-04 02:30")), at("2026-10-04T03:00:00+11:00"));
        assert_eq!(sydney().instant(local("2026-04-05 02:30")), at("2026-04-05T02:30:00+11:00"));
    }
}
