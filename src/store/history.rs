//! What only ever grows beside a contact: touchpoints, notes, moves between stages.

use super::changes::Topic;
use super::db::on;
use super::row::{domain_rows, row};
use super::schema::{field_changes, notes, pipeline_transitions, touchpoints};
use super::{Conn, StoreResult, Tx};
use crate::domain::contact::{FieldChange, Note};
use crate::domain::pipeline::Transition;
use crate::domain::time::Timestamp;
use crate::domain::touchpoint::Touchpoint;
use diesel::prelude::*;

row!(touchpoints, TouchpointRow, Touchpoint, id, insert {
    id => id: String, contact_id => contact_id: String, timestamp => timestamp: Timestamp, kind => kind: String,
    channel => channel: Option<String>, direction => direction: String, source => source: Option<String>,
    medium => medium: Option<String>, campaign => campaign: Option<String>, event_id => event_id: Option<String>,
});

row!(pipeline_transitions, TransitionRow, Transition, id, insert {
    id => id: String, contact_id => contact_id: String, booking_id => booking_id: Option<String>,
    pipeline => pipeline: String, from_pipeline => from_pipeline: Option<String>, from_stage => from_stage: Option<String>,
    to_stage => to_stage: String, at => at: Timestamp, by => by: String, run_id => run_id: Option<String>,
    duration_ms => duration_ms: Option<i64>,
});

row!(notes, NoteRow, Note, id, insert {
    id => id: String, contact_id => contact_id: Option<String>, booking_id => booking_id: Option<String>,
    body => body: String, author => author: String, run_id => run_id: Option<String>, created_at => created_at: Timestamp,
});

row!(field_changes, FieldChangeRow, FieldChange, id, insert {
    id => id: String, contact_id => contact_id: String, booking_id => booking_id: Option<String>, field => field: String,
    from_value => from: Option<String>, to_value => to: Option<String>, at => at: Timestamp, by => by: String,
    run_id => run_id: Option<String>,
});

/// What one run has set of its contact.
pub fn list_field_changes(conn: &mut Conn, contact_id: &str, run_id: &str) -> StoreResult<Vec<FieldChange>> {
    let rows: Vec<FieldChangeRow> = on!(conn, c => field_changes::table
        .filter(field_changes::contact_id.eq(contact_id))
        .filter(field_changes::run_id.eq(run_id))
        .order(field_changes::id)
        .select(FieldChangeRow::as_select())
        .load(c))?;
    domain_rows!(rows)
}

/// The newest touchpoints of one contact, newest first.
pub fn list_touchpoints(conn: &mut Conn, contact_id: &str, limit: i64) -> StoreResult<Vec<Touchpoint>> {
    let rows: Vec<TouchpointRow> = on!(conn, c => touchpoints::table
        .filter(touchpoints::contact_id.eq(contact_id))
        .order((touchpoints::timestamp.desc(), touchpoints::id.desc()))
        .select(TouchpointRow::as_select())
        .limit(limit)
        .load(c))?;
    domain_rows!(rows)
}

/// The newest notes about one contact, newest first.
pub fn list_notes(conn: &mut Conn, contact_id: &str, limit: i64) -> StoreResult<Vec<Note>> {
    let rows: Vec<NoteRow> = on!(conn, c => notes::table
        .filter(notes::contact_id.eq(contact_id))
        .order((notes::created_at.desc(), notes::id.desc()))
        .select(NoteRow::as_select())
        .limit(limit)
        .load(c))?;
    domain_rows!(rows)
}

/// The newest moves of one contact, newest first.
pub fn list_transitions(conn: &mut Conn, contact_id: &str, limit: i64) -> StoreResult<Vec<Transition>> {
    let rows: Vec<TransitionRow> = on!(conn, c => pipeline_transitions::table
        .filter(pipeline_transitions::contact_id.eq(contact_id))
        .order((pipeline_transitions::at.desc(), pipeline_transitions::id.desc()))
        .select(TransitionRow::as_select())
        .limit(limit)
        .load(c))?;
    domain_rows!(rows)
}

/// Something was taken for a touchpoint, and was none.
pub fn delete_touchpoint(tx: &mut Tx<'_>, id: &str) -> StoreResult<()> {
    super::sql::sql("DELETE FROM touchpoints WHERE id = ?").bind(id).execute(tx)?;
    Ok(())
}

pub fn insert_touchpoints(tx: &mut Tx<'_>, values: &[&Touchpoint]) -> StoreResult<()> {
    TouchpointRow::insert_all(tx, values)?;
    for value in values {
        tx.changed(Topic::Contacts, &value.contact_id);
    }
    Ok(())
}

pub fn insert_field_changes(tx: &mut Tx<'_>, values: &[&FieldChange]) -> StoreResult<()> {
    FieldChangeRow::insert_all(tx, values)?;
    for value in values {
        tx.changed(Topic::Contacts, &value.contact_id);
    }
    Ok(())
}

pub fn insert_notes(tx: &mut Tx<'_>, values: &[&Note]) -> StoreResult<()> {
    NoteRow::insert_all(tx, values)?;
    values.iter().filter_map(|note| note.contact_id.as_deref()).for_each(|id| tx.changed(Topic::Contacts, id));
    Ok(())
}

pub fn insert_transitions(tx: &mut Tx<'_>, values: &[&Transition]) -> StoreResult<()> {
    TransitionRow::insert_all(tx, values)?;
    for value in values {
        tx.changed(Topic::Contacts, &value.contact_id);
    }
    Ok(())
}
