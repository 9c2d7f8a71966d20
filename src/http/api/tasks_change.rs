//! `/api/tasks`: opening, changing, putting off, completing and reopening tasks.

use super::acting::{act, version_if_given};
use super::assignees::Assignees;
use super::fields::{Fields, NOTE_CHARS_MAX, SHORT_CHARS_MAX};
use super::tasks::{Task, shown};
use super::words::{self, OPEN_TASK};
use crate::automation::staff_work::{About, snooze};
use crate::domain::edit::Edit;
use crate::domain::staff_action::{NewTask, StaffAction, TaskEdit};
use crate::domain::task::{KNOWN_TASK_TYPES, TaskOutcome};
use crate::domain::time::Timestamp;
use crate::http::doc::{Doc, IfMatch};
use crate::http::endpoint::{Call, Endpoint, Shared, writing};
use crate::http::problem::ApiError;
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use crate::store::{StoreResult, bookings, tasks};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;
use warp::http::StatusCode;

const OPEN: Route = Route::post("/api/tasks", Permission::Clinic);
const EDIT: Route = Route::patch("/api/tasks/{id}", Permission::Clinic);
const COMPLETE: Route = Route::post("/api/tasks/{id}/complete", Permission::Clinic);
const SNOOZE: Route = Route::post("/api/tasks/{id}/snooze", Permission::Clinic);
const REOPEN: Route = Route::post("/api/tasks/{id}/reopen", Permission::Clinic);
const ASSIGN: Route = Route::post("/api/tasks/{id}/assign", Permission::Clinic);

const PRIORITY_DEFAULT: i32 = 50;
/// What a task is that somebody opens without saying more.
const TYPE_DEFAULT: &str = "follow_up";

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    let doc = |summary| Doc::new("Tasks", summary);
    vec![
        writing(OPEN, shared, open).doc(doc("Opens a task.").takes::<Opening>().answers_as::<Task>(StatusCode::CREATED)),
        writing(EDIT, shared, edit).doc(doc("Changes a task.").takes::<Editing>().answers::<Task>()),
        writing(COMPLETE, shared, complete).doc(
            doc("Completes a task and says what came of it.")
                .takes_if_match(IfMatch::Optional)
                .takes::<Completing>()
                .answers::<Task>(),
        ),
        writing(SNOOZE, shared, put_off)
            .doc(doc("Puts a task off.").takes_if_match(IfMatch::Optional).takes::<Snoozing>().answers::<Task>()),
        writing(REOPEN, shared, reopen)
            .doc(doc("Opens a closed task again.").takes_if_match(IfMatch::Optional).answers::<Task>()),
        writing(ASSIGN, shared, assign).doc(
            doc("Gives a task to somebody, or to nobody.")
                .takes_if_match(IfMatch::Optional)
                .takes::<Assigning>()
                .answers::<Task>(),
        ),
    ]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewTask, example = json!({ "type": "follow_up", "title": "Call about the referral", "due_datetime": "2026-12-01T10:30:00+11:00", "priority_score": 60, "assigned_to": "reception", "contact_id": "019ab2f0-6c1e-7c3a-9d7e-2b8f6a1c4e5d" }))]
struct Opening {
    /// Such as `lead_call`; `follow_up` unless given.
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    #[schema(required = true, value_type = String, min_length = 1, max_length = 200)]
    title: Option<String>,
    /// RFC 3339.
    #[serde(default)]
    #[schema(required = true, value_type = String)]
    due_datetime: Option<String>,
    /// 0 to 100; 50 unless given.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 100)]
    priority_score: Option<i32>,
    #[serde(default)]
    #[schema(max_length = 200)]
    assigned_to: Option<String>,
    #[serde(default)]
    #[schema(max_length = 4000)]
    note: Option<String>,
    #[serde(default)]
    contact_id: Option<String>,
    #[serde(default)]
    booking_id: Option<String>,
}

