//! `avatar completions`

use super::args::Cli;
use super::{Context, Exit};
use clap::CommandFactory;
use clap_complete::Shell;

pub(super) fn run(context: &Context, shell: Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "avatar", &mut script);
    context.output.line(String::from_utf8_lossy(&script).trim_end());
    Exit::Done
}
