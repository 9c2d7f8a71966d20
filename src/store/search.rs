//! Finding people by any word of their name, their email address or any part of their phone number.
//!
//! Every contact has one line of words in `contact_search`, and each beginning by which it can be found in `contact_terms`: a
//! question is a range of one tree, on both databases. Both are written with the contact, and only when the line changes.

use super::db::on;
use super::one_of::one_of;
use super::row::log_row;
use super::schema::{contact_search, contacts};
use super::sql::{Number, Sql, Value, sql};
use super::{Conn, Store, StoreResult, Tx};
use crate::domain::contact::{Contact, Identity, IdentityKind};
use crate::domain::finding::{Condition, line_of, pattern_of, sort_name, terms_of};
use crate::domain::phone;
use diesel::QueryableByName;
use diesel::prelude::*;
use diesel::sql_types::Text;
use std::cmp::Reverse;
use std::collections::HashMap;

/// Terms that are looked at for one question, however common its words are.
const TERMS_LOOKED_AT_MAX: i64 = 20_000;
/// From so many on, the contacts of two words are rather compared than looked up one by one.
const MANY: i64 = 500;
/// Contacts without a line that one transaction gives one.
const CATCH_UP_ROWS_MAX: i64 = 500;

log_row!(contact_terms, TermRow { term: String, contact_id: String });
log_row!(contact_search, LineRow { contact_id: String, words: String, sort_name: String });

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = Text)]
    id: String,
}

/// Ids of at most `limit` contacts that every condition holds for. None when there is no condition.
pub fn list_matching(conn: &mut Conn, conditions: &[Condition], limit: i64) -> StoreResult<Vec<String>> {
    let mut counted = counted(conn, conditions)?;
    if counted.is_empty() {
        return Ok(Vec::new());
    }
    let (rarest, first) = counted.remove(0);
    let others: Vec<(Way, &Condition)> = counted.into_iter().map(|(count, other)| (way(rarest, count), other)).collect();
    let ways: Vec<(Way, usize)> = others.iter().map(|(way, other)| (*way, other.len())).collect();
    let mut query = bind_ranges(sql(matching_text(first.len(), &ways)), first);
    for (way, other) in others {
        query = match way {
            Way::Lines => query.bind_all(other.iter().map(|term| Value::from(pattern_of(term)))),
            Way::Terms => bind_ranges(query, other),
        };
    }
    let rows: Vec<Id> = query.bind(limit).load(conn)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Whoever has this whole number or address, also as a second one: of a contact that was merged into theirs, for one.
pub fn list_owners(conn: &mut Conn, text: &str) -> StoreResult<Vec<String>> {
    let phone = phone::normalise(text).ok().map(|number| Identity { kind: IdentityKind::Phone, value: number.e164 });
    let email = text.contains('@').then(|| Identity { kind: IdentityKind::Email, value: text.trim().to_lowercase() });
    let identities: Vec<Identity> = phone.into_iter().chain(email).collect();
    Ok(super::contacts::find_owners(conn, &identities)?.into_values().collect())
}

/// The conditions, the rarest first, and how many terms each finds, as far as that is counted. Which comes first is what the
/// tree is asked for.
fn counted<'c>(conn: &mut Conn, conditions: &'c [Condition]) -> StoreResult<Vec<(i64, &'c Condition)>> {
    if let [only] = conditions {
        return Ok(vec![(0, only)]);
    }
    let mut counted = Vec::new();
    for condition in conditions {
        let found: Option<Number> = bind_ranges(sql(counting_text(condition.len())), condition).first(conn)?;
        counted.push((found.map_or(0, |n| n.n), condition));
    }
    // Of words that are as common as can be counted, the longest.
    let length = |condition: &Condition| condition.iter().map(String::len).min().unwrap_or(0);
    counted.sort_by_key(|(count, condition)| (*count, Reverse(length(condition))));
    Ok(counted)
}

/// How a further condition is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Way {
    /// In the lines of whom the rarest finds: one step for each.
    Lines,
    /// By the contacts that it finds itself: a step for each term of both, and a far smaller one.
    Terms,
}

const fn way(rarest: i64, count: i64) -> Way {
    if rarest >= MANY && count < TERMS_LOOKED_AT_MAX { Way::Terms } else { Way::Lines }
}

/// Binds what [`ranges`] asks for.
fn bind_ranges<'a>(mut query: Sql<'a>, condition: &'a Condition) -> Sql<'a> {
    for prefix in condition {
        query = query.bind(prefix.as_str()).bind(format!("{prefix}\u{10FFFF}"));
    }
    query.bind(TERMS_LOOKED_AT_MAX)
}

/// So many contacts as have a term that begins with one of so many prefixes, up to a limit.
fn ranges(prefixes: usize) -> String {
    let range = "SELECT contact_id FROM contact_terms WHERE term >= ? AND term < ?";
    format!("{} LIMIT ?", vec![range; prefixes].join(" UNION ALL "))
}

fn counting_text(prefixes: usize) -> String {
    format!("SELECT COUNT(*) AS n FROM ({}) AS t", ranges(prefixes))
}

