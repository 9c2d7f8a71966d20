//! The command line: one binary, `avatar`. Nouns group, verbs act. Results go to stdout; progress, hints and logs to stderr.

pub mod args;
mod args_staff;
mod audit;
mod check;
mod completions;
mod config;
mod contact;
mod db;
pub mod demo;
mod doctor;
mod events;
mod exit;
mod explain;
mod failure;
mod jobs;
mod moment;
mod next;
mod openapi;
mod output;
pub mod parts;
pub mod report;
mod rules;
mod runtime;
mod serve;
mod simulate;
mod sms;
mod token;
mod user;
mod why;
mod why_rule;

pub use exit::Exit;
pub use output::Output;
pub use serve::{HostView, http_context, prepare};

use crate::config::Environment;
use args::{Cli, Command};
use clap::Parser;
use clap::error::ErrorKind;
use std::ffi::OsString;
use std::process::ExitCode;

/// What a command has at hand.
pub struct Context<'a> {
    pub environment: &'a Environment,
    pub output: Output,
}

/// Runs the program with its arguments and environment.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>, environment: &Environment) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return usage(&error).into(),
    };
    let context = Context { environment, output: Output::new(cli.output, environment) };
    dispatch(&context, cli.command).into()
}

fn dispatch(context: &Context, command: Command) -> Exit {
    match command {
        Command::Config(command) => config::run(context, command),
        Command::Completions(args) => completions::run(context, args.shell),
        Command::Serve(args) => serve::run(context, &args),
        Command::Worker(args) => serve::run_worker(context, &args),
        Command::Next(args) => next::run(context, &args),
        Command::Why(args) => why::run(context, &args),
        Command::Explain(args) => explain::run(context, &args),
        Command::Report(command) => report::run(context, &command),
        Command::Rules(command) => rules::run(context, &command),
        Command::Events(command) => events::run(context, &command),
        Command::Jobs(command) => jobs::run(context, &command),
        Command::Contact(command) => contact::run(context, &command),
        Command::Db(command) => db::run(context, command),
        Command::Token(command) => token::run(context, &command),
        Command::User(command) => user::run(context, &command),
        Command::Admin(command) => user::run_admin(context, &command),
        Command::Audit(command) => audit::run(context, &command),
        Command::Check => check::run(context),
        Command::Openapi => openapi::run(context),
        Command::Doctor(args) => doctor::run(context, &args),
        Command::Sms(command) => sms::run(context, &command),
        Command::Simulate(args) => simulate::run(context, &args),
    }
}

/// Help and version are results; everything else is a mistake of usage. A closed pipe is nobody's problem.
fn usage(error: &clap::Error) -> Exit {
    let _ = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Done,
        _ => Exit::CouldNotRun,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_commands_fit_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_of_every_command_opens_with_an_example_that_parses() {
        for command in Cli::command().get_subcommands_mut() {
            let help = command.render_help().to_string();
            assert!(help.starts_with("Examples:\n  avatar "), "{}:\n{help}", command.get_name());
            for example in help.lines().skip(1).take_while(|line| line.starts_with("  avatar ")) {
                let words =
                    example.split(" > ").next().unwrap_or("").replace("\"Call leads earlier\"", "m").replace("\"Ana Lima\"", "n");
                let parsed = Cli::try_parse_from(words.split_whitespace());
                assert!(parsed.is_ok(), "{example}: {}", parsed.err().map(|e| e.to_string()).unwrap_or_default());
            }
        }
    }

    #[test]
    fn an_unknown_command_names_the_nearest_one() {
        let error = Cli::try_parse_from(["avatar", "rulse", "check"]).expect_err("no such command");
        assert!(error.to_string().contains("'rules'"), "{error}");
        assert_eq!(usage(&error), Exit::CouldNotRun);
    }
}
