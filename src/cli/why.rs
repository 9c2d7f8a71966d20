//! `avatar why`: every rule considered for an event, and why not.

use super::args::WhyArgs;
use super::failure::Failure;
use super::moment::Wall;
use super::why_rule;
use super::{Context, Exit};
use crate::automation::why::{RuleStory, Story, why};
use crate::domain::event::{EventStatus, RunOutcome};
use serde_json::{Value, json};

/// Version of the JSON that this command prints.
const SCHEMA: &str = "avatar.why/1";

pub(super) fn run(context: &Context, args: &WhyArgs) -> Exit {
    context.on_database(async |parts| {
        let rules = &parts.automation.rules;
        rules.follow().await?;
        let Some(story) = why(&parts.store, rules, &args.event).await? else {
            if let Some(rule) = &args.rule {
                return why_rule::tell(context, parts, &args.event, rule).await;
            }
            let failure = Failure::new(format!("there is no event `{}`, or more than one begins like it", args.event));
            return Err(failure
                .with_help("`avatar events list` shows the newest with their ids; of a contact: `avatar why CONTACT RULE`"));
        };
        let told = Told { context, wall: Wall(parts.settings.clinic.calendar.tz), rule: args.rule.as_deref() };
        if told.rule.is_some() && !told.has_rule(&story) {
            let message = format!("rule `{}` did not look at this event", args.rule.as_deref().unwrap_or_default());
            return Err(Failure::new(message).with_help(format!("`avatar why {}` shows those that did", args.event)));
        }
        if context.output.json {
            let mut object = told.object(&story);
            object["schema"] = SCHEMA.into();
            context.output.object(&object);
        } else {
            told.print(&story, 0);
        }
        Ok(Exit::Done)
    })
}

struct Told<'a> {
    context: &'a Context<'a>,
    wall: Wall,
    rule: Option<&'a str>,
}

impl Told<'_> {
    fn rules<'s>(&self, story: &'s Story) -> impl Iterator<Item = &'s RuleStory> {
        story.rules.iter().filter(move |told| self.rule.is_none_or(|wanted| told.run.rule_id == wanted))
    }

    fn has_rule(&self, story: &Story) -> bool {
        self.rules(story).next().is_some() || story.followed_by.iter().any(|next| self.has_rule(next))
    }

    fn print(&self, story: &Story, depth: usize) {
        let indent = "  ".repeat(depth);
        let event = &story.event;
        let about = event.contact_id.as_ref().map(|id| format!("   contact {id}")).unwrap_or_default();
        let at = self.wall.day_and_time(event.timestamp);
        self.context.output.line(&format!("{indent}{}  {} from {}   {at}{about}", event.id, event.event_type, event.source));
        if let Some(line) = state_line(story) {
            self.context.output.line(&format!("{indent}  {line}"));
        }
        let width = |of: fn(&RuleStory) -> usize| self.rules(story).map(of).max().unwrap_or(0);
        let (ids, lines) = (width(|r| r.run.rule_id.chars().count()), width(|r| r.line.chars().count()).min(LINE_COLUMNS));
        for told in self.rules(story) {
            let (mark, outcome) = (mark(told.run.outcome), told.run.outcome.as_str());
            let text = format!("{indent}{mark} {:<ids$}  {outcome:<7}  {:<lines$}  {}", told.run.rule_id, told.line, told.place);
            self.context.output.line(text.trim_end());
        }
        if story.listening_elsewhere > 0 && depth == 0 {
            self.context.output.line(&format!("{indent}  {} rules listen to other events", story.listening_elsewhere));
        }
        for next in story.followed_by.iter().filter(|next| self.rule.is_none() || self.has_rule(next)) {
            self.print(next, depth + 1);
        }
    }

    fn object(&self, story: &Story) -> Value {
        let event = &story.event;
        json!({
            "event": {
                "id": event.id,
                "event_type": event.event_type,
                "source": event.source,
                "timestamp": self.wall.json(event.timestamp),
                "status": event.status.as_str(),
                "status_reason": event.status_reason,
                "contact_id": event.contact_id,
                "booking_id": event.booking_id,
                "revision": event.revision.map(|number| format!("r{number}")),
            },
            "rules": self.rules(story).map(rule_object).collect::<Vec<_>>(),
            "listening_elsewhere": story.listening_elsewhere,
            "followed_by": story.followed_by.iter().map(|next| self.object(next)).collect::<Vec<_>>(),
        })
    }
}

/// Longer lines push their place to the right.
const LINE_COLUMNS: usize = 72;

/// What the event itself came to, when that is not simply processed.
fn state_line(story: &Story) -> Option<String> {
    let event = &story.event;
    let reason = event.status_reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    match event.status {
        EventStatus::Processed if reason.is_empty() && story.rules.is_empty() => Some("no rule listens to it".to_owned()),
        EventStatus::Processed if reason.is_empty() => None,
        EventStatus::Accepted => Some("waiting to be worked on: `avatar jobs list`".to_owned()),
        status => Some(format!("{}{reason}", status.as_str())),
    }
}

pub(super) const fn mark(outcome: RunOutcome) -> &'static str {
    match outcome {
        RunOutcome::Fired => "✓",
        RunOutcome::Skipped => "–",
        RunOutcome::Failed => "✗",
    }
}

fn rule_object(told: &RuleStory) -> Value {
    json!({
        "run_id": told.run.id,
        "rule_id": told.run.rule_id,
        "revision": format!("r{}", told.run.revision),
        "outcome": told.run.outcome.as_str(),
        "line": told.line,
        "place": told.place,
    })
}
