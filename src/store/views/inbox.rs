//! Conversations by text: who wrote lately, and who still waits for an answer.
//!
//! A conversation is answered by a text that a member of staff has put in the outbox (one that no rule has made, and that was
//! neither withdrawn nor failed), when the task that asks for an answer is done, or when somebody says that it needs none.

use crate::domain::keywords::Keywords;
use crate::domain::time::Millis;
use crate::store::db::{Conn, on};
use crate::store::error::StoreResult;
use crate::store::inbox::InboxState;
use crate::store::one_of::one_of;
use crate::store::schema::{inbox_states, sms_messages};
use crate::store::sql::{Value, in_classes, sql};
use diesel::QueryableByName;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::collections::{HashMap, HashSet};

/// Texts from people that conversations are made of: the newest of more.
pub const TEXTS_MAX: i64 = 2_000;

/// What the program answers by itself.
const ANSWERED_BY_ITSELF: [&str; 2] = ["stop", "start"];
/// So soon after it came a text has been worked on.
const WORKED_ON_WITHIN: Millis = Millis::hours(1);
/// What confirms an appointment, when a reminder has asked.
const YES: &str = "yes";

/// One person's conversation. Times are epoch ms.
#[derive(Clone, Debug)]
pub struct Conversation {
    pub contact_id: String,
    /// The person's newest text.
    pub last_in_at: i64,
    pub last_in_id: String,
    /// The oldest text of the person that waits for an answer.
    pub unanswered_since: Option<i64>,
    pub state: Option<InboxState>,
}

#[derive(QueryableByName)]
struct Incoming {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    contact_id: String,
    #[diesel(sql_type = BigInt)]
    at: i64,
}

#[derive(QueryableByName)]
struct Answered {
    #[diesel(sql_type = Text)]
    contact_id: String,
    #[diesel(sql_type = BigInt)]
    at: i64,
}

/// Everybody who wrote since then, the newest first; and whether that is all of them.
pub fn conversations(conn: &mut Conn, keywords: &Keywords, since: i64) -> StoreResult<(Vec<Conversation>, bool)> {
    let text = "SELECT id, contact_id, created_at AS at FROM sms_messages WHERE direction = 'in' AND created_at >= ? \
                AND contact_id IS NOT NULL ORDER BY created_at DESC, id DESC LIMIT ?";
    let incoming: Vec<Incoming> = sql(text).bind(since).bind(TEXTS_MAX).load(conn)?;
    let is_all = (incoming.len() as i64) < TEXTS_MAX;
    let mut order: Vec<String> = Vec::new();
    let mut texts: HashMap<String, Vec<Incoming>> = HashMap::new();
    for text in incoming {
        let of_contact = texts.entry(text.contact_id.clone()).or_default();
        if of_contact.is_empty() {
            order.push(text.contact_id.clone());
        }
        of_contact.push(text);
    }
    let mut states = states(conn, &order)?;
    let answered = answered(conn, &order)?;
    let mut waiting: HashMap<String, Vec<Incoming>> = HashMap::new();
    let mut found = Vec::new();
    for contact_id in order {
        let all = texts.remove(&contact_id).unwrap_or_default();
        let Some(newest) = all.first() else { continue };
        let (last_in_at, last_in_id) = (newest.at, newest.id.clone());
        let state = states.remove(&contact_id);
        let done = state.as_ref().and_then(|s| s.done_at).unwrap_or(i64::MIN);
        let until = done.max(answered.get(&contact_id).copied().unwrap_or(i64::MIN));
        let open: Vec<Incoming> = all.into_iter().filter(|text| text.at > until).collect();
        if !open.is_empty() {
            waiting.insert(contact_id.clone(), open);
        }
        found.push(Conversation { contact_id, last_in_at, last_in_id, unanswered_since: None, state });
    }
    note_waiting(conn, keywords, &mut found, &waiting)?;
    Ok((found, is_all))
}

/// What the program has understood and answered by itself keeps nobody waiting.
fn note_waiting(
    conn: &mut Conn,
    keywords: &Keywords,
    found: &mut [Conversation],
    waiting: &HashMap<String, Vec<Incoming>>,
) -> StoreResult<()> {
    let ids: Vec<&str> = waiting.values().flatten().map(|text| text.id.as_str()).collect();
    let bodies = bodies(conn, &ids)?;
    let intents: HashMap<&str, &str> = bodies.iter().map(|(id, body)| (id.as_str(), keywords.intent(body))).collect();
    let yes: Vec<&str> = ids.iter().copied().filter(|id| intents.get(id) == Some(&YES)).collect();
    let confirmations = confirmations(conn, &yes)?;
    let is_answered = |text: &&Incoming| {
        let intent = intents.get(text.id.as_str()).copied().unwrap_or("other");
        ANSWERED_BY_ITSELF.contains(&intent) || confirmations.contains(&text.id)
    };
    for conversation in found {
        let open = waiting.get(&conversation.contact_id).into_iter().flatten();
        conversation.unanswered_since = open.filter(|text| !is_answered(text)).map(|text| text.at).min();
    }
    Ok(())
}

