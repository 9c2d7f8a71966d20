//! What evaluation decided: steps to apply, and for every rule considered why it fired or did not.

use crate::domain::sms::SmsCategory;
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One rule that listened to the event, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleRun {
    pub rule_id: String,
    /// Where the rule begins.
    pub file: String,
    pub line: usize,
    pub outcome: Outcome,
    /// The first condition that stopped the rule, or the place of the error; `None` when it fired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped_at: Option<StoppedAt>,
    /// Steps in order; empty unless fired, or planned in the shadow.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub steps: Vec<PlannedStep>,
    /// The run has not ended: it waits.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub waiting: Option<Waiting>,
    /// The run whose wait this one ends.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub resumes: Option<String>,
    /// What `trigger` said.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub trigger: String,
    /// Script operations spent: the same for the same input.
    pub ops: u64,
}

/// What a run waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    /// The path of the `wait`; the run goes on with what comes after it.
    pub path: String,
    /// When it goes on at the latest.
    pub until: Timestamp,
    /// The event that it goes on with.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub event: Option<String>,
    /// What the rule's `vars` are; not part of the trace.
    #[serde(skip)]
    pub vars: BTreeMap<String, Kept>,
}

/// A value that a waiting run keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Kept {
    Nothing,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Time { time: Timestamp },
    Span { span_ms: i64 },
    List(Vec<Kept>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Fired,
    Skipped,
    Failed,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoppedAt {
    pub reason: StopReason,
    /// Path in the rule: `while/0`, `if/1`, `do/2/priority`, `limit`, `enabled`.
    pub path: String,
    pub file: String,
    pub line: usize,
    pub column: usize,
    /// The condition as written, or the error's message.
    pub text: String,
    /// Every dotted path the condition reads, with the value it saw (`missing` when there was none).
    pub values: Vec<SeenValue>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    While,
    If,
    Limited,
    Disabled,
    /// By the program or a person, whatever the file says.
    Paused,
    /// The contact is not among those that the rule is on for.
    Rollout,
    /// It would have fired: its steps are in the plan and none was done.
    Shadow,
    Unhandled,
    Late,
    /// An earlier run of the rule is waiting.
    Running,
    Error,
}

impl StopReason {
    /// As it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::While => "while",
            Self::If => "if",
            Self::Limited => "limited",
            Self::Disabled => "disabled",
            Self::Paused => "paused",
            Self::Rollout => "rollout",
            Self::Shadow => "shadow",
            Self::Unhandled => "unhandled",
            Self::Late => "late",
            Self::Running => "running",
            Self::Error => "error",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenValue {
    pub path: String,
    pub value: String,
}

/// One step of `do` that is to be applied, or that its own `if` held back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// Stable path in the rule: `do/0`.
    pub path: String,
    pub line: usize,
    /// `None` when the step's own `if` was false.
    pub action: Option<Action>,
    /// The booking that the step is about, when that is not the run's own: the item of an `each`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub booking_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_back: Option<StoppedAt>,
}

/// What is to be done. Values are final: texts are rendered, times are instants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    Move {
        pipeline: String,
        stage: String,
    },
    Sms {
        template: String,
        category: SmsCategory,
        body: String,
        /// `gsm7` or `ucs2`.
        encoding: String,
        parts: i32,
        /// Sent outside quiet hours' rule when true (an answer to a message that the patient just sent).
        immediate: bool,
    },
    Task {
        task_type: String,
        title: String,
        due: Timestamp,
        /// 0 to 100.
        priority: i32,
        assign: Option<String>,
        note: Option<String>,
    },
    CloseTasks {
        /// `None` closes every open task of the subject.
        task_type: Option<String>,
        #[serde(default)]
        of: TasksOf,
        reason: String,
    },
    Set {
        /// `contact.warmness`, `booking.status` …
        field: String,
        value: FieldValue,
    },
    Note {
        body: String,
    },
    /// Withdraws unsent texts of the subject.
    CancelSms {
        /// `None` cancels all of them.
        template: Option<String>,
    },
    /// The rule ended here.
    Stop {
        #[serde(skip_serializing_if = "Option::is_none", default)]
        reason: Option<String>,
    },
    /// Tells staff.
    Alert {
        body: String,
        assign: String,
    },
    /// Sends an event of the rules' own.
    Emit {
        event: String,
        #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
        data: BTreeMap<String, String>,
    },
    Tag {
        tag: String,
    },
    Untag {
        tag: String,
    },
}

/// Whose tasks `close_tasks` closes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TasksOf {
    /// Those about this booking, and no others.
    #[default]
    Booking,
    /// All of the contact's, whichever booking they are about.
    Contact,
}

impl TasksOf {
    pub const NAMES: &[&str] = &["booking", "contact"];

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "booking" => Some(Self::Booking),
            "contact" => Some(Self::Contact),
            _ => None,
        }
    }

    /// What a step means that does not say it: it closes as little as can be meant.
    #[must_use]
    pub const fn unless_written(has_booking: bool) -> Self {
        if has_booking { Self::Booking } else { Self::Contact }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FieldValue {
    Nothing,
    Bool(bool),
    Int(i64),
    Text(String),
    /// Epoch milliseconds, tagged so that it is not mistaken for a number.
    Time {
        time: Timestamp,
    },
}
