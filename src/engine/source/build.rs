//! From YAML events to the tree.

use super::node::{Entry, Kind, Node, Place, Scalar};
use super::{Problems, SourceFile};
use crate::engine::diagnostic::names;
use saphyr_parser::{Event, Parser, ScanError, Span, StrInput, Tag};
use std::collections::HashMap;

/// Lists and maps in each other.
const NESTING_MAX: usize = 32;

/// Nodes of one file, with everything that aliases repeat.
const NODES_MAX: usize = 50_000;

/// The file's only document. `None` when it is empty, or when a problem was reported that leaves nothing to read.
pub(crate) fn read(file: &SourceFile, problems: &mut Problems) -> Option<Node> {
    if !nesting_is_sane(file, problems) {
        return None;
    }
    Builder { file, problems, parser: Parser::new_from_str(&file.text), flow: 0, anchors: None, nodes: 0 }.document()
}

/// Like [`read`], for files that may name a value once (`&ana`) and repeat it (`*ana`, `<<: *ana`): tests of rules.
pub(crate) fn read_with_anchors(file: &SourceFile, problems: &mut Problems) -> Option<Node> {
    if !nesting_is_sane(file, problems) {
        return None;
    }
    let anchors = Some(HashMap::new());
    Builder { file, problems, parser: Parser::new_from_str(&file.text), flow: 0, anchors, nodes: 0 }.document()
}

/// Looks through all events before anything is built.
fn nesting_is_sane(file: &SourceFile, problems: &mut Problems) -> bool {
    let mut depth = 0_usize;
    for event in Parser::new_from_str(&file.text) {
        match event {
            Ok((Event::SequenceStart(..) | Event::MappingStart(..), span)) => {
                depth += 1;
                if depth > NESTING_MAX {
                    problems.error(names::TOO_DEEP, &file.path, place(&span), too_deep(), None);
                    return false;
                }
            }
            Ok((Event::SequenceEnd | Event::MappingEnd, _)) => depth = depth.saturating_sub(1),
            Ok(_) => {}
            Err(error) => {
                report_scan_error(file, problems, &error);
                return false;
            }
        }
    }
    true
}

fn too_deep() -> String {
    format!("lists and maps are nested more than {NESTING_MAX} levels deep")
}

struct Builder<'a> {
    file: &'a SourceFile,
    problems: &'a mut Problems,
    parser: Parser<'a, StrInput<'a>>,
    flow: usize,
    /// Values by anchor; `None` where anchors are refused.
    anchors: Option<HashMap<usize, Node>>,
    nodes: usize,
}

impl<'a> Builder<'a> {
    fn next(&mut self) -> Option<(Event<'a>, Span)> {
        self.parser.next_event()?.ok()
    }

    fn document(&mut self) -> Option<Node> {
        let mut root = None;
        while let Some((event, span)) = self.next() {
            match event {
                Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
                Event::StreamEnd => break,
                _ if root.is_some() => {
                    self.error(names::YAML_SYNTAX, &span, "a file has one document: this is a second one after `---`", None);
                    break;
                }
                other => root = self.node(other, span),
            }
        }
        root
    }