/// `prefixes`: of the condition that the tree is asked for; `others`: how each further condition is looked at, and how many
/// alternatives it has.
pub(in crate::store) fn matching_text(prefixes: usize, others: &[(Way, usize)]) -> String {
    let mut text = format!("SELECT DISTINCT t.contact_id AS id FROM ({}) AS t", ranges(prefixes));
    if others.iter().any(|(way, _)| *way == Way::Lines) {
        text += " JOIN contact_search AS s ON s.contact_id = t.contact_id";
    }
    for (at, (way, alternatives)) in others.iter().enumerate() {
        text += if at == 0 { " WHERE " } else { " AND " };
        text += &match way {
            Way::Lines => format!("({})", vec![r"s.words LIKE ? ESCAPE '\'"; *alternatives].join(" OR ")),
            Way::Terms => format!("t.contact_id IN ({})", ranges(*alternatives)),
        };
    }
    text + " LIMIT ?"
}

/// Brings what these contacts are found by in line with what they are. Costs one look when nothing of it has changed.
pub fn write_many(tx: &mut Tx<'_>, people: &[&Contact]) -> StoreResult<()> {
    if people.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = people.iter().map(|c| c.id.as_str()).collect();
    let known = lines_of(tx, &ids)?;
    let (mut terms, mut lines) = (Vec::new(), Vec::new());
    for person in people {
        let line = line(person);
        if known.get(&person.id) == line.as_ref() {
            continue;
        }
        if let Some(old) = known.get(&person.id) {
            delete(tx, &person.id, old)?;
        }
        let Some(words) = line else { continue };
        terms.extend(terms_of(&words).into_iter().map(|term| TermRow { term, contact_id: person.id.clone() }));
        lines.push(LineRow { contact_id: person.id.clone(), words, sort_name: sort_name(&person.name) });
    }
    // In the tree's own order.
    terms.sort_unstable_by(|a, b| (&a.term, &a.contact_id).cmp(&(&b.term, &b.contact_id)));
    TermRow::insert_these(tx, &terms)?;
    LineRow::insert_these(tx, &lines)
}

/// Nobody finds the contact any more, and nothing of it is left here.
pub fn forget(tx: &mut Tx<'_>, contact_id: &str) -> StoreResult<()> {
    match lines_of(tx, &[contact_id])?.get(contact_id) {
        Some(line) => delete(tx, contact_id, line),
        None => Ok(()),
    }
}

/// Contacts that were there before they could be found get their lines; answers how many.
pub fn catch_up(store: &Store) -> StoreResult<usize> {
    let (mut after, mut count) = (String::new(), 0);
    loop {
        let from = after.clone();
        let people = store.read_now(move |conn| list_without_line(conn, &from))?;
        let Some(last) = people.last() else { return Ok(count) };
        after.clone_from(&last.id);
        count += people.len();
        store.write_now(move |tx| {
            // Locked and read again: they may have changed meanwhile.
            let ids: Vec<String> = people.iter().map(|person| person.id.clone()).collect();
            super::contacts::lock_versions(tx, &ids)?;
            let people = super::contacts::list_by_ids(tx, &ids)?;
            write_many(tx, &people.iter().collect::<Vec<_>>())
        })?;
    }
}

fn list_without_line(conn: &mut Conn, after: &str) -> StoreResult<Vec<Contact>> {
    let ids: Vec<String> = on!(conn, c => contacts::table
        .left_join(contact_search::table.on(contact_search::contact_id.eq(contacts::id)))
        .filter(contact_search::contact_id.is_null())
        .filter(contacts::merged_into_id.is_null())
        .filter(contacts::id.gt(after))
        .order(contacts::id)
        .limit(CATCH_UP_ROWS_MAX)
        .select(contacts::id)
        .load(c))?;
    let mut people = super::contacts::list_by_ids(conn, &ids)?;
    people.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    Ok(people)
}

/// `None` for contacts that were merged into another: the other is found.
fn line(person: &Contact) -> Option<String> {
    let phone = person.phone.as_deref().or(person.phone_raw.as_deref());
    person.merged_into_id.is_none().then(|| line_of(&person.name, person.email.as_deref(), phone))
}

fn lines_of(conn: &mut Conn, ids: &[&str]) -> StoreResult<HashMap<String, String>> {
    let rows: Vec<(String, String)> = on!(conn, c => contact_search::table
        .filter(one_of(contact_search::contact_id, ids))
        .select((contact_search::contact_id, contact_search::words))
        .load(c))?;
    Ok(rows.into_iter().collect())
}

fn delete(tx: &mut Tx<'_>, contact_id: &str, line: &str) -> StoreResult<()> {
    let terms = terms_of(line);
    let marks = vec!["?"; terms.len().max(1)].join(", ");
    let delete: Sql<'_> = sql(format!("DELETE FROM contact_terms WHERE contact_id = ? AND term IN ({marks})")).bind(contact_id);
    let delete =
        if terms.is_empty() { delete.bind("") } else { delete.bind_all(terms.iter().map(|term| Value::from(term.as_str()))) };
    delete.execute(tx)?;
    sql("DELETE FROM contact_search WHERE contact_id = ?").bind(contact_id).execute(tx)?;
    Ok(())
}
