//! The screens that are measured.

use super::client::Client;
use super::data;
use avatar::domain::time::{Millis, Timestamp};
use chrono::{Datelike, TimeDelta};
use std::net::SocketAddr;
use std::time::Duration;

/// A screen's name, and the path that it reads the n-th time.
type Screen = (&'static str, Box<dyn Fn(usize) -> String>);

/// Questions of each kind; the first ones warm up and do not count.
const ASKED: usize = 300;
const WARMING_UP: usize = 20;

pub fn run(address: SocketAddr, key: &str, people: u32, now: Timestamp) {
    let mut client = Client::open(address, key);
    println!("{:<44} {:>9} {:>9} {:>9}", "screen", "p50 ms", "p99 ms", "max ms");
    let day = move |days: i64| encoded(now + Millis::days(days));
    let zone = chrono_tz::Australia::Sydney;
    let today = now.local(zone).date_naive();
    let monday = today - TimeDelta::days(today.weekday().num_days_from_monday().into());
    let week = move |ago: i64| monday - TimeDelta::weeks(ago);
    let report = move |ago: i64| format!("/api/reports/weekly?start={}", week(ago));
    for (name, weeks) in [("report: one of eight weeks, counted anew", 1..9), ("report: this week, with everybody new", 0..1)] {
        let took = weeks.map(|ago| ask(&mut client, &report(ago))).collect();
        print(name, took);
    }
    let screens: Vec<Screen> = vec![
        ("tasks: overdue", Box::new(|_| "/api/tasks?timeframe=overdue".into())),
        ("tasks: today", Box::new(|_| "/api/tasks?timeframe=today".into())),
        (
            "board: a pipeline of nine stages",
            Box::new(|n| format!("/api/pipelines/{}/board", data::PIPELINES[n % data::PIPELINES.len()])),
        ),
        ("board: one column", Box::new(|_| "/api/pipelines/lead/board?column=new_lead".into())),
        ("timeline: anybody", Box::new(move |n| format!("/api/contacts/{}/timeline", data::id(now.0, pick(n, people))))),
        ("timeline: 5,000 entries", Box::new(move |_| format!("/api/contacts/{}/timeline", data::id(now.0, data::BUSY)))),
        ("search: one word", Box::new(|n| format!("/api/search?q={}", data::FIRST[n % data::FIRST.len()]))),
        (
            "search: two words",
            Box::new(|n| {
                format!("/api/search?q={}%20{}", data::FIRST[n % data::FIRST.len()], &data::LAST[n % data::LAST.len()][..3])
            }),
        ),
        ("search: three letters", Box::new(|n| format!("/api/search?q={}", &data::LAST[n % data::LAST.len()][..3]))),
        (
            "search: six digits inside of a number",
            Box::new(move |n| format!("/api/search?q={}", &data::phone(pick(n, people))[5..11])),
        ),
        ("search: three digits that all numbers begin with", Box::new(|_| "/api/search?q=041".into())),
        ("contacts: found by name, list of 50", Box::new(|n| format!("/api/contacts?q={}", data::LAST[n % data::LAST.len()]))),
        ("contacts: the last changed", Box::new(|_| "/api/contacts".into())),
        ("contacts: the warmest", Box::new(|_| "/api/contacts?sort=warmness".into())),
        ("contacts: by name", Box::new(|_| "/api/contacts?sort=name".into())),
        ("contacts: one stage, the warmest", Box::new(|_| "/api/contacts?pipeline=lead&stage=contacted&sort=warmness".into())),
        ("inbox: unanswered", Box::new(|_| "/api/inbox?filter=unanswered".into())),
        ("inbox: all", Box::new(|_| "/api/inbox".into())),
        ("bookings: the day sheet", Box::new(move |_| format!("/api/bookings?from={}&to={}&limit=200", day(0), day(1)))),
        ("report: a week that is kept", Box::new(move |_| report(1))),
    ];
    for (name, path) in &screens {
        measure(&mut client, name, path);
    }
}

/// Somebody, spread over all.
const fn pick(n: usize, people: u32) -> u32 {
    (n as u32 * 7_919) % people + 1
}

fn encoded(at: Timestamp) -> String {
    at.to_rfc3339_in(chrono_tz::UTC).replace('+', "%2B")
}

fn measure(client: &mut Client, name: &str, path: &dyn Fn(usize) -> String) {
    let took: Vec<Duration> = (0..ASKED + WARMING_UP).map(|n| ask(client, &path(n))).collect();
    print(name, took[WARMING_UP..].to_vec());
}

fn ask(client: &mut Client, path: &str) -> Duration {
    let answer = client.get(path);
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.took
}

fn print(name: &str, mut took: Vec<Duration>) {
    took.sort_unstable();
    let at = |q: f64| took[((took.len() as f64 * q) as usize).min(took.len() - 1)].as_secs_f64() * 1e3;
    println!("{name:<44} {:>9.2} {:>9.2} {:>9.2}", at(0.5), at(0.99), at(1.0));
}
