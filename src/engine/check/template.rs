//! `sms_templates/*.hbs`: header, fields, and nothing that a text message has no use for.

use super::{template_header, template_parts, template_privacy};
use crate::engine::diagnostic::names;
use crate::engine::ruleset::{Catalogue, Template};
use crate::engine::schema::{RECORDS, Type, find_record};
use crate::engine::source::{Place, Problems, SourceFile};
use crate::engine::syntax::did_you_mean;
use handlebars::template::{HelperTemplate, Parameter, Template as Parsed, TemplateElement};
use handlebars::{Path, PathSeg};

/// Largest template.
const TEMPLATE_BYTES_MAX: usize = 2 * 1024;
/// `{{#if}}` inside `{{#if}}`.
const BLOCK_DEPTH_MAX: usize = 8;
/// Records a text can read.
const ROOTS: &[&str] = &["contact", "booking", "clinic", "message", "event", "task"];

/// A path that a template reads.
#[derive(Clone, Debug)]
pub(crate) struct TemplateRead {
    pub path: String,
    /// Inside an `{{#if}}` about the same record.
    pub guarded: bool,
    /// It is shown, not only tested; where.
    pub shown: Option<Place>,
}

/// A template without errors.
pub(crate) struct CheckedTemplate {
    pub template: Template,
    pub reads: Vec<TemplateRead>,
    /// Staff sends it by hand, so no rule has to.
    pub staff: bool,
}

/// Checks one template. `None` when an error was reported.
pub(crate) fn check_template(file: &SourceFile, catalogue: &Catalogue, problems: &mut Problems) -> Option<CheckedTemplate> {
    let start = Place { line: 1, column: 1, width: 1 };
    if file.text.len() > TEMPLATE_BYTES_MAX {
        let message = format!("a template has at most {TEMPLATE_BYTES_MAX} bytes, and this one has {}", file.text.len());
        problems.error(names::FILE_TOO_LARGE, &file.path, start, message, None);
        return None;
    }
    let before = problems.found.len();
    let header = template_header::read(file, problems)?;
    if let Some(at) = too_deep(&file.text) {
        let message = format!("blocks may be nested {BLOCK_DEPTH_MAX} deep");
        problems.error(names::TEMPLATE_FEATURE, &file.path, line_place(at), message, None);
        return None;
    }
    let parsed = match Parsed::compile(&file.text) {
        Ok(parsed) => parsed,
        Err(error) => {
            let (line, column) = error.pos().unwrap_or((1, 1));
            let at = Place { line: line.max(1), column: column.max(1), width: 1 };
            problems.error(names::TEMPLATE_SYNTAX, &file.path, at, error.reason().to_string(), None);
            return None;
        }
    };
    let mut checker = Checker { file, problems, reads: Vec::new(), guards: Vec::new(), line: 1 };
    checker.template(&parsed);
    let reads = checker.reads;
    if !header.privacy_standard {
        template_privacy::check(file, &reads, problems);
        template_privacy::check_words(file, problems);
    }
    template_privacy::check_opt_out(file, header.category, problems);
    template_header::check_text(file, catalogue, reads.iter().any(|r| r.path == "clinic.name"), problems);
    let errors = problems.found.get(before..).unwrap_or(&[]);
    if errors.iter().any(|d| d.severity == crate::engine::Severity::Error) {
        return None;
    }
    template_parts::check(file, &parsed, header.parts_max, catalogue, problems);
    let mut paths: Vec<String> = reads.iter().map(|r| r.path.clone()).collect();
    paths.sort_unstable();
    paths.dedup();
    let template = Template {
        name: template_header::name_of(&file.path).to_owned(),
        file: file.path.clone(),
        category: header.category,
        immediate: header.immediate,
        source: header.source,
        reads: paths,
    };
    Some(CheckedTemplate { template, reads, staff: header.staff })
}

/// The line on which blocks are nested too deeply: counted over the text, to keep deep nesting from the recursive parser.
fn too_deep(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, line) in text.lines().enumerate() {
        for (at, _) in line.match_indices(['{', '(', '[']) {
            let rest = line.get(at..).unwrap_or("");
            depth += usize::from(rest.starts_with("{{#") || rest.starts_with("{{~#") || rest.starts_with(['(', '[']));
            depth = depth.saturating_sub(usize::from(rest.starts_with("{{/") || rest.starts_with("{{~/")));
            if depth > BLOCK_DEPTH_MAX + line.matches(['(', '[']).count().min(BLOCK_DEPTH_MAX) {
                return Some(index + 1);
            }
        }
        depth = depth.saturating_sub(line.matches([')', ']']).count());
    }
    None
}

fn line_place(line: usize) -> Place {
    Place { line, column: 1, width: 1 }
}

struct Checker<'a> {
    file: &'a SourceFile,
    problems: &'a mut Problems,
    reads: Vec<TemplateRead>,
    /// Paths that the blocks around have tested.
    guards: Vec<String>,
    /// Line of the element at hand.
    line: usize,
}

