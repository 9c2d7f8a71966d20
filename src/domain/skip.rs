//! Rules that looked at an event and did nothing: kept apart from what did something, and small, because there are so many.

use super::event::{Run, RunOutcome};
use super::ids::{derived_id, time_of};
use super::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// All skips of one event, or of one slot of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedEvent {
    pub event_id: String,
    pub revision: i64,
    /// `None` of a slot: its skips are of many contacts.
    pub contact_id: Option<String>,
    pub booking_id: Option<String>,
    pub at: Timestamp,
    pub rules: Vec<SkippedRule>,
}

/// One rule, and the first condition that stopped it. Short names: this is stored for every skip.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedRule {
    #[serde(rename = "r")]
    pub rule_id: String,
    /// Where the rule begins.
    #[serde(rename = "f")]
    pub file: String,
    #[serde(rename = "l")]
    pub line: usize,
    /// `if`, `while`, `limited` …
    #[serde(rename = "w")]
    pub reason: String,
    /// `if/1`
    #[serde(rename = "p")]
    pub path: String,
    /// Where the condition stands, when that is another file.
    #[serde(rename = "sf", default, skip_serializing_if = "Option::is_none")]
    pub stop_file: Option<String>,
    #[serde(rename = "sl")]
    pub stop_line: usize,
    #[serde(rename = "c")]
    pub column: usize,
    #[serde(rename = "t")]
    pub text: String,
    /// Paths and the values seen.
    #[serde(rename = "v", default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<(String, String)>,
    /// How many contacts or bookings of a slot were skipped so.
    #[serde(rename = "n", default = "one", skip_serializing_if = "is_one")]
    pub count: u32,
}

const fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_one(count: &u32) -> bool {
    *count == 1
}

impl SkippedEvent {
    /// The runs, as they would stand among the others.
    #[must_use]
    pub fn runs(&self) -> Vec<Run> {
        self.rules.iter().map(|rule| self.run(rule)).collect()
    }

    fn run(&self, rule: &SkippedRule) -> Run {
        Run {
            id: run_id(&self.event_id, &rule.rule_id),
            event_id: self.event_id.clone(),
            rule_id: rule.rule_id.clone(),
            revision: self.revision,
            outcome: RunOutcome::Skipped,
            contact_id: self.contact_id.clone(),
            booking_id: self.booking_id.clone(),
            at: self.at,
            trace: rule.trace(),
            resumes: None,
        }
    }
}

/// The id of what a rule made of an event: the same whenever it is asked for.
#[must_use]
pub fn run_id(event_id: &str, rule_id: &str) -> String {
    derived_id(time_of(event_id).unwrap_or_default(), &[event_id, rule_id, "run"])
}

impl SkippedRule {
    /// In the form of every other run's trace.
    fn trace(&self) -> String {
        let values = self.values.iter().map(|(path, value)| json!({ "path": path, "value": value })).collect::<Vec<_>>();
        json!({
            "rule_id": self.rule_id,
            "file": self.file,
            "line": self.line,
            "outcome": "skipped",
            "stopped_at": {
                "reason": self.reason,
                "path": self.path,
                "file": self.stop_file.as_ref().unwrap_or(&self.file),
                "line": self.stop_line,
                "column": self.column,
                "text": self.text,
                "values": values,
            },
            "ops": 0,
        })
        .to_string()
    }
}
