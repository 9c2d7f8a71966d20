//! Two rules that want different things on the same event.

use super::known::Known;
use super::outline::EffectKind;
use super::reachable::are_exclusive;
use super::{Look, Step, warn};
use crate::engine::diagnostic::names;
use crate::engine::ruleset::{Every, Trigger};
use crate::engine::source::Problems;
use std::collections::BTreeMap;

/// Pairs of rules that are compared: with more, rules are so many that a look at each pair would hold up publishing.
const PAIRS_MAX: usize = 50_000;

/// One rule that wants something of the record when something happens.
struct Writer<'a> {
    look: &'a Look<'a>,
    step: &'a Step<'a>,
    known: Known<'a>,
    /// `None` when it is worked out, or for texts.
    value: Option<&'a str>,
}

pub(super) fn check(looks: &[Look<'_>], problems: &mut Problems) {
    let mut groups: BTreeMap<(String, String), Vec<Writer<'_>>> = BTreeMap::new();
    for look in looks.iter().filter(|l| l.rule.enabled && !l.dead) {
        let moments: Vec<String> = look.rule.triggers.iter().flat_map(moments).collect();
        for step in look.steps.iter().filter(|s| !s.effect.later) {
            let Some((target, value)) = target(&step.effect.kind) else { continue };
            let known = look.by_step(step);
            for moment in &moments {
                let group = groups.entry((moment.clone(), target.clone())).or_default();
                group.push(Writer { look, step, known: known.clone(), value });
            }
        }
    }
    let mut pairs = 0;
    for ((moment, target), writers) in &groups {
        compare(moment, target, writers, &mut pairs, problems);
    }
}

fn compare(moment: &str, target: &str, writers: &[Writer<'_>], pairs: &mut usize, problems: &mut Problems) {
    for (index, second) in writers.iter().enumerate() {
        for first in writers.get(..index).unwrap_or(&[]) {
            *pairs += 1;
            if *pairs > PAIRS_MAX {
                return;
            }
            if may_meet(moment, first, second) {
                report(moment, target, first, second, problems);
                break;
            }
        }
    }
}

fn may_meet(moment: &str, first: &Writer<'_>, second: &Writer<'_>) -> bool {
    let same_rule = std::ptr::eq(first.look.rule, second.look.rule);
    let same_value = first.value.is_some() && first.value == second.value;
    let event = moment.strip_prefix("event ");
    let in_turn = event.is_some_and(|e| first.look.is_last_resort(e) != second.look.is_last_resort(e));
    !same_rule && !same_value && !in_turn && !are_exclusive(&first.known, second.look, &conditions(second.step))
}

fn conditions(step: &Step<'_>) -> Vec<(rhai::AST, usize)> {
    step.conditions.iter().map(|(ast, scalar)| (ast.clone(), scalar.at.line)).collect()
}

fn report(moment: &str, target: &str, first: &Writer<'_>, second: &Writer<'_>, problems: &mut Problems) {
    let what = match target.split_once(' ') {
        Some(("move", pipeline)) => format!("also moves the contact in `{pipeline}`"),
        Some((_, field)) => format!("also sets `{field}`"),
        None => "also texts the contact".to_owned(),
    };
    let when = match moment.split_once(' ') {
        Some(("event", name)) => format!("on `{name}`"),
        _ => "at the same time".to_owned(),
    };
    let message = format!("`{}` ({}) {what} {when}, and both rules may fire", first.look.rule.id, first.look.here());
    let help = "make their conditions exclude each other, or join the two rules; otherwise the later one has the last word";
    warn(problems, names::WRITERS, &second.look.rule.file, second.step.effect.at, message, help);
}

/// What an effect changes, and to what.
fn target(kind: &EffectKind) -> Option<(String, Option<&str>)> {
    match kind {
        EffectKind::Move { pipeline, stage } => Some((format!("move {pipeline}"), Some(stage.as_str()))),
        EffectKind::Sms(_) => Some(("sms".to_owned(), None)),
        EffectKind::Set { field, value } => Some((format!("set {field}"), value.as_deref())),
        EffectKind::Emit(_) | EffectKind::Other => None,
    }
}

/// When a trigger fires: rules with the same moment run on the same records at once.
fn moments(trigger: &Trigger) -> Vec<String> {
    match trigger {
        Trigger::Event { names, .. } => names.iter().map(|name| format!("event {name}")).collect(),
        Trigger::Date { subject, field, offset, at_minute, .. } => {
            vec![format!("date {}.{field} {} {at_minute:?}", subject.as_str(), offset.0)]
        }
        Trigger::Every { schedule: Every::Cron { expression, tz }, each: Some(each), .. } => {
            vec![format!("cron {expression} {tz} {}", each.as_str())]
        }
        Trigger::Webhook { source } => vec![format!("webhook {source}")],
        // Others have no moment that two rules could share.
        Trigger::Every { .. } | Trigger::Holds { .. } | Trigger::Manual { .. } => Vec::new(),
    }
}
