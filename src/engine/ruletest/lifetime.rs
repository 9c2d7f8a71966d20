//! What `while` of dated rules sees while they wait: no run tells, because a timer that ends leaves none.

use crate::domain::booking::Booking;
use crate::domain::event::SubjectKind;
use crate::domain::time::Timestamp;
use crate::engine::facts::ContactFacts;
use crate::engine::ruleset::{Rule, Ruleset, Trigger};
use crate::engine::script::{View, limits};
use std::sync::Arc;

/// (rule, line of `while`, what it was) of every dated rule and every rule that waits, for a contact and its bookings.
pub(crate) fn lifetimes(
    ruleset: &Ruleset,
    contact: &Arc<ContactFacts>,
    bookings: &[Arc<Booking>],
    now: Timestamp,
) -> Vec<(usize, usize, bool)> {
    let mut seen = Vec::new();
    for (index, rule) in ruleset.rules.iter().enumerate().filter(|(_, rule)| !rule.while_.is_empty()) {
        match subject(rule) {
            Some(SubjectKind::Booking) => {
                for booking in bookings {
                    look(
                        ruleset,
                        index,
                        rule,
                        &View::of_records(&ruleset.catalogue.clinic, Some(contact), Some(booking), now),
                        &mut seen,
                    );
                }
            }
            Some(_) => {
                look(ruleset, index, rule, &View::of_records(&ruleset.catalogue.clinic, Some(contact), None, now), &mut seen);
            }
            None => {}
        }
    }
    seen
}

/// What `while` is about, where it is asked at all times: for a date, and as long as a run waits.
fn subject(rule: &Rule) -> Option<SubjectKind> {
    let dated = rule.triggers.iter().find_map(|t| if let Trigger::Date { subject, .. } = t { Some(*subject) } else { None });
    let of_booking = || rule.while_.iter().flat_map(|line| &line.reads).any(|path| path.starts_with("booking"));
    dated.or_else(|| rule.waits().then(|| if of_booking() { SubjectKind::Booking } else { SubjectKind::Contact }))
}

/// Lines in order, up to the first that is false.
fn look(ruleset: &Ruleset, index: usize, rule: &Rule, view: &View, seen: &mut Vec<(usize, usize, bool)>) {
    limits::begin_rule();
    let mut scope = ruleset.host.scope(view);
    for (line, expr) in rule.while_.iter().enumerate() {
        let Ok(holds) = ruleset.host.holds(expr, &mut scope) else { return };
        seen.push((index, line, holds));
        if !holds {
            return;
        }
    }
}
