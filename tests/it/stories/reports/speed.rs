//! How long a report takes over a large clinic.

use super::{clinic, get, period};
use crate::store::TestStore;
use crate::stories::storm::eprint_line;
use crate::support::records::Records;
use avatar::automation::reports::Kind;
use avatar::domain::time::Millis;
use std::time::{Duration, Instant};

/// A year's people, spread evenly; `{people}` of them.
const PEOPLE: &[&str] = &[
    "CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {people}) SELECT i, \
     {begin} + i * ({span} / {people}) AS at FROM n",
    "INSERT INTO contacts (id, name, first_name, last_name, phone_status, is_existing_patient, marketing_consent, source, warmness, no_shows, is_demo, version, created_at, updated_at) \
     SELECT substr(printf('%012x', at), 1, 8) || '-' || substr(printf('%012x', at), 9, 4) || '-7000-8000-' || printf('%012x', i), 'Kim ' || i, 'Kim', 'Lee', 'valid', 0, 'unknown', \
     CASE i % 4 WHEN 0 THEN 'google' WHEN 1 THEN 'facebook' WHEN 2 THEN 'wix' ELSE 'referral' END, 20, 0, 0, 1, at, at FROM n",
    "INSERT INTO event_log (id, event_type, source, dedupe_key, timestamp, actor, signature_state, payload, contact_id, depth, status, duplicates) \
     SELECT id, CASE WHEN source = 'wix' THEN 'booking_created' ELSE 'lead_created' END, 'web', id, created_at, 'provider', 'valid', '{}', id, 0, 'processed', 0 FROM contacts",
    "INSERT INTO touchpoints (id, contact_id, timestamp, kind, direction, source) \
     SELECT substr(c.id, 1, 24) || printf('%012x', n.i + 1), c.id, c.created_at + n.i * 3600000, \
     CASE n.i % 5 WHEN 0 THEN 'ad_click' WHEN 1 THEN 'form' WHEN 2 THEN 'call_out' WHEN 3 THEN 'sms_in' ELSE 'sms_out' END, \
     CASE WHEN n.i % 5 IN (2, 4) THEN 'out' ELSE 'in' END, CASE WHEN n.i % 2 = 0 THEN 'google' END FROM contacts c JOIN n ON n.i < 10",
    "INSERT INTO bookings (id, contact_id, source, appointment_datetime, timezone, status, urgency_level, referral_status, reschedule_count, provider_sequence, provider_revision, is_demo, version, created_at, updated_at) \
     SELECT substr(id, 1, 24) || '0000000000b1', id, 'wix', created_at + 432000000, 'Australia/Sydney', CASE WHEN rowid % 20 = 0 THEN 'no_show' ELSE 'completed' END, 'routine', 'missing', 0, 0, 0, 0, 1, created_at, created_at FROM contacts",
    "INSERT INTO sms_messages (id, direction, contact_id, booking_id, template, category, to_number, body, encoding, parts, status, attempts, run_id, immediate, is_demo, accepted_at, created_at, updated_at) \
     SELECT substr(b.id, 1, 24) || printf('%012x', 256 + n.i), 'out', b.contact_id, b.id, 'reminder_24hr', 'transactional', '+6149157' || (n.i + b.rowid), 'Hi', 'gsm7', 1, 'delivered', 1, 'run', 0, 0, b.created_at + n.i * 3600000, b.created_at, b.created_at FROM bookings b JOIN n ON n.i < 3",
    "INSERT INTO sms_status_events (id, sms_id, status, at) SELECT id, id, 'delivered', accepted_at FROM sms_messages",
    "INSERT INTO tasks (id, type, title, contact_id, status, due_datetime, priority_score, because, completed_at, is_demo, version, created_at, updated_at) \
     SELECT substr(id, 1, 24) || '0000000000c1', 'lead_call', 'Call', id, 'done', created_at + 3600000, 50, '', created_at + 1800000, 0, 1, created_at, created_at FROM contacts",
    "INSERT INTO automation_runs (id, event_id, rule_id, revision, outcome, at, trace) \
     SELECT substr(c.id, 1, 24) || printf('%012x', 512 + n.i), c.id, 'rule-' || n.i, 1, 'fired', c.created_at, '{}' FROM contacts c JOIN n ON n.i < 5",
];

fn fill(t: &TestStore, people: u32) {
    let span = period(Kind::Weekly, "2026-03-02", chrono_tz::Australia::Sydney).span;
    let begin = span.from - Millis::days(180);
    let mut script = String::from("BEGIN;");
    for statement in PEOPLE {
        script.push_str(statement);
        script.push(';');
    }
    script.push_str("COMMIT;");
    let script = script
        .replace("{people}", &people.to_string())
        .replace("{begin}", &begin.0.to_string())
        .replace("{span}", &Millis::days(365).0.to_string());
    Records { url: t.url.clone() }.script(&script);
}

/// Run by hand: `cargo test --release a_week_over_a_hundred_thousand -- --ignored --nocapture`.
#[test]
#[ignore = "fills a large database"]
fn a_week_over_a_hundred_thousand_people_takes_less_than_a_second() {
    let t = TestStore::sqlite();
    fill(&t, 100_000);
    let clinic = clinic(chrono_tz::Australia::Sydney);
    for (kind, start, most) in [(Kind::Weekly, "2026-03-02", 1_000), (Kind::Monthly, "2026-03-01", 4_000)] {
        let period = period(kind, start, chrono_tz::Australia::Sydney);
        let now = period.span.to + Millis::days(2);
        let began = Instant::now();
        let report = get(&t, &clinic, period, now).report;
        let counted = began.elapsed();
        assert!(report.find("appointments", None).unwrap().whole > Some(1_000));
        let began = Instant::now();
        assert!(get(&t, &clinic, period, now).was_kept);
        eprint_line(&format!("{}: counted in {counted:?}, kept: {:?}", kind.as_str(), began.elapsed()));
        assert!(counted < Duration::from_millis(most), "{counted:?}");
    }
}

/// Few people, so that the filling itself is tried in every run.
#[test]
fn a_large_clinics_week_is_the_weeks_part_of_a_year() {
    let t = TestStore::sqlite();
    fill(&t, 2_000);
    let clinic = clinic(chrono_tz::Australia::Sydney);
    let week = period(Kind::Weekly, "2026-03-02", chrono_tz::Australia::Sydney);
    let report = get(&t, &clinic, week, week.span.to + Millis::days(2)).report;
    let (made, all) = (report.find("bookings_made", None).unwrap().whole.unwrap(), 2_000 * 7 / 365);
    assert!((made - all).abs() <= 2, "{made} of about {all}");
    assert_eq!(report.find("leads_contacted", None).unwrap().numerator, report.find("leads", None).unwrap().whole);
}
