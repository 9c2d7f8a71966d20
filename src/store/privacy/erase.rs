//! Destroys what is known of a person. Rows that figures and other rows hang on stay, without anything that says whose they are.

use super::{ERASED, Person, has_table};
use crate::domain::time::Timestamp;
use crate::store::changes::Topic;
use crate::store::once;
use crate::store::sql::{Number, Value, sql};
use crate::store::{StoreError, StoreResult, Tx, jobs, sms};
use diesel::QueryableByName;
use diesel::sql_types::Text;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// How many rows of which kind were destroyed or emptied.
pub type Counts = BTreeMap<&'static str, usize>;

/// Who has a person erased, and why.
#[derive(Clone, Debug)]
pub struct Erasure {
    pub by: String,
    pub reason: String,
    pub at: Timestamp,
    /// What was written down about others is searched for the person, too: every task and every note is looked at.
    pub is_thorough: bool,
}

/// A statement, and what its rows are. `{ids}` stands for the person's contacts.
struct Step {
    kind: &'static str,
    text: &'static str,
}

const fn step(kind: &'static str, text: &'static str) -> Step {
    Step { kind, text }
}

const STEPS: &[Step] = &[
    step(
        "events",
        "UPDATE event_payloads SET raw_payload = '' WHERE event_id IN (SELECT id FROM event_log WHERE contact_id IN ({ids}))",
    ),
    step(
        "skips",
        "DELETE FROM automation_skips WHERE contact_id IN ({ids}) OR event_id IN (SELECT id FROM event_log WHERE contact_id IN ({ids}))",
    ),
    step(
        "runs",
        "UPDATE automation_runs SET trace = '' WHERE contact_id IN ({ids}) OR event_id IN (SELECT id FROM event_log WHERE contact_id IN ({ids}))",
    ),
    step(
        "waits",
        "UPDATE waiting_runs SET memory = '', reason = 'erased', state = CASE WHEN state = 'resumed' THEN 'resumed' ELSE 'ended' END WHERE contact_id IN ({ids})",
    ),
    step("timers", "DELETE FROM timers WHERE contact_id IN ({ids})"),
    step(
        "text_answers",
        "UPDATE sms_handovers SET raw = '' WHERE sms_id IN (SELECT id FROM sms_messages WHERE contact_id IN ({ids}))",
    ),
    step(
        "text_states",
        "UPDATE sms_status_events SET detail = NULL WHERE sms_id IN (SELECT id FROM sms_messages WHERE contact_id IN ({ids}))",
    ),
    step(
        "texts_withdrawn",
        "UPDATE sms_messages SET status = 'cancelled', status_reason = 'erased' WHERE contact_id IN ({ids}) AND direction = 'out' AND status IN ('scheduled', 'queued')",
    ),
    // Nobody will ask the provider about it any more.
    step(
        "texts_given_up",
        "UPDATE sms_messages SET status = 'failed', status_reason = 'erased' WHERE contact_id IN ({ids}) AND status = 'unknown'",
    ),
    step("texts", "UPDATE sms_messages SET body = '', to_number = 'erased', from_number = NULL WHERE contact_id IN ({ids})"),
    step(
        "notes",
        "DELETE FROM notes WHERE contact_id IN ({ids}) OR booking_id IN (SELECT id FROM bookings WHERE contact_id IN ({ids}))",
    ),
    step("touchpoints", "UPDATE touchpoints SET medium = NULL, campaign = NULL WHERE contact_id IN ({ids})"),
    step("field_changes", "UPDATE field_changes SET from_value = NULL, to_value = NULL WHERE contact_id IN ({ids})"),
    step("bookings", "UPDATE bookings SET resource_name = NULL, version = version + 1 WHERE contact_id IN ({ids})"),
    step("identities", "DELETE FROM contact_identities WHERE contact_id IN ({ids})"),
    step(
        "dependants",
        "UPDATE contacts SET guardian_contact_id = NULL, version = version + 1 WHERE guardian_contact_id IN ({ids})",
    ),
];

/// Of tables that a database may not have.
const LATER: &[(&str, Step)] = &[
    ("consents", step("consents", "DELETE FROM consents WHERE contact_id IN ({ids})")),
    ("contact_terms", step("search", "DELETE FROM contact_terms WHERE contact_id IN ({ids})")),
    ("contact_search", step("search", "DELETE FROM contact_search WHERE contact_id IN ({ids})")),
    ("inbox_drafts", step("drafts", "DELETE FROM inbox_drafts WHERE contact_id IN ({ids})")),
    ("inbox_states", step("drafts", "DELETE FROM inbox_states WHERE contact_id IN ({ids})")),
    (
        "contact_merges",
        step(
            "merges",
            "UPDATE contact_merges SET journal = '{}', undone_at = COALESCE(undone_at, merged_at), undone_by = COALESCE(undone_by, 'erased') WHERE winner_id IN ({ids}) OR loser_id IN ({ids})",
        ),
    ),
];

