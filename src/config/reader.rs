//! Lays the files and the environment over each other, and remembers where each value came from.

use super::document::Document;
use super::environment::{Environment, Stage};
use super::parse::{self, Parsed};
use super::problem::{ConfigProblem, hint};
use super::secret::SecretList;
use serde::Serialize;
use serde_yaml::Value;
use std::fmt::Display;
use std::path::{Path, PathBuf};

/// One value in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// `server.listen`
    pub key: String,
    /// The variable that can set it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variable: Option<&'static str>,
    /// Secrets are redacted.
    pub value: String,
    /// `default`, `config/production.yaml:12`, `environment variable LISTEN_ADDR` …
    pub origin: String,
}

/// A value found in one of the layers.
struct Found {
    text: String,
    origin: Origin,
}

enum Origin {
    Variable(&'static str),
    /// Which document, and the key in it.
    File(usize, String),
}

pub(super) struct Reader<'a> {
    pub stage: Stage,
    pub config_dir: PathBuf,
    environment: &'a Environment,
    working_dir: &'a Path,
    /// In the order in which they are laid over each other.
    documents: Vec<Document>,
    known: Vec<&'static str>,
    problems: Vec<ConfigProblem>,
    explained: Vec<Explained>,
}

impl<'a> Reader<'a> {
    /// Reads the files. What is wrong with them is kept for [`Reader::finish`].
    pub fn open(environment: &'a Environment, working_dir: &'a Path) -> Self {
        let config_dir = working_dir.join(environment.get("CONFIG_DIR").unwrap_or("config"));
        let mut reader = Self {
            stage: Stage::default(),
            config_dir,
            environment,
            working_dir,
            documents: Vec::new(),
            known: Vec::new(),
            problems: Vec::new(),
            explained: Vec::new(),
        };
        let stages = Stage::ALL.map(Stage::as_str);
        reader.stage = reader.environment_value("ENVIRONMENT", Stage::default(), |t| parse::choice(t, &stages, Stage::parse));
        for name in ["default", reader.stage.as_str()] {
            if let Some(text) = reader.read_file(&format!("{name}.yaml")) {
                let parsed = Document::parse(&reader.shown(&format!("{name}.yaml")), &text);
                reader.keep(parsed);
            }
        }
        reader
    }

    /// All problems and all values. Keys that no section asked for are problems.
    pub fn finish(mut self) -> (Vec<ConfigProblem>, Vec<Explained>) {
        let mut unknown = Vec::new();
        for document in &self.documents {
            unknown_keys(document, &document.root, "", &self.known, &mut unknown);
        }
        self.problems.append(&mut unknown);
        self.problems.sort();
        self.problems.dedup();
        (self.problems, self.explained)
    }

    /// The value of `key`, or of the environment variable that overrides it, or `default`.
    pub fn value<T>(
        &mut self,
        key: &'static str,
        variable: Option<&'static str>,
        default: T,
        show: impl Fn(&T) -> String,
        parse: impl Fn(&str) -> Parsed<T>,
    ) -> T {
        self.known.push(key);
        let Some(found) = self.find(key, variable) else {
            self.explain(key, variable, show(&default), "default".to_owned());
            return default;
        };
        match parse(&found.text) {
            Ok(value) => {
                let origin = self.origin(&found.origin);
                self.explain(key, variable, show(&value), origin);
                value
            }
            Err(refusal) => {
                let problem = self.problem_at(key, &found.origin, &refusal.message, refusal.help);
                self.problems.push(problem);
                default
            }
        }
    }

    pub fn shown_value<T: Display>(
        &mut self,
        key: &'static str,
        variable: Option<&'static str>,
        default: T,
        parse: impl Fn(&str) -> Parsed<T>,
    ) -> T {
        self.value(key, variable, default, ToString::to_string, parse)
    }

    /// A whole number between `low` and `high`.
    pub fn number(&mut self, key: &'static str, default: u64, low: u64, high: u64) -> u64 {
        self.shown_value(key, None, default, |t| parse::number(t, low, high))
    }

    /// A text that may be missing.
    pub fn text(&mut self, key: &'static str, variable: &'static str) -> Option<String> {
        let show = |v: &Option<String>| v.clone().unwrap_or_else(|| "(not set)".to_owned());
        self.value(key, Some(variable), None, show, |t| Ok(Some(t.to_owned())))
    }

    /// A folder, relative to the working directory.
    pub fn folder(&mut self, key: &'static str, variable: &'static str, default: &str) -> PathBuf {
        let text = self.shown_value(key, Some(variable), default.to_owned(), |t| Ok(t.to_owned()));
        self.working_dir.join(text)
    }

