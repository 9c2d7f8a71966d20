//! Diagnostics as annotations of a GitHub workflow: one line each.

use super::{Diagnostic, Severity};

pub(super) fn render(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(|d| annotation(d) + "\n").collect()
}

fn annotation(d: &Diagnostic) -> String {
    let level = match d.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let text = d.help.as_ref().map_or_else(|| d.message.clone(), |help| format!("{}\n{help}", d.message));
    format!(
        "::{level} file={},line={},col={},endLine={},endColumn={},title={}::{}",
        property(&d.file),
        d.line,
        d.column,
        d.line,
        d.column + d.width,
        property(&d.code),
        message(&text)
    )
}

/// The workflow reads the message up to the end of the line.
fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Properties end at a comma or a colon, too.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}
