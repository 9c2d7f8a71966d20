//! Why something expected did not happen: which rules could have done it, and what stopped each of them.

use super::{Missing, Since, differ};
use crate::automation::simulate::{Ran, Rules, Simulation};
use crate::automation::why;
use crate::engine::plan::Outcome;
use crate::engine::ruleset::{Rule, Step, StepAction};
use crate::engine::ruletest::Wanted;

/// Rules told of for one expectation.
const RULES_TOLD_MAX: usize = 3;

pub(super) fn missing(simulation: &Simulation<'_>, rules: Rules<'_>, wanted: &Wanted, since: &Since<'_>) -> Missing {
    let name = wanted.main.as_ref().map(|m| m.text.as_str());
    let field = |of: &str| wanted.fields.iter().find(|(n, _)| n == of).map(|(_, want)| want.text.as_str());
    let name = name.or_else(|| field("template")).or_else(|| field("type")).or_else(|| field("stage"));
    let name = name.or_else(|| wanted.fields.first().map(|(n, _)| n.as_str()));
    let why = match (&wanted.rule, wanted.kind.as_deref()) {
        (Some(rule), _) => of_rules(simulation, rules, &[&rule.text], since, ""),
        (None, Some(kind)) => by_name(simulation, rules, kind, name.unwrap_or_default(), since),
        (None, None) => Vec::new(),
    };
    Missing { what: differ::wanted(wanted), line: wanted.at.line, why }
}

/// What became of the rules that could have done it.
pub(super) fn by_name(simulation: &Simulation<'_>, rules: Rules<'_>, kind: &str, name: &str, since: &Since<'_>) -> Vec<String> {
    let ids: Vec<&str> = if kind == "rule" {
        vec![name]
    } else {
        let makers = rules.ruleset.rules.iter().filter(|rule| rule.steps.iter().any(|step| makes(step, kind, name)));
        makers.map(|rule| rule.id.as_str()).take(RULES_TOLD_MAX).collect()
    };
    if ids.is_empty() {
        return vec![format!("no rule has this step ({kind} {name})")];
    }
    of_rules(simulation, rules, &ids, since, name)
}

fn of_rules(simulation: &Simulation<'_>, rules: Rules<'_>, ids: &[&str], since: &Since<'_>, name: &str) -> Vec<String> {
    let told = ids.iter().filter_map(|id| rules.ruleset.rules.get(*rules.ruleset.by_id.get(*id)?));
    told.flat_map(|rule| of_rule(simulation, rules, rule, since, name)).collect()
}

fn of_rule(simulation: &Simulation<'_>, rules: Rules<'_>, rule: &Rule, since: &Since<'_>, name: &str) -> Vec<String> {
    let runs: Vec<&Ran> = since.ran.iter().filter(|ran| ran.trace.run.rule_id == rule.id).collect();
    if runs.is_empty() {
        return vec![format!("{} was not asked{} ({}:{})", rule.id, pending(simulation, rules, rule), rule.file, rule.line)];
    }
    runs.iter().flat_map(|ran| of_run(rules, ran, name)).collect()
}

/// When the rule's timer is due, if it has one.
fn pending(simulation: &Simulation<'_>, rules: Rules<'_>, rule: &Rule) -> String {
    let due = simulation.records().pending_of_rule(&rule.id);
    match due.first() {
        Some(at) => format!(": it is due {}", differ::clock(rules.clinic, *at)),
        None if rule.triggers.iter().all(|t| matches!(t, crate::engine::ruleset::Trigger::Date { .. })) => {
            ": nothing is pending (`while` is false, its time has passed, or it has run)".to_owned()
        }
        None => String::new(),
    }
}

fn of_run(rules: Rules<'_>, ran: &Ran, name: &str) -> Vec<String> {
    let (run, at) = (&ran.trace.run, differ::clock(rules.clinic, ran.at));
    if run.outcome != Outcome::Fired {
        let place = run.stopped_at.as_ref().map(|s| format!(" ({}:{}:{})", s.file, s.line, s.column)).unwrap_or_default();
        return vec![format!("{} did not fire at {at}: {}{place}", run.rule_id, why::stopped(&ran.trace))];
    }
    let mut told = Vec::new();
    for step in &run.steps {
        if let Some(held) = &step.held_back {
            let seen: Vec<String> = held.values.iter().map(|v| format!("{} was {}", v.path, v.value)).collect();
            let seen = if seen.is_empty() { String::new() } else { format!("{}; ", seen.join(", ")) };
            let step = step.path.replace("do/", "step ");
            told.push(format!(
                "{} fired, and {step} was held back: {seen}needs {} ({}:{}:{})",
                run.rule_id, held.text, held.file, held.line, held.column
            ));
        }
    }
    for applied in ran.trace.applied.iter().filter(|a| !matches!(a.result.as_str(), "done" | "scheduled" | "held_back")) {
        let because = applied.detail.as_deref().map(|d| format!(": {d}")).unwrap_or_default();
        told.push(format!("{} fired, and {} was {}{because}", run.rule_id, applied.path.replace("do/", "step "), applied.result));
    }
    if told.is_empty() {
        let differently = if name.is_empty() { "" } else { ", with other values than listed" };
        told.push(format!("{} fired at {at}{differently} ({}:{})", run.rule_id, run.file, run.line));
    }
    told
}

/// The step would do something of this kind and name.
fn makes(step: &Step, kind: &str, name: &str) -> bool {
    match (&step.action, kind) {
        (StepAction::Sms { template }, "sms" | "withheld") => template == name,
        (StepAction::Task { task_type, .. }, "task") => task_type == name,
        (StepAction::Move { stage, .. }, "move") => stage == name,
        (StepAction::CloseTasks { task_type, .. }, "close_tasks") => task_type.as_deref().unwrap_or("any") == name,
        (StepAction::Set(fields), "set") => fields.iter().any(|(field, _)| field == name),
        (StepAction::Tag(tag), "tag") | (StepAction::Untag(tag), "untag") => tag == name,
        (StepAction::Emit { event, .. }, "emit") => event == name,
        (StepAction::Note(_), "note") | (StepAction::CancelSms { .. }, "cancel") | (StepAction::Alert(_), "alert") => true,
        (StepAction::Choose(branches), _) => branches.iter().flat_map(|branch| &branch.steps).any(|step| makes(step, kind, name)),
        (StepAction::Each { steps, .. }, _) => steps.iter().any(|step| makes(step, kind, name)),
        _ => false,
    }
}
