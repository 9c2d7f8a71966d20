//! The difference between two sides as people think of it: texts with their cost, tasks, moves, scores.

use super::Replayed;
use super::pairing::{Pair, name_of, pair};
use crate::automation::simulate::{Happening, Landed, Worth};
use crate::domain::time::Timestamp;
use crate::engine::Ruleset;
use serde::Serialize;
use std::collections::BTreeMap;

/// What a draft changes.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Difference {
    /// In the order of files; only rules that did something else.
    pub rules: Vec<RuleDifference>,
    pub total: Tally,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuleDifference {
    pub rule_id: String,
    pub state: RuleState,
    pub file: String,
    pub line: usize,
    pub tally: Tally,
    /// In the order of time.
    pub items: Vec<Item>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleState {
    /// There on both sides.
    Changed,
    New,
    Gone,
}

/// How many of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    pub texts: Counts,
    pub tasks: Counts,
    pub moves: Counts,
    /// Changes of `contact.warmness`.
    pub scores: Counts,
    /// Texts that must not be sent, such as those after STOP.
    pub withheld: Counts,
    pub other: Counts,
    /// SMS parts more, and parts less: what texts cost goes by them.
    pub parts_added: i64,
    pub parts_removed: i64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub added: usize,
    pub removed: usize,
    /// At another time, or with other values.
    pub changed: usize,
}

/// One thing that one side does and the other does not, or does otherwise.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Item {
    pub change: Change,
    /// When it happens; when it would have happened, if it is gone.
    pub at: Timestamp,
    /// `sms`, `task`, `move`, `set` …, `withheld`.
    pub kind: String,
    /// Template, type, stage or field.
    pub name: String,
    pub contact_id: Option<String>,
    pub booking_id: Option<String>,
    /// What set the rule off. `None` for timers and schedules: their events are the simulation's own.
    pub event_id: Option<String>,
    pub event_type: String,
    /// SMS parts; 0 for what is no text.
    pub parts: i64,
    /// For a change: (what, before, after).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<Detail>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Added,
    Removed,
    Changed,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Detail {
    pub field: String,
    pub before: String,
    pub after: String,
}

impl Difference {
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Only what one rule does otherwise.
    #[must_use]
    pub fn of_rule(mut self, rule_id: &str) -> Self {
        self.rules.retain(|r| r.rule_id == rule_id);
        let mut total = Tally::default();
        for rule in &self.rules {
            total.add_all(rule.tally);
        }
        Self { total, ..self }
    }
}

/// Compares what both sides did.
#[must_use]
pub fn compare(replayed: &Replayed, before: &Ruleset, after: &Ruleset) -> Difference {
    let mut rules: BTreeMap<&str, (Tally, Vec<Item>)> = BTreeMap::new();
    for pair in pair(&replayed.before, &replayed.after) {
        let happening = match &pair {
            Pair::Added(h) | Pair::Removed(h) | Pair::Changed(_, h) => *h,
        };
        let (tally, items) = rules.entry(&happening.rule_id).or_default();
        tally.count(&pair);
        items.push(item(&pair));
    }
    let mut total = Tally::default();
    let mut rules: Vec<RuleDifference> = rules.into_iter().map(|(id, parts)| of_rule(id, parts, before, after)).collect();
    rules.sort_by(|a, b| (&a.file, a.line, &a.rule_id).cmp(&(&b.file, b.line, &b.rule_id)));
    for rule in &rules {
        total.add_all(rule.tally);
    }
    Difference { rules, total }
}

fn of_rule(rule_id: &str, (tally, mut items): (Tally, Vec<Item>), before: &Ruleset, after: &Ruleset) -> RuleDifference {
    let find = |ruleset: &Ruleset| {
        let rule = ruleset.by_id.get(rule_id).and_then(|index| ruleset.rules.get(*index))?;
        Some((rule.file.to_string(), rule.line))
    };
    let (state, place) = match (find(before), find(after)) {
        (None, Some(place)) => (RuleState::New, place),
        (Some(place), None) => (RuleState::Gone, place),
        (_, place) => (RuleState::Changed, place.unwrap_or_default()),
    };
    items.sort_by(|a, b| (a.at, &a.contact_id, &a.kind, &a.name).cmp(&(b.at, &b.contact_id, &b.kind, &b.name)));
    RuleDifference { rule_id: rule_id.to_owned(), state, file: place.0, line: place.1, tally, items }
}

