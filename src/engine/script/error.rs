//! A script or template that failed, and where.

use super::show::shorten;
use crate::engine::ruleset::Expr;
use rhai::{EvalAltResult, Position};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Which script file each function stands in. Rhai keeps one name for all of them, so it is told from outside.
pub type FunctionFiles = BTreeMap<String, Arc<str>>;

/// Carries no value that the script saw: only places, names and types.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct ScriptError {
    pub file: Arc<str>,
    /// From 1.
    pub line: usize,
    /// From 1.
    pub column: usize,
    pub message: String,
}

/// What a script is told when its time or memory is up.
pub(super) const OUT_OF_TIME: &str = "out of time";
pub(super) const OUT_OF_MEMORY: &str = "out of memory";

/// Longest message: names in a script can be of any length.
const MESSAGE_CHARS_MAX: usize = 300;
/// What Rhai calls text.
const RHAI_TEXT: &str = "&str | ImmutableString | String";

impl ScriptError {
    pub fn at(file: &Arc<str>, line: usize, column: usize, message: impl Into<String>) -> Self {
        Self { file: Arc::clone(file), line, column, message: message.into() }
    }

    /// An error about the expression as a whole.
    pub fn in_expr(expr: &Expr, message: impl Into<String>) -> Self {
        Self::at(&expr.file, expr.line, expr.column, message)
    }

    pub(super) fn from_rhai(expr: &Expr, error: &EvalAltResult, files: &FunctionFiles) -> Self {
        let position = error.position();
        let (line, column) = place(expr, position);
        Self::at(&expr.file, line, column, shorten(&describe(error, files).replace(RHAI_TEXT, "text"), MESSAGE_CHARS_MAX))
    }
}

/// Where in the rule file a position inside the expression is.
fn place(expr: &Expr, position: Position) -> (usize, usize) {
    match (position.line(), position.position()) {
        (Some(1), Some(column)) => (expr.line, expr.column + column - 1),
        (Some(line), _) => (expr.line + line - 1, expr.column),
        _ => (expr.line, expr.column),
    }
}

fn describe(error: &EvalAltResult, files: &FunctionFiles) -> String {
    match error {
        EvalAltResult::ErrorInFunctionCall(name, source, inner, _) => {
            let source = files.get(name.as_str()).map_or(source.as_str(), |file| file);
            let place = match (source.is_empty(), inner.position().line()) {
                (true, Some(line)) => format!(" (line {line})"),
                (false, Some(line)) => format!(" ({source}:{line})"),
                _ => String::new(),
            };
            format!("in {name}{place}: {}", describe(inner, files))
        }
        EvalAltResult::ErrorTooManyOperations(_) => "too many operations".to_owned(),
        EvalAltResult::ErrorTerminated(reason, _) => reason.to_string(),
        other => {
            let mut bare = other.to_string();
            // Rhai appends " (line …)", which counts from the expression and not from the file.
            if let Some(end) = bare.rfind(" (line ") {
                bare.truncate(end);
            }
            bare
        }
    }
}
