//! `avatar events list` and `tail`.

use super::SCHEMA;
use crate::cli::args::EventFilter;
use crate::cli::failure::Failure;
use crate::cli::moment::Wall;
use crate::cli::{Context, Exit};
use crate::domain::event::{Event, EventStatus, Run, RunOutcome};
use crate::domain::time::{Millis, Timestamp};
use crate::store::views::{PageRequest, events as views};
use crate::store::{Store, events, runs};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const POLL: Duration = Duration::from_millis(300);
/// An event that is not worked on by then is shown as it is.
const PATIENCE: Millis = Millis::seconds(2);
/// Ids are made before they are committed: events of this last time are looked at again.
const OVERLAP: Millis = Millis::seconds(10);
const PAGE_ROWS: i64 = 500;

/// An event and what the rules made of it.
struct Seen {
    event: Event,
    runs: Vec<Run>,
}

pub(super) fn list(context: &Context, filter: &EventFilter, limit: u32) -> Exit {
    context.on_database(async |parts| {
        let wanted = views::EventFilter {
            event_type: filter.event_type.clone(),
            source: filter.source.clone(),
            contact_id: filter.contact.clone(),
            status: None,
        };
        let request = PageRequest { after: None, limit: i64::from(limit) };
        let page = parts.store.read(move |conn| views::list(conn, &wanted, &request)).await?;
        let ids: Vec<String> = page.items.iter().map(|event| event.id.clone()).collect();
        let found = parts.store.read(move |conn| events::list_by_ids(conn, &ids)).await?;
        let mut by_id: BTreeMap<String, Event> = found.into_iter().map(|event| (event.id.clone(), event)).collect();
        let wall = Wall(parts.settings.clinic.calendar.tz);
        for view in &page.items {
            if let Some(event) = by_id.remove(&view.id) {
                print(context, wall, &with_runs(&parts.store, event).await?);
            }
        }
        context.output.hint(&format!("{} of {} events", page.items.len(), page.total));
        Ok(Exit::Done)
    })
}

pub(super) fn tail(context: &Context, filter: &EventFilter) -> Exit {
    context.on_database(async |parts| {
        let wall = Wall(parts.settings.clinic.calendar.tz);
        let mut follower = Follower { start: parts.clock.now(), shown: BTreeSet::new() };
        context.output.hint("Ready. Showing new events. Ctrl C to stop.");
        let interrupted = tokio::signal::ctrl_c();
        tokio::pin!(interrupted);
        loop {
            for event in follower.news(&parts.store, parts.clock.now()).await? {
                if matches(filter, &event) {
                    print(context, wall, &with_runs(&parts.store, event).await?);
                }
            }
            tokio::select! {
                _ = &mut interrupted => return Ok(Exit::Interrupted),
                () = tokio::time::sleep(POLL) => {}
            }
        }
    })
}

/// Remembers what was shown of the last while.
struct Follower {
    start: Timestamp,
    shown: BTreeSet<String>,
}

impl Follower {
    /// Events not shown yet, oldest first, once they have been worked on.
    async fn news(&mut self, store: &Store, now: Timestamp) -> Result<Vec<Event>, Failure> {
        let since = Timestamp(self.start.0.max((now - OVERLAP).0));
        let (mut news, mut recent, mut after) = (Vec::new(), BTreeSet::new(), String::new());
        loop {
            let from = after.clone();
            let page = store.read(move |conn| events::list_after(conn, since, &from, PAGE_ROWS)).await?;
            let is_last = (page.len() as i64) < PAGE_ROWS;
            for event in page {
                after.clone_from(&event.id);
                let is_ready = event.status != EventStatus::Accepted || now - event.timestamp > PATIENCE;
                if self.shown.contains(&event.id) {
                    recent.insert(event.id);
                } else if is_ready {
                    recent.insert(event.id.clone());
                    news.push(event);
                }
            }
            if is_last {
                self.shown = recent;
                return Ok(news);
            }
        }
    }
}

fn matches(filter: &EventFilter, event: &Event) -> bool {
    filter.event_type.as_ref().is_none_or(|wanted| *wanted == event.event_type)
        && filter.source.as_ref().is_none_or(|wanted| *wanted == event.source)
        && filter.contact.as_ref().is_none_or(|wanted| event.contact_id.as_ref() == Some(wanted))
}

async fn with_runs(store: &Store, event: Event) -> Result<Seen, Failure> {
    let id = event.id.clone();
    let runs = store.read(move |conn| runs::list_of_event(conn, &id)).await?;
    Ok(Seen { event, runs })
}

fn print(context: &Context, wall: Wall, seen: &Seen) {
    if context.output.json {
        context.output.object(&object(wall, seen));
    } else {
        context.output.line(&line(wall, seen));
    }
}

fn count(seen: &Seen, outcome: RunOutcome) -> usize {
    seen.runs.iter().filter(|run| run.outcome == outcome).count()
}

/// `23 Nov 10:41:07  booking_created      wix         1 fired  2 skipped  ID`
fn line(wall: Wall, seen: &Seen) -> String {
    let event = &seen.event;
    let what = match event.status {
        EventStatus::Processed => {
            let failed = count(seen, RunOutcome::Failed);
            let failed = if failed == 0 { String::new() } else { format!("  {failed} failed") };
            format!("{} fired  {} skipped{failed}", count(seen, RunOutcome::Fired), count(seen, RunOutcome::Skipped))
        }
        other => other.as_str().to_owned(),
    };
    format!("{}  {:<20} {:<12} {what:<20}  {}", wall.short(event.timestamp), event.event_type, event.source, event.id)
}

fn object(wall: Wall, seen: &Seen) -> Value {
    let event = &seen.event;
    json!({
        "schema": SCHEMA,
        "id": event.id,
        "event_type": event.event_type,
        "source": event.source,
        "actor": event.actor.as_str(),
        "timestamp": wall.json(event.timestamp),
        "status": event.status.as_str(),
        "status_reason": event.status_reason,
        "duplicates": event.duplicates,
        "contact_id": event.contact_id,
        "booking_id": event.booking_id,
        "causation_id": event.causation_id,
        "payload": event.payload,
        "runs": seen.runs.iter().map(|run| json!({ "rule_id": run.rule_id, "outcome": run.outcome.as_str() })).collect::<Vec<_>>(),
    })
}
