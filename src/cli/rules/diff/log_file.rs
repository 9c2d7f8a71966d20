//! Events from a file: one JSON object a line, as `avatar events list --json` prints them.

use crate::automation::replay::{History, REPLAY_EVENTS_MAX};
use crate::cli::failure::Failure;
use crate::domain::event::{Actor, Event, EventPayload, EventStatus, OWN_SOURCES, QUARANTINED, SignatureState, lane_key};
use crate::domain::time::{Millis, Timestamp};
use serde::Deserialize;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// Longest line.
const LINE_BYTES_MAX: usize = 1024 * 1024;
/// After the last event the clock runs on for so long, so that its reminders come.
const RUN_ON: Millis = Millis::days(60);
/// Sources of events that are recorded for somebody; whom a delivery is about is found out.
const RECORDED_FOR_SOMEBODY: [&str; 2] = ["staff", "sms"];

#[derive(Deserialize)]
struct Line {
    id: String,
    event_type: String,
    source: String,
    actor: String,
    timestamp: String,
    #[serde(default)]
    causation_id: Option<String>,
    #[serde(default)]
    contact_id: Option<String>,
    #[serde(default)]
    booking_id: Option<String>,
    payload: EventPayload,
}

/// A history that begins with the first event of the file.
pub(super) fn read(path: &Path) -> Result<History, Failure> {
    let unreadable = |error: std::io::Error| Failure::new(format!("{}: {error}", path.display()));
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut window = Vec::new();
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(unreadable)?;
        if line.trim().is_empty() {
            continue;
        }
        let here = |what: String| Failure::new(format!("{}:{}: {what}", path.display(), number + 1));
        if line.len() > LINE_BYTES_MAX {
            return Err(here(format!("a line has at most {LINE_BYTES_MAX} bytes")));
        }
        let line: Line = serde_json::from_str(&line).map_err(|error| here(error.to_string()))?;
        window.extend(event(line).map_err(here)?);
        if window.len() > REPLAY_EVENTS_MAX {
            return Err(Failure::new(format!("{}: more than {REPLAY_EVENTS_MAX} events", path.display())));
        }
    }
    window.sort_by(|a, b| (a.timestamp, &a.id).cmp(&(b.timestamp, &b.id)));
    let (Some(first), Some(last)) = (window.first(), window.last()) else {
        return Err(Failure::new(format!("{}: there is no event in it", path.display())));
    };
    let (since, until) = (first.timestamp, last.timestamp + RUN_ON);
    Ok(History { known_since: since, since, until, window, ..History::default() })
}

/// `None` for what follows from other events: it follows again.
fn event(line: Line) -> Result<Option<Event>, String> {
    if OWN_SOURCES.contains(&line.source.as_str()) || line.causation_id.is_some() {
        return Ok(None);
    }
    let timestamp = Timestamp::parse_rfc3339(&line.timestamp).ok_or("`timestamp` is no time")?;
    let actor = Actor::parse(&line.actor).ok_or("`actor` is none that is known")?;
    let wix = line.payload.booking.as_ref().and_then(|b| b.wix_booking_id.as_deref());
    let status = if line.event_type == QUARANTINED { EventStatus::Quarantined } else { EventStatus::Accepted };
    let knows_whom = RECORDED_FOR_SOMEBODY.contains(&line.source.as_str());
    Ok(Some(Event {
        lane_key: lane_key(line.payload.contact.as_ref(), wix),
        dedupe_key: line.id.clone(),
        id: line.id,
        event_type: line.event_type,
        source: line.source,
        timestamp,
        occurred_at: Some(timestamp),
        actor,
        signature_state: SignatureState::Internal,
        payload: line.payload,
        contact_id: line.contact_id.filter(|_| knows_whom),
        booking_id: line.booking_id.filter(|_| knows_whom),
        causation_id: None,
        depth: 0,
        status,
        status_reason: None,
        duplicates: 0,
        revision: None,
        processed_at: None,
    }))
}
