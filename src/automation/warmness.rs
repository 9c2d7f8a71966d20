//! Why a score is what it is: what each new touchpoint added, found by asking the clinic's own script again.

use crate::domain::contact::Contact;
use crate::domain::time::Timestamp;
use crate::domain::touchpoint::Touchpoint;
use crate::engine::facts::TOUCHPOINTS_MAX;
use crate::engine::ruleset::Ruleset;
use crate::engine::ruletest::call;
use crate::store::views::timeline::{self, TimelineEntry};
use crate::store::{Conn, StoreResult, contacts, history};
use std::sync::Arc;

/// What the score fell by because what there was has faded.
pub const TIME: &str = "time";
/// How the shipped rules reckon it, and any that want their sum shown.
const SCORE: &str = "warmness(contact, now)";
/// Touchpoints that one page of a timeline looks through.
const TOUCHPOINTS_READ_MAX: i64 = 500;
/// Changes of one page that are explained.
const EXPLAINED_MAX: usize = 20;
/// New touchpoints that one change is divided among.
const NEW_MAX: usize = 12;

/// A part of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The kind of touchpoint, or [`TIME`].
    pub what: String,
    pub points: i64,
}

/// One change of a score, from the time before it when it was last reckoned.
struct Change {
    from: i64,
    to: i64,
    since: Timestamp,
    at: Timestamp,
}

/// The sums of a page's changes of warmness, by the entry's place in it. A change is left out when today's script does not give
/// the numbers of that day: it was another script then, or the contact was another.
pub fn sums(
    conn: &mut Conn,
    ruleset: &Ruleset,
    contact_id: &str,
    entries: &[TimelineEntry],
) -> StoreResult<Vec<(usize, Vec<Part>)>> {
    let changes = changes(conn, contact_id, entries)?;
    let Some(contact) = contacts::find(conn, contact_id)?.filter(|_| !changes.is_empty()) else { return Ok(Vec::new()) };
    let touchpoints = history::list_touchpoints(conn, contact_id, TOUCHPOINTS_READ_MAX)?;
    let touchpoints: Vec<Arc<Touchpoint>> = touchpoints.into_iter().map(Arc::new).collect();
    let person = Person { ruleset, contact, touchpoints };
    let explained = changes.into_iter().filter_map(|(place, change)| Some((place, person.divide(&change)?)));
    Ok(explained.collect())
}

/// `39 → 76: time -5, booking +42`.
#[must_use]
pub fn told(text: &str, parts: &[Part]) -> String {
    let values = text.split(':').next().unwrap_or(text);
    let parts: Vec<String> = parts.iter().map(|part| format!("{} {:+}", part.what, part.points)).collect();
    if parts.is_empty() { values.to_owned() } else { format!("{values}: {}", parts.join(", ")) }
}

/// The newest first, as in the page.
fn changes(conn: &mut Conn, contact_id: &str, entries: &[TimelineEntry]) -> StoreResult<Vec<(usize, Change)>> {
    let is_warmness = |entry: &&TimelineEntry| timeline::is_warmness(entry);
    let Some(oldest) = entries.iter().rfind(is_warmness) else { return Ok(Vec::new()) };
    let before = timeline::last_warmness_before(conn, contact_id, oldest.at)?;
    let places: Vec<usize> = (0..entries.len()).filter(|place| timeline::is_warmness(&entries[*place])).collect();
    let mut found = Vec::new();
    for (n, place) in places.iter().enumerate().take(EXPLAINED_MAX) {
        let entry = &entries[*place];
        let since = places.get(n + 1).map_or(before, |older| entries[*older].at);
        if let Some((from, to)) = entry.text.as_deref().and_then(timeline::change_of) {
            found.push((*place, Change { from, to, since: Timestamp(since), at: Timestamp(entry.at) }));
        }
    }
    Ok(found)
}

struct Person<'a> {
    ruleset: &'a Ruleset,
    contact: Contact,
    /// The newest first.
    touchpoints: Vec<Arc<Touchpoint>>,
}

impl Person<'_> {
    /// Each new touchpoint is credited with what the score rises by when it comes on top of those before it.
    fn divide(&self, change: &Change) -> Option<Vec<Part>> {
        let known = |t: &&Arc<Touchpoint>| t.timestamp <= change.since;
        let new: Vec<_> = self.touchpoints.iter().filter(|t| !known(t) && t.timestamp <= change.at).cloned().collect();
        if new.len() > NEW_MAX {
            return None;
        }
        let mut heard: Vec<_> = self.touchpoints.iter().filter(known).cloned().collect();
        let mut score = self.score(&heard, change.at)?;
        let mut parts = vec![Part { what: TIME.to_owned(), points: score - change.from }];
        for touchpoint in new.into_iter().rev() {
            heard.insert(0, Arc::clone(&touchpoint));
            let more = self.score(&heard, change.at)?;
            match parts.iter_mut().find(|part| part.what == touchpoint.kind) {
                Some(part) => part.points += more - score,
                None => parts.push(Part { what: touchpoint.kind.clone(), points: more - score }),
            }
            score = more;
        }
        parts.retain(|part| part.points != 0);
        (score == change.to).then_some(parts)
    }

    fn score(&self, heard: &[Arc<Touchpoint>], at: Timestamp) -> Option<i64> {
        let opted_out_at = self.contact.opted_out_at.filter(|since| *since <= at);
        let contact = Contact { opted_out_at, ..self.contact.clone() };
        let heard = heard.iter().take(TOUCHPOINTS_MAX).cloned().collect();
        call(self.ruleset, SCORE, Some((contact, heard)), None, at).ok()?.parse().ok()
    }
}
