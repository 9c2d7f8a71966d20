//! What the routes need of the rest of the program, and nothing else.

use crate::domain::clinic::Clinic;
use crate::domain::clock::SharedClock;
use crate::domain::pipeline::Pipelines;
use crate::engine::Diagnostic;
use crate::inbound::Inbound;
use crate::store::Store;
use std::sync::Arc;

/// Everything the routes work with. Built once at start.
pub struct HttpContext {
    pub store: Store,
    pub inbound: Arc<Inbound>,
    pub clock: SharedClock,
    pub clinic: Arc<Clinic>,
    pub pipelines: Arc<Pipelines>,
    pub rules: Arc<dyn RulesView>,
    /// The metrics in Prometheus' text format.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
}

/// What the routes may know of the rules. Implemented by whoever holds the ruleset in force.
pub trait RulesView: Send + Sync {
    fn status(&self) -> RulesStatus;
    /// The rules in force, in file order.
    fn rules(&self) -> Vec<RuleSummary>;
}

/// Which rules are in force, and how the files on disk differ.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RulesStatus {
    /// `r3`; `None` while nothing is in force.
    pub revision: Option<String>,
    /// SHA-256 over all files, lower-case hex.
    pub hash: Option<String>,
    /// Epoch ms.
    pub published_at: Option<i64>,
    pub draft: DraftStatus,
}

/// The rule files on disk.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DraftStatus {
    /// No diagnostic is an error.
    pub clean: bool,
    pub diagnostics: Vec<Diagnostic>,
}

/// One rule in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSummary {
    pub id: String,
    pub name: String,
    pub about: String,
    pub owner: Option<String>,
    pub enabled: bool,
    pub file: String,
    pub line: usize,
    /// Names of the events it listens to.
    pub events: Vec<String>,
}
