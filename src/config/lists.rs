//! Maps and lists of words in files that ops edit.

use super::document::Document;
use super::problem::{ConfigProblem, hint};
use serde_yaml::Value;

/// Of one list in a file.
pub(super) const ITEMS_MAX: usize = 500;

/// A file, and what is wrong with it so far.
pub(super) struct Listing<'a> {
    pub document: &'a Document,
    pub problems: Vec<ConfigProblem>,
}

impl<'a> Listing<'a> {
    pub fn of(document: &'a Document) -> Self {
        Self { document, problems: Vec::new() }
    }

    pub fn problem(&mut self, path: &str, message: String, help: Option<String>) {
        self.problems.push(self.document.problem(path, message, help));
    }

    /// Every key of the map at `path` (the whole file: empty) must be one of `known`.
    pub fn check_keys(&mut self, path: &str, known: &[&str]) {
        for name in self.keys(path) {
            if !known.contains(&name.as_str()) {
                let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                self.problem(&inner, format!("there is no `{inner}` in this file"), Some(hint(&name, known.iter().copied())));
            }
        }
    }

    pub fn keys(&self, path: &str) -> Vec<String> {
        let value = if path.is_empty() { Some(&self.document.root) } else { self.document.get(path) };
        let Some(Value::Mapping(map)) = value else { return Vec::new() };
        map.keys().map(|key| key.as_str().unwrap_or("?").to_owned()).collect()
    }

    /// A list of words, in lower case.
    pub fn words(&mut self, path: &str, needed: bool) -> Vec<String> {
        let items = match self.document.get(path) {
            None | Some(Value::Null) if !needed => return Vec::new(),
            Some(Value::Sequence(items)) if items.len() <= ITEMS_MAX && (!needed || !items.is_empty()) => items,
            None | Some(Value::Null) => {
                self.problem(path, format!("`{path}` is missing"), None);
                return Vec::new();
            }
            Some(_) => {
                let help = Some("write it as [one, two]".to_owned());
                self.problem(path, format!("`{path}` is a list of words"), help);
                return Vec::new();
            }
        };
        let mut words = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            match item {
                Value::String(word) => words.push(word.trim().to_lowercase()),
                Value::Number(number) => words.push(number.to_string()),
                _ => {
                    let help = Some("put it in quotes: `\"yes\"`, `\"no\"`".to_owned());
                    self.problem(&format!("{path}.{index}"), format!("`{path}` has an item that is not a word"), help);
                }
            }
        }
        words
    }
}
