//! `do`: the steps of a rule.

use super::fields::{Fields, Keys, Reader};
use super::nearest::did_you_mean;
use super::{ActionSyntax, StepSyntax};
use crate::engine::diagnostic::names;
use crate::engine::plan::TasksOf;
use crate::engine::source::{Entry, Kind, Node, Place, Scalar};

/// Steps of one rule.
const STEPS_MAX: usize = 100;

/// Keys of a step beside the one thing that it does.
const BESIDE: &[&str] = &["if", "id"];
pub(super) const STEP: Keys = Keys {
    what: "a step",
    known: &[
        "move",
        "sms",
        "task",
        "close_tasks",
        "set",
        "note",
        "cancel",
        "tag",
        "untag",
        "alert",
        "emit",
        "wait",
        "choose",
        "each",
        "run",
        "plan",
        "stop",
        "if",
        "id",
    ],
    later: &["call"],
};
pub(super) const MOVE: Keys = Keys { what: "`move`", known: &["pipeline", "stage"], later: &[] };
pub(super) const TASK: Keys = Keys { what: "`task`", known: &["type", "title", "due", "priority", "assign", "note"], later: &[] };
pub(super) const CLOSE_TASKS: Keys = Keys { what: "`close_tasks`", known: &["type", "of", "reason"], later: &[] };
pub(super) const CANCEL: Keys = Keys { what: "`cancel`", known: &["sms"], later: &[] };

/// Everything that a step can do.
fn actions() -> impl Iterator<Item = &'static str> {
    STEP.known.iter().copied().filter(|key| !BESIDE.contains(key))
}

