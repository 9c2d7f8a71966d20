//! Steps that a script plans: each map is held to the same rules as a step in YAML.

use super::worth::{Worth, to_field_value};
use super::{Bench, Stop};
use crate::domain::event::{INTERNAL_EVENTS, KNOWN_EVENTS};
use crate::domain::task::KNOWN_TASK_TYPES;
use crate::domain::time::Timestamp;
use crate::engine::check::of_field_value;
use crate::engine::plan::{Action, TasksOf};
use crate::engine::ruleset::{Expr, Rule};
use crate::engine::schema::find_record;
use crate::engine::script::shorten;
use crate::engine::syntax::{did_you_mean, is_word, list_of};
use rhai::{Dynamic, Map, Scope};
use std::collections::BTreeMap;

/// Steps that one script may plan.
const STEPS_MAX: usize = 50;
const ACTIONS: &[&str] =
    &["move", "sms", "task", "close_tasks", "set", "note", "cancel", "tag", "untag", "alert", "emit", "stop"];

/// The rest of the path, and what is to be done.
type Planned = Vec<(String, Action)>;

impl Bench<'_> {
    /// The actions of each map; a `set` has one for each field.
    pub(super) fn planned_by_script(
        &self,
        rule: &Rule,
        worth: &Worth<'_>,
        expr: &Expr,
        scope: &mut Scope<'static>,
    ) -> Result<Vec<Planned>, Stop> {
        let list = worth.eval("plan", expr, scope)?;
        let Ok(list) = list.into_array() else { return Err(worth.error("plan", "the script gave no list of steps")) };
        if list.len() > STEPS_MAX {
            return Err(
                worth.error("plan", &format!("a script plans at most {STEPS_MAX} steps, and this one gave {}", list.len()))
            );
        }
        let step = |(index, item): (usize, Dynamic)| {
            let at = format!("plan/{index}");
            let Some(map) = item.try_cast::<Map>() else {
                return Err(worth.error(&at, "a step is a map such as `#{ note: \"…\" }`"));
            };
            self.scripted(rule, worth, &map, scope).map_err(|why| match why {
                Wrong::Value(why) => worth.error(&at, &why),
                Wrong::Stop(stop) => stop,
            })
        };
        list.into_iter().enumerate().map(step).collect()
    }

    fn scripted(&self, rule: &Rule, worth: &Worth<'_>, map: &Map, scope: &Scope<'static>) -> Result<Planned, Wrong> {
        let mut entries = map.iter();
        let (Some((name, value)), None) = (entries.next(), entries.next()) else {
            return Err(Wrong::Value(format!("a step has exactly one of: {}", list_of(ACTIONS))));
        };
        let one = |action: Action| Ok(vec![(String::new(), action)]);
        match name.as_str() {
            "sms" => one(self.plan_sms(worth, &self.template(&text(value, "sms")?)?, scope).map_err(Wrong::Stop)?),
            "task" => one(self.scripted_task(value)?),
            "move" => one(self.scripted_move(value)?),
            "close_tasks" => {
                let map = fields(value, "close_tasks", &["type", "of", "reason"])?;
                let kind = needed(&map, "type")?;
                let task_type = if kind == "any" { None } else { Some(self.task_type(kind)?) };
                let of = self.scripted_of(given(&map, "of")?)?;
                one(Action::CloseTasks { task_type, of, reason: given(&map, "reason")?.unwrap_or_default() })
            }
            "set" => Self::scripted_set(value),
            "note" => one(Action::Note { body: shorten(text(value, "note")?.trim(), super::step::NOTE_CHARS_MAX) }),
            "alert" => one(Action::Alert {
                body: shorten(text(value, "alert")?.trim(), super::step::TITLE_CHARS_MAX),
                assign: self.team_of(rule),
            }),
            "tag" => one(Action::Tag { tag: word(value, "tag")? }),
            "untag" => one(Action::Untag { tag: word(value, "untag")? }),
            "cancel" => one(self.scripted_cancel(value)?),
            "emit" => one(scripted_emit(value)?),
            "stop" => one(Action::Stop { reason: value.as_immutable_string_ref().ok().map(|s| s.to_string()) }),
            other => {
                let help = did_you_mean(other, ACTIONS, "a step has one of").unwrap_or_default();
                Err(Wrong::Value(format!("a script cannot plan `{other}`; {help}")))
            }
        }
    }

    fn scripted_of(&self, given: Option<String>) -> Result<TasksOf, Wrong> {
        let unless_written = self.tasks_of();
        let Some(text) = given else { return Ok(unless_written) };
        match TasksOf::parse(&text) {
            Some(TasksOf::Booking) if unless_written == TasksOf::Contact => {
                Err(Wrong::Value("`of: booking`, and there is no booking".to_owned()))
            }
            Some(of) => Ok(of),
            None => Err(Wrong::Value(format!("`of` is one of: {}", list_of(TasksOf::NAMES)))),
        }
    }

    fn scripted_task(&self, value: &Dynamic) -> Result<Action, Wrong> {
        let map = fields(value, "task", &["type", "title", "due", "priority", "assign", "note"])?;
        let due = map.get("due").and_then(|due| due.read_lock::<Timestamp>().map(|at| *at));
        let priority = match map.get("priority").filter(|p| !p.is_unit()) {
            Some(priority) => priority.as_int().map_err(|_| Wrong::Value("`priority` is a whole number".to_owned()))?,
            None => super::step::PRIORITY_DEFAULT,
        };
        let assign = given(&map, "assign")?;
        if let Some(team) = assign.as_ref().filter(|team| !self.ruleset.catalogue.clinic.teams.contains(team)) {
            return Err(Wrong::Value(format!("there is no team `{team}`")));
        }
        let title = needed(&map, "title")?.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(Action::Task {
            task_type: self.task_type(needed(&map, "type")?)?,
            title: shorten(&title, super::step::TITLE_CHARS_MAX),
            due: due.ok_or_else(|| Wrong::Value("a task needs `due`, a time".to_owned()))?,
            priority: priority.clamp(0, 100) as i32,
            assign,
            note: given(&map, "note")?.map(|note| shorten(&note, super::step::NOTE_CHARS_MAX)),
        })
    }

    fn scripted_move(&self, value: &Dynamic) -> Result<Action, Wrong> {
        let map = fields(value, "move", &["pipeline", "stage"])?;
        let (pipeline, stage) = (needed(&map, "pipeline")?, needed(&map, "stage")?);
        let found = self.ruleset.catalogue.pipelines.find(&pipeline).is_some_and(|p| p.find_stage(&stage).is_some());
        if found {
            Ok(Action::Move { pipeline, stage })
        } else {
            Err(Wrong::Value(format!("there is no stage `{stage}` in a pipeline `{pipeline}`")))
        }
    }

    fn scripted_set(value: &Dynamic) -> Result<Planned, Wrong> {
        let Some(map) = value.read_lock::<Map>() else {
            return Err(Wrong::Value("`set` is a map of fields and values".to_owned()));
        };
        let set = |(field, value): (&rhai::Identifier, &Dynamic)| {
            let (record, name) = field.split_once('.').unwrap_or(("", field));
            let found = find_record(record).and_then(|r| r.find_field(name)).filter(|f| f.settable);
            let found = found.ok_or_else(|| Wrong::Value(format!("`{field}` cannot be set")))?;
            let value = to_field_value(value).filter(|value| of_field_value(found, value));
            let value = value.ok_or_else(|| Wrong::Value(format!("`{field}` cannot hold this value")))?;
            Ok((format!("/{field}"), Action::Set { field: field.to_string(), value }))
        };
        map.iter().map(set).collect()
    }

    fn scripted_cancel(&self, value: &Dynamic) -> Result<Action, Wrong> {
        if value.as_immutable_string_ref().is_ok_and(|text| text.as_str() == "sms") {
            return Ok(Action::CancelSms { template: None });
        }
        let map = fields(value, "cancel", &["sms"])?;
        Ok(Action::CancelSms { template: Some(self.template(&needed(&map, "sms")?)?) })
    }

    fn template(&self, name: &str) -> Result<String, Wrong> {
        if self.ruleset.templates.contains_key(name) {
            return Ok(name.to_owned());
        }
        let known: Vec<&str> = self.ruleset.templates.keys().map(String::as_str).collect();
        let help = did_you_mean(name, &known, "templates are").unwrap_or_default();
        Err(Wrong::Value(format!("there is no template `{name}`; {help}")))
    }

    fn task_type(&self, name: String) -> Result<String, Wrong> {
        let own = &self.ruleset.catalogue.clinic.task_types;
        let known = KNOWN_TASK_TYPES.contains(&name.as_str()) || own.contains(&name);
        if known { Ok(name) } else { Err(Wrong::Value(format!("there is no task type `{name}`"))) }
    }
}

