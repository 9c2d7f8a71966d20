//! `avatar why CONTACT RULE`: the last runs of a rule for a contact, and what keeps it from running.

use super::Context;
use super::Exit;
use super::failure::{Done, Failure};
use super::moment::Wall;
use super::next::find_contact;
use super::parts::Parts;
use super::why::mark;
use crate::automation::why_rule::{RuleHistory, why_rule};
use crate::config::nearest;
use serde_json::{Value, json};

const SCHEMA: &str = "avatar.why_rule/1";

pub(super) async fn tell(context: &Context<'_>, parts: &Parts, who: &str, rule: &str) -> Done {
    let contact = find_contact(parts, who).await?;
    let (current, id, wanted) = (parts.automation.rules.current(), contact.id.clone(), rule.to_owned());
    let in_force = current.clone();
    let tz = parts.automation.clinic.calendar.tz;
    let history: RuleHistory = parts.store.read(move |conn| why_rule(conn, in_force.as_deref(), &id, &wanted, tz)).await?;
    if !history.is_in_force && history.runs.is_empty() && history.slots.is_empty() {
        let known = current.iter().flat_map(|c| c.ruleset.rules.iter().map(|r| r.id.as_str()));
        let help =
            nearest(rule, known).map_or("`avatar rules list` names them all".to_owned(), |n| format!("did you mean `{n}`?"));
        return Err(Failure::new(format!("there is no rule `{rule}`")).with_help(help));
    }
    let wall = Wall(parts.settings.clinic.calendar.tz);
    if context.output.json {
        context.output.object(&object(&contact.id, &history, wall));
    } else {
        context.output.line(&format!("{rule} for contact {}", contact.id));
        print(context, &history, wall);
    }
    Ok(Exit::Done)
}

fn print(context: &Context<'_>, history: &RuleHistory, wall: Wall) {
    if let Some(held) = &history.held {
        context.output.line(&format!("  just now: {held}"));
    }
    for (told, event) in &history.runs {
        let (mark, outcome) = (mark(told.run.outcome), told.run.outcome.as_str());
        let on = event.as_ref().map_or("-", |e| e.event_type.as_str());
        let at = wall.day_and_time(told.run.at);
        context.output.line(format!("{mark} {at}  {outcome:<7}  {on}  {}  {}", told.line, told.place).trim_end());
    }
    for (at, slot) in &history.slots {
        let (count, at) = (slot.count, wall.day_and_time(*at));
        context.output.line(&format!("– {at}  skipped  {count} in all: needs {}  {}:{}", slot.text, slot.file, slot.stop_line));
    }
    if history.runs.is_empty() && history.slots.is_empty() {
        context.output.line("  it has not looked at this contact, as far as is kept: avatar next shows what is to come");
    }
}

fn object(contact_id: &str, history: &RuleHistory, wall: Wall) -> Value {
    let runs = history.runs.iter().map(|(told, event)| {
        json!({
            "run_id": told.run.id,
            "at": wall.json(told.run.at),
            "event_id": told.run.event_id,
            "event_type": event.as_ref().map(|e| &e.event_type),
            "outcome": told.run.outcome.as_str(),
            "line": told.line,
            "place": told.place,
            "stopped_at": told.trace.as_ref().and_then(|t| t.run.stopped_at.as_ref()),
        })
    });
    let slots = history.slots.iter().map(|(at, slot)| {
        json!({ "at": wall.json(*at), "count": slot.count, "reason": slot.reason, "text": slot.text,
            "place": format!("{}:{}", slot.file, slot.stop_line) })
    });
    json!({
        "schema": SCHEMA,
        "contact_id": contact_id,
        "rule_id": history.rule_id,
        "held": history.held,
        "runs": runs.collect::<Vec<_>>(),
        "slots": slots.collect::<Vec<_>>(),
    })
}