    fn node(&mut self, event: Event<'a>, span: Span) -> Option<Node> {
        if let Event::Alias(anchor) = event
            && self.anchors.is_some()
        {
            return self.repeat(anchor, &span);
        }
        let anchor = match &event {
            Event::Scalar(_, _, anchor, _) | Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _) => *anchor,
            _ => 0,
        };
        let node = self.plain_node(event, span)?;
        if let Some(anchors) = self.anchors.as_mut().filter(|_| anchor > 0) {
            anchors.insert(anchor, node.clone());
        }
        Some(node)
    }

    /// The value of an alias, as long as the file stays of a size that somebody could have written.
    fn repeat(&mut self, anchor: usize, span: &Span) -> Option<Node> {
        // Past the limit nothing is counted or copied any more: that alone would take for ever.
        if self.nodes > NODES_MAX {
            return None;
        }
        let Some(node) = self.anchors.as_ref().and_then(|known| known.get(&anchor)) else {
            self.error(names::YAML_FEATURE, span, "an alias cannot stand inside of its own anchor", None);
            return None;
        };
        self.nodes += node.count();
        if self.nodes > NODES_MAX {
            self.error(names::TOO_MANY, span, &format!("aliases repeat more than {NODES_MAX} values"), None);
            return None;
        }
        Some(node.clone())
    }

    fn plain_node(&mut self, event: Event<'a>, span: Span) -> Option<Node> {
        let at = place(&span);
        let opening = Place { width: 1, ..at };
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                if self.refuse(anchor, tag.as_deref(), &span) {
                    return None;
                }
                let scalar = Scalar { text: text.into_owned(), at, style, in_flow: self.flow > 0 };
                Some(Node { at, kind: Kind::Scalar(scalar) })
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse(anchor, tag.as_deref(), &span);
                let braces = self.is_flow(at);
                self.flow += usize::from(braces);
                let items = self.list();
                self.flow -= usize::from(braces);
                Some(Node { at: opening, kind: Kind::List(items) })
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse(anchor, tag.as_deref(), &span);
                let braces = self.is_flow(at);
                self.flow += usize::from(braces);
                let entries = self.map();
                self.flow -= usize::from(braces);
                Some(Node { at: opening, kind: Kind::Map(entries, braces) })
            }
            Event::Alias(_) => {
                let help = "write the value again, or put it in quotes when it is text that begins with `*`";
                self.error(names::YAML_FEATURE, &span, "aliases (`*name`) are not used in rule files", Some(help));
                None
            }
            _ => None,
        }
    }

    fn is_flow(&self, at: Place) -> bool {
        self.file.rest(at.line, at.column).starts_with(['{', '['])
    }

    fn list(&mut self) -> Vec<Node> {
        let mut items = Vec::new();
        while let Some((event, span)) = self.next() {
            if event == Event::SequenceEnd {
                break;
            }
            items.extend(self.node(event, span));
        }
        items
    }

    fn map(&mut self) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut lines: HashMap<String, usize> = HashMap::new();
        let mut merged: Vec<Entry> = Vec::new();
        while let Some((event, span)) = self.next() {
            if event == Event::MappingEnd {
                break;
            }
            let key = self.node(event, span);
            let Some((event, value_span)) = self.next() else { break };
            let value = self.node(event, value_span);
            let (Some(key), Some(value)) = (key, value) else { continue };
            let Kind::Scalar(key) = key.kind else {
                let help = "text that begins with `{` or `[` needs quotes";
                self.error(names::WRONG_SHAPE, &span, "a key is text, not a list or a map", Some(help));
                continue;
            };
            if self.anchors.is_some() && key.text == "<<" && key.is_plain() {
                match value.kind {
                    Kind::Map(inner, _) => merged.extend(inner),
                    _ => self.error(names::WRONG_SHAPE, &span, "`<<` takes the keys of a map, such as `*ana`", None),
                }
                continue;
            }
            if self.key_is_fresh(&key, &mut lines) {
                entries.push(Entry { key, value });
            }
        }
        // Keys written here win over those taken from elsewhere.
        merged.retain(|entry| !lines.contains_key(&entry.key.text));
        entries.extend(merged);
        entries
    }

    fn key_is_fresh(&mut self, key: &Scalar, lines: &mut HashMap<String, usize>) -> bool {
        if key.text == "<<" && key.is_plain() {
            let help = Some("write the keys out, or use `defaults` at the top of the file".to_owned());
            self.problems.error(
                names::YAML_FEATURE,
                &self.file.path,
                key.at,
                "merge keys (`<<`) are not used in rule files",
                help,
            );
            return false;
        }
        if let Some(first) = lines.get(&key.text) {
            let message = format!("`{}` is here twice; the first is on line {first}", key.text);
            self.problems.error(names::DUPLICATE_KEY, &self.file.path, key.at, message, None);
            return false;
        }
        lines.insert(key.text.clone(), key.at.line);
        true
    }

    /// `true` when the value cannot be what was meant.
    fn refuse(&mut self, anchor: usize, tag: Option<&Tag>, span: &Span) -> bool {
        if let Some(tag) = tag {
            let written = format!("{}{}", tag.handle, tag.suffix);
            let message = format!("YAML read `{written}` as a tag, because the value starts with `!`");
            self.error(names::YAML_FEATURE, span, &message, Some("write `not ...` instead of `!...`"));
        } else if anchor > 0 && self.anchors.is_none() {
            let help = "write the value without `&name`, or put it in quotes when it is text that begins with `&`";
            self.error(names::YAML_FEATURE, span, "anchors (`&name`) are not used in rule files", Some(help));
        }
        tag.is_some()
    }

    fn error(&mut self, code: &str, span: &Span, message: &str, help: Option<&str>) {
        self.problems.error(code, &self.file.path, place(span), message, help.map(str::to_owned));
    }
}

fn place(span: &Span) -> Place {
    let one_line = span.start.line() == span.end.line();
    let width = if one_line { span.end.col().saturating_sub(span.start.col()).max(1) } else { 1 };
    Place { line: span.start.line(), column: span.start.col() + 1, width }
}

fn report_scan_error(file: &SourceFile, problems: &mut Problems, error: &ScanError) {
    let at = Place { line: error.marker().line(), column: error.marker().col() + 1, width: 1 };
    if error.info().contains("recursion limit") {
        return problems.error(names::TOO_DEEP, &file.path, at, too_deep(), None);
    }
    problems.error(names::YAML_SYNTAX, &file.path, at, format!("YAML: {}", error.info()), scan_hint(error.info()));
}

fn scan_hint(info: &str) -> Option<String> {
    let hint = if info.contains("mapping values are not allowed") {
        "check the indentation; a value with `: ` in it needs quotes"
    } else if info.contains("trailing content") {
        "quotes must be around the whole value: use 'single quotes' outside and \"double quotes\" inside"
    } else if info.contains("unexpected character") {
        "put quotes around a value that begins with this character"
    } else if info.contains("unknown anchor") || info.contains("alias") {
        "put quotes around a value that begins with `*`"
    } else if info.contains("tab") {
        "indent with spaces, not with tabs"
    } else {
        return None;
    };
    Some(hint.to_owned())
}
