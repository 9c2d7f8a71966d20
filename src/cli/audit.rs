//! `avatar audit`: what people did, and whether the log of it is whole.

use super::args::AuditCommand;
use super::failure::Done;
use super::moment::Wall;
use super::parts::Parts;
use super::{Context, Exit};
use crate::automation::audit::verify;
use crate::domain::audit::AuditRow;
use crate::store::audit::{self, AuditFilter};
use crate::store::views::PageRequest;
use serde_json::{Value, json};

/// Version of the JSON that these commands print.
const SCHEMA: &str = "avatar.audit/1";

pub(super) fn run(context: &Context, command: &AuditCommand) -> Exit {
    context.on_database(async |parts| match command {
        AuditCommand::Verify => check(context, parts).await,
        AuditCommand::List { actor, action, limit } => {
            let filter = AuditFilter { actor: actor.clone(), action: action.clone(), ..AuditFilter::default() };
            list(context, parts, filter, i64::from(*limit)).await
        }
    })
}

async fn check(context: &Context<'_>, parts: &Parts) -> Done {
    let found = parts.store.read(verify).await?;
    if context.output.json {
        context.output.object(&json!({ "schema": SCHEMA, "rows": found.rows, "head": found.head, "broken": found.broken }));
    } else if let Some(broken) = &found.broken {
        context.output.line(&format!("✗ row {}: {}", broken.seq, broken.reason));
    } else {
        context.output.line(&found.head);
        context.output.hint("whole; keep this line elsewhere, and hold a later log against it");
    }
    context.output.hint(&format!("{} rows are in order", found.rows));
    Ok(if found.broken.is_none() { Exit::Done } else { Exit::Found })
}

async fn list(context: &Context<'_>, parts: &Parts, filter: AuditFilter, limit: i64) -> Done {
    let request = PageRequest { after: None, limit };
    let page = parts.store.read(move |conn| audit::list(conn, &filter, &request)).await?;
    if context.output.json {
        let list: Vec<Value> = page.items.iter().map(object).collect();
        context.output.object(&json!({ "schema": SCHEMA, "total": page.total, "rows": list }));
        return Ok(Exit::Done);
    }
    let wall = Wall(parts.settings.clinic.calendar.tz);
    for row in &page.items {
        let object = row.object_id.as_deref().unwrap_or("–");
        let from = row.ip.as_deref().unwrap_or("here");
        context.output.line(&format!(
            "{} {} {} {} {object} from {from} {}",
            row.seq,
            wall.json(row.at),
            row.actor,
            row.action,
            row.details
        ));
    }
    context.output.hint(&format!("{} of {} rows", page.items.len(), page.total));
    Ok(Exit::Done)
}

fn object(row: &AuditRow) -> Value {
    json!({
        "seq": row.seq, "at": row.at.to_rfc3339(), "actor": row.actor, "ip": row.ip, "action": row.action,
        "object_kind": row.object_kind, "object_id": row.object_id, "hash": row.hash,
        "details": serde_json::from_str::<Value>(&row.details).unwrap_or_default(),
    })
}
