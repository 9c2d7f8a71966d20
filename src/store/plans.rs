//! How the database goes about the statements that run all the time: each must use its index, or a grown table stops the clinic.

use super::append::COUNT_DUPLICATE;
use super::db::Tx;
use super::error::StoreResult;
use super::handovers::WITHOUT_RECEIPT;
use super::jobs::{PROBE_LITE, PROBE_PG, fence_text, promote_text, stale_text};
use super::numbers::WITHDRAW;
use super::schedules::due_text;
use super::search::{Way, matching_text};
use super::sql::{Value, sql};
use diesel::QueryableByName;
use diesel::sql_types::Text;

/// One statement and the steps of its plan.
pub type StatementPlan = (&'static str, Vec<String>);

/// The plans of the hot statements. On PostgreSQL with sequential scans off, for empty tables hide what large ones would show.
pub fn hot_plans(tx: &mut Tx<'_>) -> StoreResult<Vec<StatementPlan>> {
    let postgres = tx.is_postgres();
    if postgres {
        tx.batch("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")?;
    }
    let explain = if postgres { explain_postgres } else { explain_sqlite };
    statements(postgres).into_iter().map(|(name, text)| Ok((name, explain(tx, &text)?))).collect()
}

fn statements(postgres: bool) -> Vec<(&'static str, String)> {
    vec![
        ("claim", if postgres { PROBE_PG } else { PROBE_LITE }.to_owned()),
        ("complete one", fence_text(1)),
        ("complete many", fence_text(16)),
        ("promote lanes", promote_text(4)),
        ("rescue", stale_text()),
        ("duplicate", COUNT_DUPLICATE.to_owned()),
        ("schedules due", due_text()),
        ("timers due", "SELECT * FROM timers WHERE state = 'pending' AND due_at <= ? ORDER BY due_at LIMIT ?".to_owned()),
        ("waits due", "SELECT * FROM waiting_runs WHERE state = 'waiting' AND due_at <= ? ORDER BY due_at LIMIT ?".to_owned()),
        (
            "waits of contacts",
            "SELECT * FROM waiting_runs WHERE state IN ('waiting', 'due', 'queued') AND contact_id IN (?, ?)".to_owned(),
        ),
        (
            "overdue tasks",
            "SELECT * FROM tasks WHERE status IN ('todo', 'in_progress') AND due_datetime <= ? AND NOT EXISTS (SELECT 1 FROM \
             overdue_tasks o WHERE o.task_id = tasks.id AND o.due_datetime = tasks.due_datetime) ORDER BY due_datetime, id LIMIT ?"
                .to_owned(),
        ),
        ("timers of contacts", "SELECT * FROM timers WHERE contact_id IN (?, ?)".to_owned()),
        ("owners", "SELECT value, contact_id FROM contact_identities WHERE kind = ? AND value IN (?, ?)".to_owned()),
        (
            "texts of bookings",
            "SELECT dedupe_key FROM sms_messages WHERE booking_id IN (?, ?) AND dedupe_key IS NOT NULL".to_owned(),
        ),
        (
            "unsent texts",
            "SELECT * FROM sms_messages WHERE contact_id IN (?, ?) AND status IN ('scheduled', 'queued')".to_owned(),
        ),
        ("bookings by provider", "SELECT * FROM bookings WHERE wix_booking_id IN (?, ?)".to_owned()),
        (
            "recent texts",
            "SELECT scheduled_at FROM sms_messages WHERE contact_id IN (?, ?) AND created_at >= ? AND direction = 'out'"
                .to_owned(),
        ),
        (
            "texts to a number",
            "SELECT * FROM sms_messages WHERE direction = 'out' AND to_number = ? AND created_at >= ? AND accepted_at IS NOT NULL \
             ORDER BY accepted_at DESC, id DESC LIMIT ?"
                .to_owned(),
        ),
        ("texts that STOP withdraws", WITHDRAW.to_owned()),
        ("texts without a receipt", WITHOUT_RECEIPT.to_owned()),
        ("runs of a rule", "SELECT COUNT(*) FROM automation_runs WHERE rule_id = ? AND at >= ? AND outcome = 'fired'".to_owned()),
        ("people by a word", matching_text(1, &[])),
        ("people by a number and a word", matching_text(2, &[(Way::Lines, 1)])),
        ("people by two common words", matching_text(1, &[(Way::Terms, 1)])),
        (
            "warmest of a stage",
            "SELECT id FROM contacts WHERE current_pipeline = ? AND current_stage = ? AND warmness < ? \
             ORDER BY warmness DESC, id DESC LIMIT ?"
                .to_owned(),
        ),
        ("skips of a contact", "SELECT * FROM automation_skips WHERE contact_id = ? ORDER BY event_id DESC LIMIT ?".to_owned()),
    ]
}

/// A value for each mark, of the type that what stands before asks for; in a list, of the type of the one before.
fn samples(text: &str) -> Vec<Value<'static>> {
    let pieces: Vec<&str> = text.split('?').collect();
    let mut values: Vec<Value> = Vec::new();
    for piece in pieces.iter().take(pieces.len() - 1) {
        let value = match values.last() {
            Some(last) if *piece == ", " => last.clone(),
            _ => sample_after(piece),
        };
        values.push(value);
    }
    values
}

fn sample_after(piece: &str) -> Value<'static> {
    let ends = |words: &[&str]| words.iter().any(|word| piece.ends_with(word));
    if ends(&[
        "queue = ",
        "source = ",
        "dedupe_key = ",
        "lane_key IN (",
        "kind = ",
        "value IN (",
        "_id IN (",
        "to_number = ",
        "provider = ",
        "rule_id = ",
        "contact_id = ",
        "term >= ",
        "term < ",
        "LIKE ",
        "current_pipeline = ",
        "current_stage = ",
    ]) {
        "x".into()
    } else if ends(&["priority = ", "duplicates + ", "warmness < "]) {
        0.into()
    } else {
        0i64.into()
    }
}

#[derive(QueryableByName)]
struct LiteStep {
    #[diesel(sql_type = Text)]
    detail: String,
}

fn explain_sqlite(tx: &mut Tx<'_>, text: &str) -> StoreResult<Vec<String>> {
    let steps: Vec<LiteStep> = sql(format!("EXPLAIN QUERY PLAN {text}")).bind_all(samples(text)).load(tx)?;
    Ok(steps.into_iter().map(|step| step.detail).collect())
}

#[derive(QueryableByName)]
struct PgStep {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    line: String,
}

fn explain_postgres(tx: &mut Tx<'_>, text: &str) -> StoreResult<Vec<String>> {
    let steps: Vec<PgStep> = sql(format!("EXPLAIN (COSTS OFF) {text}")).bind_all(samples(text)).load(tx)?;
    Ok(steps.into_iter().map(|step| step.line.trim().to_owned()).collect())
}
