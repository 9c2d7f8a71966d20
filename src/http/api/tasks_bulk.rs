//! `POST /api/tasks/bulk`: one thing done to many tasks, each on its own.

use super::acting::act;
use super::tasks::{Task, shown};
use super::tasks_change::{assigning, completing, moment};
use super::words;
use crate::automation::staff_work::About;
use crate::domain::staff_action::StaffAction;
use crate::http::doc::Doc;
use crate::http::endpoint::{Call, Endpoint, Shared, writing};
use crate::http::problem::ApiError;
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

const BULK: Route = Route::post("/api/tasks/bulk", Permission::Clinic);

/// Tasks in one request.
const TASKS_MAX: usize = 100;

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    let doc = Doc::new("Tasks", "Does one thing to many tasks, and says of each what came of it.");
    vec![writing(BULK, shared, bulk).doc(doc.takes::<Bulk>().answers::<Outcome>())]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ManyTasks, example = json!({ "ids": ["019ab2f0-6c1e-7c3a-9d7e-2b8f6a1c4e5d"], "action": "complete", "outcome": "done" }))]
struct Bulk {
    /// At most 100.
    #[schema(min_items = 1, max_items = 100)]
    ids: Vec<String>,
    /// `complete`, `snooze`, `assign` or `reopen`.
    #[schema(value_type = words::TasksAction)]
    action: String,
    /// Of `complete`.
    #[serde(default)]
    #[schema(value_type = Option<words::TaskOutcome>)]
    outcome: Option<String>,
    /// Of `complete`.
    #[serde(default)]
    note: Option<String>,
    /// Of `snooze`: a time or a name.
    #[serde(default)]
    until: Option<String>,
    /// Of `assign`; `null`: nobody.
    #[serde(default)]
    assigned_to: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ManyTasksDone)]
struct Outcome {
    /// In the order of the request.
    results: Vec<Each>,
    done: usize,
    refused: usize,
}

#[derive(Serialize, ToSchema)]
#[schema(as = TaskDoneOrNot)]
struct Each {
    id: String,
    /// As the task's own route would answer: 200, 404, 409 …
    status: u16,
    /// Why not.
    detail: Option<String>,
    task: Option<Task>,
}

async fn bulk(call: Call) -> Result<Response, ApiError> {
    let given: Bulk = call.json()?;
    if given.ids.is_empty() || given.ids.len() > TASKS_MAX {
        return Err(ApiError::refused("/body/ids", format!("must name 1 to {TASKS_MAX} tasks")));
    }
    let mut results = Vec::with_capacity(given.ids.len());
    // What is wrong with the request is wrong for all of them, before any is touched.
    let action = whole(&call, &given).await?;
    for id in &given.ids {
        results.push(each(&call, id, &given, action.clone()).await);
    }
    let done = results.iter().filter(|each| each.task.is_some()).count();
    Ok(reply::json(&Outcome { refused: results.len() - done, done, results }))
}

/// What is done to each; `None` when that depends on the task.
async fn whole(call: &Call, given: &Bulk) -> Result<Option<StaffAction>, ApiError> {
    match given.action.as_str() {
        "complete" => completing(given.outcome.clone(), given.note.clone()).map(Some),
        "assign" => assigning(call, given.assigned_to.clone()).await.map(Some),
        "reopen" => Ok(Some(StaffAction::ReopenTask)),
        "snooze" if given.until.is_some() => Ok(None),
        "snooze" => Err(ApiError::refused("/body/until", "is missing")),
        _ => Err(ApiError::refused("/body/action", "must be one of complete, snooze, assign, reopen")),
    }
}

async fn one(call: &Call, id: &str, given: &Bulk, action: Option<StaffAction>) -> Result<Task, ApiError> {
    let action = match action {
        Some(action) => action,
        None => StaffAction::SnoozeTask { until: moment(call, id, given.until.as_deref().unwrap_or_default()).await? },
    };
    act(call, About::Task(id.to_owned()), action, None).await?;
    shown(call, id).await
}

async fn each(call: &Call, id: &str, given: &Bulk, action: Option<StaffAction>) -> Each {
    let done = one(call, id, given, action).await;
    let id = id.to_owned();
    match done {
        Ok(task) => Each { id, status: 200, detail: None, task: Some(task) },
        Err(error) => Each { id, status: error.status().as_u16(), detail: Some(error.told()), task: None },
    }
}