/// Those of these texts that confirm an appointment: the program had asked last, and one is confirmed, or was then: whoever
/// moves it since has it confirmed anew. A yes to a question of staff is for staff.
fn confirmations(conn: &mut Conn, yes: &[&str]) -> StoreResult<HashSet<String>> {
    let mut found = HashSet::new();
    for piece in in_classes(yes) {
        let marks = vec!["?"; piece.len()].join(", ");
        let text = format!(
            "SELECT y.id FROM sms_messages AS y WHERE y.id IN ({marks}) \
             AND EXISTS (SELECT 1 FROM sms_messages WHERE id = ( \
               SELECT o.id FROM sms_messages AS o WHERE o.contact_id = y.contact_id AND o.created_at <= y.created_at \
                 AND o.direction = 'out' AND o.status NOT IN ('cancelled', 'failed', 'suppressed', 'expired', 'scheduled') \
               ORDER BY o.created_at DESC, o.id DESC LIMIT 1) AND NOT ({BY_STAFF})) \
             AND (EXISTS (SELECT 1 FROM event_log AS e WHERE e.contact_id = y.contact_id \
                 AND e.event_type = 'booking_patient_confirmed' AND e.status <> 'ignored' \
                 AND e.timestamp >= y.created_at AND e.timestamp <= y.created_at + {}) \
               OR EXISTS (SELECT 1 FROM bookings AS b WHERE b.contact_id = y.contact_id AND b.patient_confirmed_at IS NOT NULL \
                 AND b.appointment_datetime >= y.created_at))",
            WORKED_ON_WITHIN.0
        );
        let rows: Vec<Id> = sql(text).bind_all(piece.iter().map(|id| Value::from(*id))).load(conn)?;
        found.extend(rows.into_iter().map(|row| row.id));
    }
    Ok(found)
}

fn bodies(conn: &mut Conn, ids: &[&str]) -> StoreResult<HashMap<String, String>> {
    let mut found = HashMap::new();
    for piece in ids.chunks(PIECE) {
        let rows: Vec<(String, String)> = on!(conn, c => sms_messages::table
            .filter(one_of(sms_messages::id, piece))
            .select((sms_messages::id, sms_messages::body))
            .load(c))?;
        found.extend(rows);
    }
    Ok(found)
}

/// Ids in one question.
const PIECE: usize = 256;

fn states(conn: &mut Conn, contact_ids: &[String]) -> StoreResult<HashMap<String, InboxState>> {
    let mut found = HashMap::new();
    for piece in contact_ids.chunks(PIECE) {
        let rows: Vec<InboxState> = on!(conn, c => inbox_states::table
            .filter(one_of(inbox_states::contact_id, piece))
            .select(InboxState::as_select())
            .load(c))?;
        found.extend(rows.into_iter().map(|state| (state.contact_id.clone(), state)));
    }
    Ok(found)
}

/// When staff wrote to each contact last, or called them instead: the task that asks for an answer was done.
fn answered(conn: &mut Conn, contact_ids: &[String]) -> StoreResult<HashMap<String, i64>> {
    let mut found = HashMap::new();
    for piece in in_classes(contact_ids) {
        let marks = vec!["?"; piece.len()].join(", ");
        let text = format!(
            "SELECT contact_id, MAX(created_at) AS at FROM sms_messages WHERE contact_id IN ({marks}) AND {BY_STAFF} GROUP BY contact_id"
        );
        let done = format!(
            "SELECT contact_id, MAX(completed_at) AS at FROM tasks WHERE contact_id IN ({marks}) AND type = 'sms_reply_review' \
             AND status = 'done' AND completed_by IS NOT NULL AND completed_at IS NOT NULL \
             AND (outcome IS NULL OR outcome NOT IN ('no_answer', 'voicemail', 'wrong_number')) GROUP BY contact_id"
        );
        for text in [text, done] {
            let rows: Vec<Answered> = sql(text).bind_all(piece.iter().map(|id| Value::from(id.as_str()))).load(conn)?;
            for row in rows {
                let at = found.entry(row.contact_id).or_insert(row.at);
                *at = row.at.max(*at);
            }
        }
    }
    Ok(found)
}

/// No rule has made it, and the program's own answer to STOP is none of staff's.
const BY_STAFF: &str = "direction = 'out' AND run_id IS NULL AND status NOT IN ('cancelled', 'failed', 'suppressed', 'expired') \
     AND (dedupe_key IS NULL OR dedupe_key NOT LIKE 'opt_out_ack:%')";

/// The newest text of each contact, in or out.
pub fn last_texts(conn: &mut Conn, contact_ids: &[String]) -> StoreResult<HashMap<String, LastText>> {
    let mut found = HashMap::new();
    for id in contact_ids {
        let row: Option<LastText> = on!(conn, c => sms_messages::table
            .filter(sms_messages::contact_id.eq(id))
            .order((sms_messages::created_at.desc(), sms_messages::id.desc()))
            .select(LastText::as_select())
            .first(c)
            .optional())?;
        found.extend(row.map(|text| (id.clone(), text)));
    }
    Ok(found)
}

#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = sms_messages)]
pub struct LastText {
    pub id: String,
    pub direction: String,
    pub body: String,
    pub status: String,
    /// Epoch ms.
    pub created_at: i64,
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = Text)]
    id: String,
}

/// Texts of staff to the contact after `since`, oldest first: somebody has answered meanwhile.
pub fn list_answers_since(conn: &mut Conn, contact_id: &str, since: i64) -> StoreResult<Vec<String>> {
    let text = format!(
        "SELECT id FROM sms_messages WHERE contact_id = ? AND created_at > ? AND {BY_STAFF} ORDER BY created_at, id LIMIT {ANSWERS_MAX}"
    );
    let rows: Vec<Id> = sql(text).bind(contact_id).bind(since).load(conn)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

const ANSWERS_MAX: i64 = 20;
