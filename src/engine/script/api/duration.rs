//! Spans of time: `30.minutes`, `4.hours`, `2.days`, `1.week`.

use crate::domain::time::Millis;
use rhai::{Engine, EvalAltResult};

const MINUTE_MS: i64 = Millis::MINUTE.0;
const HOUR_MS: i64 = Millis::HOUR.0;
const DAY_MS: i64 = Millis::DAY.0;
const WEEK_MS: i64 = 7 * DAY_MS;

/// `NUMBER.NAME` to milliseconds.
const UNITS: &[(&str, i64)] = &[
    ("minute", MINUTE_MS),
    ("minutes", MINUTE_MS),
    ("hour", HOUR_MS),
    ("hours", HOUR_MS),
    ("day", DAY_MS),
    ("days", DAY_MS),
    ("week", WEEK_MS),
    ("weeks", WEEK_MS),
];

type Outcome = Result<Millis, Box<EvalAltResult>>;

pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Millis>("duration");
    for &(name, unit_ms) in UNITS {
        engine.register_get(name, move |count: &mut i64| span(count.checked_mul(unit_ms)));
    }
    for (name, unit_ms) in [("minutes", MINUTE_MS), ("hours", HOUR_MS), ("days", DAY_MS), ("weeks", WEEK_MS)] {
        engine.register_get(name, move |span: &mut Millis| span.0 as f64 / unit_ms as f64);
    }
    engine
        .register_fn("==", |a: Millis, b: Millis| a == b)
        .register_fn("!=", |a: Millis, b: Millis| a != b)
        .register_fn("<", |a: Millis, b: Millis| a < b)
        .register_fn("<=", |a: Millis, b: Millis| a <= b)
        .register_fn(">", |a: Millis, b: Millis| a > b)
        .register_fn(">=", |a: Millis, b: Millis| a >= b)
        .register_fn("+", |a: Millis, b: Millis| span(a.0.checked_add(b.0)))
        .register_fn("-", |a: Millis, b: Millis| span(a.0.checked_sub(b.0)))
        .register_fn("-", |a: Millis| span(a.0.checked_neg()))
        .register_fn("*", |a: Millis, times: i64| span(a.0.checked_mul(times)))
        .register_fn("*", |times: i64, a: Millis| span(a.0.checked_mul(times)))
        .register_fn("/", |a: Millis, parts: i64| span(a.0.checked_div(parts)));
}

fn span(ms: Option<i64>) -> Outcome {
    ms.map(Millis).ok_or_else(|| "this span of time is out of range".into())
}
