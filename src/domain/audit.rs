//! What people did, as it is written down: who, what, to which record; never anything personal about a patient.

use super::ids::is_id;
use super::time::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::net::IpAddr;

/// Names of what is done. Dotted: `record.verb`. A new one needs no other place than this.
pub mod action {
    pub const SIGNED_IN: &str = "session.signed_in";
    pub const SIGN_IN_FAILED: &str = "session.refused";
    pub const SIGNED_OUT: &str = "session.signed_out";
    pub const SESSION_REVOKED: &str = "session.revoked";
    pub const PASSWORD_CHANGED: &str = "user.password_changed";
    pub const MFA_ON: &str = "user.mfa_on";
    pub const MFA_RESET: &str = "user.mfa_reset";
    pub const RECOVERY_CODES_MADE: &str = "user.recovery_codes_made";
    pub const USER_ADDED: &str = "user.added";
    pub const USER_CHANGED: &str = "user.changed";
    pub const USER_INVITED: &str = "user.invited";
    pub const KEY_MADE: &str = "key.made";
    pub const KEY_REVOKED: &str = "key.revoked";
    pub const RULES_PUBLISHED: &str = "rules.published";
    pub const RULES_ROLLED_BACK: &str = "rules.rolled_back";
    pub const RULE_SWITCHED: &str = "rule.switched";
    pub const RULE_RUN_BY_HAND: &str = "rule.run_by_hand";
    pub const RULE_FILE_WRITTEN: &str = "rule_file.written";
    pub const JOBS_RETRIED: &str = "jobs.retried";
    pub const JOBS_DISCARDED: &str = "jobs.discarded";
    pub const QUEUE_PAUSED: &str = "queue.paused";
    pub const QUEUE_RESUMED: &str = "queue.resumed";
    pub const TASK_COMPLETED: &str = "task.completed";
    pub const CONTACTS_MERGED: &str = "contact.merged";
    pub const CONTACTS_UNMERGED: &str = "contact.unmerged";
    pub const CONVERSATION_DONE: &str = "conversation.done";
    pub const CONVERSATION_ASSIGNED: &str = "conversation.assigned";
    pub const TIMELINE_READ: &str = "contact.timeline_read";
    pub const CONTACT_EXPORTED: &str = "contact.exported";
    pub const CONTACT_ERASED: &str = "contact.erased";
}

/// Who does something, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// As it is recorded everywhere: `staff:ID`, `key:NAME`, or the name of a part of the program.
    pub by: String,
    /// `None` for whoever works at the machine itself.
    pub ip: Option<IpAddr>,
}

impl Who {
    pub fn new(by: impl Into<String>, ip: Option<IpAddr>) -> Self {
        Self { by: by.into(), ip }
    }
}

impl From<&str> for Who {
    fn from(by: &str) -> Self {
        Self::new(by, None)
    }
}

impl From<&String> for Who {
    fn from(by: &String) -> Self {
        Self::new(by.clone(), None)
    }
}

/// One thing that somebody does. Its details can hold ids, numbers and fixed words only, so nothing personal gets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub who: Who,
    /// One of [`action`].
    pub action: &'static str,
    /// Kind and id of the record that it is done to.
    pub object: Option<(&'static str, String)>,
    pub details: Map<String, Value>,
}

/// Longer ids are not ids.
const ID_CHARACTERS_MAX: usize = 64;

impl Entry {
    pub fn new(who: Who, action: &'static str) -> Self {
        Self { who, action, object: None, details: Map::new() }
    }

    pub fn of(self, kind: &'static str, id: &str) -> Self {
        Self { object: Some((kind, harmless(id))), ..self }
    }

    pub fn with_id(self, name: &'static str, id: &str) -> Self {
        self.with(name, harmless(id).into())
    }

    pub fn with_number(self, name: &'static str, number: i64) -> Self {
        self.with(name, number.into())
    }

    pub fn with_word(self, name: &'static str, word: &'static str) -> Self {
        self.with(name, word.into())
    }

    pub fn with_flag(self, name: &'static str, flag: bool) -> Self {
        self.with(name, flag.into())
    }

