//! `avatar next`: what will happen next with one contact.

use super::args::NextArgs;
use super::failure::Failure;
use super::moment::Wall;
use super::parts::Parts;
use super::{Context, Exit};
use crate::automation::next::{Item, next};
use crate::automation::people::{self, Meant};
use crate::store::views::contacts::ContactView;
use serde_json::{Value, json};

/// Version of the JSON that this command prints.
const SCHEMA: &str = "avatar.next/1";

pub(super) fn run(context: &Context, args: &NextArgs) -> Exit {
    context.on_database(async |parts| {
        let contact = find_contact(parts, &args.contact).await?;
        let rules = &parts.automation.rules;
        rules.follow().await?;
        let (current, id) = (rules.current(), contact.id.clone());
        let items: Vec<Item> = parts.store.read(move |conn| next(conn, current.as_deref(), &id)).await?;
        let wall = Wall(parts.settings.clinic.calendar.tz);
        if context.output.json {
            let items: Vec<Value> = items.iter().map(|item| object(item, wall)).collect();
            context.output.object(&json!({ "schema": SCHEMA, "contact_id": contact.id, "items": items }));
            return Ok(Exit::Done);
        }
        context.output.line(&format!("contact {}", contact.id));
        for item in &items {
            context.output.line(&line(item, wall));
        }
        if items.is_empty() {
            context.output.line("  nothing is planned");
        }
        Ok(Exit::Done)
    })
}

/// The contact that somebody means; a failure names those it could be.
pub(super) async fn find_contact(parts: &Parts, text: &str) -> Result<ContactView, Failure> {
    let wanted = text.to_owned();
    let meant = parts.store.read(move |conn| people::find(conn, &wanted)).await?;
    match meant {
        Meant::One(contact) => Ok(*contact),
        Meant::Nobody => Err(Failure::new(format!("there is no contact `{text}`"))
            .with_help("name one by its id, its phone number, or a part of its name")),
        Meant::Several(some, total) => {
            let ids: Vec<String> = some.into_iter().map(|contact| contact.id).collect();
            let help = format!("name one by its id: {}", ids.join(", "));
            Err(Failure::new(format!("{total} contacts go by `{text}`")).with_help(help))
        }
    }
}

fn line(item: &Item, wall: Wall) -> String {
    let rule = item.rule_id.as_ref().map(|id| format!("  by {id}")).unwrap_or_default();
    let held = item.held.as_ref().map(|why| format!("  ({why})")).unwrap_or_default();
    let due = if item.kind == crate::automation::next::Kind::Task { "due " } else { "" };
    format!("  {:<5}  {due}{}  {}{rule}{held}", item.kind.as_str(), wall.day_and_time(item.at), item.what)
}

fn object(item: &Item, wall: Wall) -> Value {
    json!({
        "at": wall.json(item.at),
        "kind": item.kind.as_str(),
        "id": item.id,
        "rule_id": item.rule_id,
        "what": item.what,
        "booking_id": item.booking_id,
        "held": item.held,
    })
}
