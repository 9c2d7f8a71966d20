//! Whether what must be kept is kept, and what must go is gone.

use super::Finding;
use crate::automation::{backups, retention};
use crate::cli::moment::span;
use crate::cli::parts::Parts;
use crate::domain::time::{Millis, Timestamp};
use crate::store::StoreResult;

/// So many times the usual span may pass without a copy.
const LATE_TIMES: i64 = 2;
/// What is older than its time by more than this should be gone.
const OVERDUE_MAX: Millis = Millis::days(2);

pub(super) async fn examine(parts: &Parts) -> Vec<Finding> {
    let now = parts.clock.now();
    let found = [("backup", backup(parts, now).await), ("retention", kept(parts, now).await)];
    let unreadable = |part, error: String| Finding::problem(part, error, "`avatar doctor --only database`");
    found.into_iter().map(|(part, found)| found.unwrap_or_else(|error| unreadable(part, error.to_string()))).collect()
}

async fn backup(parts: &Parts, now: Timestamp) -> StoreResult<Finding> {
    let settings = &parts.settings.backup;
    let Some(folder) = &settings.folder else {
        return Ok(Finding::good("backup", "PostgreSQL's own: pg_dump or its archive; this program cannot see them"));
    };
    let by_hand = "`avatar db backup` makes one; `backup.every_hours` has it made";
    Ok(match (backups::last(&parts.store).await?, settings.every) {
        (None, _) => Finding::warning("backup", "there is none yet", by_hand),
        (Some(at), Some(every)) if (now - at).0 > every.0 * LATE_TIMES => {
            let text = format!("the last good one is {} old", span(now - at));
            Finding::problem("backup", text, "the log says why; `avatar db backup` tries at once")
        }
        (Some(at), None) => Finding::warning("backup", format!("by hand only; the last is {} old", span(now - at)), by_hand),
        (Some(at), Some(_)) => Finding::good("backup", format!("{} old, in {}", span(now - at), folder.display())),
    })
}

async fn kept(parts: &Parts, now: Timestamp) -> StoreResult<Finding> {
    let overdue = retention::overdue(&parts.store, parts.settings.database.retention, now).await?;
    let late: Vec<String> =
        overdue.iter().filter(|kind| kind.by > OVERDUE_MAX).map(|kind| format!("{} by {}", kind.name, span(kind.by))).collect();
    Ok(if late.is_empty() {
        Finding::good("retention", "nothing is kept for longer than the settings say")
    } else {
        let text = format!("kept for too long: {}", late.join(", "));
        Finding::warning("retention", text, "it is thrown away bit by bit while `avatar serve` runs")
    })
}