    /// A secret from `VARIABLE` or from the file that `VARIABLE_FILE` names.
    pub fn secret(&mut self, variable: &'static str, file_variable: &'static str) -> SecretList {
        let (text, origin) = match (self.environment.get(variable), self.environment.get(file_variable)) {
            (Some(_), Some(_)) => {
                let message = format!("{variable} and {file_variable} are both set");
                self.refuse_variable(message, Some("set one of them".to_owned()));
                return SecretList::default();
            }
            (Some(text), None) => (text.to_owned(), format!("environment variable {variable}")),
            (None, Some(path)) => match std::fs::read_to_string(self.working_dir.join(path)) {
                Ok(text) => (text, format!("file of {file_variable}")),
                Err(error) => {
                    self.refuse_variable(format!("the file of {file_variable} cannot be read: {}", error.kind()), None);
                    return SecretList::default();
                }
            },
            (None, None) => (String::new(), "default".to_owned()),
        };
        let list = SecretList::parse(&text);
        self.explain(&format!("secrets.{}", variable.to_lowercase()), Some(variable), list.redacted(), origin);
        list
    }

    /// The text of a file in the configuration folder; `None` when there is none (or it cannot be read: a problem).
    pub fn read_file(&mut self, name: &str) -> Option<String> {
        match std::fs::read_to_string(self.config_dir.join(name)) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => {
                let message = format!("the file cannot be read: {}", error.kind());
                self.problems.push(ConfigProblem { file: self.shown(name), line: 0, column: 0, message, help: None });
                None
            }
        }
    }

    /// How a configuration file is called in messages.
    pub fn shown(&self, name: &str) -> String {
        let path = self.config_dir.join(name);
        path.strip_prefix(self.working_dir).unwrap_or(&path).display().to_string()
    }

    pub fn working_dir(&self) -> &Path {
        self.working_dir
    }

    pub fn push(&mut self, problem: ConfigProblem) {
        self.problems.push(problem);
    }

    pub fn refuse_variable(&mut self, message: String, help: Option<String>) {
        self.problems.push(ConfigProblem { file: "environment".to_owned(), line: 0, column: 0, message, help });
    }

    fn environment_value<T>(&mut self, variable: &'static str, default: T, parse: impl Fn(&str) -> Parsed<T>) -> T {
        let Some(text) = self.environment.get(variable) else { return default };
        parse(text).unwrap_or_else(|refusal| {
            self.refuse_variable(format!("{variable} {}", refusal.message), refusal.help);
            default
        })
    }

    fn keep(&mut self, parsed: Result<Document, ConfigProblem>) {
        match parsed {
            Ok(document) => self.documents.push(document),
            Err(problem) => self.problems.push(problem),
        }
    }

    fn find(&mut self, key: &'static str, variable: Option<&'static str>) -> Option<Found> {
        if let Some((name, text)) = variable.and_then(|name| Some((name, self.environment.get(name)?))) {
            return Some(Found { text: text.to_owned(), origin: Origin::Variable(name) });
        }
        for (index, document) in self.documents.iter().enumerate().rev() {
            let text = match document.get(key) {
                None => continue,
                Some(Value::String(text)) => text.clone(),
                Some(Value::Number(number)) => number.to_string(),
                Some(Value::Bool(yes)) => yes.to_string(),
                Some(_) => {
                    let message = format!("`{key}` is a single value");
                    self.problems.push(document.problem(key, message, None));
                    return None;
                }
            };
            return Some(Found { text, origin: Origin::File(index, key.to_owned()) });
        }
        None
    }

    fn origin(&self, origin: &Origin) -> String {
        match origin {
            Origin::Variable(name) => format!("environment variable {name}"),
            Origin::File(index, key) => {
                let document = &self.documents[*index];
                format!("{}:{}", document.file, document.place(key).line)
            }
        }
    }

    fn problem_at(&self, key: &str, origin: &Origin, message: &str, help: Option<String>) -> ConfigProblem {
        match origin {
            Origin::Variable(name) => {
                ConfigProblem { file: "environment".to_owned(), line: 0, column: 0, message: format!("{name} {message}"), help }
            }
            Origin::File(index, key_found) => self.documents[*index].problem(key_found, format!("`{key}` {message}"), help),
        }
    }

    pub fn explain(&mut self, key: &str, variable: Option<&'static str>, value: String, origin: String) {
        self.explained.push(Explained { key: key.to_owned(), variable, value, origin });
    }
}

/// Reports the outermost keys that no known key begins with.
fn unknown_keys(document: &Document, value: &Value, parent: &str, known: &[&'static str], out: &mut Vec<ConfigProblem>) {
    let Value::Mapping(map) = value else { return };
    for (key, inner) in map {
        let name = key.as_str().unwrap_or("?");
        let path = if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") };
        if known.contains(&path.as_str()) {
            continue;
        }
        if known.iter().any(|k| k.starts_with(&format!("{path}."))) {
            unknown_keys(document, inner, &path, known, out);
            continue;
        }
        let help = if path == "secrets" {
            "secrets are not kept in files of settings: set the environment variable, or NAME_FILE".to_owned()
        } else {
            let prefix = if parent.is_empty() { String::new() } else { format!("{parent}.") };
            let siblings = known.iter().filter_map(|k| k.strip_prefix(prefix.as_str())).filter_map(|k| k.split('.').next());
            let mut names: Vec<&str> = siblings.collect();
            names.dedup();
            hint(name, names)
        };
        out.push(document.problem(&path, format!("there is no setting `{path}`"), Some(help)));
    }
}
