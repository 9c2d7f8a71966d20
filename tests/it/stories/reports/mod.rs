//! Weekly and monthly reports: right, kept, and counted anew when they must be.

mod golden;
mod keeping;
mod reference;
mod serving;
mod speed;
mod world;

use crate::store::TestStore;
use avatar::automation::reports::{self, Answer, Figure, Kind, Period, Report};
use avatar::config::{Environment, Settings};
use avatar::domain::clinic::Clinic;
use avatar::domain::time::{Millis, Timestamp};
use chrono_tz::Tz;
use reference::Figures;
use std::path::Path;
use std::sync::Arc;
use world::Random;

/// Both databases, empty.
fn stores() -> impl Iterator<Item = TestStore> {
    [Some(TestStore::sqlite()), TestStore::postgres()].into_iter().flatten()
}

/// The shipped clinic, in a zone.
fn clinic(tz: Tz) -> Arc<Clinic> {
    let environment: Environment = [("SMS_WEBHOOK_TOKEN".to_owned(), "a".repeat(40))].into_iter().collect();
    let settings = Settings::load(&environment, Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap_or_else(|p| panic!("{p:?}"));
    let mut clinic = Clinic::clone(&settings.clinic);
    clinic.calendar.tz = tz;
    Arc::new(clinic)
}

fn period(kind: Kind, start: &str, tz: Tz) -> Period {
    let late = Timestamp::parse_rfc3339("2030-01-01T00:00:00Z").unwrap();
    Period::starting(kind, start.parse().unwrap(), tz, late).unwrap()
}

fn get(t: &TestStore, clinic: &Arc<Clinic>, period: Period, now: Timestamp) -> Answer {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(reports::get(&t.store, clinic, period, now)).unwrap()
}

fn figures(report: &Report) -> Figures {
    let key = |f: &Figure| (f.name.clone(), f.group.clone().unwrap_or_default());
    let all: Figures = report.figures.iter().map(|f| (key(f), (f.whole, f.numerator, f.denominator))).collect();
    assert_eq!(all.len(), report.figures.len(), "each figure once");
    all
}

/// Rounding takes at most so many millionths from a booking's touch, and the half-lives are not exact.
const CREDIT_OFF_MAX: i64 = 25;

/// The figures that differ.
fn differences(counted: &Figures, expected: &Figures) -> Vec<String> {
    let mut different = Vec::new();
    for key in counted.keys().chain(expected.keys()) {
        let (a, b) = (counted.get(key), expected.get(key));
        let bookings = expected.get(&("bookings_attributed".into(), String::new())).and_then(|f| f.0).unwrap_or(0);
        let is_near = match (a, b) {
            (Some((None, Some(a), of)), Some((None, Some(b), of_all))) if key.0.starts_with("attribution_") => {
                of == of_all && (a - b).abs() <= CREDIT_OFF_MAX * bookings
            }
            _ => a == b,
        };
        if !is_near {
            different.push(format!("{key:?}: counted {a:?}, expected {b:?}"));
        }
    }
    different
}

/// Random people around a period: the figures are those of the slow count.
fn agrees(kind: Kind, start: &str, tz: Tz, seeds: std::ops::Range<u64>) {
    let (period, clinic) = (period(kind, start, tz), clinic(tz));
    for seed in seeds {
        let world = Random::world(seed, period.span, 60);
        let now = period.span.to + Millis::hours(60 * (seed as i64 % 5) - 48);
        let expected = reference::count(&world, &clinic.calendar, &clinic.keywords, period, now);
        for t in stores() {
            world.write(&t);
            let report = get(&t, &clinic, period, now).report;
            let different = differences(&figures(&report), &expected);
            assert!(different.is_empty(), "seed {seed}, {}: {different:#?}", t.url.split(':').next().unwrap());
            for model in reports::Model::ALL {
                let shared: i64 =
                    report.figures.iter().filter(|f| f.name == model.figure().name).filter_map(|f| f.numerator).sum();
                let all = report.find("bookings_attributed", None).unwrap().whole.unwrap();
                assert_eq!(shared, all * reports::WHOLE, "credit sums up to one for each booking: {model:?}");
            }
        }
    }
}

#[test]
fn a_week_that_is_an_hour_longer_agrees_with_the_slow_count() {
    agrees(Kind::Weekly, "2026-03-30", chrono_tz::Australia::Sydney, 0..6);
}

#[test]
fn a_week_that_is_an_hour_shorter_agrees_with_the_slow_count() {
    agrees(Kind::Weekly, "2026-09-28", chrono_tz::Australia::Sydney, 10..14);
}

#[test]
fn a_month_with_a_change_of_clocks_agrees_with_the_slow_count() {
    agrees(Kind::Monthly, "2026-04-01", chrono_tz::Australia::Sydney, 20..23);
}

#[test]
fn other_zones_agree_with_the_slow_count() {
    agrees(Kind::Weekly, "2026-03-02", chrono_tz::America::Los_Angeles, 30..33);
    agrees(Kind::Monthly, "2026-10-01", chrono_tz::Australia::Adelaide, 40..42);
}

#[test]
fn the_manual_defines_every_figure() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/REPORTS.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = ("<!-- figures -->\n", "<!-- end -->\n");
    let (before, rest) = text.split_once(begin).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    let expected = format!("{before}{begin}\n{}\n{end}{after}", reports::definitions::table());
    if Environment::of_process().get("AVATAR_WRITE_DOCS").is_some() {
        std::fs::write(&path, expected).unwrap();
    } else {
        assert_eq!(text, expected, "run with AVATAR_WRITE_DOCS=1 to write the table anew");
    }
}
