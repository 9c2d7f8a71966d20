//! Moving everything that hangs on one contact to another, and back.

use super::changes::Topic;
use super::db::on;
use super::row::log_row;
use super::schema::contact_merges;
use super::sql::{Value, in_classes, sql};
use super::{Conn, StoreResult, Tx};
use crate::domain::event::Timer;
use crate::domain::time::Timestamp;
use diesel::QueryableByName;
use diesel::prelude::*;
use diesel::sql_types::Text;

log_row!(contact_merges, MergeRow {
    id: String, winner_id: String, loser_id: String, merged_at: Timestamp, merged_by: String,
    undone_at: Option<Timestamp>, undone_by: Option<String>, journal: String,
});

/// Two contacts that became one.
#[derive(Clone, Debug, Queryable)]
pub struct Merge {
    pub id: String,
    pub winner_id: String,
    pub loser_id: String,
    /// Epoch ms.
    pub merged_at: i64,
    pub merged_by: String,
    pub undone_at: Option<i64>,
    pub undone_by: Option<String>,
    /// What both were, and what moved: JSON.
    pub journal: String,
}

/// A table whose rows belong to a contact: its name, its key, the column that names the contact, and how its rows are found.
struct Child {
    table: &'static str,
    key: &'static str,
    owner: &'static str,
    /// Selects the keys of a contact's rows as `id`; every `?` is the contact.
    of_contact: &'static str,
}

macro_rules! child {
    ($table:literal, $key:literal) => {
        Child {
            table: $table,
            key: $key,
            owner: "contact_id",
            of_contact: concat!("SELECT ", $key, " AS id FROM ", $table, " WHERE contact_id = ?"),
        }
    };
}

const CHILDREN: [Child; 13] = [
    child!("bookings", "id"),
    child!("tasks", "id"),
    child!("touchpoints", "id"),
    child!("notes", "id"),
    child!("pipeline_transitions", "id"),
    child!("field_changes", "id"),
    child!("event_log", "id"),
    child!("sms_messages", "id"),
    child!("automation_skips", "event_id"),
    // Only those that fired are found by contact; the others by their events.
    Child {
        table: "automation_runs",
        key: "id",
        owner: "contact_id",
        of_contact: "SELECT id FROM automation_runs WHERE contact_id = ? AND outcome = 'fired' UNION SELECT r.id FROM event_log AS e \
                     JOIN automation_runs AS r ON r.event_id = e.id AND r.contact_id = e.contact_id WHERE e.contact_id = ?",
    },
    // Runs that have ended are found by nobody's contact any more.
    Child {
        table: "waiting_runs",
        key: "id",
        owner: "contact_id",
        of_contact: "SELECT id FROM waiting_runs WHERE contact_id = ? AND state IN ('waiting', 'due', 'queued')",
    },
    Child {
        table: "contacts",
        key: "id",
        owner: "guardian_contact_id",
        of_contact: "SELECT id FROM contacts WHERE guardian_contact_id = ?",
    },
    Child {
        table: "contacts",
        key: "id",
        owner: "merged_into_id",
        of_contact: "SELECT id FROM contacts WHERE merged_into_id = ?",
    },
];

/// Keys of rows that moved, by `table.owner`.
pub type Moved = Vec<(String, Vec<String>)>;

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = Text)]
    id: String,
}

/// Keys of everything that hangs on the contact.
pub fn list_children(conn: &mut Conn, contact_id: &str) -> StoreResult<Moved> {
    let mut found = Vec::new();
    for child in &CHILDREN {
        let marks = child.of_contact.matches('?').count();
        let rows: Vec<Id> = sql(child.of_contact).bind_all(vec![Value::from(contact_id); marks]).load(conn)?;
        found.push((name(child), rows.into_iter().map(|row| row.id).collect()));
    }
    Ok(found)
}

