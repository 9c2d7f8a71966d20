//! Diagnostics as people read them: with the line and a caret, on one line each; or as programs do.

use super::{Diagnostic, Severity, github, sarif};
use crate::engine::ruleset::Sources;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use std::collections::HashMap;
use std::fmt::Write;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Full,
    Concise,
    Json,
    /// Annotations of a GitHub workflow.
    Github,
    /// SARIF 2.1.0.
    Sarif,
}

/// Version of the JSON form.
const JSON_SCHEMA: &str = "avatar.diagnostics/1";
/// Width of a rendered line.
const TERMINAL_COLUMNS: usize = 140;

/// Renders all diagnostics. JSON and SARIF are one object; all
/// others end with a new line unless there is nothing to say.
#[must_use]
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, format: Format, color: bool) -> String {
    match format {
        Format::Full => full(diagnostics, sources, color),
        Format::Concise => concise(diagnostics),
        Format::Json => json(diagnostics),
        Format::Github => github::render(diagnostics),
        Format::Sarif => sarif::render(diagnostics),
    }
}

fn full(diagnostics: &[Diagnostic], sources: &Sources, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() }.term_width(TERMINAL_COLUMNS);
    let mut lines_of: HashMap<&str, Vec<&str>> = HashMap::new();
    let mut out = String::new();
    for diagnostic in diagnostics {
        let file = diagnostic.file.as_str();
        let text = sources.files.get(file).map_or("", String::as_str);
        let lines = lines_of.entry(file).or_insert_with(|| text.trim_start_matches('\u{feff}').lines().collect());
        let line = lines.get(diagnostic.line.saturating_sub(1)).copied().unwrap_or("");
        out.push_str(&one(diagnostic, line, &renderer));
        out.push_str("\n\n");
    }
    out
}

fn one(diagnostic: &Diagnostic, line: &str, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let start = byte_of(line, diagnostic.column.saturating_sub(1));
    let end = byte_of(line, diagnostic.column.saturating_sub(1) + diagnostic.width).max(start);
    let snippet = Snippet::source(line)
        .line_start(diagnostic.line)
        .path(diagnostic.file.as_str())
        .annotation(AnnotationKind::Primary.span(start..end));
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code.as_str());
    let mut group = title.element(snippet);
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    renderer.render(&[group])
}

/// The byte at which the character with this index begins; the length when there are fewer.
fn byte_of(line: &str, index: usize) -> usize {
    line.char_indices().nth(index).map_or(line.len(), |(byte, _)| byte)
}

fn concise(diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for d in diagnostics {
        let level = level_name(d.severity);
        let written = writeln!(out, "{}:{}:{}: {level}[{}] {}", d.file, d.line, d.column, d.code, d.message);
        debug_assert!(written.is_ok(), "writing to a string cannot fail");
    }
    out
}

const fn level_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn json(diagnostics: &[Diagnostic]) -> String {
    let errors = diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
    serde_json::json!({
        "schema": JSON_SCHEMA,
        "errors": errors,
        "warnings": diagnostics.len() - errors,
        "diagnostics": diagnostics,
    })
    .to_string()
}
