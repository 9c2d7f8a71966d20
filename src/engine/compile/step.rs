//! `do`: what each step names must exist, and what it needs must be there.

use super::flow::Inside;
use super::rule::Lowering;
use crate::domain::task::KNOWN_TASK_TYPES;
use crate::engine::check::{Scope, check_text, of};
use crate::engine::diagnostic::names;
use crate::engine::plan::TasksOf;
use crate::engine::ruleset::{StepAction, Text, TextPart, Value};
use crate::engine::schema::{Type, find_record};
use crate::engine::source::{Place, Scalar};
use crate::engine::syntax::{ActionSyntax, did_you_mean};

/// Priority of a task that gives none.
const PRIORITY_DEFAULT: i64 = 50;
/// Highest priority and warmness.
const PERCENT_MAX: i64 = 100;

impl Lowering<'_> {
    /// `None` when a problem was reported.
    pub fn action(
        &mut self,
        action: ActionSyntax,
        at: Place,
        path: &str,
        scope: &mut Scope,
        inside: Inside<'_>,
    ) -> Option<StepAction> {
        match action {
            ActionSyntax::Move { pipeline, stage } => {
                let here = self.needs("contact", "move", at, scope);
                self.stage_exists(&pipeline, &stage)?;
                here.then_some(StepAction::Move { pipeline: pipeline.text, stage: stage.text })
            }
            ActionSyntax::Sms { template } => {
                let here = self.needs("contact", "sms", at, scope);
                self.template_exists(&template)?;
                let fits = self.template_fits(&template, scope);
                (here && fits).then_some(StepAction::Sms { template: template.text })
            }
            ActionSyntax::Task { task_type, title, due, priority, assign, note } => {
                let known = self.task_type_exists(&task_type);
                let title = self.text(&title, scope);
                let due = self.value(&due, scope, of(Type::Time), "`due`");
                let priority = self.priority(priority.as_ref(), scope);
                let team = assign.as_ref().is_none_or(|team| self.team_exists(team));
                let note = match note {
                    Some(note) => Some(self.text(&note, scope)?),
                    None => None,
                };
                let (title, due, priority) = (title?, due?, priority?);
                let assign = assign.map(|a| a.text);
                (known && team).then_some(StepAction::Task { task_type: task_type.text, title, due, priority, assign, note })
            }
            ActionSyntax::CloseTasks { task_type, of, reason } => {
                let known = task_type.as_ref().is_none_or(|t| self.task_type_exists(t));
                let here = self.needs("contact", "close_tasks", at, scope) && self.has_tasks_of(of, scope);
                let reason = match reason {
                    Some(reason) => self.text(&reason, scope)?,
                    None => Text { parts: vec![TextPart::Literal(inside.rule_name.to_owned())] },
                };
                let (task_type, of) = (task_type.map(|t| t.text), of.map(|(of, _)| of));
                (known && here).then_some(StepAction::CloseTasks { task_type, of, reason })
            }
            ActionSyntax::Set(pairs) => {
                let count = pairs.len();
                let set: Vec<_> = pairs.into_iter().filter_map(|(field, value)| self.set(field, &value, scope)).collect();
                (set.len() == count).then_some(StepAction::Set(set))
            }
            ActionSyntax::Note(body) => {
                let here = self.needs("contact", "note", at, scope);
                let body = self.text(&body, scope)?;
                here.then_some(StepAction::Note(body))
            }
            ActionSyntax::CancelSms { template } => {
                let here = self.needs("contact", "cancel", at, scope);
                if let Some(template) = &template {
                    self.template_exists(template)?;
                }
                here.then(|| StepAction::CancelSms { template: template.map(|t| t.text) })
            }
            other => self.flow(other, at, path, scope, inside),
        }
    }

    pub fn text(&mut self, scalar: &Scalar, scope: &Scope) -> Option<Text> {
        check_text(self.env, self.file, scalar, scope, self.problems)
    }

    /// Steps about a person or booking need one. One that may be missing is decided when the rule runs.
    pub fn needs(&mut self, record: &str, step: &str, at: Place, scope: &Scope) -> bool {
        let here = scope.find(record).is_some();
        if !here {
            let message = format!("`{step}` needs a {record}, and this rule has none: it listens to {}", scope.because);
            let help = Some("a schedule has one with `each: contact` or `each: booking`".to_owned());
            self.error(names::NO_RECORD, at, message, help);
        }
        here
    }

    /// `of: booking` needs a booking that is certainly there; unwritten, it is decided when the rule runs.
    fn has_tasks_of(&mut self, of: Option<(TasksOf, Place)>, scope: &Scope) -> bool {
        let Some((TasksOf::Booking, at)) = of else { return true };
        if !self.needs("booking", "of: booking", at, scope) {
            return false;
        }
        let maybe = scope.find("booking").is_some_and(|ty| ty.maybe);
        if maybe {
            let help = Some("add `if: booking != ()` to the rule or the step, or write `of: contact`".to_owned());
            self.error(names::NO_RECORD, at, "`booking` may be missing, so there may be no tasks of it", help);
        }
        !maybe
    }

    fn stage_exists(&mut self, pipeline: &Scalar, stage: &Scalar) -> Option<()> {
        let pipelines = &self.env.catalogue.pipelines;
        let Some(found) = pipelines.find(&pipeline.text) else {
            let known: Vec<&str> = pipelines.pipelines.iter().map(|p| p.name.as_str()).collect();
            let help = did_you_mean(&pipeline.text, &known, "pipelines are");
            self.error(names::UNKNOWN_STAGE, pipeline.at, format!("there is no pipeline `{}`", pipeline.text), help);
            return None;
        };
        if found.find_stage(&stage.text).is_some() {
            return Some(());
        }
        let known: Vec<&str> = found.stages.iter().map(|s| s.name.as_str()).collect();
        let help = did_you_mean(&stage.text, &known, "its stages are");
        let message = format!("pipeline `{}` has no stage `{}`", pipeline.text, stage.text);
        self.error(names::UNKNOWN_STAGE, stage.at, message, help);
        None
    }

    fn template_exists(&mut self, template: &Scalar) -> Option<()> {
        if self.templates.known.contains(&template.text) {
            return Some(());
        }
        let known: Vec<&str> = self.templates.known.iter().map(String::as_str).collect();
        let help = did_you_mean(&template.text, &known, "templates are")
            .or_else(|| Some(format!("write it in sms_templates/{}.hbs", template.text)));
        self.error(names::UNKNOWN_TEMPLATE, template.at, format!("there is no template `{}`", template.text), help);
        None
    }

    /// Every record that the template reads must be there.
    fn template_fits(&mut self, template: &Scalar, scope: &Scope) -> bool {
        let reads = self.templates.reads.get(&template.text).map_or(&[][..], Vec::as_slice);
        for read in reads {
            let record = read.path.split('.').next().unwrap_or("");
            let (message, help) = match scope.find(record) {
                None => (
                    format!("the text reads `{}`, and there is no `{record}` here", read.path),
                    Some(format!("this rule listens to {}", scope.because)),
                ),
                Some(ty) if ty.maybe && !read.guarded => {
                    let help = format!("add `if: {record} != ()` to the rule or the step, or `{{{{#if {record}}}}}` to the text");
                    (format!("the text reads `{}`, and `{record}` may be missing", read.path), Some(help))
                }
                Some(_) => continue,
            };
            self.error(names::NO_RECORD, template.at, message, help);
            return false;
        }
        true
    }

    fn task_type_exists(&mut self, task_type: &Scalar) -> bool {
        let own = self.env.catalogue.clinic.task_types.iter().map(String::as_str);
        let known: Vec<&str> = KNOWN_TASK_TYPES.iter().copied().chain(own).collect();
        let found = known.contains(&task_type.text.as_str());
        if !found {
            let help = did_you_mean(&task_type.text, &known, "task types are");
            self.error(names::UNKNOWN_TASK_TYPE, task_type.at, format!("there is no task type `{}`", task_type.text), help);
        }
        found
    }

    fn team_exists(&mut self, team: &Scalar) -> bool {
        let teams: Vec<&str> = self.env.catalogue.clinic.teams.iter().map(String::as_str).collect();
        let found = teams.contains(&team.text.as_str());
        if !found {
            let help = did_you_mean(&team.text, &teams, "teams are");
            self.error(names::UNKNOWN_TEAM, team.at, format!("there is no team `{}`", team.text), help);
        }
        found
    }

    fn priority(&mut self, scalar: Option<&Scalar>, scope: &Scope) -> Option<Value> {
        let Some(scalar) = scalar else { return Some(Value::Int(PRIORITY_DEFAULT)) };
        let value = self.value(scalar, scope, of(Type::Int), "`priority`")?;
        self.is_in_range(&value, scalar, "priority").then_some(value)
    }

    /// Priorities and warmness are 0 to 100; what an expression comes to is seen only when it runs.
    fn is_in_range(&mut self, value: &Value, scalar: &Scalar, what: &str) -> bool {
        match value {
            Value::Int(number) if !(0..=PERCENT_MAX).contains(number) => {
                let message = format!("`{what}` is 0 to {PERCENT_MAX}, not {number}");
                self.error(names::WRONG_RESULT, scalar.at, message, None);
                false
            }
            _ => true,
        }
    }

    fn set(&mut self, field: Scalar, scalar: &Scalar, scope: &Scope) -> Option<(String, Value)> {
        let (record, name) = field.text.split_once('.').unwrap_or(("", field.text.as_str()));
        let found = find_record(record).and_then(|r| r.find_field(name)).filter(|f| f.settable);
        let Some(found) = found else {
            self.report_unsettable(&field, record, name);
            return None;
        };
        if !self.needs(record, "set", field.at, scope) {
            return None;
        }
        if scope.find(record).is_some_and(|ty| ty.maybe) {
            let message = format!("`{record}` may be missing, so `{}` cannot be set", field.text);
            self.error(names::NO_RECORD, field.at, message, Some(format!("add `if: {record} != ()` to the rule or the step")));
            return None;
        }
        let ty = of(found.ty).optional(found.optional);
        let value = self.value(scalar, scope, ty, &format!("`{}`", field.text))?;
        let good = field.text != "contact.warmness" || self.is_in_range(&value, scalar, "contact.warmness");
        good.then_some((field.text, value))
    }

    fn report_unsettable(&mut self, field: &Scalar, record: &str, name: &str) {
        let all = ["contact", "booking"].into_iter().filter_map(find_record);
        let settable: Vec<String> =
            all.flat_map(|r| r.fields.iter().filter(|f| f.settable).map(move |f| format!("{}.{}", r.name, f.name))).collect();
        let settable: Vec<&str> = settable.iter().map(String::as_str).collect();
        let exists = find_record(record).is_some_and(|r| r.find_field(name).is_some());
        let stage = matches!(field.text.as_str(), "contact.current_stage" | "contact.current_pipeline");
        let (message, help) = if stage {
            (format!("`{}` cannot be set", field.text), Some("use the step `move`".to_owned()))
        } else if exists {
            let list = settable.join(", ");
            (format!("`{}` cannot be set by a rule", field.text), Some(format!("these can: {list}")))
        } else {
            (format!("there is no field `{}`", field.text), did_you_mean(&field.text, &settable, "these can be set"))
        };
        self.error(names::NOT_SETTABLE, field.at, message, help);
    }
}
