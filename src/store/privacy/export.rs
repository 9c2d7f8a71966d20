//! Everything that is stored about a person, as the rows say it.

use super::{Person, has_table};
use crate::store::sql::{Value, sql};
use crate::store::{Conn, StoreError, StoreResult};
use diesel::QueryableByName;
use diesel::sql_types::Text;
use serde_json::{Map, Value as Json};

/// More rows of one kind than this are not handed over at once; the export says so.
pub const SECTION_ROWS_MAX: i64 = 50_000;

/// One kind of rows: name, table, which of them. `{ids}` stands for the person's contacts, `{phones}` for their numbers.
struct Section(&'static str, &'static str, &'static str);

const SECTIONS: &[Section] = &[
    Section("contacts", "contacts", "id IN ({ids})"),
    Section("identities", "contact_identities", "contact_id IN ({ids})"),
    Section("consents", "consents", "contact_id IN ({ids})"),
    Section("opt_outs", "suppressions", "phone IN ({phones})"),
    Section("bookings", "bookings", "contact_id IN ({ids})"),
    Section("tasks", "tasks", "contact_id IN ({ids})"),
    Section("texts", "sms_messages", "contact_id IN ({ids})"),
    Section("text_states", "sms_status_events", "sms_id IN (SELECT id FROM sms_messages WHERE contact_id IN ({ids}))"),
    Section("text_answers", "sms_handovers", "sms_id IN (SELECT id FROM sms_messages WHERE contact_id IN ({ids}))"),
    Section("drafts", "inbox_drafts", "contact_id IN ({ids})"),
    Section("notes", "notes", "contact_id IN ({ids})"),
    Section("touchpoints", "touchpoints", "contact_id IN ({ids})"),
    Section("stages", "pipeline_transitions", "contact_id IN ({ids})"),
    Section("field_changes", "field_changes", "contact_id IN ({ids})"),
    Section("events", "event_log", "contact_id IN ({ids})"),
    Section("event_payloads", "event_payloads", "event_id IN (SELECT id FROM event_log WHERE contact_id IN ({ids}))"),
    Section("runs", "automation_runs", "contact_id IN ({ids})"),
    Section("skips", "automation_skips", "contact_id IN ({ids})"),
    Section("waits", "waiting_runs", "contact_id IN ({ids})"),
    Section("timers", "timers", "contact_id IN ({ids})"),
    Section("merges", "contact_merges", "winner_id IN ({ids}) OR loser_id IN ({ids})"),
    Section("erasures", "erasures", "contact_id IN ({ids})"),
];

/// Columns whose truth SQLite keeps as a number.
const BOOLEANS: &[&str] = &["is_existing_patient", "is_demo", "immediate"];

#[derive(QueryableByName)]
struct Word {
    #[diesel(sql_type = Text)]
    v: String,
}

/// A list of rows for each kind, in the order of time where they have one. Numbers of milliseconds are times.
pub fn export(conn: &mut Conn, person: &Person) -> StoreResult<Map<String, Json>> {
    let mut sections = Map::new();
    for Section(name, table, which) in SECTIONS {
        if has_table(conn, table)? {
            sections.insert((*name).to_owned(), Json::Array(rows(conn, table, which, person)?));
        }
    }
    Ok(sections)
}

fn rows(conn: &mut Conn, table: &str, which: &str, person: &Person) -> StoreResult<Vec<Json>> {
    let (mut condition, mut values) = (String::new(), Vec::new());
    let mut rest = which;
    // The marks in the order in which they stand there.
    while let Some((before, (list, after))) = next_list(rest, person) {
        condition.push_str(before);
        condition.push_str(&if list.is_empty() { "NULL".to_owned() } else { vec!["?"; list.len()].join(", ") });
        values.extend(list.iter().map(|text| Value::from(text.as_str())));
        rest = after;
    }
    condition.push_str(rest);
    let object = object_of(conn, table)?;
    let text = format!("SELECT {object} AS v FROM {table} t WHERE {condition} LIMIT {SECTION_ROWS_MAX}");
    let rows: Vec<Word> = sql(text).bind_all(values).load(conn)?;
    rows.into_iter().map(|row| parse(&row.v, table)).collect()
}

/// What stands before the next mark, the list that it stands for, and what follows.
fn next_list<'a>(text: &'a str, person: &'a Person) -> Option<(&'a str, (&'a [String], &'a str))> {
    let ids = text.find("{ids}").map(|at| (at, "{ids}", person.contact_ids.as_slice()));
    let phones = text.find("{phones}").map(|at| (at, "{phones}", person.phones.as_slice()));
    let (at, mark, list) = [ids, phones].into_iter().flatten().min_by_key(|(at, ..)| *at)?;
    Some((&text[..at], (list, &text[at + mark.len()..])))
}

/// The expression that makes a row JSON.
fn object_of(conn: &mut Conn, table: &str) -> StoreResult<String> {
    if conn.is_postgres() {
        return Ok("ROW_TO_JSON(t)::TEXT".to_owned());
    }
    let columns: Vec<Word> = sql(format!("SELECT name AS v FROM pragma_table_info('{table}')")).load(conn)?;
    let pairs: Vec<String> = columns.iter().map(|column| format!("'{0}', \"{0}\"", column.v)).collect();
    Ok(format!("json_object({})", pairs.join(", ")))
}

/// Both databases say the same: numbers that are truths become them, texts that are JSON are taken apart.
fn parse(text: &str, table: &str) -> StoreResult<Json> {
    let corrupt = |_| StoreError::Statement(format!("a row of {table} is not JSON"));
    let mut row: Map<String, Json> = serde_json::from_str(text).map_err(corrupt)?;
    for (name, value) in &mut row {
        if BOOLEANS.contains(&name.as_str())
            && let Some(number) = value.as_i64()
        {
            *value = Json::Bool(number != 0);
        }
        if let Some(text) = value.as_str().filter(|text| text.starts_with('{') || text.starts_with('['))
            && let Ok(inner) = serde_json::from_str(text)
        {
            *value = inner;
        }
    }
    Ok(Json::Object(row))
}
