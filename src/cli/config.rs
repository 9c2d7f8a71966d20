//! `avatar config`

use super::args::ConfigCommand;
use super::{Context, Exit};
use crate::config::{ConfigProblem, Explained, Settings};
use serde_json::json;
use std::path::Path;

/// Version of the JSON that these commands print.
const SCHEMA: &str = "avatar.config/1";

impl Context<'_> {
    /// The settings; when there are problems they have been told, and the command ends with [`Exit::CouldNotRun`].
    ///
    /// # Errors
    /// The exit to end with.
    pub fn settings(&self) -> Result<Settings, Exit> {
        self.load_settings().map_err(|problems| {
            self.tell(&problems);
            self.output.hint("nothing was started; `avatar config check` checks again");
            Exit::CouldNotRun
        })
    }

    fn load_settings(&self) -> Result<Settings, Vec<ConfigProblem>> {
        Settings::load(self.environment, Path::new(""))
    }

    fn tell(&self, problems: &[ConfigProblem]) {
        for problem in problems {
            if self.output.json {
                self.output.object(&json!({ "schema": SCHEMA, "problem": problem }));
            } else {
                self.output.error(&problem.to_string(), None);
            }
        }
    }
}

pub(super) fn run(context: &Context, command: ConfigCommand) -> Exit {
    let settings = match context.load_settings() {
        Ok(settings) => settings,
        Err(problems) => {
            context.tell(&problems);
            let count = problems.len();
            context.output.hint(&format!("{count} {}", if count == 1 { "problem" } else { "problems" }));
            return Exit::Found;
        }
    };
    if matches!(command, ConfigCommand::Check) {
        warn(context, &settings);
    }
    match command {
        ConfigCommand::Check => context.output.hint(&format!("settings of {} are good", settings.stage.as_str())),
        ConfigCommand::Show if context.output.json => {
            let (environment, notice) = (settings.stage.as_str(), settings.sms.notice());
            let settings = settings.explain();
            context
                .output
                .object(&json!({ "schema": SCHEMA, "environment": environment, "notice": notice, "settings": settings }));
        }
        ConfigCommand::Show => show(context, &settings),
    }
    Exit::Done
}

/// Things to put right that keep nothing from working.
fn warn(context: &Context, settings: &Settings) {
    for warning in settings.warnings() {
        if context.output.json {
            context.output.object(&json!({ "schema": SCHEMA, "warning": warning }));
        } else {
            context.output.line(&format!("warning: {}\n  = {}", warning.message, warning.help));
        }
    }
}

fn show(context: &Context, settings: &Settings) {
    context.output.line(&format!("environment {}", settings.stage.as_str()));
    if let Some(notice) = settings.sms.notice() {
        context.output.line(&notice);
    }
    let width = |of: fn(&Explained) -> usize| settings.explain().iter().map(of).max().unwrap_or(0);
    let (keys, values) = (width(|e| e.key.chars().count()), width(|e| e.value.chars().count()).min(60));
    for Explained { key, value, origin, .. } in settings.explain() {
        context.output.line(&format!("{key:<keys$}  {value:<values$}  {origin}"));
    }
}