/// With a time after the ids.
const CONTACT: &str = "UPDATE contacts SET name = 'Erased', first_name = '', last_name = '', phone = NULL, phone_raw = NULL, \
     phone_status = 'erased', email = NULL, guardian_contact_id = NULL, marketing_consent = 'denied', sms_consent = 'denied', \
     interest = NULL, current_pipeline = NULL, current_stage = NULL, stage_entered_at = NULL, assigned_to = NULL, recall_due_on = NULL, \
     tags = '[]', version = version + 1, updated_at = ? WHERE id IN ({ids})";
const OPEN_TASKS: &str =
    "UPDATE tasks SET status = 'cancelled', completed_at = ? WHERE contact_id IN ({ids}) AND status IN ('todo', 'in_progress')";
const TASKS: &str = "UPDATE tasks SET title = 'Erased', because = '', note = NULL, dedupe_key = NULL, version = version + 1, updated_at = ? \
     WHERE contact_id IN ({ids})";
const EVENTS_WAITING: &str =
    "UPDATE event_log SET status = 'ignored', processed_at = ? WHERE contact_id IN ({ids}) AND processed_at IS NULL";
const EVENTS: &str = "UPDATE event_log SET payload = '{}', lane_key = NULL, status_reason = 'erased' WHERE contact_id IN ({ids})";

/// Destroys everything. `loose` are events that name the person and belong to nobody yet.
///
/// # Errors
/// `Conflict` while a text of theirs is with the provider: nobody can say yet what will be written about it.
pub fn erase(tx: &mut Tx<'_>, person: &Person, loose: &[String], erasure: &Erasure) -> StoreResult<Counts> {
    if super::is_leaving(tx, person)? {
        return Err(StoreError::Conflict { what: "a text that is just leaving" });
    }
    let mut run = Run { tx, ids: &person.contact_ids, counts: Counts::new() };
    run.adopt(loose)?;
    run.end_jobs(&person.phones, erasure.at)?;
    for Step { kind, text } in STEPS {
        run.step(kind, text, None)?;
    }
    for (table, Step { kind, text }) in LATER {
        if has_table(run.tx, table)? {
            run.step(kind, text, None)?;
        }
    }
    let at = Some(erasure.at);
    run.step("events", EVENTS_WAITING, at)?;
    run.counts.remove("events");
    run.step("events", EVENTS, None)?;
    run.step("tasks", OPEN_TASKS, at)?;
    run.counts.remove("tasks");
    run.step("tasks", TASKS, at)?;
    run.step("contacts", CONTACT, at)?;
    run.forget_keys(&person.words)?;
    run.forget_numbers(person)?;
    run.forget_answers()?;
    if erasure.is_thorough {
        run.clean_words_of_others(&person.words)?;
    }
    run.note(person, erasure)?;
    let counts = run.counts;
    for id in &person.contact_ids {
        tx.changed(Topic::Contacts, id);
    }
    for topic in [Topic::Bookings, Topic::Tasks, Topic::Sms, Topic::Inbox, Topic::Events, Topic::Runs] {
        tx.changed(topic, "");
    }
    Ok(counts)
}

/// Empties events that turned out to be about somebody who was erased.
pub fn forget_events(tx: &mut Tx<'_>, event_ids: &[String]) -> StoreResult<()> {
    for id in event_ids {
        sql("UPDATE event_payloads SET raw_payload = '' WHERE event_id = ?").bind(id.as_str()).execute(tx)?;
        sql("UPDATE event_log SET payload = '{}', lane_key = NULL WHERE id = ?").bind(id.as_str()).execute(tx)?;
    }
    Ok(())
}

#[derive(QueryableByName)]
struct Key {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    dedupe_key: String,
}

struct Run<'a, 'b> {
    tx: &'a mut Tx<'b>,
    ids: &'a [String],
    counts: Counts,
}

impl Run<'_, '_> {
    fn step(&mut self, kind: &'static str, text: &str, at: Option<Timestamp>) -> StoreResult<()> {
        let mentions = text.matches("{ids}").count();
        let marks = vec!["?"; self.ids.len()].join(", ");
        let ids = || self.ids.iter().map(|id| Value::from(id.as_str()));
        let values = at.map(Value::from).into_iter().chain((0..mentions).flat_map(|_| ids()));
        let count = sql(text.replace("{ids}", &marks)).bind_all(values).execute(self.tx)?;
        self.count(kind, count);
        Ok(())
    }

    fn count(&mut self, kind: &'static str, count: usize) {
        if count > 0 {
            *self.counts.entry(kind).or_default() += count;
        }
    }

    /// What names the person becomes the person's, and goes with the rest.
    fn adopt(&mut self, loose: &[String]) -> StoreResult<()> {
        let Some(first) = self.ids.first() else { return Ok(()) };
        for id in loose {
            sql("UPDATE event_log SET contact_id = ? WHERE id = ? AND contact_id IS NULL")
                .bind(first.as_str())
                .bind(id.as_str())
                .execute(self.tx)?;
        }
        Ok(())
    }

