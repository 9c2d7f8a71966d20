//! `pipelines.yaml`: the ways that contacts go, stage by stage.

use super::document::Document;
use super::problem::{ConfigProblem, hint};
use super::reader::Reader;
use crate::domain::pipeline::{Pipeline, Pipelines, Stage};
use serde_yaml::{Mapping, Value};

const FILE: &str = "config/pipelines.yaml";
const PIPELINE_KEYS: &[&str] = &["name", "label", "stages"];
const STAGE_KEYS: &[&str] = &["name", "label", "sla_hours", "terminal", "next"];
const PIPELINES_MAX: usize = 50;
const STAGES_MAX: usize = 50;

/// Reads the pipelines from the text of `pipelines.yaml`.
///
/// # Errors
/// All problems, with their places.
pub fn load_pipelines(text: &str) -> Result<Pipelines, Vec<ConfigProblem>> {
    load_named(FILE, text)
}

pub(super) fn read(reader: &mut Reader) -> Option<Pipelines> {
    let file = reader.shown("pipelines.yaml");
    let Some(text) = reader.read_file("pipelines.yaml") else {
        let help = Some("run avatar in the folder that has config/, or set CONFIG_DIR".to_owned());
        reader.push(ConfigProblem { file, line: 0, column: 0, message: "there is no such file".to_owned(), help });
        return None;
    };
    match load_named(&file, &text) {
        Ok(pipelines) => {
            let names: Vec<&str> = pipelines.pipelines.iter().map(|p| p.name.as_str()).collect();
            reader.explain("pipelines", None, names.join(", "), file);
            Some(pipelines)
        }
        Err(problems) => {
            for problem in problems {
                reader.push(problem);
            }
            None
        }
    }
}

fn load_named(file: &str, text: &str) -> Result<Pipelines, Vec<ConfigProblem>> {
    let document = Document::parse(file, text).map_err(|problem| vec![problem])?;
    let mut file = PipelinesFile { document: &document, problems: Vec::new() };
    let pipelines = file.pipelines();
    if file.problems.is_empty() {
        return Ok(pipelines);
    }
    file.problems.sort();
    Err(file.problems)
}

struct PipelinesFile<'a> {
    document: &'a Document,
    problems: Vec<ConfigProblem>,
}

impl PipelinesFile<'_> {
    fn pipelines(&mut self) -> Pipelines {
        if let Value::Mapping(map) = &self.document.root {
            self.check_keys("", map, &["pipelines"]);
        }
        let count = self.list("pipelines", PIPELINES_MAX);
        let pipelines: Vec<Pipeline> = (0..count).map(|i| self.pipeline(&format!("pipelines.{i}"))).collect();
        self.check_unique("pipelines", pipelines.iter().map(|p| p.name.as_str()));
        Pipelines { pipelines }
    }

    fn pipeline(&mut self, path: &str) -> Pipeline {
        self.check_map(path, PIPELINE_KEYS);
        let stages_path = format!("{path}.stages");
        let count = self.list(&stages_path, STAGES_MAX);
        let stages: Vec<Stage> = (0..count).map(|i| self.stage(&format!("{stages_path}.{i}"))).collect();
        self.check_unique(&stages_path, stages.iter().map(|s| s.name.as_str()));
        self.check_next(&stages_path, &stages);
        Pipeline { name: self.name(&format!("{path}.name")), label: self.text(&format!("{path}.label")), stages }
    }

    fn stage(&mut self, path: &str) -> Stage {
        self.check_map(path, STAGE_KEYS);
        let next_path = format!("{path}.next");
        let next = match self.document.get(&next_path) {
            None => Vec::new(),
            Some(Value::Sequence(items)) => items.iter().filter_map(|i| i.as_str().map(str::to_owned)).collect(),
            Some(_) => {
                self.problem(&next_path, "`next` is a list of stages".to_owned(), None);
                Vec::new()
            }
        };
        Stage {
            name: self.name(&format!("{path}.name")),
            label: self.text(&format!("{path}.label")),
            sla_hours: self.sla_hours(&format!("{path}.sla_hours")),
            terminal: self.terminal(&format!("{path}.terminal")),
            next,
        }
    }

    fn sla_hours(&mut self, path: &str) -> Option<u32> {
        let value = self.document.get(path)?;
        let hours = value.as_u64().and_then(|h| u32::try_from(h).ok()).filter(|h| *h >= 1);
        if hours.is_none() {
            self.problem(path, "`sla_hours` is a whole number of at least 1".to_owned(), None);
        }
        hours
    }

    fn terminal(&mut self, path: &str) -> bool {
        match self.document.get(path) {
            None => false,
            Some(Value::Bool(yes)) => *yes,
            Some(_) => {
                self.problem(path, "`terminal` is true or false".to_owned(), None);
                false
            }
        }
    }

    /// Each `next` names a stage of the same pipeline, and what is terminal has none.
    fn check_next(&mut self, path: &str, stages: &[Stage]) {
        let names: Vec<&str> = stages.iter().map(|s| s.name.as_str()).collect();
        for (index, stage) in stages.iter().enumerate() {
            let here = format!("{path}.{index}.next");
            if stage.terminal && !stage.next.is_empty() {
                self.problem(&here, format!("`{}` is terminal, so nothing is `next`", stage.name), None);
            }
            for next in stage.next.iter().filter(|n| !names.contains(&n.as_str())) {
                self.problem(&here, format!("there is no stage `{next}` in this pipeline"), Some(hint(next, names.clone())));
            }
        }
    }

    fn check_unique<'s>(&mut self, path: &str, names: impl Iterator<Item = &'s str>) {
        let mut seen: Vec<&str> = Vec::new();
        for (index, name) in names.enumerate() {
            if seen.contains(&name) && !name.is_empty() {
                self.problem(&format!("{path}.{index}.name"), format!("`{name}` is there twice"), None);
            }
            seen.push(name);
        }
    }

    fn check_map(&mut self, path: &str, known: &[&str]) {
        match self.document.get(path) {
            Some(Value::Mapping(map)) => self.check_keys(path, map, known),
            _ => self.problem(path, "this is a map of keys and values".to_owned(), None),
        }
    }

    fn check_keys(&mut self, path: &str, map: &Mapping, known: &[&str]) {
        for key in map.keys() {
            let name = key.as_str().unwrap_or("?");
            if !known.contains(&name) {
                let inner = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
                self.problem(&inner, format!("there is no key `{name}` here"), Some(hint(name, known.iter().copied())));
            }
        }
    }

    /// How many items the list has.
    fn list(&mut self, path: &str, items_max: usize) -> usize {
        match self.document.get(path) {
            Some(Value::Sequence(items)) if !items.is_empty() && items.len() <= items_max => items.len(),
            _ => {
                self.problem(path, format!("`{path}` is a list of 1 to {items_max} items"), None);
                0
            }
        }
    }

    /// A name as rules write it.
    fn name(&mut self, path: &str) -> String {
        let name = self.text(path);
        let good = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !good {
            let help = Some("small letters, digits and `_`".to_owned());
            self.problem(path, format!("`{name}` is not a name that rules can use"), help);
        }
        name
    }

    fn text(&mut self, path: &str) -> String {
        match self.document.get(path).and_then(Value::as_str) {
            Some(text) if !text.trim().is_empty() => text.trim().to_owned(),
            _ => {
                let key = path.rsplit('.').next().unwrap_or(path);
                self.problem(path, format!("`{key}` is missing"), None);
                String::new()
            }
        }
    }

    fn problem(&mut self, path: &str, message: String, help: Option<String>) {
        self.problems.push(self.document.problem(path, message, help));
    }
}
