//! Results to stdout, everything else to stderr. A reader that has gone away is not an error.

use super::args::{ColorChoice, OutputArgs};
use crate::config::Environment;
use std::io::{IsTerminal, Write};

#[derive(Clone, Copy, Debug)]
pub struct Output {
    pub json: bool,
    pub quiet: bool,
    pub color: bool,
}

impl Output {
    #[must_use]
    pub fn new(args: OutputArgs, environment: &Environment) -> Self {
        let color = match args.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => environment.get("NO_COLOR").is_none() && std::io::stdout().is_terminal(),
        };
        Self { json: args.json, quiet: args.quiet, color }
    }

    /// One line of the result.
    pub fn line(&self, text: &str) {
        let _ = writeln!(std::io::stdout(), "{text}");
    }

    /// One object of the result, as JSON on one line.
    pub fn object(&self, value: &serde_json::Value) {
        self.line(&value.to_string());
    }

    /// What can be done next, or what is going on; not with `--quiet`.
    pub fn hint(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }

    /// A question; the answer follows on the same line.
    pub fn ask(&self, question: &str) {
        let mut stderr = std::io::stderr();
        let _ = write!(stderr, "{question}");
        let _ = stderr.flush();
    }

    /// What went wrong, and what to do.
    pub fn error(&self, message: &str, help: Option<&str>) {
        let mut stderr = std::io::stderr();
        let name = if self.color && stderr.is_terminal() { "\x1b[1;31merror\x1b[0m" } else { "error" };
        let _ = writeln!(stderr, "{name}: {message}");
        if let Some(help) = help {
            let _ = writeln!(stderr, "  = {help}");
        }
    }
}
