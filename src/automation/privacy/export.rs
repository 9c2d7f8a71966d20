//! Everything about one person, as JSON that people can read: times with the clinic's offset.

use super::PrivacyError;
use crate::domain::time::Timestamp;
use crate::store::privacy::{self, SECTION_ROWS_MAX};
use crate::store::{Store, StoreError};
use chrono_tz::Tz;
use serde_json::{Map, Value, json};

/// Version of the JSON.
const SCHEMA: &str = "avatar.contact/1";

/// Names of columns that are times, beside those that end with `_at`, `_datetime` or `_on`.
const TIMES: &[&str] = &["at", "timestamp", "slot"];

/// Reads everything in one transaction.
pub async fn export(store: &Store, zone: Tz, contact_id: &str, now: Timestamp) -> Result<Value, PrivacyError> {
    let id = contact_id.to_owned();
    let found = store
        .read(move |conn| {
            let person = privacy::find_person(conn, &id)?;
            person.map(|person| Ok::<_, StoreError>((privacy::export(conn, &person)?, person.contact_ids))).transpose()
        })
        .await?;
    let (mut sections, contact_ids) = found.ok_or(PrivacyError::Unknown)?;
    let is_complete = sections.values().all(|rows| rows.as_array().is_none_or(|rows| (rows.len() as i64) < SECTION_ROWS_MAX));
    for rows in sections.values_mut().filter_map(Value::as_array_mut) {
        rows.iter_mut().filter_map(Value::as_object_mut).for_each(|row| readable(row, zone));
    }
    let mut all = Map::new();
    all.insert("schema".into(), json!(SCHEMA));
    all.insert("contact_id".into(), json!(contact_ids.first()));
    all.insert("exported_at".into(), json!(time(now, zone)));
    all.insert("is_complete".into(), json!(is_complete));
    all.append(&mut sections);
    Ok(Value::Object(all))
}

fn readable(row: &mut Map<String, Value>, zone: Tz) {
    for (name, value) in row.iter_mut() {
        let is_time = TIMES.contains(&name.as_str()) || ["_at", "_datetime", "_on"].iter().any(|end| name.ends_with(end));
        if is_time && let Some(millis) = value.as_i64() {
            *value = json!(time(Timestamp(millis), zone));
        }
    }
}

fn time(at: Timestamp, zone: Tz) -> String {
    chrono::DateTime::from_timestamp_millis(at.0).map_or_else(String::new, |utc| utc.with_timezone(&zone).to_rfc3339())
}