impl Checker<'_> {
    fn template(&mut self, template: &Parsed) {
        for (element, mapping) in template.elements.iter().zip(&template.mapping) {
            self.line = mapping.0.max(1);
            match element {
                TemplateElement::RawString(_) | TemplateElement::Comment(_) => {}
                TemplateElement::Expression(field) | TemplateElement::HtmlExpression(field) => self.field(field),
                TemplateElement::HelperBlock(block) => self.block(block),
                TemplateElement::PartialExpression(_) | TemplateElement::PartialBlock(_) => {
                    self.refuse("{{>", "a text cannot include other templates");
                }
                _ => self.refuse("{{", "a text cannot define templates or decorators"),
            }
        }
    }

    fn field(&mut self, field: &HelperTemplate) {
        if !field.params.is_empty() || !field.hash.is_empty() {
            let name = field.name.as_name().unwrap_or("{{");
            self.refuse(name, &format!("`{name}` is not available: a text shows fields such as {{{{contact.first_name}}}}"));
            return;
        }
        if let Some((path, target)) = self.path(&field.name) {
            if target == Target::Record {
                let at = self.place(&path);
                let help = Some(format!("name one of its fields: `{path}.…`"));
                self.problems.error(
                    names::TEMPLATE_FIELD,
                    &self.file.path,
                    at,
                    format!("`{path}` is a record and cannot be shown"),
                    help,
                );
                return;
            }
            let guarded = self.guards.iter().any(|g| path == *g || path.starts_with(&format!("{g}.")));
            let shown = Some(self.place(&path));
            self.reads.push(TemplateRead { path, guarded, shown });
        }
    }

    fn block(&mut self, block: &HelperTemplate) {
        let name = block.name.as_name().unwrap_or("");
        if name != "if" && name != "unless" {
            self.refuse(name, &format!("`{name}` is not available: blocks are `if` and `unless`"));
            return;
        }
        let [condition] = block.params.as_slice() else {
            self.refuse(name, &format!("`{name}` takes one field, such as `{{{{#{name} booking.location}}}}`"));
            return;
        };
        let path = self.path(condition).map(|(path, _)| path);
        if let Some(path) = path.clone() {
            self.reads.push(TemplateRead { path, guarded: true, shown: None });
        }
        let (yes, no) = if name == "if" { (&block.template, &block.inverse) } else { (&block.inverse, &block.template) };
        let depth = self.guards.len();
        self.guards.extend(path);
        if let Some(inner) = yes {
            self.template(inner);
        }
        self.guards.truncate(depth);
        if let Some(inner) = no {
            self.template(inner);
        }
    }

    /// A path of the schema; anything else is reported.
    fn path(&mut self, parameter: &Parameter) -> Option<(String, Target)> {
        let raw = match parameter {
            Parameter::Path(Path::Relative((segments, raw))) => {
                if segments.iter().any(|s| !matches!(s, PathSeg::Named(_))) {
                    self.refuse(raw, &format!("`{raw}` is not available: name the record and the field"));
                    return None;
                }
                raw.clone()
            }
            Parameter::Path(Path::Local((_, _, raw))) => {
                self.refuse(raw, &format!("`{raw}` is not available"));
                return None;
            }
            Parameter::Name(name) => name.clone(),
            _ => {
                self.refuse("{{", "a text shows fields such as {{contact.first_name}}; it has no calculations");
                return None;
            }
        };
        match check_path(&raw) {
            Ok(target) => Some((raw, target)),
            Err((message, help)) => {
                let at = self.place(&raw);
                self.problems.error(names::TEMPLATE_FIELD, &self.file.path, at, message, help);
                None
            }
        }
    }

    fn refuse(&mut self, what: &str, message: &str) {
        let at = self.place(what);
        self.problems.error(names::TEMPLATE_FEATURE, &self.file.path, at, message, None);
    }

    /// Where `what` stands, from the element's line on.
    fn place(&self, what: &str) -> Place {
        let width = what.chars().count().max(1);
        for (index, line) in self.file.text.lines().enumerate().skip(self.line - 1) {
            let mut from = 0;
            while let Some(found) = line.get(from..).and_then(|rest| rest.find(what)) {
                let at = from + found;
                if line.get(..at).is_some_and(|before| before.contains("{{") || what.starts_with("{{")) {
                    return Place { line: index + 1, column: line.get(..at).unwrap_or("").chars().count() + 1, width };
                }
                from = at + what.len().max(1);
            }
        }
        Place { line: self.line, column: 1, width: 1 }
    }
}

/// What a path leads to.
#[derive(PartialEq)]
enum Target {
    /// Something that can be shown.
    Value,
    /// A record, which can only be tested.
    Record,
}

type Wrong = (String, Option<String>);

fn check_path(raw: &str) -> Result<Target, Wrong> {
    let mut parts = raw.split('.');
    let root = parts.next().unwrap_or("");
    let Some(mut record) = ROOTS.contains(&root).then(|| find_record(root)).flatten() else {
        let owner = RECORDS.iter().filter(|r| ROOTS.contains(&r.name)).find(|r| r.find_field(raw).is_some());
        let help = owner.map(|r| format!("did you mean `{}.{raw}`?", r.name));
        return Err((format!("there is no `{raw}` in texts"), help.or_else(|| did_you_mean(root, ROOTS, "records are"))));
    };
    while let Some(part) = parts.next() {
        let Some(field) = record.find_field(part) else {
            let all: Vec<&str> = record.fields.iter().map(|f| f.name).collect();
            return Err((format!("a {} has no field `{part}`", record.name), did_you_mean(part, &all, "its fields are")));
        };
        let more = parts.clone().next().is_some();
        match field.ty {
            Type::Record(name) => record = find_record(name).unwrap_or(record),
            Type::TextMap if more => return Ok(Target::Value),
            Type::TextMap => return Ok(Target::Record),
            Type::List(_) | Type::Texts | Type::Steps => {
                return Err((format!("`{raw}` is a list and cannot stand in a text"), None));
            }
            _ if more => return Err((format!("`{part}` has no fields of its own"), None)),
            _ => return Ok(Target::Value),
        }
    }
    Ok(Target::Record)
}
