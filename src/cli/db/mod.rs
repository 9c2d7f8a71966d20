//! `avatar db`

pub mod args;
mod backup;

use crate::cli::failure::{Done, refuse_missing};
use crate::cli::parts::Parts;
use crate::cli::{Context, Exit};
use args::DbCommand;
use serde_json::json;

/// Version of the JSON that these commands print.
const SCHEMA: &str = "avatar.db/1";

pub(super) fn run(context: &Context, command: DbCommand) -> Exit {
    context.end(match command {
        DbCommand::Migrate => migrate(context),
        DbCommand::Status => status(context),
        DbCommand::Backup { path } => return backup::make(context, path.as_deref()),
        DbCommand::Restore { file, replace } => backup::restore(context, &file, replace),
        DbCommand::Vacuum => return backup::vacuum(context),
    })
}

fn migrate(context: &Context) -> Done {
    let parts = Parts::open(context.settings()?, context.environment)?;
    let applied = parts.store.migrate()?;
    if context.output.json {
        context.output.object(&json!({ "schema": SCHEMA, "applied": applied }));
    } else {
        for name in &applied {
            context.output.line(name);
        }
    }
    let database = &parts.settings.database.url;
    match applied.len() {
        0 => context.output.hint(&format!("{database} was up to date")),
        count => context.output.hint(&format!("{database}: {count} migrations applied")),
    }
    Ok(Exit::Done)
}

/// Ends with [`Exit::Found`] when something is to be applied.
fn status(context: &Context) -> Done {
    let settings = context.settings()?;
    refuse_missing(&settings)?;
    let parts = Parts::open(settings, context.environment)?;
    let migrations = parts.store.migration_status()?;
    let missing = migrations.iter().filter(|(_, applied)| !applied).count();
    if context.output.json {
        let list: Vec<_> = migrations.iter().map(|(name, applied)| json!({ "name": name, "applied": applied })).collect();
        let database = parts.settings.database.url.to_string();
        context.output.object(&json!({ "schema": SCHEMA, "database": database, "pending": missing, "migrations": list }));
    } else {
        for (name, applied) in &migrations {
            context.output.line(&format!("{} {name}", if *applied { "✓" } else { "–" }));
        }
    }
    if missing == 0 {
        return Ok(Exit::Done);
    }
    context.output.hint(&format!("{missing} to apply: avatar db migrate"));
    Ok(Exit::Found)
}
