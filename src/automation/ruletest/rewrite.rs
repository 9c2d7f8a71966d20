//! `--update`: writes what happened in the place of expectations that failed. Everything else in the file stays byte for byte.

use super::differ::{quoted, value};
use super::{Failure, differ};
use crate::automation::simulate::{Happening, Landed, Worth};
use crate::domain::clinic::Clinic;
use crate::domain::time::{Millis, Timestamp};
use std::collections::BTreeMap;
use std::ops::Range;

/// A test file with new expectations.
pub struct Rewrite {
    pub text: String,
    /// Expectations that were written anew.
    pub count: usize,
    /// Failures that no expectation can set right.
    pub left: usize,
}

/// Fields that an expectation names when nobody said which.
const TOLD: &[(&str, &[&str])] = &[("move", &["pipeline", "stage"]), ("task", &["type", "due"]), ("close_tasks", &["type"])];

/// Rewrites the `expect` of every failure; the last one first, so that places stay true.
pub fn rewrite<'f>(text: &str, failures: impl Iterator<Item = &'f Failure>, clinic: &Clinic) -> Rewrite {
    let mut by_place: BTreeMap<(usize, usize), &Failure> = BTreeMap::new();
    let mut left = 0;
    for failure in failures {
        match failure.happened {
            // An expectation reached by way of an alias belongs to several steps: no one of them may change it.
            Some(_) if by_place.insert((failure.line, failure.column), failure).is_none() => {}
            _ => left += 1,
        }
    }
    let mut out = text.to_owned();
    let mut count = 0;
    for ((line, column), failure) in by_place.iter().rev() {
        let happened = failure.happened.as_deref().unwrap_or_default();
        match block(&out, *line, *column) {
            Some(block) => {
                let (range, new) = written(&block, &out, happened, failure.at, clinic);
                out.replace_range(range, &new);
                count += 1;
            }
            None => left += 1,
        }
    }
    Rewrite { text: out, count, left }
}

/// One `expect` in the file, in bytes.
struct Block {
    /// Behind `expect:`.
    key_end: usize,
    value: Range<usize>,
    /// What stands behind the value on its line: a comment, the line's end.
    tail: Range<usize>,
    /// Columns before the key.
    indent: usize,
    /// The step is written in braces.
    in_flow: bool,
}

/// Finds the value of the key at a place. `None` when it is an alias or cannot be found.
fn block(text: &str, line: usize, column: usize) -> Option<Block> {
    let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let this = text.get(start..)?.split_inclusive('\n').next()?;
    let before: String = this.chars().take(column - 1).collect();
    let key_end = start + before.len() + "expect:".len();
    if !text[start + before.len()..].starts_with("expect:") {
        return None;
    }
    let (in_flow, indent) = (before.contains('{'), before.chars().count());
    let rest = &text[key_end..start + this.len()];
    let value = rest.trim_start_matches(' ');
    if value.trim().is_empty() || value.starts_with('#') {
        let line_end = start + this.len();
        let end = block_end(text, line_end, indent);
        return Some(Block { key_end, value: line_end..end, tail: key_end..line_end, indent, in_flow });
    }
    let from = key_end + (rest.len() - value.len());
    let end = if value.starts_with(['[', '{']) { flow_end(text, from)? } else { plain_end(text, from, in_flow) };
    let line_end = text[end..].find('\n').map_or(text.len(), |at| end + at + 1);
    let is_alias = value.starts_with(['*', '&']);
    (!is_alias).then_some(Block { key_end, value: from..end, tail: end..line_end, indent, in_flow })
}

/// Where lines that are indented deeper end, without empty lines and comments after them.
fn block_end(text: &str, from: usize, indent: usize) -> usize {
    let (mut at, mut end) = (from, from);
    for line in text[from..].split_inclusive('\n') {
        let deep = line.chars().take_while(|c| *c == ' ').count();
        let content = line.trim();
        let belongs = deep > indent || (deep == indent && content.starts_with("- "));
        if !content.is_empty() && !content.starts_with('#') {
            if !belongs {
                break;
            }
            end = at + line.len();
        }
        at += line.len();
    }
    end
}

/// Behind the bracket that closes the one at `from`.
fn flow_end(text: &str, from: usize) -> Option<usize> {
    let (mut depth, mut quote, mut comment, mut before) = (0_usize, None, false, ' ');
    for (at, c) in text[from..].char_indices() {
        match (quote, c) {
            _ if comment => comment = c != '\n',
            (Some(q), c) if c == q && before != '\\' => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '#') if before.is_whitespace() => comment = true,
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => {
                depth -= 1;
                if depth == 0 {
                    return Some(from + at + 1);
                }
            }
            _ => {}
        }
        before = c;
    }
    None
}

/// A single word ends at white space, or inside of braces at what ends a value there.
fn plain_end(text: &str, from: usize, in_flow: bool) -> usize {
    let ends = |c: char| c.is_whitespace() || (in_flow && matches!(c, ',' | '}' | ']'));
    text[from..].find(ends).map_or(text.len(), |at| from + at)
}

