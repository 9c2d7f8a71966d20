//! What the use cases need, and nothing else.

use super::rulesets::RulesetHost;
use crate::domain::clinic::Clinic;
use crate::domain::clock::SharedClock;
use crate::domain::pipeline::Pipelines;
use crate::store::Store;
use std::sync::Arc;

/// Shared by the job handlers.
#[derive(Clone)]
pub struct Automation {
    pub store: Store,
    pub clock: SharedClock,
    pub clinic: Arc<Clinic>,
    pub pipelines: Arc<Pipelines>,
    pub rules: Arc<RulesetHost>,
    /// This is a demo: everybody in it is made up.
    pub is_demo: bool,
}
