//! `/api/pipelines`: the stages that people go through.

use super::listing::{Listing, whole};
use crate::domain::pipeline;
use crate::http::doc::Doc;
use crate::http::endpoint::{Call, Endpoint, Shared, reading};
use crate::http::problem::ApiError;
use crate::http::query::Query;
use crate::http::reply::Response;
use crate::http::route::{Permission, Route};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

const LIST: Route = Route::get("/api/pipelines", Permission::Clinic);

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    vec![
        reading(LIST, shared, list)
            .doc(Doc::new("Pipelines", "Lists the pipelines with their stages.").answers::<Listing<Pipeline>>()),
    ]
}

#[derive(Serialize, ToSchema)]
struct Pipeline {
    name: String,
    label: String,
    stages: Vec<Stage>,
}

#[derive(Serialize, ToSchema)]
struct Stage {
    name: String,
    label: String,
    sla_hours: Option<u32>,
    terminal: bool,
    /// Stages that may follow; empty: any.
    next: Vec<String>,
}

fn pipeline(declared: &pipeline::Pipeline) -> Pipeline {
    let stages = declared.stages.iter().map(stage).collect();
    Pipeline { name: declared.name.clone(), label: declared.label.clone(), stages }
}

fn stage(declared: &pipeline::Stage) -> Stage {
    Stage {
        name: declared.name.clone(),
        label: declared.label.clone(),
        sla_hours: declared.sla_hours,
        terminal: declared.terminal,
        next: declared.next.clone(),
    }
}

async fn list(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    Ok(whole(call.context.pipelines.pipelines.iter().map(pipeline).collect()))
}
