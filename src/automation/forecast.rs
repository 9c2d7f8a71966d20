//! What another ruleset would do to the timers that are pending: how many move, appear and vanish. Reads only.

use super::load::BOOKINGS_PAST_MAX;
use crate::domain::booking::Booking;
use crate::domain::contact::Contact;
use crate::domain::event::{SubjectKind, Timer};
use crate::domain::time::Timestamp;
use crate::engine::Ruleset;
use crate::engine::ruleset::Trigger;
use crate::engine::timers::{DesiredTimer, derive};
use crate::store::{Conn, StoreResult, bookings, contacts, timers};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Contacts that are looked at together, and in all.
const PAGE_MAX: i64 = 200;
const CONTACTS_MAX: usize = 100_000;

/// What becomes of pending timers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub moves: usize,
    pub appears: usize,
    pub vanishes: usize,
}

/// The difference, by rule and in all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forecast {
    pub total: Counts,
    /// Only rules of which something changes.
    pub rules: BTreeMap<String, Counts>,
    /// There were more contacts than are looked at.
    pub is_cut: bool,
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.moves += other.moves;
        self.appears += other.appears;
        self.vanishes += other.vanishes;
    }

    /// `412 move, 3 appear, 9 vanish`
    #[must_use]
    pub fn text(self) -> String {
        format!("{} move, {} appear, {} vanish", self.moves, self.appears, self.vanishes)
    }
}

impl Forecast {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.total == Counts::default()
    }

    /// `412 pending timers move, 3 appear, 9 vanish`, then one line for each rule.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let Counts { moves, appears, vanishes } = self.total;
        let cut = if self.is_cut { format!(" (of the first {CONTACTS_MAX} contacts)") } else { String::new() };
        let first = format!("{moves} pending timers move, {appears} appear, {vanishes} vanish{cut}");
        std::iter::once(first).chain(self.rules.iter().map(|(id, counts)| format!("  {id}: {}", counts.text()))).collect()
    }

    fn add(&mut self, rule_id: &str, counts: Counts) {
        self.total.add(counts);
        self.rules.entry(rule_id.to_owned()).or_default().add(counts);
    }
}

/// Derives the timers of everybody who has any, or may get some, under both rulesets.
pub fn forecast(conn: &mut Conn, old: &Ruleset, new: &Ruleset, now: Timestamp) -> StoreResult<Forecast> {
    let everybody = waits_for_contacts(old) || waits_for_contacts(new);
    let (mut found, mut after, mut seen) = (Forecast::default(), String::new(), 0);
    loop {
        let ids = if everybody {
            contacts::list_ids_after(conn, &after, PAGE_MAX)?
        } else {
            timers::list_contacts_after(conn, now, &after, PAGE_MAX)?
        };
        let Some(last) = ids.last() else { return Ok(found) };
        after.clone_from(last);
        seen += ids.len();
        page(conn, (old, new), &ids, now, &mut found)?;
        if seen >= CONTACTS_MAX {
            found.is_cut = true;
            return Ok(found);
        }
    }
}

fn waits_for_contacts(ruleset: &Ruleset) -> bool {
    let is_about_contact = |t: &Trigger| matches!(t, Trigger::Date { subject: SubjectKind::Contact, .. });
    ruleset.rules.iter().any(|rule| rule.enabled && rule.triggers.iter().any(is_about_contact))
}