    /// Jobs that wait are gone; one that runs finds that the contact has changed, decides anew, and finds nothing to do.
    fn end_jobs(&mut self, phones: &[String], at: Timestamp) -> StoreResult<()> {
        let marks = |count: usize| vec!["?"; count].join(", ");
        let lanes = self.ids.iter().map(|id| format!("c:{id}")).chain(phones.iter().map(|phone| format!("p:{phone}")));
        let lanes: Vec<String> = lanes.collect();
        let text = format!(
            "SELECT id AS n FROM jobs WHERE state <> 'running' AND (lane_key IN ({}) OR event_id IN (SELECT id FROM event_log WHERE contact_id IN ({}))) ORDER BY id",
            marks(lanes.len()),
            marks(self.ids.len())
        );
        let values = lanes.iter().chain(self.ids).map(|text| Value::from(text.as_str()));
        let rows: Vec<Number> = sql(text).bind_all(values).load(self.tx)?;
        for job in &rows {
            jobs::cancel(self.tx, job.n, at)?;
        }
        self.count("jobs", rows.len());
        Ok(())
    }

    /// A source may have made its events' ids from who they are about. Hashed, a repeated delivery of that event would count as new; few
    /// sources do, and they repeat within days.
    fn forget_keys(&mut self, words: &[String]) -> StoreResult<()> {
        let marks = vec!["?"; self.ids.len()].join(", ");
        for word in words {
            let text = format!(
                "SELECT id, dedupe_key FROM event_log WHERE contact_id IN ({marks}) AND REPLACE(dedupe_key, ?, '') <> dedupe_key"
            );
            let ids = self.ids.iter().map(|id| Value::from(id.as_str()));
            let rows: Vec<Key> = sql(text).bind_all(ids).bind(word.as_str()).load(self.tx)?;
            for row in rows {
                let hash = format!("sha256:{}", hex::encode(Sha256::digest(&row.dedupe_key)));
                sql("UPDATE event_log SET dedupe_key = ? WHERE id = ?").bind(hash).bind(row.id).execute(self.tx)?;
            }
        }
        Ok(())
    }

    /// Whoever said STOP is not texted again, although nobody knows any more who that was: see [`sms::suppression_key`].
    fn forget_numbers(&mut self, person: &Person) -> StoreResult<()> {
        for phone in &person.phones {
            let key = sms::suppression_key(phone);
            sql("DELETE FROM suppressions WHERE phone = ?").bind(key.as_str()).execute(self.tx)?;
            let kept = sql("UPDATE suppressions SET phone = ?, event_id = NULL WHERE phone = ? AND lifted_at IS NULL")
                .bind(key.as_str())
                .bind(phone.as_str())
                .execute(self.tx)?;
            self.count("suppressions_kept", kept);
            sql("DELETE FROM suppressions WHERE phone = ?").bind(phone.as_str()).execute(self.tx)?;
            sql("DELETE FROM sms_departures WHERE scope = ?").bind(format!("to:{phone}")).execute(self.tx)?;
            let others = sql("UPDATE sms_messages SET body = '', to_number = 'erased', from_number = NULL, status = CASE WHEN status = 'scheduled' \
                              OR status = 'queued' THEN 'cancelled' ELSE status END WHERE to_number = ? OR from_number = ?")
                .bind(phone.as_str())
                .bind(phone.as_str())
                .execute(self.tx)?;
            self.count("texts", others);
        }
        Ok(())
    }

    /// Answers to requests that may be sent again. The keys stay: nothing is done twice because somebody was erased.
    fn forget_answers(&mut self) -> StoreResult<()> {
        let gone = once::forget_answers(self.tx)?;
        self.count("answers", gone);
        Ok(())
    }

    /// What was written down about others may name the person, too.
    fn clean_words_of_others(&mut self, words: &[String]) -> StoreResult<()> {
        for word in words {
            for (table, column) in [("tasks", "title"), ("tasks", "because"), ("tasks", "note"), ("notes", "body")] {
                let text = format!(
                    "UPDATE {table} SET {column} = REPLACE({column}, ?, '{ERASED}') WHERE REPLACE({column}, ?, '') <> {column}"
                );
                let cleaned = sql(text).bind(word.as_str()).bind(word.as_str()).execute(self.tx)?;
                self.count("words_of_others", cleaned);
            }
        }
        Ok(())
    }

    fn note(&mut self, person: &Person, erasure: &Erasure) -> StoreResult<()> {
        let counts = serde_json::to_string(&self.counts).map_err(|e| StoreError::Statement(e.to_string()))?;
        let reason = person.words.iter().fold(erasure.reason.clone(), |reason, word| reason.replace(word, ERASED));
        for id in self.ids {
            sql("INSERT INTO erasures (contact_id, at, by, reason, counts) VALUES (?, ?, ?, ?, ?) \
                 ON CONFLICT (contact_id) DO UPDATE SET at = excluded.at, by = excluded.by, reason = excluded.reason")
            .bind(id.as_str())
            .bind(erasure.at)
            .bind(erasure.by.as_str())
            .bind(reason.as_str())
            .bind(counts.as_str())
            .execute(self.tx)?;
        }
        Ok(())
    }
}
