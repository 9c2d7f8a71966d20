//! `avatar jobs`

use super::args::{JobSelection, JobsCommand};
use super::failure::{Done, Failure};
use super::moment::Wall;
use super::parts::Parts;
use super::{Context, Exit};
use crate::config::nearest;
use crate::domain::time::Timestamp;
use crate::jobs::kinds;
use crate::store::jobs::{DEAD_PER_CALL_MAX, JobDetail, JobFilter, discard, pause, resume, retry_dead, show};
use crate::store::views::jobs::{self as views, JobView};
use crate::store::views::{Cursor, PageRequest};
use crate::store::{StoreResult, Tx};
use serde_json::{Value, json};

/// Version of the JSON that these commands print.
const SCHEMA: &str = "avatar.jobs/1";
const STATES: &[&str] = &["ready", "lane_blocked", "running", "dead"];
/// Jobs that are read at once.
const PAGE_ROWS: i64 = 200;

/// Puts jobs back or throws them away; how many.
type Verb = fn(&mut Tx<'_>, &JobFilter, Timestamp) -> StoreResult<usize>;

pub(super) fn run(context: &Context, command: &JobsCommand) -> Exit {
    context.on_database(async |parts| match command {
        JobsCommand::List { state, queue, limit } => {
            let filter = views::JobFilter { state: known_state(state.as_deref())?, queue: queue.clone(), error: None };
            list(context, parts, filter, *limit).await
        }
        JobsCommand::Show { id } => detail(context, parts, *id).await,
        JobsCommand::Retry(selection) => change(context, parts, selection, ("retried", retry_dead)).await,
        JobsCommand::Discard(selection) => change(context, parts, selection, ("discarded", discard)).await,
        JobsCommand::Pause { queue } => pause_or_resume(context, parts, queue, true).await,
        JobsCommand::Resume { queue } => pause_or_resume(context, parts, queue, false).await,
    })
}

async fn pause_or_resume(context: &Context<'_>, parts: &Parts, queue: &str, pauses: bool) -> Done {
    if !kinds::QUEUES.contains(&queue) {
        let help = format!("it can be: {}", kinds::QUEUES.join(", "));
        return Err(Failure::new(format!("there is no queue `{queue}`")).with_help(help));
    }
    let (name, now) = (queue.to_owned(), parts.clock.now());
    parts.store.write(move |tx| if pauses { pause(tx, &name, now) } else { resume(tx, &name) }).await?;
    let done = if pauses { "paused" } else { "resumed" };
    if context.output.json {
        context.output.object(&json!({ "schema": SCHEMA, "queue": queue, "state": done }));
    } else {
        context.output.line(&format!("{done} {queue}"));
    }
    Ok(Exit::Done)
}

fn known_state(state: Option<&str>) -> Result<Option<String>, Failure> {
    let Some(state) = state else { return Ok(None) };
    if STATES.contains(&state) {
        return Ok(Some(state.to_owned()));
    }
    let help = match nearest(state, STATES.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it can be: {}", STATES.join(", ")),
    };
    Err(Failure::new(format!("there is no state `{state}`")).with_help(help))
}

async fn list(context: &Context<'_>, parts: &Parts, filter: views::JobFilter, limit: u32) -> Done {
    let request = PageRequest { after: None, limit: i64::from(limit) };
    let page = parts.store.read(move |conn| views::list(conn, &filter, &request)).await?;
    let wall = Wall(parts.settings.clinic.calendar.tz);
    for job in &page.items {
        if context.output.json {
            context.output.object(&object(job, wall));
        } else {
            let JobView { id, queue, kind, state, attempt, max_attempts, .. } = job;
            let error = job.last_error.as_deref().and_then(|e| e.lines().next()).unwrap_or("");
            let due = wall.short(Timestamp(job.run_at));
            let line = format!("{id:>8}  {queue:<11}  {kind:<14}  {state:<12}  {attempt}/{max_attempts:<3}  {due}  {error}");
            context.output.line(line.trim_end());
        }
    }
    context.output.hint(&format!("{} of {} jobs", page.items.len(), page.total));
    Ok(Exit::Done)
}

fn object(job: &JobView, wall: Wall) -> Value {
    json!({
        "schema": SCHEMA,
        "id": job.id,
        "queue": job.queue,
        "kind": job.kind,
        "state": job.state,
        "priority": job.priority,
        "run_at": wall.json(Timestamp(job.run_at)),
        "attempt": job.attempt,
        "max_attempts": job.max_attempts,
        "rescues": job.rescues,
        "event_id": job.event_id,
        "last_error": job.last_error,
        "created_at": wall.json(Timestamp(job.created_at)),
    })
}

async fn detail(context: &Context<'_>, parts: &Parts, id: i64) -> Done {
    let Some(detail) = parts.store.read(move |conn| show(conn, id)).await? else { return Err(no_job(id)) };
    let wall = Wall(parts.settings.clinic.calendar.tz);
    let value = detail_object(id, &detail, wall);
    if context.output.json {
        context.output.object(&value);
        return Ok(Exit::Done);
    }
    let shown =
        ["queue", "kind", "state", "attempts", "rescues", "run_at", "event_id", "last_error", "created_at", "finished_at"];
    for name in shown {
        match &value[name] {
            Value::Null => {}
            Value::String(text) => context.output.line(&format!("{name:<12} {text}")),
            other => context.output.line(&format!("{name:<12} {other}")),
        }
    }
    for attempt in &detail.attempts {
        let (from, error) = (wall.short(Timestamp(attempt.started_at)), attempt.error.as_deref().unwrap_or(""));
        let took = attempt.finished_at.saturating_sub(attempt.started_at);
        context.output.line(format!("attempt      {from}  {took} ms  {}  {error}", attempt.outcome).trim_end());
    }
    Ok(Exit::Done)
}

fn no_job(id: i64) -> Failure {
    Failure::new(format!("there is no job {id}")).with_help("`avatar jobs list` shows those that are not done")
}

/// A finished job's state is its outcome.
fn detail_object(id: i64, detail: &JobDetail, wall: Wall) -> Value {
    let (job, finished) = (detail.job.as_ref(), detail.finished.as_ref());
    let time = |at: i64| wall.json(Timestamp(at));
    json!({
        "schema": SCHEMA,
        "id": id,
        "queue": job.map(|j| &j.queue).or(finished.map(|f| &f.queue)),
        "kind": job.map(|j| &j.kind).or(finished.map(|f| &f.kind)),
        "state": job.map(|j| &j.state).or(finished.map(|f| &f.outcome)),
        "attempts": job.map(|j| j.attempt).or(finished.map(|f| f.attempts)),
        "rescues": job.map(|j| j.rescues).or(finished.map(|f| f.rescues)),
        "run_at": job.map(|j| time(j.run_at)),
        "event_id": job.and_then(|j| j.event_id.as_ref()).or(finished.and_then(|f| f.event_id.as_ref())),
        "last_error": job.and_then(|j| j.last_error.as_ref()),
        "created_at": job.map(|j| j.created_at).or(finished.map(|f| f.created_at)).map(time),
        "finished_at": finished.map(|f| time(f.finished_at)),
        "history": detail.attempts.iter().map(|a| json!({
            "started_at": time(a.started_at), "finished_at": time(a.finished_at), "outcome": a.outcome, "error": a.error,
        })).collect::<Vec<_>>(),
    })
}

async fn change(context: &Context<'_>, parts: &Parts, selection: &JobSelection, (done, verb): (&str, Verb)) -> Done {
    let count = match (selection.id, &selection.error) {
        (Some(id), _) => change_one(parts, id, verb).await?,
        (None, Some(error)) => change_matching(parts, error, verb).await?,
        (None, None) => change_all(parts, verb).await?,
    };
    if context.output.json {
        context.output.object(&json!({ "schema": SCHEMA, done: count }));
    } else {
        context.output.line(&format!("{count} {done}"));
    }
    Ok(Exit::Done)
}

async fn change_one(parts: &Parts, id: i64, verb: Verb) -> Result<usize, Failure> {
    let now = parts.clock.now();
    let filter = JobFilter { id: Some(id), ..JobFilter::default() };
    let count = parts.store.write(move |tx| verb(tx, &filter, now)).await?;
    if count > 0 {
        return Ok(count);
    }
    match parts.store.read(move |conn| show(conn, id)).await?.and_then(|detail| detail.job) {
        Some(job) => {
            Err(Failure::new(format!("job {id} is {}: only those that failed for good (dead) can be chosen", job.state)))
        }
        None => Err(no_job(id)),
    }
}

/// In steps, so that no transaction is long.
async fn change_all(parts: &Parts, verb: Verb) -> Result<usize, Failure> {
    let mut total = 0;
    loop {
        let now = parts.clock.now();
        let count = parts.store.write(move |tx| verb(tx, &JobFilter::default(), now)).await?;
        total += count;
        if count < DEAD_PER_CALL_MAX {
            return Ok(total);
        }
    }
}

async fn change_matching(parts: &Parts, error: &str, verb: Verb) -> Result<usize, Failure> {
    let filter = views::JobFilter { state: Some("dead".to_owned()), queue: None, error: Some(error.to_owned()) };
    let (mut total, mut after) = (0, None);
    loop {
        let (filter, request) = (filter.clone(), PageRequest { after: after.take(), limit: PAGE_ROWS });
        let page = parts.store.read(move |conn| views::list(conn, &filter, &request)).await?;
        let (ids, now) = (page.items.iter().rev().map(|job| job.id).collect::<Vec<_>>(), parts.clock.now());
        let one = move |tx: &mut Tx<'_>| {
            ids.iter().try_fold(0, |sum, id| {
                let filter = JobFilter { id: Some(*id), ..JobFilter::default() };
                StoreResult::Ok(sum + verb(tx, &filter, now)?)
            })
        };
        total += parts.store.write(one).await?;
        match page.next {
            Some(Cursor { keys, id }) => after = Some(Cursor { keys, id }),
            None => return Ok(total),
        }
    }
}
