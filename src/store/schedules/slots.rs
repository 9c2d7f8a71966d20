//! The times of a schedule. Cron fields are read on a wall clock: a time that the clock skips fires when the clock jumps, one
//! that it repeats fires once.

use crate::domain::time::{Millis, Timestamp};
use crate::store::error::{StoreError, StoreResult};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

/// At most so many missed slots fire in one call; the next call goes on.
pub const SLOTS_PER_FIRE_MAX: usize = 100;
/// Looking for the newest missed slot step by step ends here; beyond, it is looked up from the other side.
const STEPS_MAX: usize = 1_000;
/// A slot that fires so late is not a misfire yet.
const ON_TIME: Millis = Millis::minutes(1);
/// The shortest fixed interval.
const INTERVAL_MIN: Millis = Millis::SECOND;

/// What becomes of slots that nobody was there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfire {
    /// They are left out.
    Skip,
    /// The newest of them fires.
    Once,
    /// Each of them fires.
    All,
}

impl Misfire {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Once => "once",
            Self::All => "all",
        }
    }
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Skip, Self::Once, Self::All].into_iter().find(|m| m.as_str() == text)
    }
}

/// Which slots fire now, and which comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Slots {
    pub fire: Vec<Timestamp>,
    pub next: Timestamp,
}

/// The times of one schedule.
pub enum Plan {
    Every(Millis),
    Cron(Box<Cron>, Tz),
}

impl Plan {
    /// Five cron fields in a zone, or `@every 15m`.
    pub fn parse(expr: &str, tz: &str) -> StoreResult<Self> {
        if let Some(span) = expr.strip_prefix("@every ") {
            let span = parse_span(span.trim()).filter(|span| *span >= INTERVAL_MIN);
            return span.map(Self::Every).ok_or_else(|| invalid("an interval is like `@every 15m` (s, m, h, d)"));
        }
        let tz: Tz = tz.parse().map_err(|_| invalid("unknown time zone"))?;
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(expr).map_err(|e| invalid(&e.to_string()))?;
        Ok(Self::Cron(Box::new(cron), tz))
    }

    /// The first slot after `after`.
    pub fn next_after(&self, after: Timestamp) -> StoreResult<Timestamp> {
        match self {
            Self::Every(span) => Ok(Timestamp((after.0.div_euclid(span.0) + 1) * span.0)),
            Self::Cron(cron, tz) => {
                let next = cron.find_next_occurrence(&after.local(*tz), false);
                next.map(|t| Timestamp(t.timestamp_millis())).map_err(|e| invalid(&e.to_string()))
            }
        }
    }

    fn newest_until(&self, until: Timestamp) -> StoreResult<Timestamp> {
        match self {
            Self::Every(span) => Ok(Timestamp(until.0.div_euclid(span.0) * span.0)),
            Self::Cron(cron, tz) => {
                let found = cron.find_previous_occurrence(&until.local(*tz), true);
                found.map(|t| Timestamp(t.timestamp_millis())).map_err(|e| invalid(&e.to_string()))
            }
        }
    }

    /// What is due at `now`, when `first` is the oldest slot that has not been looked at.
    pub(super) fn due(&self, first: Timestamp, now: Timestamp, misfire: Misfire) -> StoreResult<Slots> {
        if misfire == Misfire::All {
            return self.all(first, now);
        }
        let newest = self.newest(first, now)?;
        let late = now - newest > ON_TIME;
        let fire = if misfire == Misfire::Skip && late { Vec::new() } else { vec![newest] };
        Ok(Slots { fire, next: self.next_after(now)? })
    }

    fn all(&self, first: Timestamp, now: Timestamp) -> StoreResult<Slots> {
        let mut fire = Vec::new();
        let mut slot = first;
        while slot <= now && fire.len() < SLOTS_PER_FIRE_MAX {
            fire.push(slot);
            slot = self.next_after(slot)?;
        }
        Ok(Slots { fire, next: slot })
    }

    fn newest(&self, first: Timestamp, now: Timestamp) -> StoreResult<Timestamp> {
        let mut newest = first;
        for _ in 0..STEPS_MAX {
            let next = self.next_after(newest)?;
            if next > now {
                return Ok(newest);
            }
            newest = next;
        }
        self.newest_until(now)
    }
}

