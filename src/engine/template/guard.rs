//! Parses a template and refuses what a text message has no use for. Refused before rendering, because a recursive partial
//! would overflow the stack, which no limit at run time can stop.

use handlebars::template::{HelperTemplate, Parameter, Subexpression, Template, TemplateElement};
use handlebars::{Path, PathSeg};

/// Longest source.
pub const SOURCE_BYTES_MAX: usize = 2 * 1024;
/// `{{#if}}` inside `{{#if}}` …
const BLOCK_DEPTH_MAX: usize = 8;
/// `(not (eq a b))` …
const SUBEXPRESSION_DEPTH_MAX: usize = 4;
/// Blocks that a text may use.
const BLOCKS: &[&str] = &["if", "unless"];
/// Helpers that a condition may use.
const TESTS: &[&str] = &["eq", "ne", "gt", "gte", "lt", "lte", "and", "or", "not"];

/// A parsed template and the dotted paths that it reads, sorted.
pub struct Guarded {
    pub template: Template,
    pub reads: Vec<String>,
}

/// The message says what is not allowed.
pub fn parse(source: &str) -> Result<Guarded, String> {
    if source.len() > SOURCE_BYTES_MAX {
        return Err(format!("a template has at most {SOURCE_BYTES_MAX} bytes"));
    }
    if nesting(source) > BLOCK_DEPTH_MAX + SUBEXPRESSION_DEPTH_MAX {
        return Err("this template is nested too deeply".to_owned());
    }
    let template = Template::compile(source).map_err(|error| error.reason().to_string())?;
    let mut reads = Vec::new();
    walk(&template, 0, &mut reads)?;
    reads.sort_unstable();
    reads.dedup();
    Ok(Guarded { template, reads })
}

/// Opened and not yet closed, counted over the bare text: enough to keep deep nesting away from the recursive parser.
fn nesting(source: &str) -> usize {
    let tight = source.replace("{{~", "{{");
    let (mut deepest, mut depth) = (0_usize, 0_usize);
    for (at, c) in tight.char_indices() {
        let rest = &tight[at..];
        if rest.starts_with("{{#") || matches!(c, '(' | '[') {
            depth += 1;
        } else if rest.starts_with("{{/") || matches!(c, ')' | ']') {
            depth = depth.saturating_sub(1);
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn walk(template: &Template, depth: usize, reads: &mut Vec<String>) -> Result<(), String> {
    if depth > BLOCK_DEPTH_MAX {
        return Err(format!("blocks may be nested {BLOCK_DEPTH_MAX} deep"));
    }
    for element in &template.elements {
        match element {
            TemplateElement::RawString(_) | TemplateElement::Comment(_) => {}
            TemplateElement::Expression(field) | TemplateElement::HtmlExpression(field) => check_field(field, reads)?,
            TemplateElement::HelperBlock(block) => check_block(block, depth, reads)?,
            TemplateElement::PartialExpression(_) | TemplateElement::PartialBlock(_) => {
                return Err("a text cannot include other templates".to_owned());
            }
            TemplateElement::DecoratorExpression(_) | TemplateElement::DecoratorBlock(_) => {
                return Err("a text cannot define templates".to_owned());
            }
            _ => return Err("this is not allowed in a text".to_owned()),
        }
    }
    Ok(())
}

/// `{{contact.first_name}}`: a field and nothing else.
fn check_field(field: &HelperTemplate, reads: &mut Vec<String>) -> Result<(), String> {
    if !field.params.is_empty() || !field.hash.is_empty() || field.block_param.is_some() {
        return Err("a text shows fields such as {{contact.first_name}}; it has no functions".to_owned());
    }
    match &field.name {
        Parameter::Name(name) => add_read(name, reads),
        other => check_parameter(other, 0, reads),
    }
}

fn check_block(block: &HelperTemplate, depth: usize, reads: &mut Vec<String>) -> Result<(), String> {
    let name = name_of(&block.name);
    if !BLOCKS.contains(&name) {
        return Err(format!("a text has only the blocks {{{{#if}}}} and {{{{#unless}}}}, not {{{{#{name}}}}}"));
    }
    if block.params.len() != 1 || !block.hash.is_empty() || block.block_param.is_some() {
        return Err(format!("{{{{#{name}}}}} takes one condition"));
    }
    for parameter in &block.params {
        check_parameter(parameter, 0, reads)?;
    }
    for inner in [&block.template, &block.inverse].into_iter().flatten() {
        walk(inner, depth + 1, reads)?;
    }
    Ok(())
}

fn check_parameter(parameter: &Parameter, depth: usize, reads: &mut Vec<String>) -> Result<(), String> {
    match parameter {
        Parameter::Literal(value) if !value.is_array() && !value.is_object() => Ok(()),
        Parameter::Path(Path::Relative((segments, raw))) if segments.iter().all(|s| matches!(s, PathSeg::Named(_))) => {
            add_read(raw, reads)
        }
        Parameter::Subexpression(inner) => check_test(inner, depth + 1, reads),
        _ => Err("only fields such as contact.first_name can be used here".to_owned()),
    }
}

fn check_test(test: &Subexpression, depth: usize, reads: &mut Vec<String>) -> Result<(), String> {
    if depth > SUBEXPRESSION_DEPTH_MAX {
        return Err(format!("conditions may be nested {SUBEXPRESSION_DEPTH_MAX} deep"));
    }
    let TemplateElement::Expression(call) = test.as_element() else {
        return Err("this is not a condition".to_owned());
    };
    let name = name_of(&call.name);
    if !TESTS.contains(&name) || !call.hash.is_empty() {
        return Err(format!("a condition cannot use {name}; it has {}", TESTS.join(", ")));
    }
    call.params.iter().try_for_each(|parameter| check_parameter(parameter, depth, reads))
}

fn name_of(name: &Parameter) -> &str {
    match name {
        Parameter::Name(name) | Parameter::Path(Path::Relative((_, name))) => name,
        _ => "this",
    }
}

fn add_read(path: &str, reads: &mut Vec<String>) -> Result<(), String> {
    let plain = path != "this"
        && path.split('.').all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
    if !plain {
        return Err(format!("{path} is not a field"));
    }
    reads.push(path.to_owned());
    Ok(())
}
