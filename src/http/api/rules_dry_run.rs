//! `POST /api/rules/dry-run`: what the rules would do with an event now. Nothing is written or sent.

use super::listing::Wall;
use super::rules_control::{host, refused};
use super::rules_files::not_clean;
use super::runs::{Run, run};
use crate::automation::dry_run::{DryRunError, Told, Tried, With, dry_run};
use crate::automation::rulesets::is_rule_path;
use crate::domain::event::KNOWN_EVENTS;
use crate::domain::ids::is_id;
use crate::http::doc::Doc;
use crate::http::endpoint::{Call, Endpoint, Shared, writing};
use crate::http::problem::{ApiError, FieldError};
use crate::http::query::Query;
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use crate::store::views::runs::of_run;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

const DRY_RUN: Route = Route::post("/api/rules/dry-run", Permission::Automation);

/// Texts of files in one dry run.
const TEXTS_MAX: usize = 20;
/// Fields of `data`, and characters of each.
const DATA_MAX: usize = 50;
const DATA_CHARS_MAX: usize = 500;

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    vec![writing(DRY_RUN, shared, try_out).doc(
        Doc::new("Rules", "Tells what rules would do with an event now; changes nothing.").takes::<Wish>().answers::<Outcome>(),
    )]
}

/// `event_id`, or `event` with whom it is about.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = DryRun, example = json!({ "event": "booking_confirmed", "booking_id": "019ab2f0-6c1e-7c3a-9d7e-2b8f6a1c4e5d", "draft": true }))]
struct Wish {
    /// A recorded event, as if it came now.
    event_id: Option<String>,
    /// The name of an event that is made for this, such as `booking_confirmed`.
    event: Option<String>,
    contact_id: Option<String>,
    booking_id: Option<String>,
    /// What rules read as `event.data.NAME`.
    data: BTreeMap<String, String>,
    /// The files on disk instead of the rules in force.
    draft: bool,
    /// Texts that stand in for files on disk, by path; needs `draft`.
    files: BTreeMap<String, String>,
    /// Show only this rule.
    rule: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = DryRunOutcome)]
struct Outcome {
    event_type: String,
    contact_id: Option<String>,
    booking_id: Option<String>,
    /// Every rule that looked at it, with its trace, in the order of their files.
    runs: Vec<Run>,
    texts: Vec<PlannedText>,
    tasks: Vec<PlannedTask>,
    moves: Vec<PlannedMove>,
    fields: Vec<PlannedField>,
}