async fn open(call: Call) -> Result<Response, ApiError> {
    let given: Opening = call.json()?;
    let assignees = Assignees::load(&call).await?;
    let mut fields = Fields::default();
    let mut types: Vec<&str> = KNOWN_TASK_TYPES.to_vec();
    types.extend(call.context.clinic.task_types.iter().map(String::as_str));
    let kind = fields.one_of("type", given.kind, &types);
    if given.due_datetime.is_none() {
        fields.refuse("due_datetime", "is missing");
    }
    let new = NewTask {
        task_type: kind.unwrap_or_else(|| TYPE_DEFAULT.to_owned()),
        title: fields.required("title", given.title, SHORT_CHARS_MAX),
        due: fields.time("due_datetime", given.due_datetime.as_deref()).unwrap_or_default(),
        priority: priority(&mut fields, given.priority_score).unwrap_or(PRIORITY_DEFAULT),
        assigned_to: assignees.field(&mut fields, "assigned_to", given.assigned_to),
        note: fields.text("note", given.note, NOTE_CHARS_MAX),
    };
    fields.finish()?;
    let about = match (given.contact_id, given.booking_id) {
        (None, None) => About::Nobody,
        (None, Some(id)) => About::Booking(id),
        (Some(id), None) => About::Contact(id),
        (Some(contact_id), booking_id) => About::Both { contact_id, booking_id },
    };
    let done = act(&call, about, StaffAction::OpenTask(new), None).await?;
    let task = shown(&call, done.task_id.as_deref().unwrap_or_default()).await?;
    Ok(reply::with_etag(reply::created(&task), task.version))
}

fn priority(fields: &mut Fields, score: Option<i32>) -> Option<i32> {
    if score.is_some_and(|score| !(0..=100).contains(&score)) {
        fields.refuse("priority_score", "must be a number from 0 to 100");
    }
    score
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TaskEdit, example = json!({ "title": "Call about the referral", "priority_score": 80, "status": "in_progress" }))]
struct Editing {
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200)]
    title: Option<String>,
    #[serde(default)]
    due_datetime: Option<String>,
    #[serde(default)]
    #[schema(minimum = 0, maximum = 100)]
    priority_score: Option<i32>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 200)]
    assigned_to: Edit<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 4000)]
    note: Edit<String>,
    /// `todo` or `in_progress`.
    #[serde(default)]
    #[schema(value_type = Option<words::OpenTaskStatus>)]
    status: Option<String>,
}

async fn edit(call: Call) -> Result<Response, ApiError> {
    let version = call.if_match()?;
    let given: Editing = call.json()?;
    let assignees = Assignees::load(&call).await?;
    let mut fields = Fields::default();
    let status = fields.one_of("status", given.status, &OPEN_TASK);
    let edit = TaskEdit {
        title: given.title.map(|title| fields.required("title", Some(title), SHORT_CHARS_MAX)),
        due: fields.time("due_datetime", given.due_datetime.as_deref()),
        priority: priority(&mut fields, given.priority_score),
        assigned_to: assignees.edit(&mut fields, "assigned_to", given.assigned_to),
        note: fields.edit("note", given.note, NOTE_CHARS_MAX),
        in_progress: status.map(|status| status == "in_progress"),
    };
    fields.finish()?;
    change(&call, StaffAction::EditTask(edit), Some(version)).await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TaskDone, example = json!({ "outcome": "spoke", "note": "Comes on Tuesday." }))]
struct Completing {
    /// `spoke`, `voicemail`, `no_answer`, `wrong_number` or `done`, which it is unless given.
    #[serde(default)]
    #[schema(value_type = Option<words::TaskOutcome>)]
    outcome: Option<String>,
    #[serde(default)]
    #[schema(max_length = 4000)]
    note: Option<String>,
}

