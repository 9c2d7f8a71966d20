//! Everything that happened with one contact, the newest first, gathered from the tables that record it.

use super::{Cursor, Page, PageRequest};
use crate::store::db::{Conn, on};
use crate::store::error::StoreResult;
use crate::store::schema::{field_changes, notes, pipeline_transitions, sms_messages, tasks, touchpoints};
use diesel::prelude::*;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineEntry {
    /// Epoch ms.
    pub at: i64,
    pub id: String,
    /// `touchpoint`, `note`, `stage_change`, `field_change`, `sms` or `task`.
    pub kind: &'static str,
    /// What exactly: the touchpoint's kind, the task's type, the stage moved to, the text's template, the field.
    pub what: Option<String>,
    /// The words of it: a text's or note's body, a task's title, a field's values: `20 → 61`.
    pub text: Option<String>,
    /// `in` or `out`, of messages and touchpoints.
    pub direction: Option<String>,
    /// Of texts and tasks.
    pub status: Option<String>,
    pub booking_id: Option<String>,
    /// Who did it, as far as recorded: `rule:ID`, `staff:ID`.
    pub by: Option<String>,
    pub run_id: Option<String>,
}

/// Rows of `$table` of the contact before the cursor, newest first, and how many there are in all.
macro_rules! part {
    ($c:ident, $contact:ident, $page:ident, $table:ident, $at:ident, $columns:expr, $row:ty) => {{
        let mine = $table::contact_id.eq($contact);
        let total = $table::table.filter(mine).count().get_result::<i64>($c)?;
        let mut query = $table::table.filter(mine).select($columns).into_boxed();
        if let Some(Cursor { keys: [at], id }) = &$page.after {
            query = query.filter($table::$at.lt(*at).or($table::$at.eq(*at).and($table::id.lt(id))));
        }
        let rows = query.order(($table::$at.desc(), $table::id.desc())).limit($page.rows_wanted()).load::<$row>($c)?;
        (rows, total)
    }};
}

type TouchpointRow = (i64, String, String, String);
type NoteRow = (i64, String, String, Option<String>, String, Option<String>);
type MoveRow = (i64, String, String, Option<String>, String, Option<String>);
type ChangeRow = (i64, String, String, Option<String>, Option<String>, Option<String>, String, Option<String>);
type SmsRow = (i64, String, Option<String>, String, String, String, Option<String>, Option<String>);
type TaskRow = (i64, String, String, String, String, Option<String>, Option<String>);

/// A page of the contact's timeline. Each table is asked for a whole page, since one of them may fill it alone.
pub fn list(conn: &mut Conn, contact_id: &str, page: &PageRequest<1>) -> StoreResult<Page<TimelineEntry, 1>> {
    let parts = [
        touchpoints_of(conn, contact_id, page)?,
        notes_of(conn, contact_id, page)?,
        moves_of(conn, contact_id, page)?,
        changes_of(conn, contact_id, page)?,
        sms_of(conn, contact_id, page)?,
        tasks_of(conn, contact_id, page)?,
    ];
    let total = parts.iter().map(|(_, total)| total).sum();
    let mut entries: Vec<_> = parts.into_iter().flat_map(|(entries, _)| entries).collect();
    entries.sort_unstable_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
    Ok(page.page_of(entries, total, |e| Cursor { keys: [e.at], id: e.id.clone() }))
}

type Part = StoreResult<(Vec<TimelineEntry>, i64)>;

fn touchpoints_of(conn: &mut Conn, contact: &str, page: &PageRequest<1>) -> Part {
    use touchpoints::dsl as t;
    let (rows, total) = on!(conn, c => {
        part!(c, contact, page, touchpoints, timestamp, (t::timestamp, t::id, t::kind, t::direction), TouchpointRow)
    });
    let entry = |(at, id, kind, direction): TouchpointRow| TimelineEntry {
        what: Some(kind),
        direction: Some(direction),
        ..blank("touchpoint", at, id)
    };
    Ok((rows.into_iter().map(entry).collect(), total))
}