fn item(pair: &Pair<'_>) -> Item {
    let (change, happening, details) = match pair {
        Pair::Added(h) => (Change::Added, *h, Vec::new()),
        Pair::Removed(h) => (Change::Removed, *h, Vec::new()),
        Pair::Changed(before, after) => (Change::Changed, *after, details(before, after)),
    };
    let withheld = matches!(happening.landed, Landed::Withheld(_));
    Item {
        change,
        at: happening.at,
        kind: if withheld { "withheld".to_owned() } else { happening.kind.clone() },
        name: name_of(happening).to_owned(),
        contact_id: happening.contact_id.clone(),
        booking_id: happening.booking_id.clone(),
        event_id: happening.cause.from_outside.then(|| happening.cause.event_id.clone()),
        event_type: happening.cause.event_type.clone(),
        parts: parts(happening),
        details,
    }
}

fn details(before: &Happening, after: &Happening) -> Vec<Detail> {
    let mut details = Vec::new();
    let mut differ = |field: &str, a: &Worth, b: &Worth| {
        if a != b {
            details.push(Detail { field: field.to_owned(), before: shown(a), after: shown(b) });
        }
    };
    differ("at", &Worth::Time(before.at), &Worth::Time(after.at));
    for (field, value) in &after.fields {
        differ(field, before.fields.get(field).unwrap_or(&Worth::Nothing), value);
    }
    details
}

/// Texts of people are not told: it is enough that they differ.
fn shown(worth: &Worth) -> String {
    match worth {
        Worth::Nothing => "nothing".to_owned(),
        Worth::Bool(yes) => yes.to_string(),
        Worth::Int(number) => number.to_string(),
        Worth::Text(text) if text.len() <= NAME_BYTES_MAX && !text.contains(' ') => text.clone(),
        Worth::Text(text) => format!("{} characters", text.chars().count()),
        Worth::Time(at) => at.to_rfc3339(),
    }
}

/// Longer texts are no names.
const NAME_BYTES_MAX: usize = 60;

impl Tally {
    fn count(&mut self, pair: &Pair<'_>) {
        let happening = match pair {
            Pair::Added(h) | Pair::Removed(h) | Pair::Changed(_, h) => *h,
        };
        let counts = match (happening.kind.as_str(), &happening.landed) {
            (_, Landed::Withheld(_)) => &mut self.withheld,
            ("sms", _) => &mut self.texts,
            ("task", _) => &mut self.tasks,
            ("move", _) => &mut self.moves,
            ("set", _) if happening.fields.contains_key("contact.warmness") => &mut self.scores,
            _ => &mut self.other,
        };
        match pair {
            Pair::Added(_) => counts.added += 1,
            Pair::Removed(_) => counts.removed += 1,
            Pair::Changed(..) => counts.changed += 1,
        }
        match pair {
            Pair::Added(h) => self.parts_added += parts(h),
            Pair::Removed(h) => self.parts_removed += parts(h),
            Pair::Changed(before, after) => {
                let more = parts(after) - parts(before);
                self.parts_added += more.max(0);
                self.parts_removed += (-more).max(0);
            }
        }
    }

    fn add_all(&mut self, other: Self) {
        let sum = |a: Counts, b: Counts| Counts {
            added: a.added + b.added,
            removed: a.removed + b.removed,
            changed: a.changed + b.changed,
        };
        *self = Self {
            texts: sum(self.texts, other.texts),
            tasks: sum(self.tasks, other.tasks),
            moves: sum(self.moves, other.moves),
            scores: sum(self.scores, other.scores),
            withheld: sum(self.withheld, other.withheld),
            other: sum(self.other, other.other),
            parts_added: self.parts_added + other.parts_added,
            parts_removed: self.parts_removed + other.parts_removed,
        };
    }

    /// Parts more, or less if negative.
    #[must_use]
    pub const fn parts(&self) -> i64 {
        self.parts_added - self.parts_removed
    }
}

/// Parts that really leave.
fn parts(happening: &Happening) -> i64 {
    match happening.fields.get("parts") {
        Some(Worth::Int(parts)) if happening.landed == Landed::Done => *parts,
        _ => 0,
    }
}
