//! `avatar rules list` and `show`: what is in force.

use super::{SCHEMA, in_force};
use crate::automation::activity::{Activity, Work, activity};
use crate::automation::rulesets::InForce;
use crate::cli::failure::Failure;
use crate::cli::parts::Parts;
use crate::cli::{Context, Exit};
use crate::config::nearest;
use crate::domain::time::Millis;
use crate::engine::guard::Rollout;
use crate::engine::ruleset::{Rule, Ruleset, Trigger};
use crate::store::{StoreError, rulesets};
use serde_json::{Value, json};

pub(super) fn list(context: &Context) -> Exit {
    context.on_database(async |parts| {
        let in_force = in_force(parts).await?;
        let revision = format!("r{}", in_force.number);
        let rules = &in_force.ruleset.rules;
        if context.output.json {
            let rules: Vec<Value> = rules.iter().map(|rule| summary(rule, &in_force)).collect();
            context.output.object(&json!({ "schema": SCHEMA, "revision": revision, "rules": rules }));
            return Ok(Exit::Done);
        }
        let width = rules.iter().map(|r| r.id.chars().count()).max().unwrap_or(0);
        let width_of_events = rules.iter().map(|r| listens_to(r).chars().count()).max().unwrap_or(0);
        for rule in rules {
            let events = listens_to(rule);
            let state = state_text(rule, &in_force).map(|text| format!("  {text}")).unwrap_or_default();
            let line = format!("{:<width$}  {events:<width_of_events$}  {}:{}{state}", rule.id, rule.file, rule.line);
            context.output.line(&line);
        }
        context.output.hint(&format!("{revision} in force, {} rules; avatar rules show ID", rules.len()));
        Ok(Exit::Done)
    })
}

pub(super) fn show(context: &Context, id: &str) -> Exit {
    context.on_database(async |parts| {
        let in_force = in_force(parts).await?;
        let ruleset = &in_force.ruleset;
        let rule = find_rule(ruleset, id)?;
        let text = text_of(parts, in_force.number, ruleset, rule).await?;
        let revision = format!("r{}", in_force.number);
        let (wanted, since) = (rule.id.clone(), parts.clock.now() - Millis::days(SHOWN_DAYS));
        let activity = parts.store.read(move |conn| activity(conn, &wanted, since)).await?;
        if context.output.json {
            let mut object = summary(rule, &in_force);
            object["schema"] = SCHEMA.into();
            object["revision"] = revision.into();
            object["text"] = text.into();
            object["last_7_days"] = activity_object(&activity);
            context.output.object(&object);
        } else {
            context.output.line(&text);
            for line in activity_lines(rule, &activity, &in_force) {
                context.output.line(&line);
            }
            context.output.hint(&format!("{}:{} in {revision}", rule.file, rule.line));
        }
        Ok(Exit::Done)
    })
}

/// The rule that is called so.
pub(super) fn find_rule<'r>(ruleset: &'r Ruleset, id: &str) -> Result<&'r Rule, Failure> {
    ruleset.by_id.get(id).and_then(|index| ruleset.rules.get(*index)).ok_or_else(|| unknown(ruleset, id))
}

fn unknown(ruleset: &Ruleset, id: &str) -> Failure {
    let help = match nearest(id, ruleset.rules.iter().map(|r| r.id.as_str())) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`avatar rules list` names them all".to_owned(),
    };
    Failure::new(format!("there is no rule `{id}` in force")).with_help(help)
}

/// The rule's part of its file, as it was published.
async fn text_of(parts: &Parts, number: i64, ruleset: &Ruleset, rule: &Rule) -> Result<String, Failure> {
    let stored = parts.store.read(move |conn| rulesets::find(conn, number)).await?;
    let stored = stored.ok_or(StoreError::NotFound { what: "ruleset" })?;
    let file = stored.files.get(&*rule.file).map_or("", String::as_str);
    let next = ruleset.rules.iter().filter(|r| r.file == rule.file && r.line > rule.line).map(|r| r.line).min();
    Ok(cut(file, rule.line, next))
}

/// The lines from `first` (from 1) up to before `next`, without empty lines and comments at the end: those belong to `next`.
fn cut(file: &str, first: usize, next: Option<usize>) -> String {
    let count = next.map_or(usize::MAX, |next| next.saturating_sub(first));
    let mut lines: Vec<&str> = file.lines().skip(first.saturating_sub(1)).take(count).collect();
    while lines.last().is_some_and(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        lines.pop();
    }
    lines.join("\n")
}

