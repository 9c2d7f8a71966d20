//! `task`.

use super::{Getter, Record, int, text, text_or_missing, time};
use crate::domain::task::{Task, TaskOutcome};
use std::sync::Arc;

#[derive(Clone)]
pub struct TaskRecord(pub Arc<Task>);

impl Record for TaskRecord {
    const NAME: &'static str = "task";
    const FIELDS: &'static [(&'static str, Getter<Self>)] = &[
        ("id", |r| text(&r.0.id)),
        ("type", |r| text(&r.0.task_type)),
        ("title", |r| text(&r.0.title)),
        ("status", |r| text(r.0.status.as_str())),
        ("due_datetime", |r| time(r.0.due_datetime)),
        ("priority_score", |r| int(r.0.priority_score)),
        ("assigned_to", |r| text_or_missing(r.0.assigned_to.as_deref())),
        ("outcome", |r| text_or_missing(r.0.outcome.map(TaskOutcome::as_str))),
    ];
}
