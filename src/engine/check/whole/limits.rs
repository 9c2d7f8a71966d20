//! Limits that limit nothing.

use super::{Look, warn};
use crate::domain::time::Millis;
use crate::engine::diagnostic::names;
use crate::engine::ruleset::{Again, Every, Trigger};
use crate::engine::source::Problems;

pub(super) fn check(look: &Look<'_>, problems: &mut Problems) {
    let (Some(limit), Some(at)) = (look.rule.limit, look.outline.limit) else { return };
    let [trigger] = look.rule.triggers.as_slice() else { return };
    let why = match trigger {
        Trigger::Every { schedule: Every::Interval(span), .. } if *span >= limit.within => {
            "the rule runs less often than that anyway"
        }
        Trigger::Every { schedule: Every::Cron { expression, .. }, .. }
            if at_least_daily(expression) && limit.within < Millis::hours(23) =>
        {
            "the rule runs once a day or less often anyway"
        }
        Trigger::Date { again: Again::Never, subject, .. } if *subject == limit.per => {
            "the trigger comes once for each record anyway"
        }
        _ => return,
    };
    let help = "leave `limit` out, or lengthen `in`";
    warn(problems, names::IDLE_LIMIT, &look.rule.file, at, format!("this limit is never reached: {why}"), help);
}

/// Minute and hour are single numbers.
fn at_least_daily(expression: &str) -> bool {
    let mut fields = expression.split_whitespace();
    let single = |field: Option<&str>| field.is_some_and(|f| f.bytes().all(|b| b.is_ascii_digit()));
    single(fields.next()) && single(fields.next())
}