/// How far back the work of a rule is shown.
const SHOWN_DAYS: i64 = 7;

/// What keeps the rule from being on for everybody; `None` when nothing does.
fn state_text(rule: &Rule, in_force: &InForce) -> Option<String> {
    if !rule.enabled {
        return Some("switched off".to_owned());
    }
    let off = in_force.overrides.find_off(&rule.id).map(|o| format!("{} by {}: {}", o.state.as_str(), o.by, o.reason));
    let rollout = (rule.guard.rollout != Rollout::Live).then(|| format!("rollout: {}", rule.guard.rollout.text()));
    off.or(rollout)
}

fn activity_lines(rule: &Rule, activity: &Activity, in_force: &InForce) -> Vec<String> {
    let mut lines = vec![String::new()];
    lines.extend(state_text(rule, in_force));
    lines.push(format!("last {SHOWN_DAYS} days: {}", activity.live.text()));
    if activity.shadow.runs > 0 {
        lines.push(format!("in the shadow: {}", activity.shadow.text()));
    }
    if activity.failed > 0 {
        lines.push(format!("failed: {}", activity.failed));
    }
    lines
}

fn activity_object(activity: &Activity) -> Value {
    let work = |work: &Work| json!({ "runs": work.runs, "steps": work.steps });
    json!({ "live": work(&activity.live), "shadow": work(&activity.shadow), "failed": activity.failed })
}

fn summary(rule: &Rule, in_force: &InForce) -> Value {
    let off = in_force.overrides.find_off(&rule.id);
    json!({
        "id": rule.id,
        "name": rule.name,
        "about": rule.about,
        "owner": rule.owner,
        "enabled": rule.enabled,
        "state": off.map_or(if rule.enabled { "on" } else { "off" }, |o| o.state.as_str()),
        "switched_by": off.map(|o| &o.by),
        "switched_because": off.map(|o| &o.reason),
        "rollout": rule.guard.rollout.text(),
        "file": &*rule.file,
        "line": rule.line,
        "when": rule.triggers.iter().map(trigger).collect::<Vec<_>>(),
    })
}

fn listens_to(rule: &Rule) -> String {
    rule.triggers.iter().map(trigger).collect::<Vec<_>>().join(", ")
}

fn trigger(trigger: &Trigger) -> String {
    match trigger {
        Trigger::Event { names, .. } => names.join(", "),
        Trigger::Date { subject, field, offset, .. } => {
            let field = if field.contains('.') { (*field).to_owned() } else { format!("{}.{field}", subject.as_str()) };
            format!("{} {field}", around(offset.0))
        }
        Trigger::Every { schedule, .. } => match schedule {
            crate::engine::ruleset::Every::Cron { expression, tz } => format!("cron {expression} {tz}"),
            crate::engine::ruleset::Every::Interval(span) => format!("every {}", span_text(span.0)),
        },
        Trigger::Holds { expr, lasting, business, .. } => {
            let hours = if *business { " of opening hours" } else { "" };
            format!("{} for {}{hours}", expr.text, span_text(lasting.0))
        }
        Trigger::Manual { subject } => format!("by hand for a {}", subject.as_str()),
        Trigger::Webhook { source } => format!("any webhook of {source}"),
    }
}

/// `24 h before`, `2 d after`, `at`
fn around(offset_ms: i64) -> String {
    match offset_ms {
        0 => "at".to_owned(),
        before if before < 0 => format!("{} before", span_text(before.saturating_neg())),
        after => format!("{} after", span_text(after)),
    }
}

fn span_text(milliseconds: i64) -> String {
    const UNITS: &[(i64, &str)] = &[(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")];
    let unit = UNITS.iter().find(|(size, _)| milliseconds >= *size && milliseconds % size == 0);
    unit.map_or_else(|| format!("{milliseconds} ms"), |(size, name)| format!("{} {name}", milliseconds / size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_ends_before_the_comment_of_the_next_one() {
        let file = "rules:\n  - id: a\n    do: []\n\n  # About b.\n  - id: b\n    do: []\n\n";
        assert_eq!(cut(file, 2, Some(6)), "  - id: a\n    do: []");
        assert_eq!(cut(file, 6, None), "  - id: b\n    do: []");
    }

    #[test]
    fn spans_are_told_in_the_largest_unit_that_fits() {
        assert_eq!(around(-86_400_000), "1 d before");
        assert_eq!(around(5_400_000), "90 min after");
        assert_eq!(around(0), "at");
    }
}
