//! Reads a YAML file into a tree in which every scalar knows where it stands.
//!
//! Only plain data is accepted: no tags, no key twice, bounded size and depth; anchors, aliases and merge keys in tests only.

mod build;
mod node;
mod positions;

pub(crate) use build::{read, read_with_anchors};
pub(crate) use node::{Entry, Kind, Node, Place, Scalar};

use super::diagnostic::{Diagnostic, Severity};
use std::sync::Arc;

/// A file's text and where its lines begin.
pub(crate) struct SourceFile {
    pub path: Arc<str>,
    /// Without a byte order mark.
    pub text: String,
    line_starts: Vec<usize>,
}

impl SourceFile {
    pub fn new(path: &str, text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { path: Arc::from(path), text, line_starts }
    }

    /// The text from a line (from 1) and column (from 1, in characters) to the end of the file.
    pub fn rest(&self, line: usize, column: usize) -> &str {
        let start = self.line_starts.get(line.saturating_sub(1)).copied().unwrap_or(self.text.len());
        let rest = self.text.get(start..).unwrap_or("");
        let skip = rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(byte, _)| byte);
        rest.get(skip..).unwrap_or("")
    }
}

/// Collects the diagnostics of all files.
#[derive(Default)]
pub(crate) struct Problems {
    pub found: Vec<Diagnostic>,
}

/// More problems than this are not reported: the file is not what it should be.
const PROBLEMS_MAX: usize = 1_000;

impl Problems {
    pub fn error(&mut self, code: &str, file: &str, at: Place, message: impl Into<String>, help: Option<String>) {
        self.push(Severity::Error, code, file, at, message.into(), help);
    }

    pub fn warning(&mut self, code: &str, file: &str, at: Place, message: impl Into<String>, help: Option<String>) {
        self.push(Severity::Warning, code, file, at, message.into(), help);
    }

    fn push(&mut self, severity: Severity, code: &str, file: &str, at: Place, message: String, help: Option<String>) {
        let full = self.found.len() >= PROBLEMS_MAX;
        if full && (severity == Severity::Warning || self.has_errors()) {
            return;
        }
        self.found.push(Diagnostic {
            code: code.to_owned(),
            severity,
            file: file.to_owned(),
            line: at.line,
            column: at.column,
            width: at.width.max(1),
            message,
            help,
        });
    }

    pub fn has_errors(&self) -> bool {
        self.found.iter().any(|d| d.severity == Severity::Error)
    }
}