fn parse_span(text: &str) -> Option<Millis> {
    let unit = text.chars().last()?;
    let count: i64 = text.strip_suffix(unit)?.parse().ok().filter(|n| (1..=366).contains(n) || unit != 'd')?;
    let one = match unit {
        's' => Millis::SECOND,
        'm' => Millis::MINUTE,
        'h' => Millis::HOUR,
        'd' => Millis::DAY,
        _ => return None,
    };
    count.checked_mul(one.0).map(Millis)
}

fn invalid(reason: &str) -> StoreError {
    StoreError::InvalidSchedule { reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    fn next_five(expr: &str, from: &str) -> Vec<String> {
        let tz: Tz = "Australia/Sydney".parse().unwrap();
        let plan = Plan::parse(expr, "Australia/Sydney").unwrap();
        let mut slot = at(from);
        (0..3)
            .map(|_| {
                slot = plan.next_after(slot).unwrap();
                slot.to_rfc3339_in(tz)
            })
            .collect()
    }

    #[test]
    fn the_hour_that_is_skipped_fires_once_and_the_hour_that_is_repeated_fires_once() {
        // Clocks go from 02:00 to 03:00 on 4 October 2026, and from 03:00 back to 02:00 on 5 April 2026.
        insta::assert_yaml_snapshot!(next_five("30 2 * * *", "2026-10-03T03:00:00+10:00"), @r#"
        - "2026-10-04T03:00:00+11:00"
        - "2026-10-05T02:30:00+11:00"
        - "2026-10-06T02:30:00+11:00"
        "#);
        insta::assert_yaml_snapshot!(next_five("30 2 * * *", "2026-04-04T03:00:00+11:00"), @r#"
        - "2026-04-05T02:30:00+11:00"
        - "2026-04-06T02:30:00+10:00"
        - "2026-04-07T02:30:00+10:00"
        "#);
    }

    #[test]
    fn intervals_count_from_the_epoch() {
        let plan = Plan::parse("@every 15m", "").unwrap();
        assert_eq!(plan.next_after(at("2026-03-01T10:07:00Z")).unwrap(), at("2026-03-01T10:15:00Z"));
        assert_eq!(plan.next_after(at("2026-03-01T10:15:00Z")).unwrap(), at("2026-03-01T10:30:00Z"));
        for wrong in ["@every 0m", "@every -5m", "@every 5", "@every", "* * * *", "0 0 30 2 *x", "* * * * * *"] {
            assert!(Plan::parse(wrong, "UTC").is_err(), "{wrong}");
        }
    }

    #[test]
    fn missed_slots_follow_their_policy() {
        let plan = Plan::parse("0 * * * *", "UTC").unwrap();
        let (first, now) = (at("2026-03-01T10:00:00Z"), at("2026-03-01T13:20:00Z"));
        let hours =
            |policy| plan.due(first, now, policy).unwrap().fire.iter().map(|t| (t.0 / 3_600_000) % 24).collect::<Vec<_>>();
        assert_eq!(hours(Misfire::All), [10, 11, 12, 13]);
        assert_eq!(hours(Misfire::Once), [13]);
        assert_eq!(hours(Misfire::Skip), [0i64; 0]);
        let in_time = plan.due(first, at("2026-03-01T13:00:30Z"), Misfire::Skip).unwrap();
        assert_eq!((in_time.fire.len(), in_time.next), (1, at("2026-03-01T14:00:00Z")));
    }

    #[test]
    fn a_year_of_missed_minutes_is_caught_up_with_at_once_or_in_portions() {
        let plan = Plan::parse("* * * * *", "UTC").unwrap();
        let (first, now) = (at("2026-01-01T00:00:00Z"), at("2026-12-31T23:59:30Z"));
        assert_eq!(plan.due(first, now, Misfire::Once).unwrap().fire, [at("2026-12-31T23:59:00Z")]);
        let portion = plan.due(first, now, Misfire::All).unwrap();
        assert_eq!((portion.fire.len(), portion.next), (SLOTS_PER_FIRE_MAX, at("2026-01-01T01:40:00Z")));
    }
}
