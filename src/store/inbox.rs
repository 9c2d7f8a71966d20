//! What staff keeps of conversations: whose they are, since when they need no answer, and the answer somebody is writing.

use super::changes::Topic;
use super::db::on;
use super::schema::{inbox_drafts, inbox_states};
use super::sql::sql;
use super::{Conn, StoreResult, Tx};
use crate::domain::time::Timestamp;
use diesel::prelude::*;

/// What staff has said of a conversation. Times are epoch ms.
#[derive(Clone, Debug, Default, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = inbox_states)]
pub struct InboxState {
    pub contact_id: String,
    pub assigned_to: Option<String>,
    pub done_at: Option<i64>,
    pub done_by: Option<String>,
    pub version: i64,
    pub updated_at: i64,
}

/// The answer that somebody is writing.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = inbox_drafts)]
pub struct Draft {
    pub contact_id: String,
    pub body: String,
    /// As it is recorded: `staff:ID`, `key:NAME`.
    pub author: String,
    pub version: i64,
    /// Epoch ms.
    pub updated_at: i64,
}

pub fn find_state(conn: &mut Conn, contact_id: &str) -> StoreResult<Option<InboxState>> {
    Ok(on!(conn, c => inbox_states::table.find(contact_id).select(InboxState::as_select()).first(c).optional())?)
}

pub fn find_draft(conn: &mut Conn, contact_id: &str) -> StoreResult<Option<Draft>> {
    Ok(on!(conn, c => inbox_drafts::table.find(contact_id).select(Draft::as_select()).first(c).optional())?)
}

/// Messages until `now` need no answer.
pub fn mark_done(tx: &mut Tx<'_>, contact_id: &str, by: &str, now: Timestamp) -> StoreResult<()> {
    let text = "INSERT INTO inbox_states (contact_id, done_at, done_by, version, updated_at) VALUES (?, ?, ?, 1, ?) ON CONFLICT (contact_id) \
                DO UPDATE SET done_at = excluded.done_at, done_by = excluded.done_by, version = inbox_states.version + 1, updated_at = excluded.updated_at";
    sql(text).bind(contact_id).bind(now).bind(by).bind(now).execute(tx)?;
    tx.changed(Topic::Inbox, contact_id);
    Ok(())
}

pub fn assign(tx: &mut Tx<'_>, contact_id: &str, to: Option<&str>, now: Timestamp) -> StoreResult<()> {
    let text = "INSERT INTO inbox_states (contact_id, assigned_to, version, updated_at) VALUES (?, ?, 1, ?) ON CONFLICT (contact_id) \
                DO UPDATE SET assigned_to = excluded.assigned_to, version = inbox_states.version + 1, updated_at = excluded.updated_at";
    sql(text).bind(contact_id).bind(to).bind(now).execute(tx)?;
    tx.changed(Topic::Inbox, contact_id);
    Ok(())
}

/// Writes the draft if it still has that version (0: there is none); false when somebody else was faster.
pub fn put_draft(tx: &mut Tx<'_>, draft: &Draft, version: i64) -> StoreResult<bool> {
    let (body, author) = (draft.body.as_str(), draft.author.as_str());
    let count = if version == 0 {
        let text = "INSERT INTO inbox_drafts (contact_id, body, author, version, updated_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
        let insert = sql(text).bind(draft.contact_id.as_str()).bind(body).bind(author).bind(draft.version);
        insert.bind(draft.updated_at).execute(tx)?
    } else {
        let text =
            "UPDATE inbox_drafts SET body = ?, author = ?, version = ?, updated_at = ? WHERE contact_id = ? AND version = ?";
        let update = sql(text).bind(body).bind(author).bind(draft.version).bind(draft.updated_at);
        update.bind(draft.contact_id.as_str()).bind(version).execute(tx)?
    };
    tx.changed(Topic::Inbox, &draft.contact_id);
    Ok(count == 1)
}

/// False when there was none.
pub fn delete_draft(tx: &mut Tx<'_>, contact_id: &str) -> StoreResult<bool> {
    tx.changed(Topic::Inbox, contact_id);
    Ok(sql("DELETE FROM inbox_drafts WHERE contact_id = ?").bind(contact_id).execute(tx)? == 1)
}
