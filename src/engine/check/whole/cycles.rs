//! Rules that set each other off.

use super::known::Known;
use super::outline::EffectKind;
use super::{Look, Step, assume, warn};
use crate::engine::diagnostic::names;
use crate::engine::ruleset::Trigger;
use crate::engine::source::{Place, Problems};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Pairs of a step and a rule that listens to what it makes: with more, looking would hold up publishing.
const PAIRS_MAX: usize = 50_000;
/// Edges that are followed in all.
const EDGES_FOLLOWED_MAX: usize = 500_000;

/// One rule's step makes an event that another rule listens to.
struct Edge<'a> {
    to: usize,
    event: &'static str,
    name: Option<&'a str>,
    step: &'a Step<'a>,
}

pub(super) fn check(looks: &[Look<'_>], problems: &mut Problems) {
    let mut listeners: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, look) in looks.iter().enumerate().filter(|(_, l)| l.rule.enabled && !l.dead) {
        for trigger in &look.rule.triggers {
            if let Trigger::Event { names, .. } = trigger {
                for name in names {
                    listeners.entry(name).or_default().push(index);
                }
            }
        }
    }
    let mut pairs = PAIRS_MAX;
    let edges: Vec<Vec<Edge<'_>>> = looks.iter().map(|look| edges_of(look, looks, &listeners, &mut pairs)).collect();
    let mut left = EDGES_FOLLOWED_MAX;
    let mut told: BTreeSet<usize> = BTreeSet::new();
    for start in 0..looks.len() {
        if told.contains(&start) {
            continue;
        }
        if let Some(way) = way_back(start, &edges, &mut left)
            && goes_on(&way)
        {
            told.extend(way.iter().map(|(from, _)| *from));
            report(&way, looks, problems);
        }
    }
}

fn edges_of<'a>(
    look: &'a Look<'a>,
    looks: &[Look<'_>],
    listeners: &BTreeMap<&str, Vec<usize>>,
    pairs: &mut usize,
) -> Vec<Edge<'a>> {
    let mut edges = Vec::new();
    if !look.rule.enabled || look.dead {
        return edges;
    }
    // What comes after a wait is no storm.
    for step in look.steps.iter().filter(|s| !s.effect.later) {
        for event in events_of(&step.effect.kind) {
            let name = if let EffectKind::Emit(name) = &step.effect.kind { Some(name.as_str()) } else { None };
            let listening = listeners.get(name.unwrap_or(event)).map_or(&[][..], Vec::as_slice);
            for to in listening {
                if *pairs == 0 {
                    return edges;
                }
                *pairs -= 1;
                if looks.get(*to).is_some_and(|other| can_follow(look, step, other)) {
                    edges.push(Edge { to: *to, event, name, step });
                }
            }
        }
    }
    edges
}

/// Events that a step makes, directly or once the text was sent.
fn events_of(kind: &EffectKind) -> &'static [&'static str] {
    match kind {
        EffectKind::Move { .. } => &["stage_changed"],
        EffectKind::Sms(_) => &["sms_delivered", "sms_failed"],
        EffectKind::Emit(_) => &["emit"],
        EffectKind::Set { field, value } => match (field.as_str(), value.as_deref()) {
            ("contact.warmness", _) => &["warmness_changed"],
            ("booking.status", Some("no_show")) => &["booking_no_show"],
            ("booking.status", Some("checked_in")) => &["booking_checked_in"],
            ("booking.status", Some("completed")) => &["booking_completed"],
            _ => &[],
        },
        EffectKind::Other => &[],
    }
}

/// Whether the other rule's conditions can be true right after the step.
fn can_follow(look: &Look<'_>, step: &Step<'_>, other: &Look<'_>) -> bool {
    let mut known = after(look, step);
    for line in other.rule.while_.iter().chain(&other.rule.if_) {
        assume(&mut known, &line.ast, line.line);
    }
    known.conflict().is_none()
}

/// What the step has made certain: the records themselves may have changed otherwise.
fn after<'a>(look: &Look<'a>, step: &Step<'_>) -> Known<'a> {
    let mut known = Known::nothing(look.catalogue);
    match &step.effect.kind {
        EffectKind::Move { pipeline, stage } => {
            known.one_of("contact.current_pipeline", vec![pipeline.clone()]);
            known.one_of("contact.current_stage", vec![stage.clone()]);
        }
        EffectKind::Set { field, value: Some(value) } if field == "booking.status" => {
            known.one_of(field, vec![value.clone()]);
        }
        _ => {}
    }
    known
}

/// The shortest way from a rule back to itself.
fn way_back<'e, 'a>(start: usize, edges: &'e [Vec<Edge<'a>>], left: &mut usize) -> Option<Vec<(usize, &'e Edge<'a>)>> {
    let mut came: BTreeMap<usize, (usize, &Edge<'a>)> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(here) = queue.pop_front() {
        for edge in edges.get(here).map_or(&[][..], Vec::as_slice) {
            *left = left.checked_sub(1)?;
            if edge.to == start {
                let mut way = vec![(here, edge)];
                let mut at = here;
                while at != start {
                    let (from, edge) = came.get(&at)?;
                    way.push((*from, edge));
                    at = *from;
                }
                way.reverse();
                return Some(way);
            }
            if let Entry::Vacant(first) = came.entry(edge.to) {
                first.insert((here, edge));
                queue.push_back(edge.to);
            }
        }
    }
    None
}

/// Moving a contact to where it is, or setting what is set, makes no event: a round of such steps ends by itself.
fn goes_on(way: &[(usize, &Edge<'_>)]) -> bool {
    let mut wanted: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (_, edge) in way {
        match &edge.step.effect.kind {
            EffectKind::Move { stage, .. } => wanted.entry("stage".to_owned()).or_default().insert(stage),
            EffectKind::Set { field, value: Some(value) } => wanted.entry(field.clone()).or_default().insert(value),
            _ => return true,
        };
    }
    wanted.values().any(|values| values.len() > 1)
}

fn report(way: &[(usize, &Edge<'_>)], looks: &[Look<'_>], problems: &mut Problems) {
    let Some((first, edge)) = way.first() else { return };
    let Some(look) = looks.get(*first) else { return };
    let mut round: Vec<&str> = way.iter().filter_map(|(from, _)| looks.get(*from)).map(|l| l.rule.id.as_str()).collect();
    round.push(&look.rule.id);
    let events: BTreeSet<&str> = way.iter().map(|(_, e)| e.name.unwrap_or(e.event)).collect();
    let events: Vec<&str> = events.into_iter().collect();
    let message = format!("these rules set each other off: {} (through {})", round.join(" → "), events.join(", "));
    let help = "add a condition that is false the second time; the program stops such a chain after a few rounds";
    let at: Place = edge.step.effect.at;
    warn(problems, names::RULE_CYCLE, &look.rule.file, at, message, help);
}
