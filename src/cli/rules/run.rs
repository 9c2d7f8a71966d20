//! `avatar rules run`: sets off a rule by hand.

use super::{SCHEMA, in_force};
use crate::automation::by_hand::{Refused, Subject, run_rule};
use crate::cli::failure::Failure;
use crate::cli::{Context, Exit};
use crate::config::nearest;
use crate::engine::Ruleset;
use serde_json::json;

pub(super) fn run(context: &Context, rule: &str, contact: Option<&str>, booking: Option<&str>) -> Exit {
    context.on_database(async |parts| {
        let in_force = in_force(parts).await?;
        let subject = match (contact, booking) {
            (_, Some(id)) => Subject::Booking(id.to_owned()),
            (Some(id), None) => Subject::Contact(id.to_owned()),
            (None, None) => return Err(Failure::new("for whom? name a contact or a booking").with_help("add `--contact ID`")),
        };
        let asked = run_rule(&parts.store, &in_force, rule, subject, parts.clock.now()).await;
        let event = asked.map_err(|refused| explain(refused, &in_force.ruleset))?;
        if context.output.json {
            let revision = format!("r{}", in_force.number);
            context.output.object(&json!({ "schema": SCHEMA, "event_id": event, "rule_id": rule, "revision": revision }));
        } else {
            context.output.line(&event);
        }
        context.output.hint(&format!("a worker runs it; `avatar why {event}` tells what came of it"));
        Ok(Exit::Done)
    })
}

fn explain(refused: Refused, ruleset: &Ruleset) -> Failure {
    let by_hand = || {
        let rules = ruleset.rules.iter().filter(|rule| rule.manual().is_some());
        rules.map(|rule| rule.id.as_str()).collect::<Vec<_>>().join(", ")
    };
    let message = refused.to_string();
    let help = match &refused {
        Refused::UnknownRule(id) => Some(match nearest(id, ruleset.rules.iter().map(|rule| rule.id.as_str())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`avatar rules list` shows the rules in force".to_owned(),
        }),
        Refused::NotManual(_) if by_hand().is_empty() => {
            Some("no rule can be set off by hand; give it the trigger `manual: contact`".to_owned())
        }
        Refused::NotManual(_) => Some(format!("these can be: {}", by_hand())),
        Refused::WrongSubject { subject, .. } => Some(format!("write `--{subject} ID`")),
        Refused::Nobody(what) => Some(format!("ids of {what}s are shown by `avatar events list` and in the dashboard")),
        Refused::Disabled(_) | Refused::Store(_) => None,
    };
    let failure = Failure::new(message);
    match help {
        Some(help) => failure.with_help(help),
        None => failure,
    }
}