async fn complete(call: Call) -> Result<Response, ApiError> {
    let given: Completing = call.json()?;
    let action = completing(given.outcome, given.note)?;
    change(&call, action, version_if_given(&call)?).await
}

/// What "complete" means with these fields.
pub(super) fn completing(outcome: Option<String>, note: Option<String>) -> Result<StaffAction, ApiError> {
    let mut fields = Fields::default();
    let outcome = fields.one_of("outcome", outcome, &TaskOutcome::ALL.map(TaskOutcome::as_str));
    let note = fields.text("note", note, NOTE_CHARS_MAX);
    fields.finish()?;
    let outcome = outcome.as_deref().and_then(TaskOutcome::parse).unwrap_or(TaskOutcome::Done);
    Ok(StaffAction::CompleteTask { outcome, note })
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TaskSnooze, example = json!({ "until": "tomorrow_9am" }))]
struct Snoozing {
    /// RFC 3339, or `30_minutes`, `2_hours`, `this_afternoon`, `tomorrow_9am`, `after_booking`.
    until: String,
}

async fn put_off(call: Call) -> Result<Response, ApiError> {
    let given: Snoozing = call.json()?;
    let until = moment(&call, &call.parameter, &given.until).await?;
    change(&call, StaffAction::SnoozeTask { until }, version_if_given(&call)?).await
}

/// The moment that a name or a time means for a task.
pub(super) async fn moment(call: &Call, task_id: &str, until: &str) -> Result<Timestamp, ApiError> {
    let now = call.context.clock.now();
    if Timestamp::parse_rfc3339(until).is_some() {
        let mut fields = Fields::default();
        let at = fields.time("until", Some(until)).unwrap_or_default();
        fields.finish()?;
        return if at > now { Ok(at) } else { Err(ApiError::refused("/body/until", "is over already")) };
    }
    if !snooze::NAMES.contains(&until) {
        let names = snooze::NAMES.join(", ");
        return Err(ApiError::refused("/body/until", format!("must be a time such as 2026-03-05T10:00:00+11:00, or {names}")));
    }
    let id = task_id.to_owned();
    let read = move |conn: &mut _| {
        let booking = tasks::find(conn, &id)?.and_then(|task| task.booking_id);
        StoreResult::Ok(match booking {
            Some(id) => bookings::find(conn, &id)?,
            None => None,
        })
    };
    let booking = call.context.store.read(read).await?;
    snooze::until(until, &call.context.clinic.calendar, booking.as_ref(), now)
        .ok_or_else(|| ApiError::refused("/body/until", "means no time that is still to come"))
}

async fn reopen(call: Call) -> Result<Response, ApiError> {
    change(&call, StaffAction::ReopenTask, version_if_given(&call)?).await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Assignment, example = json!({ "assigned_to": "me" }))]
struct Assigning {
    /// A team or a member of staff by id or email address, or `me`; `null`: nobody.
    #[schema(max_length = 200)]
    assigned_to: Option<String>,
}

async fn assign(call: Call) -> Result<Response, ApiError> {
    let given: Assigning = call.json()?;
    change(&call, assigning(&call, given.assigned_to).await?, version_if_given(&call)?).await
}

/// What "assign" means with this field.
pub(super) async fn assigning(call: &Call, to: Option<String>) -> Result<StaffAction, ApiError> {
    let mut fields = Fields::default();
    let to = to.map_or(Edit::Clear, Edit::To);
    let assigned_to = Assignees::load(call).await?.edit(&mut fields, "assigned_to", to);
    fields.finish()?;
    Ok(StaffAction::EditTask(TaskEdit { assigned_to, ..TaskEdit::default() }))
}

async fn change(call: &Call, action: StaffAction, version: Option<i64>) -> Result<Response, ApiError> {
    act(call, About::Task(call.parameter.clone()), action, version).await?;
    let task = shown(call, &call.parameter).await?;
    Ok(reply::with_etag(reply::json(&task), task.version))
}