/// Rows that are `from`'s become `to`'s; answers how many, by table.
pub fn move_children(tx: &mut Tx<'_>, moved: &Moved, from: &str, to: &str) -> StoreResult<Vec<(String, usize)>> {
    let mut counts = Vec::new();
    for child in &CHILDREN {
        let Some((name, keys)) = moved.iter().find(|(listed, _)| *listed == name(child)) else { continue };
        let Child { table, key, owner, .. } = child;
        let mut count = 0;
        for piece in in_classes(keys) {
            let marks = vec!["?"; piece.len()].join(", ");
            let text = format!("UPDATE {table} SET {owner} = ? WHERE {owner} = ? AND {key} IN ({marks})");
            count += sql(text).bind(to).bind(from).bind_all(piece.iter().map(|k| Value::from(k.as_str()))).execute(tx)?;
        }
        counts.push((name.clone(), count));
    }
    Ok(counts)
}

fn name(child: &Child) -> String {
    if child.owner == "contact_id" { child.table.to_owned() } else { format!("{}.{}", child.table, child.owner) }
}

/// What hangs on these bookings and is still to come goes where they went: open tasks, unsent texts, waiting runs, timers.
pub fn follow_bookings(tx: &mut Tx<'_>, booking_ids: &[String], from: &str, to: &str) -> StoreResult<()> {
    const WHAT: [(&str, &str, &str); 4] = [
        ("tasks", "booking_id", "status IN ('todo', 'in_progress')"),
        ("sms_messages", "booking_id", "direction = 'out' AND status IN ('scheduled', 'queued')"),
        ("waiting_runs", "booking_id", "state IN ('waiting', 'due', 'queued')"),
        ("timers", "subject_id", "state IN ('pending', 'fired')"),
    ];
    for (table, column, also) in WHAT {
        for piece in in_classes(booking_ids) {
            let marks = vec!["?"; piece.len()].join(", ");
            let text = format!("UPDATE {table} SET contact_id = ? WHERE contact_id = ? AND {also} AND {column} IN ({marks})");
            sql(text).bind(to).bind(from).bind_all(piece.iter().map(|k| Value::from(k.as_str()))).execute(tx)?;
        }
    }
    Ok(())
}

/// One identity changes hands; false when it is not `from`'s.
pub fn move_identity(tx: &mut Tx<'_>, kind: &str, value: &str, from: &str, to: &str) -> StoreResult<bool> {
    let text = "UPDATE contact_identities SET contact_id = ? WHERE kind = ? AND value = ? AND contact_id = ?";
    Ok(sql(text).bind(to).bind(kind).bind(value).bind(from).execute(tx)? == 1)
}

/// A row of a timer, as it was.
pub fn put_timer(tx: &mut Tx<'_>, timer: &Timer) -> StoreResult<()> {
    let text = "INSERT INTO timers (rule_id, trigger_index, subject_id, occurrence, subject_kind, contact_id, due_at, late_ms, state, \
                updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
    sql(text)
        .bind(timer.rule_id.as_str())
        .bind(timer.trigger)
        .bind(timer.subject_id.as_str())
        .bind(timer.occurrence.as_str())
        .bind(timer.subject_kind.as_str())
        .bind(timer.contact_id.as_str())
        .bind(timer.due_at)
        .bind(timer.late_ms)
        .bind(timer.state.as_str())
        .bind(timer.updated_at)
        .execute(tx)?;
    Ok(())
}

/// A text that has not left goes to another number.
pub fn redirect_text(tx: &mut Tx<'_>, sms_id: &str, to: &str) -> StoreResult<bool> {
    let text = "UPDATE sms_messages SET to_number = ? WHERE id = ? AND direction = 'out' AND status IN ('scheduled', 'queued')";
    Ok(sql(text).bind(to).bind(sms_id).execute(tx)? == 1)
}