    fn with(mut self, name: &'static str, value: Value) -> Self {
        self.details.insert(name.to_owned(), value);
        self
    }
}

/// An id as it is; of anything else only a mark by which it can be recognised.
fn harmless(id: &str) -> String {
    let is_name = !id.is_empty()
        && id.len() <= ID_CHARACTERS_MAX
        && id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':'))
        && (is_id(id) || id.chars().any(|c| c.is_ascii_alphabetic()));
    if is_name { id.to_owned() } else { format!("sha256:{}", &hex::encode(Sha256::digest(id.as_bytes()))[..16]) }
}

/// A row of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// From 1, without gaps.
    pub seq: i64,
    pub at: Timestamp,
    pub actor: String,
    pub ip: Option<String>,
    pub action: String,
    pub object_kind: Option<String>,
    pub object_id: Option<String>,
    /// JSON.
    pub details: String,
    /// Of the row before; empty before the first.
    pub prev_hash: String,
    /// SHA-256 over everything else, lower-case hex.
    pub hash: String,
}

/// What the hash begins with, so that it is of nothing else.
const HASH_KIND: &str = "avatar-audit/1";

impl AuditRow {
    /// The row that follows the one with number `seq` and `prev_hash`.
    #[must_use]
    pub fn after(seq: i64, prev_hash: &str, entry: &Entry, at: Timestamp) -> Self {
        let (object_kind, object_id) = entry.object.clone().map_or((None, None), |(k, i)| (Some(k.to_owned()), Some(i)));
        let mut row = Self {
            seq: seq + 1,
            at,
            actor: entry.who.by.clone(),
            ip: entry.who.ip.map(|ip| ip.to_string()),
            action: entry.action.to_owned(),
            object_kind,
            object_id,
            details: Value::Object(entry.details.clone()).to_string(),
            prev_hash: prev_hash.to_owned(),
            hash: String::new(),
        };
        row.hash = row.true_hash();
        row
    }

    /// What `hash` must be. Every field is written with its length, so no two rows are written alike.
    #[must_use]
    pub fn true_hash(&self) -> String {
        let mut hash = Sha256::new();
        let (seq, at) = (self.seq.to_string(), self.at.0.to_string());
        let fields = [
            Some(HASH_KIND),
            Some(&self.prev_hash),
            Some(&seq),
            Some(&at),
            Some(&self.actor),
            self.ip.as_deref(),
            Some(&self.action),
            self.object_kind.as_deref(),
            self.object_id.as_deref(),
            Some(&self.details),
        ];
        for field in fields {
            // Nothing is not the same as an empty text.
            hash.update(field.map_or(u64::MAX, |text| text.len() as u64).to_le_bytes());
            hash.update(field.unwrap_or_default().as_bytes());
        }
        hex::encode(hash.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_covers_every_field_and_the_row_before() {
        let entry =
            Entry::new(Who::from("key:reports"), action::RULE_SWITCHED).of("rule", "welcome").with_word("state", "disabled");
        let row = AuditRow::after(4, "ab", &entry, Timestamp(1_000));
        assert_eq!((row.seq, row.hash == row.true_hash()), (5, true));
        let changed: [fn(&mut AuditRow); 9] = [
            |r| r.seq = 6,
            |r| r.at = Timestamp(1_001),
            |r| r.actor.push('x'),
            |r| r.ip = Some(String::new()),
            |r| r.action.push('x'),
            |r| r.object_kind = None,
            |r| (r.object_kind, r.object_id) = (Some("rulewel".into()), Some("come".into())),
            |r| r.details.push(' '),
            |r| r.prev_hash = "ac".into(),
        ];
        for change in changed {
            let mut other = row.clone();
            change(&mut other);
            assert_ne!(other.true_hash(), row.hash, "{other:?}");
        }
    }

    #[test]
    fn only_ids_are_written_as_they_are() {
        for id in ["018f4e9a-0000-7000-8000-000000000000", "welcome-call", "r47", "pre_appointment"] {
            assert_eq!(harmless(id), id);
        }
        for other in ["Jane Nguyen", "kim@clinic.example", "+61491570006", "0491570006", "", "x y"] {
            assert!(harmless(other).starts_with("sha256:"), "{other}");
        }
    }
}
