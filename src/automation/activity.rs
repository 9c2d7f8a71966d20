//! What a rule has done lately, and what it would have done in the shadow, side by side.

use super::decide::StoredTrace;
use super::why::name_of;
use crate::domain::event::RunOutcome;
use crate::domain::time::Timestamp;
use crate::store::{Conn, StoreResult, runs};
use std::collections::BTreeMap;

/// Runs whose steps are added up; of more, only the newest so many.
pub const RUNS_MAX: i64 = 1_000;

/// Runs and their steps: `text lead_ack` → how often.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Work {
    pub runs: usize,
    pub steps: BTreeMap<String, usize>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    pub live: Work,
    /// Planned under `rollout: shadow`, and not done.
    pub shadow: Work,
    pub failed: usize,
}

impl Work {
    fn add(&mut self, trace: &str) {
        self.runs += 1;
        let Ok(trace) = serde_json::from_str::<StoredTrace>(trace) else { return };
        for action in trace.run.steps.iter().filter_map(|step| step.action.as_ref()) {
            *self.steps.entry(name_of(action)).or_default() += 1;
        }
    }

    /// `12 runs: 12 text lead_ack, 3 task lead_call`
    #[must_use]
    pub fn text(&self) -> String {
        let steps: Vec<String> = self.steps.iter().map(|(name, count)| format!("{count} × {name}")).collect();
        let steps = if steps.is_empty() { String::new() } else { format!(": {}", steps.join(", ")) };
        format!("{} run{}{steps}", self.runs, if self.runs == 1 { "" } else { "s" })
    }
}

/// Adds up the runs of a rule since then.
pub fn activity(conn: &mut Conn, rule_id: &str, since: Timestamp) -> StoreResult<Activity> {
    let mut found = Activity::default();
    for (outcome, trace) in runs::list_of_rule(conn, rule_id, since, RUNS_MAX)? {
        match outcome {
            RunOutcome::Fired => found.live.add(&trace),
            RunOutcome::Skipped => found.shadow.add(&trace),
            RunOutcome::Failed => found.failed += 1,
        }
    }
    Ok(found)
}
