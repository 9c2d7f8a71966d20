//! Times as the clinic's wall clock shows them.

use crate::domain::time::{Millis, Timestamp};
use chrono_tz::Tz;

#[derive(Clone, Copy)]
pub struct Wall(pub Tz);

impl Wall {
    /// RFC 3339 with the clinic's offset.
    pub fn json(self, at: Timestamp) -> String {
        at.to_rfc3339_in(self.0)
    }

    /// `Mon 23 Nov 10:41:07 am AEDT`
    pub fn day_and_time(self, at: Timestamp) -> String {
        at.local(self.0).format("%a %-d %b %-I:%M:%S %P %Z").to_string()
    }

    /// `23 Nov 10:41:07`
    pub fn short(self, at: Timestamp) -> String {
        at.local(self.0).format("%e %b %H:%M:%S").to_string()
    }
}

/// A time with an offset, or so long before `now`: `30m`, `2h`, `1d`, `1w`.
pub fn moment(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Some(at) = Timestamp::parse_rfc3339(text) {
        return Some(at);
    }
    let unit = text.chars().last()?;
    let count: i64 = text.strip_suffix(unit)?.parse().ok().filter(|n| (0..=COUNT_MAX).contains(n))?;
    let span = match unit {
        'm' => Millis::minutes(count),
        'h' => Millis::hours(count),
        'd' => Millis::days(count),
        'w' => Millis::days(count * 7),
        _ => return None,
    };
    Some(now - span)
}

/// Of any unit in a span.
const COUNT_MAX: i64 = 100_000;

/// `26 m`, `3 d`: the largest unit of which there are two, or the smallest.
pub fn span(millis: Millis) -> String {
    const UNITS: &[(Millis, &str)] = &[(Millis::DAY, "d"), (Millis::HOUR, "h"), (Millis::MINUTE, "m")];
    let unit = UNITS.iter().find(|(size, _)| millis.0 >= 2 * size.0);
    unit.map_or_else(|| format!("{} s", millis.0.max(0) / 1_000), |(size, name)| format!("{} {name}", millis.0 / size.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_clinics_wall() {
        let wall = Wall(chrono_tz::Australia::Sydney);
        let at = Timestamp::parse_rfc3339("2026-11-22T23:41:07Z").expect("a time");
        assert_eq!(wall.day_and_time(at), "Mon 23 Nov 10:41:07 am AEDT");
        assert_eq!(wall.short(at), "23 Nov 10:41:07");
        assert_eq!(
            (span(Millis::minutes(90)), span(Millis::hours(49)), span(Millis(-5))),
            ("90 m".into(), "2 d".into(), "0 s".into())
        );
    }
}
