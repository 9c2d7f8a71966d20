//! A made-up clinic, put into the file by SQLite itself.

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use std::path::Path;

pub const TOUCHPOINTS_EACH: u32 = 10;
/// Somebody with a long story.
pub const BUSY: u32 = 4_242;
const BUSY_ENTRIES: u32 = 5_000;
const MINUTE_MS: i64 = 60_000;

pub const FIRST: [&str; 20] = [
    "Jane",
    "Oliver",
    "Priya",
    "Daniel",
    "Hannah",
    "Lachlan",
    "Yasmin",
    "Marguerite",
    "Sione",
    "Olive",
    "Asha",
    "Kiri",
    "Minh",
    "Zoe",
    "Tomas",
    "Ngoc",
    "Elodie",
    "Ahmed",
    "Grace",
    "Jack",
];
pub const LAST: [&str; 25] = [
    "Nguyen", "Smith", "Raman", "Osei", "Bevan", "Ngata", "Karimi", "Duval", "Faaoso", "Tran", "Nair", "Walker", "Brown",
    "Wilson", "Taylor", "Anderson", "Martin", "White", "Thompson", "Campbell", "Kelly", "Ryan", "Harris", "Clarke", "Singh",
];
pub const PIPELINES: [&str; 2] = ["lead", "pre_appointment"];
const LEAD: [&str; 9] = ["new_lead", "contacted", "engaged", "qualified", "no_response", "nurture", "booked", "dormant", "lost"];
const PRE: [&str; 9] = [
    "booking_requested",
    "booking_confirmed",
    "reminded",
    "patient_confirmed",
    "at_risk",
    "reschedule_requested",
    "arrived",
    "cancelled",
    "no_show",
];

/// The id of the n-th person.
pub fn id(now: i64, n: u32) -> String {
    let at = format!("{:012x}", now - 200_000_000 * MINUTE_MS / 1_000 + i64::from(n));
    format!("{}-{}-7000-8000-{n:012x}", &at[..8], &at[8..])
}

/// As E.164; no two are the same.
pub fn phone(n: u32) -> String {
    format!("+614{:08}", u64::from(n) * 7_919 % 100_000_000)
}

/// The same id in SQL; `n` is its number, `kind` keeps tables apart.
fn sql_id(now: i64, n: &str, kind: u32) -> String {
    let at = format!("printf('%012x', {} + ({n}))", now - 200_000_000 * MINUTE_MS / 1_000);
    let variant = 8_000 + kind;
    format!("(substr({at}, 1, 8) || '-' || substr({at}, 9, 4) || '-7000-{variant}-' || printf('%012x', {n}))")
}

fn one_of(words: &[&str], n: &str) -> String {
    let arms: Vec<String> = words.iter().enumerate().map(|(at, word)| format!(" WHEN {at} THEN '{word}'")).collect();
    let arms = arms.concat();
    format!("(CASE ({n}) % {}{arms} END)", words.len())
}

/// Rows 1 to `count` as `i`.
fn rows(count: u32) -> String {
    format!("WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < {count})")
}

pub fn fill(file: &Path, people: u32, now: i64) {
    let mut db = SqliteConnection::establish(file.to_str().expect("a path")).expect("the file");
    db.batch_execute("PRAGMA busy_timeout = 60000; PRAGMA synchronous = OFF; PRAGMA cache_size = -400000").expect("settings");
    for statement in [
        contacts(people, now),
        touchpoints(people, now),
        bookings(people, now),
        tasks(people, now),
        texts(people, now),
        moves(people, now),
        story(now, people),
    ] {
        db.batch_execute(&format!("BEGIN; {statement}; COMMIT")).expect("rows");
    }
    db.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)").expect("a checkpoint");
}

fn contacts(people: u32, now: i64) -> String {
    let (id, first, last) = (sql_id(now, "i", 0), one_of(&FIRST, "i"), one_of(&LAST, "i * 7 + i / 20"));
    let stage = format!("(CASE WHEN i % 2 = 0 THEN {} ELSE {} END)", one_of(&LEAD, "i / 2"), one_of(&PRE, "i / 2"));
    format!(
        "{} INSERT INTO contacts (id, name, first_name, last_name, phone, phone_status, email, is_existing_patient, marketing_consent, source, current_pipeline, current_stage, stage_entered_at, warmness, opted_out_at, assigned_to, no_shows, is_demo, version, created_at, updated_at)
         SELECT {id}, {first} || ' ' || {last}, {first}, {last}, printf('+614%08d', i * 7919 % 100000000), 'valid', lower({first}) || i || '@example.com', i % 3 = 0, 'unknown', 'wix',
         CASE WHEN i % 2 = 0 THEN 'lead' ELSE 'pre_appointment' END, {stage}, {now} - i * 1000, i * 31 % 101, CASE WHEN i % 50 = 0 THEN {now} END, CASE WHEN i % 10 = 0 THEN 'kim' END, 0, 0, 1, {now} - i * 1000, {now} - i * 1000 FROM r;
         INSERT INTO contact_identities (kind, value, contact_id, created_at) SELECT 'phone', phone, id, 0 FROM contacts",
        rows(people)
    )
}

