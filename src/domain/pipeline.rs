//! Pipelines and their stages, as declared in `config/pipelines.yaml`.

use super::time::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pipelines {
    pub pipelines: Vec<Pipeline>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pipeline {
    pub name: String,
    pub label: String,
    pub stages: Vec<Stage>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    pub name: String,
    pub label: String,
    /// After this many hours in the stage staff is shown a warning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sla_hours: Option<u32>,
    #[serde(default)]
    pub terminal: bool,
    /// Stages that may follow; empty means any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next: Vec<String>,
}

impl Pipelines {
    #[must_use]
    pub fn find(&self, pipeline: &str) -> Option<&Pipeline> {
        self.pipelines.iter().find(|p| p.name == pipeline)
    }
}

impl Pipeline {
    #[must_use]
    pub fn find_stage(&self, stage: &str) -> Option<&Stage> {
        self.stages.iter().find(|s| s.name == stage)
    }
}

/// One move of a contact from stage to stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    pub id: String,
    pub contact_id: String,
    pub booking_id: Option<String>,
    pub pipeline: String,
    pub from_pipeline: Option<String>,
    pub from_stage: Option<String>,
    pub to_stage: String,
    pub at: Timestamp,
    /// `rule:ID` or `staff:ID`.
    pub by: String,
    pub run_id: Option<String>,
    /// How long the contact was in the stage before.
    pub duration_ms: Option<i64>,
}
