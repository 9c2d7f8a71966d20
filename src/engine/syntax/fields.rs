//! Takes a map apart by its keys, and reports the ones that do not belong there.

use super::nearest::did_you_mean;
use crate::engine::diagnostic::names;
use crate::engine::source::{Entry, Kind, Node, Place, Problems, Scalar, SourceFile};

/// Reads the parts of one file.
pub(crate) struct Reader<'a> {
    pub file: &'a SourceFile,
    pub problems: &'a mut Problems,
}

/// The keys a map may have.
pub(crate) struct Keys {
    /// What the map is, for messages: `a rule`.
    pub what: &'static str,
    pub known: &'static [&'static str],
    /// Part of the language, but not of this version.
    pub later: &'static [&'static str],
}

/// A map whose keys were checked; each can be taken once.
pub(crate) struct Fields {
    at: Place,
    what: &'static str,
    entries: Vec<Entry>,
    /// A key was refused, so that something may seem to be missing.
    pub refused: bool,
}

impl Reader<'_> {
    pub fn error(&mut self, code: &str, at: Place, message: impl Into<String>, help: Option<String>) {
        self.problems.error(code, &self.file.path, at, message, help);
    }

    pub fn fields(&mut self, node: Node, keys: &Keys) -> Option<Fields> {
        let Kind::Map(entries, _) = node.kind else {
            let message = format!("{} is a map of keys and values, not {}", keys.what, node.describe());
            let help = Some(format!("its keys are: {}", keys.known.join(", ")));
            self.error(names::WRONG_SHAPE, node.at, message, help);
            return None;
        };
        Some(self.fields_of(entries, node.at, keys))
    }

    pub fn fields_of(&mut self, entries: Vec<Entry>, at: Place, keys: &Keys) -> Fields {
        let before = entries.len();
        let entries: Vec<Entry> = entries.into_iter().filter(|e| self.knows(&e.key, keys)).collect();
        Fields { at, what: keys.what, refused: entries.len() < before, entries }
    }

    fn knows(&mut self, key: &Scalar, keys: &Keys) -> bool {
        let name = key.text.as_str();
        if keys.known.contains(&name) {
            return true;
        }
        if keys.later.contains(&name) {
            self.error(names::NOT_AVAILABLE, key.at, format!("`{name}` is not available yet"), None);
        } else {
            let help = comma_trap(key).or_else(|| did_you_mean(name, keys.known, "its keys are"));
            self.error(names::UNKNOWN_KEY, key.at, format!("{} has no key `{name}`", keys.what), help);
        }
        false
    }
}

/// `{ due: =f(a, b) }`: the comma ended the value, and the rest became a key.
fn comma_trap(key: &Scalar) -> Option<String> {
    let broken = key.in_flow && key.text.contains([')', ']', '(', ' ', '"']);
    broken.then(|| "inside { } a comma ends the value: put quotes around it, or write the keys on lines of their own".to_owned())
}

impl Fields {
    pub fn take(&mut self, key: &str) -> Option<Node> {
        self.take_entry(key).map(|entry| entry.value)
    }

    pub fn take_entry(&mut self, key: &str) -> Option<Entry> {
        let index = self.entries.iter().position(|e| e.key.text == key)?;
        Some(self.entries.remove(index))
    }

    /// The value of a key that must be there.
    pub fn need(&mut self, key: &str, reader: &mut Reader<'_>) -> Option<Node> {
        let found = self.take(key);
        if found.is_none() && !self.refused {
            reader.error(names::MISSING_KEY, self.at, format!("{} needs `{key}`", self.what), None);
        }
        found
    }
}