/// Why a map is no step.
enum Wrong {
    Value(String),
    Stop(Stop),
}

fn scripted_emit(value: &Dynamic) -> Result<Action, Wrong> {
    let (event, data) = if value.is_string() {
        (text(value, "emit")?, BTreeMap::new())
    } else {
        let map = fields(value, "emit", &["event", "data"])?;
        let mut data = BTreeMap::new();
        if let Some(texts) = map.get("data").and_then(Dynamic::read_lock::<Map>) {
            for (name, value) in texts.iter() {
                data.insert(name.to_string(), text(value, name)?);
            }
        }
        (needed(&map, "event")?, data)
    };
    let own = is_word(&event) && !KNOWN_EVENTS.contains(&event.as_str()) && !INTERNAL_EVENTS.contains(&event.as_str());
    if own {
        Ok(Action::Emit { event, data })
    } else {
        Err(Wrong::Value(format!("`{event}` is not a name for an event of a rule")))
    }
}

/// A map that has no other keys.
fn fields(value: &Dynamic, what: &str, known: &[&str]) -> Result<Map, Wrong> {
    let Some(map) = value.read_lock::<Map>() else {
        return Err(Wrong::Value(format!("`{what}` is a map with: {}", list_of(known))));
    };
    if let Some(wrong) = map.keys().find(|key| !known.contains(&key.as_str())) {
        let help = did_you_mean(wrong, known, "its keys are").unwrap_or_default();
        return Err(Wrong::Value(format!("`{what}` has no key `{wrong}`; {help}")));
    }
    Ok(map.clone())
}

fn needed(map: &Map, key: &str) -> Result<String, Wrong> {
    given(map, key)?.ok_or_else(|| Wrong::Value(format!("`{key}` is missing")))
}

fn given(map: &Map, key: &str) -> Result<Option<String>, Wrong> {
    map.get(key).filter(|value| !value.is_unit()).map(|value| text(value, key)).transpose()
}

fn text(value: &Dynamic, what: &str) -> Result<String, Wrong> {
    value.as_immutable_string_ref().map(|text| text.to_string()).map_err(|_| Wrong::Value(format!("`{what}` is a text")))
}

fn word(value: &Dynamic, what: &str) -> Result<String, Wrong> {
    let word = text(value, what)?;
    if is_word(&word) { Ok(word) } else { Err(Wrong::Value(format!("`{word}` is not a name for a tag"))) }
}
