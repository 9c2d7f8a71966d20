//! A YAML file and where each of its keys stands.

use super::problem::ConfigProblem;
use serde_yaml::Value;
use std::collections::HashMap;

/// Larger configuration files are a mistake.
const FILE_BYTES_MAX: usize = 256 * 1024;

/// A place in a file, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub line: usize,
    pub column: usize,
}

/// A parsed file. Paths join keys and list positions with dots: `stages.0.name`.
pub(super) struct Document {
    pub file: String,
    pub root: Value,
    places: HashMap<String, Place>,
}

impl Document {
    /// Parses `text`. An empty file is an empty map.
    pub fn parse(file: &str, text: &str) -> Result<Self, ConfigProblem> {
        let problem = |line, column, message| ConfigProblem { file: file.to_owned(), line, column, message, help: None };
        if text.len() > FILE_BYTES_MAX {
            return Err(problem(1, 1, format!("the file is larger than {FILE_BYTES_MAX} bytes")));
        }
        let root: Value = serde_yaml::from_str(text).map_err(|e| {
            let (line, column) = e.location().map_or((1, 1), |l| (l.line(), l.column()));
            problem(line, column, strip_location(&e.to_string()))
        })?;
        match root {
            Value::Mapping(_) | Value::Null => Ok(Self { file: file.to_owned(), root, places: locate(text) }),
            _ => Err(problem(1, 1, "the file is not a map of keys and values".to_owned())),
        }
    }

    /// The value at `path`.
    pub fn get(&self, path: &str) -> Option<&Value> {
        path.split('.').try_fold(&self.root, |value, part| match value {
            Value::Sequence(items) => items.get(part.parse::<usize>().ok()?),
            Value::Mapping(map) => map.get(part),
            _ => None,
        })
    }

    /// Where the key of `path` stands, or the nearest key around it.
    pub fn place(&self, path: &str) -> Place {
        let mut path = path;
        loop {
            if let Some(place) = self.places.get(path) {
                return *place;
            }
            match path.rsplit_once('.') {
                Some((parent, _)) => path = parent,
                None => return Place { line: 1, column: 1 },
            }
        }
    }

    pub fn problem(&self, path: &str, message: impl Into<String>, help: Option<String>) -> ConfigProblem {
        let Place { line, column } = self.place(path);
        ConfigProblem { file: self.file.clone(), line, column, message: message.into(), help }
    }
}

fn strip_location(message: &str) -> String {
    message.split(" at line ").next().unwrap_or(message).to_owned()
}

/// A key or list item that is still open.
struct Frame {
    indent: usize,
    path: String,
    is_item: bool,
}

/// Finds the keys of block maps and lists by their indentation. Keys inside `{ }` and `[ ]` have the place of what holds them.
fn locate(text: &str) -> HashMap<String, Place> {
    let mut places = HashMap::new();
    let mut stack: Vec<Frame> = Vec::new();
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut literal_indent: Option<usize> = None;
    for (number, line) in text.lines().enumerate() {
        let mut content = line.trim_start_matches(' ');
        let mut column = line.len() - content.len();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        if literal_indent.is_some_and(|indent| column > indent) {
            continue;
        }
        literal_indent = None;
        while content == "-" || content.starts_with("- ") {
            stack.retain(|f| f.indent < column || (f.indent == column && !f.is_item));
            let parent = stack.last().map_or("", |f| &f.path).to_owned();
            let count = counts.entry(parent.clone()).or_default();
            let path = join(&parent, &count.to_string());
            *count += 1;
            places.insert(path.clone(), Place { line: number + 1, column: column + 1 });
            stack.push(Frame { indent: column, path, is_item: true });
            let rest = content[1..].trim_start_matches(' ');
            column += content.len() - rest.len();
            content = rest;
        }
        let Some((key, value)) = split_key(content) else { continue };
        stack.retain(|f| f.indent < column);
        let path = join(stack.last().map_or("", |f| &f.path), key);
        places.insert(path.clone(), Place { line: number + 1, column: column + 1 });
        stack.push(Frame { indent: column, path, is_item: false });
        if value.starts_with(['|', '>']) {
            literal_indent = Some(column);
        }
    }
    places
}

fn join(parent: &str, key: &str) -> String {
    if parent.is_empty() { key.to_owned() } else { format!("{parent}.{key}") }
}

/// `key: value` to its two parts, the key without quotes.
fn split_key(content: &str) -> Option<(&str, &str)> {
    let (key, value) = match content.split_once(": ") {
        Some((key, value)) => (key, value.trim()),
        None => (content.trim_end().strip_suffix(':')?, ""),
    };
    let key = key.trim();
    let plain = !key.is_empty() && !key.starts_with(['{', '[', '#']);
    plain.then(|| (key.trim_matches(['"', '\'']), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_nested_maps_and_lists_has_its_place() {
        let text = "# about\nname: A\nabout: |\n  not: a key\nteams:\n- reception\n- manager\npipelines:\n  - name: lead\n    stages:\n      - { name: x }\n      - name: y\n'2026-01-01': New Year\n";
        let document = Document::parse("config/sample.yaml", text).expect("it parses");
        let place = |path| (document.place(path).line, document.place(path).column);
        assert_eq!(place("name"), (2, 1));
        assert_eq!(place("teams.1"), (7, 1));
        assert_eq!(place("pipelines.0.name"), (9, 5));
        assert_eq!(place("pipelines.0.stages.0.name"), (11, 7), "inside braces: the item's place");
        assert_eq!(place("pipelines.0.stages.1.name"), (12, 9));
        assert_eq!(place("2026-01-01"), (13, 1));
        assert_eq!(document.get("pipelines.0.stages.1.name").and_then(Value::as_str), Some("y"));
    }

    #[test]
    fn a_key_written_twice_and_broken_yaml_are_problems_with_a_place() {
        for text in ["name: A\nname: B\n", "name: A\n  broken\n:\n"] {
            let problem = Document::parse("config/sample.yaml", text).err().expect("a problem");
            assert!(problem.line >= 1 && !problem.message.contains("at line"), "{problem}");
        }
    }
}
