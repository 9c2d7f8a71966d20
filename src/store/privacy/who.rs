//! Which rows are a person's.

use super::ERASED;
use crate::domain::contact::IdentityKind;
use crate::store::contacts;
use crate::store::sql::{Number, Value, sql};
use crate::store::{Conn, StoreResult};
use diesel::QueryableByName;
use diesel::sql_types::Text;

/// A person: the contact, those that were merged into it, and what identifies them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// The contact that stayed comes first.
    pub contact_ids: Vec<String>,
    /// Numbers that are theirs and not only used by them, E.164.
    pub phones: Vec<String>,
    /// What is looked for in the words of others: name, numbers, addresses, ids at the sources.
    pub words: Vec<String>,
    /// Those of `words` that can only mean this person.
    pub sure_words: Vec<String>,
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = Text)]
    id: String,
}

/// Shorter words could be anything.
const WORD_CHARS_MIN: usize = 5;
/// A national number is as long.
const NATIONAL_DIGITS: usize = 9;

/// `None` when there is no such contact.
pub fn find_person(conn: &mut Conn, contact_id: &str) -> StoreResult<Option<Person>> {
    let Some(named) = contacts::find(conn, contact_id)? else { return Ok(None) };
    let root = named.merged_into_id.clone().unwrap_or(named.id);
    let merged: Vec<Id> = sql("SELECT id FROM contacts WHERE merged_into_id = ? ORDER BY id").bind(root.as_str()).load(conn)?;
    let contact_ids: Vec<String> = std::iter::once(root).chain(merged.into_iter().map(|row| row.id)).collect();
    let rows = contacts::list_by_ids(conn, &contact_ids)?;
    let identities = contacts::list_identities(conn, &contact_ids)?;
    let mut person = Person { contact_ids: contact_ids.clone(), ..Person::default() };
    for identity in identities.into_values().flatten() {
        person.sure(&identity.value);
        if identity.kind == IdentityKind::Phone {
            let digits = identity.value.len().saturating_sub(NATIONAL_DIGITS);
            person.sure(identity.value.get(digits..).unwrap_or_default());
            person.phones.push(identity.value);
        }
    }
    for contact in rows.iter().filter(|contact| contact.phone_status != ERASED) {
        person.words.extend([&contact.phone_raw, &contact.email].into_iter().flatten().cloned());
        for name in [contact.name.clone(), format!("{} {}", contact.first_name, contact.last_name)] {
            person.words.push(name.trim().to_owned());
        }
    }
    for words in [&mut person.words, &mut person.sure_words, &mut person.phones] {
        words.retain(|word| word.chars().count() >= WORD_CHARS_MIN);
        words.sort_unstable();
        words.dedup();
        // Longer ones first: a part of a word that is replaced would hide the rest.
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    }
    Ok(Some(person))
}

impl Person {
    fn sure(&mut self, word: &str) {
        self.words.push(word.to_owned());
        self.sure_words.push(word.to_owned());
    }
}

/// Events after `after` that are not known to be about anybody and in which the person is named: not worked on yet, or unreadable.
pub fn find_loose_events(conn: &mut Conn, person: &Person, after: &str) -> StoreResult<Vec<String>> {
    let mut found = Vec::new();
    for word in &person.sure_words {
        let rows: Vec<Id> = sql(LOOSE).bind(after).bind(word.as_str()).bind(word.as_str()).load(conn)?;
        found.extend(rows.into_iter().map(|row| row.id));
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Not with LIKE: an underscore in an email address would stand for anything.
const LOOSE: &str = "SELECT e.id AS id FROM event_log e LEFT JOIN event_payloads p ON p.event_id = e.id WHERE e.contact_id IS NULL \
     AND e.id > ? AND (REPLACE(p.raw_payload, ?, '') <> p.raw_payload OR REPLACE(e.payload, ?, '') <> e.payload)";

/// A text of the person is with the provider at this moment.
pub fn is_leaving(conn: &mut Conn, person: &Person) -> StoreResult<bool> {
    let marks = vec!["?"; person.contact_ids.len()].join(", ");
    let text = format!("SELECT COUNT(*) AS n FROM sms_messages WHERE contact_id IN ({marks}) AND status = 'sending'");
    let ids = person.contact_ids.iter().map(|id| Value::from(id.as_str()));
    Ok(sql(text).bind_all(ids).first::<Number>(conn)?.is_some_and(|row| row.n > 0))
}
