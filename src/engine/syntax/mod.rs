//! The typed syntax tree of rule files: which keys there are, and what shape each has. Whether names and expressions mean
//! anything is decided later, by `check`.

mod fields;
mod file;
mod flow;
mod guard;
mod nearest;
mod policies;
mod rule;
mod step;
mod trigger;
mod value;

pub(crate) use fields::{Keys, Reader};
pub(crate) use file::{FileReader, RULES_MAX};
pub(crate) use nearest::{did_you_mean, list_of};
pub(crate) use policies::{PromiseSyntax, PromisedSyntax, read_promises};
pub(crate) use value::{is_word, parse_duration};

use super::guard::Guard;
use super::plan::TasksOf;
use super::ruleset::{Again, IfRunning};
use super::source::{Place, Scalar};
use crate::domain::event::SubjectKind;
use crate::domain::time::Millis;

/// Every map that rule files have, in the order of the manual. A new one belongs here, and into `language/keys.rs`.
pub(crate) const MAPS: &[&Keys] = &[
    &file::FILE,
    &rule::RULE,
    &rule::LIMIT,
    &trigger::ANY,
    &trigger::EVENT,
    &trigger::DATE,
    &trigger::EVERY,
    &trigger::CRON,
    &trigger::HOLDS,
    &trigger::WEBHOOK,
    &trigger::MANUAL,
    &step::STEP,
    &step::MOVE,
    &step::TASK,
    &step::CLOSE_TASKS,
    &step::CANCEL,
    &flow::EMIT,
    &flow::WAIT,
    &flow::EACH,
    &flow::BRANCH,
    &guard::EXPECT,
    &guard::ON_ERROR,
];

pub(crate) struct RuleSyntax {
    /// Where the rule begins.
    pub at: Place,
    pub id: Scalar,
    pub name: Option<Scalar>,
    pub about: Option<Scalar>,
    pub owner: Option<Scalar>,
    pub enabled: bool,
    pub when: Vec<TriggerSyntax>,
    /// What each trigger is called in `trigger`, in the order of `when`.
    pub labels: Vec<Option<Scalar>>,
    pub if_running: Option<IfRunning>,
    pub while_: Vec<Scalar>,
    pub if_: Vec<Scalar>,
    pub vars: Vec<(Scalar, Scalar)>,
    pub steps: Vec<StepSyntax>,
    pub limit: Option<LimitSyntax>,
    pub guard: GuardSyntax,
}

pub(crate) struct GuardSyntax {
    /// Where `rollout` stands.
    pub at: Place,
    pub guard: Guard,
}

pub(crate) enum TriggerSyntax {
    Event { names: Vec<Scalar>, unhandled: bool },
    Date { field: Scalar, offset: Option<Millis>, at_minute: Option<u32>, late: Millis, again: Again },
    Every { rhythm: Rhythm, at: Option<(Place, u32)>, tz: Option<Scalar>, each: Option<SubjectKind>, late: Millis },
    Holds { expr: Scalar, lasting: Millis, business: bool },
    Manual { subject: SubjectKind },
    Webhook { source: Scalar },
}

pub(crate) enum Rhythm {
    Every(Scalar),
    Cron(Scalar),
}

pub(crate) struct LimitSyntax {
    pub at: Place,
    pub max: u32,
    pub within: Millis,
    pub per: SubjectKind,
}

pub(crate) struct StepSyntax {
    pub at: Place,
    pub if_: Vec<Scalar>,
    pub action: ActionSyntax,
}

pub(crate) enum ActionSyntax {
    Move {
        pipeline: Scalar,
        stage: Scalar,
    },
    Sms {
        template: Scalar,
    },
    Task {
        task_type: Scalar,
        title: Scalar,
        due: Scalar,
        priority: Option<Scalar>,
        assign: Option<Scalar>,
        note: Option<Scalar>,
    },
    CloseTasks {
        /// `None` for `any`.
        task_type: Option<Scalar>,
        /// With its place.
        of: Option<(TasksOf, Place)>,
        reason: Option<Scalar>,
    },
    Set(Vec<(Scalar, Scalar)>),
    Note(Scalar),
    CancelSms {
        template: Option<Scalar>,
    },
    Stop {
        reason: Option<Scalar>,
    },
    Choose(Vec<BranchSyntax>),
    Alert(Scalar),
    Emit {
        event: Scalar,
        data: Vec<(Scalar, Scalar)>,
    },
    Tag(Scalar),
    Untag(Scalar),
    Each {
        list: Scalar,
        name: Scalar,
        steps: Vec<StepSyntax>,
    },
    Run(Scalar),
    Plan(Scalar),
    Wait(WaitSyntax),
}

/// One of the ways of a `choose`.
pub(crate) struct BranchSyntax {
    pub at: Place,
    /// Empty for the way that is taken when no other is.
    pub if_: Vec<Scalar>,
    pub steps: Vec<StepSyntax>,
}

pub(crate) enum WaitSyntax {
    For(Millis),
    Until(Scalar),
    Event { name: Scalar, limit: Millis },
}

impl ActionSyntax {
    /// The lists of steps inside of the step, in the order written.
    pub fn inner(&self) -> Vec<&[StepSyntax]> {
        match self {
            Self::Choose(branches) => branches.iter().map(|b| b.steps.as_slice()).collect(),
            Self::Each { steps, .. } => vec![steps],
            _ => Vec::new(),
        }
    }
}

/// Every step of the list and inside of its steps, in the order written.
pub(crate) fn all_steps(steps: &[StepSyntax]) -> Vec<&StepSyntax> {
    let mut found = Vec::new();
    for step in steps {
        found.push(step);
        found.extend(step.action.inner().into_iter().flat_map(all_steps));
    }
    found
}
