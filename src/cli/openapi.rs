//! `avatar openapi`

use super::{Context, Exit};

/// As the program's routes describe themselves: a test holds the two together.
const DOCUMENT: &str = include_str!("../../docs/openapi.json");

pub(super) fn run(context: &Context) -> Exit {
    context.output.line(DOCUMENT.trim_end());
    Exit::Done
}
