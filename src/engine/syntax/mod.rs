//! The typed syntax tree of rule files: which keys there are, and what shape each has. Whether names and expressions mean
//! anything is decided later, by `check`.

mod fields;
mod file;
mod nearest;
mod rule;
mod step;
mod trigger;
mod value;

pub(crate) use fields::{Keys, Reader};
pub(crate) use file::{FileReader, RULES_MAX};
pub(crate) use nearest::{did_you_mean, list_of};
pub(crate) use value::parse_duration;

use super::ruleset::Again;
use super::source::{Place, Scalar};
use crate::domain::event::SubjectKind;
use crate::domain::time::Millis;

pub(crate) struct RuleSyntax {
    /// Where the rule begins.
    pub at: Place,
    pub id: Scalar,
    pub name: Option<Scalar>,
    pub about: Option<Scalar>,
    pub owner: Option<Scalar>,
    pub enabled: bool,
    pub when: Vec<TriggerSyntax>,
    pub while_: Vec<Scalar>,
    pub if_: Vec<Scalar>,
    pub vars: Vec<(Scalar, Scalar)>,
    pub steps: Vec<StepSyntax>,
    pub limit: Option<LimitSyntax>,
}

pub(crate) enum TriggerSyntax {
    Event { names: Vec<Scalar>, unhandled: bool },
    Date { field: Scalar, offset: Option<Millis>, at_minute: Option<u32>, late: Millis, again: Again },
    Every { rhythm: Rhythm, at: Option<(Place, u32)>, tz: Option<Scalar>, each: Option<SubjectKind>, late: Millis },
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
        reason: Option<Scalar>,
    },
    Set(Vec<(Scalar, Scalar)>),
    Note(Scalar),
    CancelSms {
        template: Option<Scalar>,
    },
}
