//! The parts of a timeline: each table's entries about one contact, the newest first.

use super::TimelineEntry;
use crate::domain::event::EventPayload;
use crate::domain::staff_action::StaffAction;
use crate::store::db::{Conn, on};
use crate::store::error::StoreResult;
use crate::store::schema::{
    automation_runs, event_log, field_changes, notes, pipeline_transitions, sms_messages, tasks, touchpoints,
};
use crate::store::views::{Cursor, PageRequest};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

/// Rows of `$table` of the contact before the cursor, newest first, and how many there are in all.
macro_rules! part {
    ($c:ident, $contact:ident, $page:ident, $table:ident, $at:ident, $columns:expr, $row:ty $(, $also:expr)?) => {{
        let mine = $table::contact_id.eq($contact);
        let total = $table::table.filter(mine)$(.filter($also))?.count().get_result::<i64>($c)?;
        let mut query = $table::table.filter(mine)$(.filter($also))?.select($columns).into_boxed();
        if let Some(Cursor { keys: [at], id }) = &$page.after {
            query = query.filter($table::$at.lt(*at).or($table::$at.eq(*at).and($table::id.lt(id))));
        }
        let rows = query.order(($table::$at.desc(), $table::id.desc())).limit($page.rows_wanted()).load::<$row>($c)?;
        (rows, total)
    }};
}

type TouchpointRow = (i64, String, String, String, Option<String>);
type NoteRow = (i64, String, String, Option<String>, String, Option<String>);
type MoveRow = (i64, String, String, Option<String>, String, Option<String>, String, Option<String>);
type ChangeRow = (i64, String, String, Option<String>, Option<String>, Option<String>, String, Option<String>);
type EventRow = (i64, String, String, Option<String>, String, Option<String>, String);
type RunRow = (i64, String, String, String, Option<String>, String);
type SmsRow = (i64, String, Option<String>, String, String, String, Option<String>, Option<String>, Option<String>);
type TaskRow = (i64, String, String, String, String, Option<String>, Option<String>);

pub(super) type Part = StoreResult<(Vec<TimelineEntry>, i64)>;

pub(super) fn touchpoints_of(conn: &mut Conn, contact: &str, page: &PageRequest<1>) -> Part {
    use touchpoints::dsl as t;
    let (rows, total) = on!(conn, c => {
        part!(c, contact, page, touchpoints, timestamp, (t::timestamp, t::id, t::kind, t::direction, t::event_id), TouchpointRow)
    });
    let entry = |(at, id, kind, direction, event_id): TouchpointRow| TimelineEntry {
        what: Some(kind),
        direction: Some(direction),
        event_id,
        ..blank("touchpoint", at, id)
    };
    Ok((rows.into_iter().map(entry).collect(), total))
}