#[derive(Serialize, ToSchema)]
struct PlannedText {
    template: Option<String>,
    to: String,
    body: String,
    parts: i32,
    scheduled_at: Option<String>,
    /// `suppressed` when it would not be sent.
    status: &'static str,
    status_reason: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct PlannedTask {
    #[serde(rename = "type")]
    kind: String,
    title: String,
    due_datetime: String,
    priority_score: i32,
    assigned_to: Option<String>,
    /// `todo`, or what an open task would become.
    status: &'static str,
}

#[derive(Serialize, ToSchema)]
struct PlannedMove {
    pipeline: String,
    from_stage: Option<String>,
    to_stage: String,
    by: String,
}

#[derive(Serialize, ToSchema)]
struct PlannedField {
    /// `contact.warmness`, `booking.status` …
    field: String,
    from: Option<String>,
    to: Option<String>,
    by: String,
}

async fn try_out(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let wish: Wish = call.json()?;
    let only = wish.rule.clone();
    let (tried, with) = asked(wish)?;
    let (store, now) = (&call.context.store, call.context.clock.now());
    let host = host(&call)?;
    if let Some(rule) = &only
        && matches!(with, With::InForce)
        && host.current().is_some_and(|current| current.ruleset.find_rule(rule).is_none())
    {
        return Err(ApiError::refused("/body/rule", "is not a rule in force"));
    }
    let told = dry_run(store, &host, tried, with, now).await.map_err(unanswered)?;
    Ok(reply::json(&outcome(&told, only.as_deref(), Wall::of(&call))))
}

fn asked(wish: Wish) -> Result<(Tried, With), ApiError> {
    let mut errors = Vec::new();
    let mut refuse = |pointer: &str, detail: &str| {
        errors.push(FieldError { pointer: format!("/body/{pointer}"), detail: detail.to_owned() });
    };
    let ids = [("event_id", &wish.event_id), ("contact_id", &wish.contact_id), ("booking_id", &wish.booking_id)];
    for (name, _) in ids.into_iter().filter(|(_, id)| id.as_deref().is_some_and(|id| !is_id(id))) {
        refuse(name, "is not an id");
    }
    if wish.event_id.is_some() == wish.event.is_some() {
        refuse("event", "say either `event_id` or `event`");
    }
    if wish.event.as_deref().is_some_and(|name| !is_event_name(name)) {
        refuse("event", "is not the name of an event");
    }
    if wish.data.len() > DATA_MAX || wish.data.iter().any(|(name, text)| name.len() + text.len() > DATA_CHARS_MAX) {
        refuse("data", "is too much");
    }
    if !wish.files.is_empty() && !wish.draft {
        refuse("files", "need `draft: true`");
    }
    if wish.files.len() > TEXTS_MAX || wish.files.keys().any(|path| !is_rule_path(path)) {
        refuse("files", "must be at most 20 texts, by paths such as rules/bookings.yaml");
    }
    if !errors.is_empty() {
        return Err(ApiError::bad_fields(errors));
    }
    let with = if wish.draft { With::Draft(wish.files) } else { With::InForce };
    let (contact_id, booking_id, data) = (wish.contact_id, wish.booking_id, wish.data);
    Ok(match (wish.event_id, wish.event) {
        (Some(id), _) => (Tried::Recorded(id), with),
        (None, event) => (Tried::Made { event_type: event.unwrap_or_default(), contact_id, booking_id, data }, with),
    })
}

/// One that is known, or one that rules or sources declare: those look like it.
fn is_event_name(name: &str) -> bool {
    let looks_like_one = || {
        (1..=64).contains(&name.len())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.'))
    };
    KNOWN_EVENTS.contains(&name) || looks_like_one()
}

fn outcome(told: &Told, only: Option<&str>, wall: Wall) -> Outcome {
    let changes = &told.world.changes;
    let runs = told.runs.iter().filter(|run| only.is_none_or(|rule| rule == run.rule_id));
    let runs: Vec<_> = runs.cloned().collect();
    let is_of = |run_id: &Option<String>| only.is_none() || runs.iter().any(|run| Some(&run.id) == run_id.as_ref());
    Outcome {
        event_type: told.event_type.clone(),
        contact_id: told.contact_id.clone(),
        booking_id: told.booking_id.clone(),
        texts: changes
            .sms
            .iter()
            .filter(|text| text.direction == "out" && is_of(&text.run_id))
            .map(|text| PlannedText {
                template: text.template.clone(),
                to: text.to.clone(),
                body: text.body.clone(),
                parts: text.parts,
                scheduled_at: text.scheduled_at.map(|at| wall.time(at.0)),
                status: text.status.as_str(),
                status_reason: text.status_reason.clone(),
            })
            .collect(),
        tasks: told
            .tasks()
            .filter(|task| is_of(&task.run_id))
            .map(|task| PlannedTask {
                kind: task.task_type.clone(),
                title: task.title.clone(),
                due_datetime: wall.time(task.due_datetime.0),
                priority_score: task.priority_score,
                assigned_to: task.assigned_to.clone(),
                status: task.status.as_str(),
            })
            .collect(),
        moves: changes
            .transitions
            .iter()
            .filter(|step| is_of(&step.run_id))
            .map(|step| PlannedMove {
                pipeline: step.pipeline.clone(),
                from_stage: step.from_stage.clone(),
                to_stage: step.to_stage.clone(),
                by: step.by.clone(),
            })
            .collect(),
        fields: changes
            .field_changes
            .iter()
            .filter(|change| is_of(&change.run_id))
            .map(|change| PlannedField {
                field: change.field.clone(),
                from: change.from.clone(),
                to: change.to.clone(),
                by: change.by.clone(),
            })
            .collect(),
        runs: runs.into_iter().map(|done| run(of_run(done), wall)).collect(),
    }
}

fn unanswered(error: DryRunError) -> ApiError {
    match error {
        DryRunError::Busy => ApiError::too_many_requests(),
        DryRunError::NothingInForce => ApiError::conflict("No ruleset was ever in force."),
        DryRunError::NotClean(draft) => not_clean(*draft),
        DryRunError::Unknown(what) => ApiError::refused("/body", format!("there is no {what} of this id")),
        DryRunError::Ruleset(error) => refused(error),
        DryRunError::Store(error) => error.into(),
    }
}