fn notes_of(conn: &mut Conn, contact: &str, page: &PageRequest<1>) -> Part {
    use notes::dsl as n;
    let (rows, total) = on!(conn, c => {
        let columns = (n::created_at, n::id, n::body, n::booking_id, n::author, n::run_id);
        part!(c, contact, page, notes, created_at, columns, NoteRow)
    });
    let entry = |(at, id, body, booking_id, author, run_id): NoteRow| TimelineEntry {
        text: Some(body),
        booking_id,
        by: Some(author),
        run_id,
        ..blank("note", at, id)
    };
    Ok((rows.into_iter().map(entry).collect(), total))
}

fn moves_of(conn: &mut Conn, contact: &str, page: &PageRequest<1>) -> Part {
    use pipeline_transitions::dsl as m;
    let (rows, total) = on!(conn, c => {
        let columns = (m::at, m::id, m::to_stage, m::booking_id, m::by, m::run_id);
        part!(c, contact, page, pipeline_transitions, at, columns, MoveRow)
    });
    let entry = |(at, id, to_stage, booking_id, by, run_id): MoveRow| TimelineEntry {
        what: Some(to_stage),
        booking_id,
        by: Some(by),
        run_id,
        ..blank("stage_change", at, id)
    };
    Ok((rows.into_iter().map(entry).collect(), total))
}

fn changes_of(conn: &mut Conn, contact: &str, page: &PageRequest<1>) -> Part {
    use field_changes::dsl as f;
    let (rows, total) = on!(conn, c => {
        let columns = (f::at, f::id, f::field, f::from_value, f::to_value, f::booking_id, f::by, f::run_id);
        part!(c, contact, page, field_changes, at, columns, ChangeRow)
    });
    let value = |value: Option<String>| value.unwrap_or_else(|| "nothing".to_owned());
    let entry = |(at, id, field, from, to, booking_id, by, run_id): ChangeRow| TimelineEntry {
        what: Some(field),
        text: Some(format!("{} → {}", value(from), value(to))),
        booking_id,
        by: Some(by),
        run_id,
        ..blank("field_change", at, id)
    };
    Ok((rows.into_iter().map(entry).collect(), total))
}

fn sms_of(conn: &mut Conn, contact: &str, page: &PageRequest<1>) -> Part {
    use sms_messages::dsl as s;
    let (rows, total) = on!(conn, c => {
        let columns = (s::created_at, s::id, s::template, s::body, s::direction, s::status, s::booking_id, s::run_id);
        part!(c, contact, page, sms_messages, created_at, columns, SmsRow)
    });
    let entry = |(at, id, template, body, direction, status, booking_id, run_id): SmsRow| TimelineEntry {
        what: template,
        text: Some(body),
        direction: Some(direction),
        status: Some(status),
        booking_id,
        run_id,
        ..blank("sms", at, id)
    };
    Ok((rows.into_iter().map(entry).collect(), total))
}

fn tasks_of(conn: &mut Conn, contact: &str, page: &PageRequest<1>) -> Part {
    use tasks::dsl as t;
    let (rows, total) = on!(conn, c => {
        let columns = (t::created_at, t::id, t::task_type, t::title, t::status, t::booking_id, t::run_id);
        part!(c, contact, page, tasks, created_at, columns, TaskRow)
    });
    let entry = |(at, id, task_type, title, status, booking_id, run_id): TaskRow| TimelineEntry {
        what: Some(task_type),
        text: Some(title),
        status: Some(status),
        booking_id,
        run_id,
        ..blank("task", at, id)
    };
    Ok((rows.into_iter().map(entry).collect(), total))
}

fn blank(kind: &'static str, at: i64, id: String) -> TimelineEntry {
    TimelineEntry {
        at,
        id,
        kind,
        what: None,
        text: None,
        direction: None,
        status: None,
        booking_id: None,
        by: None,
        run_id: None,
    }
}