/// What is replaced, and by what.
fn written(block: &Block, text: &str, happened: &[Happening], at: Timestamp, clinic: &Clinic) -> (Range<usize>, String) {
    let old = &text[block.value.clone()];
    let items = items(old, happened, at, clinic);
    if block.in_flow {
        let flow: Vec<String> = items.iter().map(|item| format!("{{ {item} }}")).collect();
        let new = if items.is_empty() { "nothing".to_owned() } else { format!("[ {} ]", flow.join(", ")) };
        return (block.value.clone(), new);
    }
    let range = block.key_end..block.value.end.max(block.tail.end);
    let tail = text[block.tail.clone()].trim_end_matches('\n');
    if items.is_empty() {
        return (range, format!(" nothing{tail}\n"));
    }
    let indent = " ".repeat(block.indent + 2);
    let comments = old.lines().filter(|l| l.trim_start().starts_with('#')).map(|l| format!("{l}\n"));
    let lines = items
        .iter()
        .map(|item| if item.is_one_key() { format!("{indent}- {item}\n") } else { format!("{indent}- {{ {item} }}\n") });
    let lines: String = comments.chain(lines).collect();
    (range, format!("{}\n{lines}", tail.trim_end()))
}

/// One expected thing as it is written, without the dash.
struct Item {
    text: String,
    at: Option<String>,
}

impl Item {
    const fn is_one_key(&self) -> bool {
        self.at.is_none()
    }
}

impl std::fmt::Display for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.at {
            Some(at) => write!(f, "{}, at: {at}", self.text),
            None => f.write_str(&self.text),
        }
    }
}

/// One item for each thing that was done; the fields of a rule's `set` together.
fn items(old: &str, happened: &[Happening], end: Timestamp, clinic: &Clinic) -> Vec<Item> {
    let mut items: Vec<(Item, &Happening)> = Vec::new();
    for happening in happened.iter().filter(|h| h.landed == Landed::Done) {
        let same_step = |o: &Happening| (o.line, &o.file, o.at) == (happening.line, &happening.file, happening.at);
        let open = items.iter_mut().find(|(_, of)| happening.kind == "set" && of.kind == "set" && same_step(of));
        if let Some((item, _)) = open {
            let more = fields(happening, clinic, |_| true);
            item.text.insert_str(item.text.len() - " }".len(), &format!(", {more}"));
        } else {
            let at = is_apart(happening.at, end).then(|| differ::clock(clinic, happening.at));
            items.push((Item { text: item(old, happening, clinic), at }, happening));
        }
    }
    items.into_iter().map(|(item, _)| item).collect()
}

/// In another minute than that in which the step ended.
const fn is_apart(at: Timestamp, end: Timestamp) -> bool {
    at.0.div_euclid(Millis::MINUTE.0) != end.0.div_euclid(Millis::MINUTE.0)
}

fn item(old: &str, happening: &Happening, clinic: &Clinic) -> String {
    let kind = happening.kind.as_str();
    if kind == "sms" {
        return format!("sms: {}", happening.text("template").unwrap_or_default());
    }
    if kind == "cancel" {
        return "cancel: sms".to_owned();
    }
    let told = TOLD.iter().find(|(k, _)| *k == kind).map_or(&[][..], |(_, fields)| fields);
    let asked = |name: &str| told.contains(&name) || (!told.is_empty() && old.contains(&format!("{name}:")));
    if told.is_empty() && kind != "set" {
        let main = ["body", "name", "event", "text", "message", "tag"].iter().find_map(|name| happening.text(name));
        return format!("{kind}: {}", main.map_or_else(|| "any".to_owned(), quoted));
    }
    format!("{kind}: {{ {} }}", fields(happening, clinic, |name| kind == "set" || asked(name)))
}

fn fields(happening: &Happening, clinic: &Clinic, wanted: impl Fn(&str) -> bool) -> String {
    let shown = |worth: &Worth| {
        if *worth == Worth::Nothing && happening.kind == "close_tasks" { "any".to_owned() } else { value(worth, clinic) }
    };
    let mut list: Vec<_> = happening.fields.iter().filter(|(name, _)| wanted(name)).collect();
    list.sort_by_key(|(name, _)| (*name != "type", (*name).clone()));
    let list = list.into_iter();
    list.map(|(name, worth)| format!("{name}: {}", shown(worth))).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value that is replaced, as it stands in the file.
    fn value(text: &str) -> String {
        let at = text.find("expect:").expect("an expectation");
        let line = text[..at].matches('\n').count() + 1;
        let column = at - text[..at].rfind('\n').map_or(0, |n| n + 1) + 1;
        let block = block(text, line, column).expect("a value");
        text[block.value].to_owned()
    }

    #[test]
    fn a_value_ends_where_yaml_says_it_does() {
        for (text, wanted) in [
            ("- to: end\n  expect: nothing   # strict\n- to: x\n", "nothing"),
            ("- { to: end, expect: any }\n", "any"),
            ("- { to: end, expect: [ { sms: \"a]\" } ] }\n", "[ { sms: \"a]\" } ]"),
            ("- to: end\n  expect: [ { sms: a }, # ]\n    { sms: b } ]\n- to: x\n", "[ { sms: a }, # ]\n    { sms: b } ]"),
            (
                "- to: end\n  expect:   # these\n    - sms: a\n    # more\n    - sms: b\n\n# the next\n- to: x\n",
                "    - sms: a\n    # more\n    - sms: b\n",
            ),
            ("- to: end\n  expect:\n  - sms: a\n- to: x\n", "  - sms: a\n"),
        ] {
            assert_eq!(value(text), wanted, "{text}");
        }
        assert!(block("  expect: *all\n", 1, 3).is_none(), "an alias belongs to others, too");
    }
}