fn page(
    conn: &mut Conn,
    (old, new): (&Ruleset, &Ruleset),
    ids: &[String],
    now: Timestamp,
    found: &mut Forecast,
) -> StoreResult<()> {
    let people = contacts::list_by_ids(conn, ids)?;
    let mut by_contact: BTreeMap<String, Vec<Arc<Booking>>> = BTreeMap::new();
    for booking in bookings::list_of_contacts(conn, ids, now - BOOKINGS_PAST_MAX)? {
        by_contact.entry(booking.contact_id.clone()).or_default().push(Arc::new(booking));
    }
    let known = timers::list_of_contacts(conn, ids)?;
    for person in people.iter().filter(|p| p.merged_into_id.is_none()) {
        let theirs = by_contact.remove(&person.id).unwrap_or_default();
        let fired: Vec<&Timer> = known.iter().filter(|t| t.contact_id == person.id && t.state == "fired").collect();
        let pending = |ruleset: &Ruleset| pending(ruleset, person, &theirs, &fired, now);
        for (rule_id, counts) in compare(pending(old), pending(new)) {
            found.add(&rule_id, counts);
        }
    }
    Ok(())
}

fn pending(ruleset: &Ruleset, person: &Contact, theirs: &[Arc<Booking>], fired: &[&Timer], now: Timestamp) -> Vec<DesiredTimer> {
    let mut timers = derive(ruleset, person, theirs, now);
    timers.retain(|want| !fired.iter().any(|t| super::timer_diff::same(t, want)));
    timers
}

/// What changes between two sets of timers of one contact, by rule. A trigger that was rewritten is another one, so what one
/// rule wants for one record before and after is taken in pairs, as far as it goes.
fn compare(old: Vec<DesiredTimer>, mut new: Vec<DesiredTimer>) -> BTreeMap<String, Counts> {
    let mut found: BTreeMap<String, Counts> = BTreeMap::new();
    let mut rest = Vec::new();
    for before in old {
        match take(&mut new, |t| t.trigger == before.trigger && t.occurrence == before.occurrence, &before) {
            Some(after) => note_move(&mut found, &before, &after),
            None => rest.push(before),
        }
    }
    for before in rest {
        match take(&mut new, |_| true, &before) {
            Some(after) => note_move(&mut found, &before, &after),
            None => found.entry(before.rule_id).or_default().vanishes += 1,
        }
    }
    for after in new {
        found.entry(after.rule_id).or_default().appears += 1;
    }
    found
}

fn take(from: &mut Vec<DesiredTimer>, fits: impl Fn(&DesiredTimer) -> bool, before: &DesiredTimer) -> Option<DesiredTimer> {
    let is_pair = |t: &DesiredTimer| t.rule_id == before.rule_id && t.subject_id == before.subject_id && fits(t);
    from.iter().position(is_pair).map(|index| from.remove(index))
}

fn note_move(found: &mut BTreeMap<String, Counts>, before: &DesiredTimer, after: &DesiredTimer) {
    if before.due_at != after.due_at {
        found.entry(before.rule_id.clone()).or_default().moves += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Millis;

    fn timer(rule: &str, trigger: i32, subject: &str, due: i64) -> DesiredTimer {
        DesiredTimer {
            rule_id: rule.to_owned(),
            trigger,
            subject_kind: SubjectKind::Booking,
            subject_id: subject.to_owned(),
            occurrence: "2026-12-04".to_owned(),
            due_at: Timestamp(due),
            late: Millis(0),
        }
    }

    #[test]
    fn a_rewritten_trigger_moves_its_timers() {
        let old = vec![timer("a", 1, "b1", 10), timer("a", 1, "b2", 20), timer("gone", 5, "b1", 1)];
        let new = vec![timer("a", 2, "b1", 11), timer("a", 2, "b2", 20), timer("new", 7, "b1", 3), timer("new", 8, "b1", 4)];
        let found = compare(old, new);
        assert_eq!(found["a"], Counts { moves: 1, ..Counts::default() }, "b2 is due as before");
        assert_eq!(found["gone"], Counts { vanishes: 1, ..Counts::default() });
        assert_eq!(found["new"], Counts { appears: 2, ..Counts::default() });
    }

    #[test]
    fn the_same_rules_change_nothing() {
        let same = || vec![timer("a", 1, "b1", 10), timer("a", 2, "b1", 20)];
        assert!(compare(same(), same()).is_empty());
    }
}