/// A text that was withdrawn for the merge, and for nothing else, waits again.
pub fn restore_text(
    tx: &mut Tx<'_>,
    sms_id: &str,
    reason: &str,
    status: &str,
    old_reason: Option<&str>,
    now: Timestamp,
) -> StoreResult<bool> {
    let text = "UPDATE sms_messages SET status = ?, status_reason = ?, updated_at = ? WHERE id = ? AND status = 'cancelled' AND status_reason = ?";
    Ok(sql(text).bind(status).bind(old_reason).bind(now).bind(sms_id).bind(reason).execute(tx)? == 1)
}

/// A run that was ended for the merge, and for nothing else, waits again.
pub fn restore_wait(
    tx: &mut Tx<'_>,
    id: &str,
    reason: &str,
    (state, old_reason): (&str, Option<&str>),
    memory: &str,
    now: Timestamp,
) -> StoreResult<bool> {
    let text = "UPDATE waiting_runs SET state = ?, reason = ?, memory = ?, updated_at = ? WHERE id = ? AND state = 'ended' AND reason = ?";
    Ok(sql(text).bind(state).bind(old_reason).bind(memory).bind(now).bind(id).bind(reason).execute(tx)? == 1)
}

/// What staff keeps of a conversation.
pub const INBOX: [&str; 2] = ["inbox_states", "inbox_drafts"];

/// Drafts and marks of a conversation go along where the other contact has none of its own; the tables whose row went.
pub fn move_inbox(tx: &mut Tx<'_>, tables: &[&str], from: &str, to: &str) -> StoreResult<Vec<String>> {
    let mut moved = Vec::new();
    for table in INBOX.into_iter().filter(|table| tables.contains(table)) {
        let text = format!(
            "UPDATE {table} SET contact_id = ? WHERE contact_id = ? AND NOT EXISTS (SELECT 1 FROM {table} AS own WHERE own.contact_id = ?)"
        );
        if sql(text).bind(to).bind(from).bind(to).execute(tx)? == 1 {
            moved.push(table.to_owned());
        }
    }
    Ok(moved)
}

pub fn insert(tx: &mut Tx<'_>, merge: &Merge) -> StoreResult<()> {
    for id in [&merge.winner_id, &merge.loser_id] {
        tx.changed(Topic::Contacts, id);
    }
    for topic in [Topic::Bookings, Topic::Tasks, Topic::Sms, Topic::Inbox] {
        tx.changed(topic, "");
    }
    let Merge { id, winner_id, loser_id, merged_at, merged_by, journal, .. } = merge.clone();
    let row = MergeRow {
        id,
        winner_id,
        loser_id,
        merged_at: Timestamp(merged_at),
        merged_by,
        undone_at: None,
        undone_by: None,
        journal,
    };
    MergeRow::insert_these(tx, &[row])
}

/// The newest merge of the contact into another that was not undone.
pub fn find_of_loser(conn: &mut Conn, loser_id: &str) -> StoreResult<Option<Merge>> {
    Ok(on!(conn, c => contact_merges::table
        .filter(contact_merges::loser_id.eq(loser_id))
        .filter(contact_merges::undone_at.is_null())
        .order(contact_merges::merged_at.desc())
        .first::<Merge>(c)
        .optional())?)
}

pub fn mark_undone(tx: &mut Tx<'_>, id: &str, by: &str, now: Timestamp) -> StoreResult<()> {
    sql("UPDATE contact_merges SET undone_at = ?, undone_by = ? WHERE id = ?").bind(now).bind(by).bind(id).execute(tx)?;
    Ok(())
}

/// What merges remember of a person; they cannot be undone any more.
pub fn forget(tx: &mut Tx<'_>, contact_id: &str) -> StoreResult<()> {
    sql("DELETE FROM contact_merges WHERE winner_id = ? OR loser_id = ?").bind(contact_id).bind(contact_id).execute(tx)?;
    for table in INBOX {
        sql(format!("DELETE FROM {table} WHERE contact_id = ?")).bind(contact_id).execute(tx)?;
    }
    Ok(())
}