pub(super) fn notes_of(conn: &mut Conn, contact: &str, page: &PageRequest<1>) -> Part {
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

pub(super) fn moves_of(conn: &mut Conn, contact: &str, page: &PageRequest<1>) -> Part {
    use pipeline_transitions::dsl as m;
    let (rows, total) = on!(conn, c => {
        let columns = (m::at, m::id, m::pipeline, m::from_stage, m::to_stage, m::booking_id, m::by, m::run_id);
        part!(c, contact, page, pipeline_transitions, at, columns, MoveRow)
    });
    let entry = |(at, id, pipeline, from, to, booking_id, by, run_id): MoveRow| TimelineEntry {
        text: Some(format!("{} → {to}", from.as_deref().unwrap_or("nothing"))),
        status: Some(pipeline),
        what: Some(to),
        booking_id,
        by: Some(by),
        run_id,
        ..blank("stage_change", at, id)
    };
    Ok((rows.into_iter().map(entry).collect(), total))
}

pub(super) fn changes_of(conn: &mut Conn, contact: &str, page: &PageRequest<1>) -> Part {
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

pub(super) fn sms_of(conn: &mut Conn, contact: &str, page: &PageRequest<1>) -> Part {
    use sms_messages::dsl as s;
    let (rows, total) = on!(conn, c => {
        let columns = (s::created_at, s::id, s::template, s::body, s::direction, s::status, s::booking_id, s::run_id, s::sent_by);
        part!(c, contact, page, sms_messages, created_at, columns, SmsRow)
    });
    let entry = |(at, id, template, body, direction, status, booking_id, run_id, by): SmsRow| TimelineEntry {
        what: template,
        text: Some(body),
        direction: Some(direction),
        status: Some(status),
        booking_id,
        run_id,
        by,
        ..blank("sms", at, id)
    };
    Ok((rows.into_iter().map(entry).collect(), total))
}

pub(super) fn tasks_of(conn: &mut Conn, contact: &str, page: &PageRequest<1>) -> Part {
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

/// What happened to appointments, by its events. Deliveries that changed nothing are none.
pub(super) fn bookings_of(conn: &mut Conn, contact: &str, page: &PageRequest<1>) -> Part {
    use event_log::dsl as e;
    let (rows, total) = on!(conn, c => {
        let columns = (e::timestamp, e::id, e::event_type, e::booking_id, e::actor, e::causation_id, e::payload);
        part!(c, contact, page, event_log, timestamp, columns, EventRow, sql::<Bool>(BOOKING_EVENTS))
    });
    let entry = |(at, id, event_type, booking_id, actor, caused_by, payload): EventRow| TimelineEntry {
        what: Some(event_type),
        booking_id,
        by: Some(payload_of(&payload).by.unwrap_or(actor)),
        event_id: Some(caused_by.unwrap_or_else(|| id.clone())),
        ..blank("booking", at, id)
    };
    Ok((rows.into_iter().map(entry).collect(), total))
}

const BOOKING_EVENTS: &str = "event_type IN ('booking_created', 'booking_confirmed', 'booking_rescheduled', 'booking_cancelled', \
     'booking_declined', 'booking_checked_in', 'booking_completed', 'booking_no_show', 'waitlist_joined') AND status <> 'ignored'";

/// What staff did that leaves no other entry: with tasks, consent, merges.
pub(super) fn actions_of(conn: &mut Conn, contact: &str, page: &PageRequest<1>) -> Part {
    use event_log::dsl as e;
    let (rows, total) = on!(conn, c => {
        let columns = (e::timestamp, e::id, e::event_type, e::booking_id, e::actor, e::causation_id, e::payload);
        part!(c, contact, page, event_log, timestamp, columns, EventRow, sql::<Bool>(ACTIONS))
    });
    let entry = |(at, id, event_type, booking_id, actor, _, payload): EventRow| {
        let payload = payload_of(&payload);
        let action = payload.action.as_deref();
        TimelineEntry {
            what: Some(event_type),
            text: action.and_then(StaffAction::told).or_else(|| payload.data.get("assigned_to").cloned()),
            when: action.and_then(StaffAction::until).map(|until| until.0),
            booking_id,
            by: payload.by.or_else(|| payload.data.get("by").cloned()).or(Some(actor)),
            event_id: Some(id.clone()),
            ..blank("action", at, id)
        }
    };
    Ok((rows.into_iter().map(entry).collect(), total))
}

const ACTIONS: &str = "source = 'staff' AND event_type IN ('task_completed', 'task_snoozed', 'task_reopened', 'task_updated', \
     'sms_opted_out', 'sms_opted_in', 'contacts_merged', 'contacts_unmerged', 'contact_updated', 'sms_cancelled', \
     'conversation_done', 'conversation_assigned') AND status <> 'ignored'";

/// Nothing is left of it in old events.
fn payload_of(text: &str) -> EventPayload {
    serde_json::from_str(text).unwrap_or_default()
}

/// Rules that did something, or failed to.
pub(super) fn runs_of(conn: &mut Conn, contact: &str, page: &PageRequest<1>) -> Part {
    use automation_runs::dsl as r;
    let (rows, total) = on!(conn, c => {
        let columns = (r::at, r::id, r::rule_id, r::outcome, r::booking_id, r::event_id);
        part!(c, contact, page, automation_runs, at, columns, RunRow, sql::<Bool>("outcome = 'fired'"))
    });
    let entry = |(at, id, rule_id, outcome, booking_id, event_id): RunRow| TimelineEntry {
        by: Some(format!("rule:{rule_id}")),
        what: Some(rule_id),
        status: Some(outcome),
        booking_id,
        event_id: Some(event_id),
        run_id: Some(id.clone()),
        ..blank("run", at, id)
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
        when: None,
        by: None,
        event_id: None,
        run_id: None,
    }
}
