//! Points in time, seen on the clinic's clock and calendar.

use crate::domain::calendar::Calendar;
use crate::domain::clinic::Clinic;
use crate::domain::time::{Millis, Timestamp};
use crate::engine::functions::WEEKDAYS;
use chrono::{Datelike, NaiveTime, TimeDelta, Timelike};
use rhai::{Dynamic, Engine, EvalAltResult, ImmutableString};
use std::sync::Arc;

/// How far `plus_days` reaches; beyond it a date is a mistake.
const PLUS_DAYS_MAX: i64 = 36_525;

type Getter = fn(&Calendar, Timestamp) -> Dynamic;

/// What `time.NAME` gives.
const FIELDS: &[(&str, Getter)] = &[
    ("hour", |c, t| i64::from(t.local(c.tz).hour()).into()),
    ("minute", |c, t| i64::from(t.local(c.tz).minute()).into()),
    ("weekday", |c, t| super::text(WEEKDAYS[t.local(c.tz).weekday().num_days_from_monday() as usize % WEEKDAYS.len()])),
    ("date", |c, t| super::text(&c.date_of(t).format("%Y-%m-%d").to_string())),
    ("year", |c, t| i64::from(t.local(c.tz).year()).into()),
    ("month", |c, t| i64::from(t.local(c.tz).month()).into()),
    ("day", |c, t| i64::from(t.local(c.tz).day()).into()),
];

/// One field of a time; `None` when there is none of that name.
pub fn read_time_field(calendar: &Calendar, at: Timestamp, name: &str) -> Option<Dynamic> {
    FIELDS.iter().find(|(field, _)| *field == name).map(|(_, get)| get(calendar, at))
}

/// As a person at the clinic would write it: `Thu 4 Dec 10:30 am`.
pub fn for_people(calendar: &Calendar, at: Timestamp) -> String {
    at.local(calendar.tz).format("%a %-d %b %-I:%M %P").to_string()
}

pub(super) fn register(engine: &mut Engine, clinic: &Arc<Clinic>) {
    engine.register_type_with_name::<Timestamp>("time");
    for (name, get) in FIELDS {
        let clinic = Arc::clone(clinic);
        engine.register_get(*name, move |at: &mut Timestamp| get(&clinic.calendar, *at));
    }
    register_operators(engine);
    register_calendar(engine, clinic);
    let of_clinic = Arc::clone(clinic);
    engine.register_fn("to_string", move |at: Timestamp| for_people(&of_clinic.calendar, at));
    engine.register_fn("min_time", |a: Timestamp, b: Timestamp| a.min(b));
    engine.register_fn("max_time", |a: Timestamp, b: Timestamp| a.max(b));
}

fn register_operators(engine: &mut Engine) {
    engine
        .register_fn("==", |a: Timestamp, b: Timestamp| a == b)
        .register_fn("!=", |a: Timestamp, b: Timestamp| a != b)
        .register_fn("<", |a: Timestamp, b: Timestamp| a < b)
        .register_fn("<=", |a: Timestamp, b: Timestamp| a <= b)
        .register_fn(">", |a: Timestamp, b: Timestamp| a > b)
        .register_fn(">=", |a: Timestamp, b: Timestamp| a >= b)
        .register_fn("+", |at: Timestamp, span: Millis| at + span)
        .register_fn("+", |span: Millis, at: Timestamp| at + span)
        .register_fn("-", |at: Timestamp, span: Millis| at - span)
        .register_fn("-", |later: Timestamp, earlier: Timestamp| later - earlier);
}

fn register_calendar(engine: &mut Engine, clinic: &Arc<Clinic>) {
    let of = || Arc::clone(clinic);
    let c = of();
    engine.register_fn("end_of_day", move |at: Timestamp| c.calendar.end_of_day(at));
    let c = of();
    engine.register_fn("plus_business", move |at: Timestamp, span: Millis| c.calendar.plus_business(at, span));
    let c = of();
    engine.register_fn("plus_days", move |at: Timestamp, days: i64| plus_days(&c.calendar, at, days));
    let c = of();
    engine.register_fn("at", move |at: Timestamp, clock: ImmutableString| at_clock(&c.calendar, at, &clock));
}

/// The same wall-clock time, days later: a day that DST makes longer or shorter is still one day.
fn plus_days(calendar: &Calendar, at: Timestamp, days: i64) -> Result<Timestamp, Box<EvalAltResult>> {
    if days.abs() > PLUS_DAYS_MAX {
        return Err(format!("plus_days takes at most {PLUS_DAYS_MAX} days").into());
    }
    let local = at.local(calendar.tz).naive_local();
    local
        .checked_add_signed(TimeDelta::days(days))
        .map(|moved| calendar.instant(moved))
        .ok_or_else(|| "this day is out of range".into())
}

/// A wall-clock time on the local day of `at`.
fn at_clock(calendar: &Calendar, at: Timestamp, clock: &str) -> Result<Timestamp, Box<EvalAltResult>> {
    let Ok(time) = NaiveTime::parse_from_str(clock, "%H:%M") else {
        return Err(r#"at takes a time of day such as "09:30""#.into());
    };
    Ok(calendar.at_minute(calendar.date_of(at), time.hour() * 60 + time.minute()))
}
