//! `avatar rules recall`: lists what a rule has made and nobody has received, then withdraws it.

use super::listing::find_rule;
use super::publish::agreed;
use super::{SCHEMA, in_force, who};
use crate::automation::recall::{Recall, list, withdraw};
use crate::cli::failure::Failure;
use crate::cli::moment::{Wall, moment};
use crate::cli::{Context, Exit};
use crate::domain::time::Timestamp;
use serde_json::{Value, json};
use std::io::IsTerminal;

pub(super) fn recall(context: &Context, rule: &str, since: &str, yes: bool) -> Exit {
    context.on_database(async |parts| {
        let now = parts.clock.now();
        let since = moment(since, now).ok_or_else(|| {
            let help = "write a span such as 30m, 2h, 1d, or a time such as 2026-11-23T09:00:00+11:00";
            Failure::new(format!("`{since}` is no time")).with_help(help)
        })?;
        let told = Told { context, wall: Wall(parts.settings.clinic.calendar.tz), rule };
        let found = list(&parts.store, rule, since).await?;
        if found.is_empty() {
            // A name that nobody knows is a typo; of a rule that is gone, something may be left.
            find_rule(&in_force(parts).await?.ruleset, rule)?;
            told.tell(&found, false);
            context.output.hint(&format!("rule {rule} has made nothing since then that could be withdrawn"));
            return Ok(Exit::Done);
        }
        let may_ask = std::io::stdin().is_terminal();
        if !yes && !may_ask {
            told.tell(&found, false);
            context.output.hint("nothing was withdrawn; --yes does it");
            return Ok(Exit::Found);
        }
        if !yes {
            told.tell(&found, false);
            if !agreed(context, false, &format!("withdraw {}?", found.summary()))? {
                return Ok(Exit::Interrupted);
            }
        }
        let gone = withdraw(&parts.store, rule, since, &who(context), now).await?;
        told.tell(&gone, true);
        context.output.hint(&format!("the rule itself goes on: avatar rules disable {rule} -m WHY stops it"));
        Ok(Exit::Done)
    })
}

struct Told<'a> {
    context: &'a Context<'a>,
    wall: Wall,
    rule: &'a str,
}

impl Told<'_> {
    fn tell(&self, recall: &Recall, is_done: bool) {
        if self.context.output.json {
            let mut object = self.object(recall);
            object["withdrawn"] = is_done.into();
            return self.context.output.object(&object);
        }
        for item in self.items(recall) {
            self.context.output.line(&item);
        }
        let verb = if is_done { "withdrawn" } else { "can be withdrawn" };
        self.context.output.line(&format!("{} {verb}; texts that had left already: {}", recall.summary(), recall.left));
    }

    fn items(&self, recall: &Recall) -> Vec<String> {
        let at = |time: Timestamp| self.wall.short(time);
        let contact = |id: Option<&String>| id.map(|id| format!("  contact {id}")).unwrap_or_default();
        let text = |kind: &str, sms: &crate::domain::sms::SmsMessage| {
            let (template, when) = (sms.template.as_deref().unwrap_or("-"), at(sms.scheduled_at.unwrap_or(sms.created_at)));
            format!("{kind:<7}  {when}  {template}  {}{}", sms.id, contact(sms.contact_id.as_ref()))
        };
        let texts = recall.texts.iter().map(|sms| text("text", sms));
        let leaving = recall.leaving.iter().map(|sms| text("leaving", sms));
        let tasks = recall
            .tasks
            .iter()
            .map(|t| format!("task     {}  {}  {}{}", at(t.due_datetime), t.task_type, t.id, contact(t.contact_id.as_ref())));
        let timers = recall.timers.iter().map(|t| {
            let subject = format!("{} {}", t.subject_kind.as_str(), t.subject_id);
            format!("timer    {}  {subject}{}", at(t.due_at), contact(Some(&t.contact_id)))
        });
        texts.chain(tasks).chain(timers).chain(leaving).collect()
    }

    fn object(&self, recall: &Recall) -> Value {
        let at = |time: Timestamp| self.wall.json(time);
        let text = |sms: &crate::domain::sms::SmsMessage| {
            json!({ "id": sms.id, "template": sms.template, "contact_id": sms.contact_id, "status": sms.status.as_str(),
                "scheduled_at": sms.scheduled_at.map(at) })
        };
        json!({
            "schema": SCHEMA,
            "rule_id": self.rule,
            "texts": recall.texts.iter().map(text).collect::<Vec<_>>(),
            "leaving": recall.leaving.iter().map(text).collect::<Vec<_>>(),
            "left": recall.left,
            "tasks": recall.tasks.iter().map(|t| json!({ "id": t.id, "type": t.task_type, "contact_id": t.contact_id,
                "due_datetime": at(t.due_datetime) })).collect::<Vec<_>>(),
            "timers": recall.timers.iter().map(|t| json!({ "contact_id": t.contact_id, "subject_id": t.subject_id,
                "due_at": at(t.due_at) })).collect::<Vec<_>>(),
        })
    }
}
