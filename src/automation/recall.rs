//! Recall: withdraws everything that a rule has made since a time and that nobody has received yet, in one transaction.

use crate::domain::contact::Note;
use crate::domain::event::Timer;
use crate::domain::ids::new_id;
use crate::domain::sms::{SmsMessage, SmsStatus};
use crate::domain::task::{Task, TaskStatus};
use crate::domain::time::Timestamp;
use crate::store::overrides::{Action, Change, note_change};
use crate::store::recall::{self, Made};
use crate::store::sms::StatusChange;
use crate::store::{Conn, Store, StoreResult, Tx, contacts, history, sms, tasks, timers};
use std::collections::BTreeMap;

/// Rows of each kind that one recall withdraws; the same command again takes the next.
pub const RECALL_ROWS_MAX: i64 = 5_000;

/// What a recall withdraws, or would withdraw.
#[derive(Debug, Default)]
pub struct Recall {
    pub texts: Vec<SmsMessage>,
    /// On their way just now: nobody can call them back.
    pub leaving: Vec<SmsMessage>,
    /// Have left since then.
    pub left: i64,
    pub tasks: Vec<Task>,
    pub timers: Vec<Timer>,
}

impl Recall {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty() && self.tasks.is_empty() && self.timers.is_empty()
    }

    /// `3 texts, 1 task, 12 timers`
    #[must_use]
    pub fn summary(&self) -> String {
        let count = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
        let (texts, tasks, timers) = (self.texts.len(), self.tasks.len(), self.timers.len());
        format!("{}, {}, {}", count(texts, "text"), count(tasks, "task"), count(timers, "timer"))
    }
}

/// Lists what a recall would withdraw.
pub async fn list(store: &Store, rule_id: &str, since: Timestamp) -> StoreResult<Recall> {
    let made = made_by(rule_id, since);
    store.read(move |conn| find(conn, &made)).await
}

/// Withdraws it, and answers with what was withdrawn: it may have become less since it was listed.
pub async fn withdraw(store: &Store, rule_id: &str, since: Timestamp, by: &str, now: Timestamp) -> StoreResult<Recall> {
    let (made, by) = (made_by(rule_id, since), by.to_owned());
    store.write(move |tx| withdraw_all(tx, &made, &by, now)).await
}

fn made_by(rule_id: &str, since: Timestamp) -> Made {
    Made { rule_id: rule_id.to_owned(), since, limit: RECALL_ROWS_MAX }
}

fn find(conn: &mut Conn, made: &Made) -> StoreResult<Recall> {
    let (texts, leaving) = recall::list_texts(conn, made)?.into_iter().partition(|sms| sms.status.is_unsent());
    Ok(Recall {
        texts,
        leaving,
        left: recall::count_left(conn, made)?,
        tasks: recall::list_tasks(conn, made)?,
        timers: recall::list_timers(conn, made)?,
    })
}

fn withdraw_all(tx: &mut Tx<'_>, made: &Made, by: &str, now: Timestamp) -> StoreResult<Recall> {
    let ids: Vec<String> = concerned(&find(tx, made)?).into_keys().collect();
    // From here on nobody decides about these contacts; what is found now is what there is.
    contacts::lock_versions(tx, &ids)?;
    let mut found = find(tx, made)?;
    if found.is_empty() {
        return Ok(found);
    }
    let mut gone = Vec::with_capacity(found.texts.len());
    for text in found.texts {
        if withdraw_text(tx, &text, now)? {
            gone.push(text);
        } else {
            found.leaving.push(text);
        }
    }
    found.texts = gone;
    for task in &mut found.tasks {
        close(task, &made.rule_id, by, now);
    }
    tasks::upsert_many(tx, &found.tasks.iter().collect::<Vec<_>>())?;
    for timer in &found.timers {
        // Spent, not deleted: what is derived from the record would only come back.
        timers::mark_fired(tx, timer, now)?;
    }
    note(tx, &found, made, by, now)?;
    Ok(found)
}

fn withdraw_text(tx: &mut Tx<'_>, text: &SmsMessage, now: Timestamp) -> StoreResult<bool> {
    let change = StatusChange { reason: Some("recalled".to_owned()), ..StatusChange::default() };
    let from = [SmsStatus::Scheduled, SmsStatus::Queued];
    sms::change_status(tx, &text.id, &from, SmsStatus::Cancelled, &change, now)
}

fn close(task: &mut Task, rule_id: &str, by: &str, now: Timestamp) {
    let reason = format!("Recalled with the work of rule {rule_id}, by {by}");
    task.status = TaskStatus::Cancelled;
    task.completed_at = Some(now);
    task.updated_at = now;
    task.version += 1;
    task.note = Some(task.note.take().map_or_else(|| reason.clone(), |note| format!("{note}\n{reason}")));
}

/// How many texts, tasks and timers of each contact.
fn concerned(found: &Recall) -> BTreeMap<String, (usize, usize, usize)> {
    let mut by_contact: BTreeMap<String, (usize, usize, usize)> = BTreeMap::new();
    for id in found.texts.iter().filter_map(|t| t.contact_id.clone()) {
        by_contact.entry(id).or_default().0 += 1;
    }
    for id in found.tasks.iter().filter_map(|t| t.contact_id.clone()) {
        by_contact.entry(id).or_default().1 += 1;
    }
    for timer in &found.timers {
        by_contact.entry(timer.contact_id.clone()).or_default().2 += 1;
    }
    by_contact
}

/// A note on each person's timeline, and a line in the history of the rules.
fn note(tx: &mut Tx<'_>, found: &Recall, made: &Made, by: &str, now: Timestamp) -> StoreResult<()> {
    let by_contact = concerned(found);
    let ids: Vec<String> = by_contact.keys().cloned().collect();
    recall::raise_versions(tx, &ids, now)?;
    let rule = &made.rule_id;
    let notes: Vec<Note> = by_contact
        .into_iter()
        .map(|(contact_id, (texts, tasks, timers))| Note {
            id: new_id(now),
            contact_id: Some(contact_id),
            booking_id: None,
            body: format!("Recalled what rule {rule} had planned: texts {texts}, tasks {tasks}, timers {timers}."),
            author: by.to_owned(),
            run_id: None,
            created_at: now,
        })
        .collect();
    history::insert_notes(tx, &notes.iter().collect::<Vec<_>>())?;
    let reason = Some(format!("{} since {}", found.summary(), made.since.to_rfc3339()));
    let change =
        Change { action: Action::Recalled, rule_id: Some(rule.clone()), revision: None, by: by.to_owned(), reason, at: now };
    note_change(tx, &change)
}