impl Reader<'_> {
    pub fn steps(&mut self, node: Node) -> Vec<StepSyntax> {
        let at = node.at;
        match node.kind {
            Kind::List(items) if items.len() > STEPS_MAX => {
                self.error(names::TOO_MANY, at, format!("a rule has at most {STEPS_MAX} steps"), None);
                Vec::new()
            }
            Kind::List(items) => items.into_iter().filter_map(|item| self.step(item)).collect(),
            _ => {
                let help = Some("begin each step with `- `".to_owned());
                self.error(names::WRONG_SHAPE, at, format!("`do` is a list of steps, not {}", node.describe()), help);
                Vec::new()
            }
        }
    }

    fn step(&mut self, node: Node) -> Option<StepSyntax> {
        if matches!(&node.kind, Kind::Scalar(scalar) if scalar.text == "stop") {
            return Some(StepSyntax { at: node.at, if_: Vec::new(), action: ActionSyntax::Stop { reason: None } });
        }
        let mut fields = self.fields(node.clone(), &STEP)?;
        let if_ = fields.take("if").map(|n| self.scalars(n, "`if`")).unwrap_or_default();
        if let Some(id) = fields.take("id") {
            self.scalar(id, "`id`");
        }
        let mut found: Vec<Entry> = actions().filter_map(|name| fields.take_entry(name)).collect();
        found.sort_by_key(|entry| (entry.key.at.line, entry.key.at.column));
        if let [_, second, ..] = found.as_slice() {
            let message = format!("a step does one thing, and this one also has `{}`", second.key.text);
            let help = Some("begin a step of its own with `- `; the keys of a step must be indented below it".to_owned());
            self.error(names::ONE_ACTION, second.key.at, message, help);
            return None;
        }
        let Some(entry) = found.pop() else {
            if !fields.refused {
                let help = Some(format!("a step has one of: {}", actions().collect::<Vec<_>>().join(", ")));
                self.error(names::ONE_ACTION, node.at, "this step does nothing", help);
            }
            return None;
        };
        let at = entry.key.at;
        let action = self.action(entry)?;
        Some(StepSyntax { at, if_, action })
    }

    fn action(&mut self, entry: Entry) -> Option<ActionSyntax> {
        let value = entry.value;
        match entry.key.text.as_str() {
            "move" => self.move_(value),
            "sms" => Some(ActionSyntax::Sms { template: self.scalar(value, "`sms`")? }),
            "task" => self.task(value),
            "close_tasks" => self.close_tasks(value),
            "set" => self.set(value, entry.key.at),
            "note" => Some(ActionSyntax::Note(self.scalar(value, "`note`")?)),
            "cancel" => self.cancel(value),
            "tag" => Some(ActionSyntax::Tag(self.scalar(value, "`tag`")?)),
            "untag" => Some(ActionSyntax::Untag(self.scalar(value, "`untag`")?)),
            "alert" => Some(ActionSyntax::Alert(self.scalar(value, "`alert`")?)),
            "run" => Some(ActionSyntax::Run(self.scalar(value, "`run`")?)),
            "plan" => Some(ActionSyntax::Plan(self.scalar(value, "`plan`")?)),
            "emit" => self.emit(value),
            "wait" => self.wait(value),
            "choose" => self.choose(value),
            "each" => self.each(value),
            _ => self.stop(value),
        }
    }

    fn move_(&mut self, node: Node) -> Option<ActionSyntax> {
        let mut fields = self.fields(node, &MOVE)?;
        let pipeline = self.needed(&mut fields, "pipeline");
        let stage = self.needed(&mut fields, "stage");
        Some(ActionSyntax::Move { pipeline: pipeline?, stage: stage? })
    }

    fn task(&mut self, node: Node) -> Option<ActionSyntax> {
        let mut fields = self.fields(node, &TASK)?;
        let task_type = self.needed(&mut fields, "type");
        let title = self.needed(&mut fields, "title");
        let due = self.needed(&mut fields, "due");
        let priority = self.optional(&mut fields, "priority");
        let assign = self.optional(&mut fields, "assign");
        let note = self.optional(&mut fields, "note");
        Some(ActionSyntax::Task { task_type: task_type?, title: title?, due: due?, priority, assign, note })
    }

    fn close_tasks(&mut self, node: Node) -> Option<ActionSyntax> {
        let mut fields = self.fields(node, &CLOSE_TASKS)?;
        let task_type = self.needed(&mut fields, "type")?;
        let of = match fields.take("of") {
            Some(node) => Some(self.tasks_of(node)?),
            None => None,
        };
        let reason = self.optional(&mut fields, "reason");
        let task_type = (task_type.text != "any").then_some(task_type);
        Some(ActionSyntax::CloseTasks { task_type, of, reason })
    }

    fn tasks_of(&mut self, node: Node) -> Option<(TasksOf, Place)> {
        let scalar = self.scalar(node, "`of`")?;
        let found = TasksOf::parse(&scalar.text);
        if found.is_none() {
            let message = format!("`of` is `booking` or `contact`, not `{}`", scalar.text);
            self.error(names::BAD_VALUE, scalar.at, message, did_you_mean(&scalar.text, TasksOf::NAMES, "it can be"));
        }
        Some((found?, scalar.at))
    }

    fn set(&mut self, node: Node, at: Place) -> Option<ActionSyntax> {
        let Kind::Map(entries, _) = node.kind else {
            let help = Some("write `set: { contact.warmness: 0 }`".to_owned());
            self.error(
                names::WRONG_SHAPE,
                node.at,
                format!("`set` is a map of fields and values, not {}", node.describe()),
                help,
            );
            return None;
        };
        let pairs: Vec<(Scalar, Scalar)> = entries.into_iter().filter_map(|e| self.pair(e)).collect();
        if pairs.is_empty() {
            self.error(names::MISSING_KEY, at, "`set` sets nothing", None);
            return None;
        }
        Some(ActionSyntax::Set(pairs))
    }

    pub(super) fn pair(&mut self, entry: Entry) -> Option<(Scalar, Scalar)> {
        if let Kind::Scalar(value) = entry.value.kind {
            return Some((entry.key, value));
        }
        let message = format!("`{}` holds a single value, not {}", entry.key.text, entry.value.describe());
        self.error(names::WRONG_SHAPE, entry.value.at, message, None);
        None
    }

    fn cancel(&mut self, node: Node) -> Option<ActionSyntax> {
        if let Kind::Scalar(scalar) = &node.kind {
            if scalar.text == "sms" {
                return Some(ActionSyntax::CancelSms { template: None });
            }
            let message =
                format!("`cancel` withdraws texts: `sms`, or `{{ sms: template }}`; it cannot cancel `{}`", scalar.text);
            self.error(names::BAD_VALUE, scalar.at, message, None);
            return None;
        }
        let mut fields = self.fields(node, &CANCEL)?;
        Some(ActionSyntax::CancelSms { template: Some(self.needed(&mut fields, "sms")?) })
    }

    pub(super) fn needed(&mut self, fields: &mut Fields, key: &str) -> Option<Scalar> {
        let node = fields.need(key, self)?;
        self.scalar(node, &format!("`{key}`"))
    }

    fn optional(&mut self, fields: &mut Fields, key: &str) -> Option<Scalar> {
        let node = fields.take(key)?;
        self.scalar(node, &format!("`{key}`"))
    }
}