/// Ten of each person, over half a year.
fn touchpoints(people: u32, now: i64) -> String {
    let kind = one_of(&["form", "sms_in", "sms_out", "booking", "ad_click"], "i / 3");
    format!(
        "{} INSERT INTO touchpoints (id, contact_id, timestamp, kind, direction) SELECT {}, {}, {now} - (i * 7919 % 15552000) * 1000, {kind}, 'in' FROM r",
        rows(people * TOUCHPOINTS_EACH),
        sql_id(now, "i", 1),
        sql_id(now, &format!("(i % {people}) + 1"), 0),
    )
}

/// Half of them, from 60 days ago to 60 days ahead.
fn bookings(people: u32, now: i64) -> String {
    let status = "(CASE WHEN at < 0 THEN CASE i % 8 WHEN 0 THEN 'no_show' WHEN 1 THEN 'cancelled' ELSE 'completed' END ELSE CASE i % 3 WHEN 0 THEN 'confirmed' ELSE 'scheduled' END END)";
    format!(
        "{} INSERT INTO bookings (id, contact_id, source, service_name, appointment_datetime, timezone, status, urgency_level, referral_status, reschedule_count, provider_sequence, provider_revision, is_demo, version, created_at, updated_at)
         SELECT {}, {}, 'wix', 'MRI knee', {now} + at, 'Australia/Sydney', {status}, 'routine', CASE i % 4 WHEN 0 THEN 'missing' ELSE 'received' END, 0, 0, 0, 0, 1, {now} - 86400000, {now}
         FROM (SELECT i, (i * 104729 % 10368000 - 5184000) * 1000 AS at FROM r)",
        rows(people / 2),
        sql_id(now, "i", 2),
        sql_id(now, "i * 2", 0),
    )
}

/// Nine of ten are done; of the rest a few are late.
fn tasks(people: u32, now: i64) -> String {
    format!(
        "{} INSERT INTO tasks (id, type, title, contact_id, status, due_datetime, priority_score, because, is_demo, version, created_at, updated_at)
         SELECT {}, 'lead_call', 'Call back', {}, CASE WHEN i % 10 = 0 THEN 'todo' ELSE 'done' END, CASE WHEN i % 100 = 0 THEN {now} - i * 100 ELSE {now} + (i % 20000) * 60000 END, i % 101, 'a new lead', 0, 1, {now} - i * 1000, {now} FROM r",
        rows(people / 2),
        sql_id(now, "i", 3),
        sql_id(now, "i", 0),
    )
}

/// Three of each person; every fortieth is from the person, and one in ten of those is of this month.
fn texts(people: u32, now: i64) -> String {
    format!(
        "{} INSERT INTO sms_messages (id, direction, contact_id, template, category, to_number, body, encoding, parts, status, attempts, immediate, is_demo, accepted_at, created_at, updated_at)
         SELECT {}, CASE WHEN i % 40 = 0 THEN 'in' ELSE 'out' END, {}, CASE WHEN i % 40 = 0 THEN NULL ELSE 'reminder_24hr' END, 'transactional', '+61255500000', 'is there parking at the clinic?', 'gsm7', 1,
         CASE WHEN i % 40 = 0 THEN 'received' ELSE 'delivered' END, 1, 0, 0, {now} - i * 50000, {now} - i * 50000, {now} FROM r",
        rows(people * 3),
        sql_id(now, "i", 4),
        sql_id(now, &format!("(i % {people}) + 1"), 0),
    )
}

/// Two of each person.
fn moves(people: u32, now: i64) -> String {
    format!(
        "{} INSERT INTO pipeline_transitions (id, contact_id, pipeline, from_pipeline, from_stage, to_stage, at, by, duration_ms)
         SELECT {}, {}, 'lead', 'lead', {}, 'contacted', {now} - i * 60000, 'rule:x', (i * 7919 % 100000) * 1000 FROM r",
        rows(people * 2),
        sql_id(now, "i", 5),
        sql_id(now, &format!("(i % {people}) + 1"), 0),
        one_of(&LEAD, "i"),
    )
}

/// One person with 5,000 entries.
fn story(now: i64, people: u32) -> String {
    let busy = sql_id(now, &BUSY.min(people).to_string(), 0);
    let (half, quarter) = (BUSY_ENTRIES / 2, BUSY_ENTRIES / 4);
    format!(
        "{} INSERT INTO touchpoints (id, contact_id, timestamp, kind, direction) SELECT {}, {busy}, {now} - i * 90000, 'sms_in', 'in' FROM r;
         {} INSERT INTO field_changes (id, contact_id, field, from_value, to_value, at, by) SELECT {}, {busy}, 'contact.warmness', '20', '61', {now} - i * 91000, 'rule:x' FROM r;
         {} INSERT INTO notes (id, contact_id, body, author, created_at) SELECT {}, {busy}, 'a note', 'staff:kim', {now} - i * 92000 FROM r",
        rows(half),
        sql_id(now, "i", 6),
        rows(quarter),
        sql_id(now, "i", 7),
        rows(quarter),
        sql_id(now, "i", 9),
    )
}
