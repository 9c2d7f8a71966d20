//! `avatar contact`: what people may ask of a clinic.

pub mod args;

use super::failure::{Done, Failure};
use super::parts::Parts;
use super::{Context, Exit};
use crate::automation::audit::note_alone;
use crate::automation::people::{Meant, find};
use crate::automation::privacy::{self, Erased, PrivacyError, Scrubbed};
use crate::domain::audit::{Entry, action};
use args::{ContactCommand, EraseArgs};
use serde_json::json;
use std::io::{BufRead, IsTerminal};

/// Version of the JSON that these commands print.
const SCHEMA: &str = "avatar.erasure/1";
/// Who erases from the command line, as it is recorded.
const BY: &str = "command_line";

pub(super) fn run(context: &Context, command: &ContactCommand) -> Exit {
    context.on_database(async |parts| match command {
        ContactCommand::Export { contact } => export(context, parts, contact).await,
        ContactCommand::Erase(args) => erase(context, parts, args).await,
    })
}

async fn export(context: &Context<'_>, parts: &Parts, contact: &str) -> Done {
    let id = who(parts, contact).await?;
    let zone = parts.settings.clinic.calendar.tz;
    let all = privacy::export(&parts.store, zone, &id, parts.clock.now()).await?;
    let read = Entry::new(BY.into(), action::CONTACT_EXPORTED).of("contact", &id);
    note_alone(&parts.store, &parts.clock, read).await?;
    let text = if context.output.json { all.to_string() } else { serde_json::to_string_pretty(&all).unwrap_or_default() };
    context.output.line(&text);
    Ok(Exit::Done)
}

async fn erase(context: &Context<'_>, parts: &Parts, args: &EraseArgs) -> Done {
    let id = who(parts, &args.contact).await?;
    let preview = privacy::preview(&parts.store, &parts.clock, &id, None).await?;
    if args.dry_run {
        show(context, &preview, true);
        return Ok(Exit::Done);
    }
    if !args.yes {
        confirm(context, &preview)?;
    }
    let erased = privacy::erase(&parts.store, &parts.clock, &id, BY.into(), &args.reason, None).await?;
    show(context, &erased, false);
    match (erased.scrubbed, parts.store.is_postgres()) {
        (Scrubbed::Yes | Scrubbed::No, _) => {}
        (Scrubbed::Later, true) => context.output.hint("PostgreSQL frees the old rows at its next VACUUM"),
        (Scrubbed::Later, false) => context.output.hint("traces may be left in the file: `avatar db vacuum` at a quiet time"),
    }
    context.output.hint("backups that were made before still hold them, until they are thrown away");
    Ok(Exit::Done)
}

fn confirm(context: &Context<'_>, preview: &Erased) -> Result<(), Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new("this cannot be undone").with_help("look with --dry-run, then say --yes"));
    }
    show(context, preview, true);
    context.output.ask("This cannot be undone. Type `erase` to go on: ");
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    if read.is_ok() && answer.trim() == "erase" { Ok(()) } else { Err(Failure::new("nothing was erased")) }
}

fn show(context: &Context<'_>, erased: &Erased, dry_run: bool) {
    let scrubbed = erased.scrubbed == Scrubbed::Yes;
    if context.output.json {
        let Erased { contact_ids, counts, .. } = erased;
        let object =
            json!({ "schema": SCHEMA, "dry_run": dry_run, "contact_ids": contact_ids, "counts": counts, "scrubbed": scrubbed });
        return context.output.object(&object);
    }
    for (kind, count) in &erased.counts {
        context.output.line(&format!("{count:>6} {}", kind.replace('_', " ")));
    }
    let ids = erased.contact_ids.join(", ");
    context.output.hint(&format!("{} {ids}", if dry_run { "would erase" } else { "erased" }));
}

/// A contact by id, number or name; only one may be meant.
async fn who(parts: &Parts, text: &str) -> Result<String, Failure> {
    let wanted = text.to_owned();
    match parts.store.read(move |conn| find(conn, &wanted)).await? {
        Meant::One(contact) => Ok(contact.id.clone()),
        Meant::Nobody => Err(Failure::new("there is no such contact")),
        Meant::Several(_, count) => Err(Failure::new(format!("{count} contacts could be meant"))
            .with_help("name one by its id: `avatar next NAME` lists them")),
    }
}

impl From<PrivacyError> for Failure {
    fn from(error: PrivacyError) -> Self {
        match error {
            PrivacyError::Store(error) => error.into(),
            other => Self::new(other.to_string()),
        }
    }
}
