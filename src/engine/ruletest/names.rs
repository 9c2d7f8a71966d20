//! Names in a test file must exist: a misspelt one would never be seen.

use super::{Act, Case, Expected, Spot, Step, TestFile, Wanted};
use crate::domain::event::KNOWN_EVENTS;
use crate::domain::task::KNOWN_TASK_TYPES;
use crate::engine::diagnostic::{Diagnostic, names};
use crate::engine::ruleset::Ruleset;
use crate::engine::source::{Place, Problems};
use crate::engine::syntax::did_you_mean;

/// Events, templates, task types and rules that the file names and that do not exist.
pub(crate) fn check_names(file: &TestFile, ruleset: &Ruleset) -> Vec<Diagnostic> {
    let mut check = Check { file, ruleset, problems: Problems::default() };
    let stories = file.cases.iter().filter_map(|case| if let Case::Story(story) = case { Some(story) } else { None });
    for step in stories.flat_map(|story| &story.steps) {
        check.step(step);
    }
    check.problems.found
}

struct Check<'a> {
    file: &'a TestFile,
    ruleset: &'a Ruleset,
    problems: Problems,
}

impl Check<'_> {
    fn step(&mut self, step: &Step) {
        if let Act::Event(event) = &step.act {
            let declared = self.ruleset.catalogue.declared_events.iter().map(String::as_str);
            let emitted = self.ruleset.by_event.keys().map(String::as_str);
            let known: Vec<&str> = KNOWN_EVENTS.iter().copied().chain(declared).chain(emitted).collect();
            self.known("event", &event.name.text, event.name.at, &known);
            if let Some(fact) = event.with.sms.as_ref().and_then(|f| f.list.iter().find(|f| f.name == "template")) {
                let template = event.with.sms.as_ref().and_then(|f| f.text("template")).unwrap_or_default();
                self.known("template", template, fact.at, &self.templates());
            }
        }
        match step.expect.as_ref().map(|e| &e.what) {
            Some(Expected::Exactly(list)) => list.iter().for_each(|wanted| self.wanted(wanted)),
            Some(Expected::Some(partly)) => {
                self.all("template", partly.sms.iter().flatten(), &self.templates());
                self.all("task type", partly.tasks.iter().flatten(), &self.task_types());
                self.all("rule", partly.rules.iter().flatten(), &self.rules());
                let anything: Vec<&str> = [self.templates(), self.task_types(), self.rules()].concat();
                self.all("text, task or rule", partly.never.iter(), &anything);
            }
            Some(Expected::Any) | None => {}
        }
    }

    fn wanted(&mut self, wanted: &Wanted) {
        if let Some(rule) = &wanted.rule {
            self.known("rule", &rule.text, rule.at, &self.rules());
        }
        let (what, field, known) = match wanted.kind.as_deref() {
            Some("sms" | "withheld") => ("template", "template", self.templates()),
            Some("task" | "close_tasks") => ("task type", "type", self.task_types()),
            _ => return,
        };
        let named = wanted.main.as_ref().or_else(|| wanted.fields.iter().find(|(name, _)| name == field).map(|(_, want)| want));
        if let Some(want) = named.filter(|want| !want.is_any() && !want.is_null) {
            self.known(what, &want.text, want.at, &known);
        }
    }

    fn all<'s>(&mut self, what: &str, named: impl Iterator<Item = &'s Spot>, known: &[&str]) {
        for name in named {
            self.known(what, &name.text, name.at, known);
        }
    }

    fn known(&mut self, what: &str, name: &str, at: Place, known: &[&str]) {
        if !known.contains(&name) {
            let help = did_you_mean(name, known, "it can be");
            self.problems.error(names::UNKNOWN_NAME, &self.file.path, at, format!("there is no {what} `{name}`"), help);
        }
    }

    fn templates<'a>(&self) -> Vec<&'a str>
    where
        Self: 'a,
    {
        self.ruleset.templates.keys().map(String::as_str).collect()
    }

    fn rules<'a>(&self) -> Vec<&'a str>
    where
        Self: 'a,
    {
        self.ruleset.rules.iter().map(|r| r.id.as_str()).collect()
    }

    fn task_types<'a>(&self) -> Vec<&'a str>
    where
        Self: 'a,
    {
        let own = self.ruleset.catalogue.clinic.task_types.iter().map(String::as_str);
        KNOWN_TASK_TYPES.iter().copied().chain(own).chain(["alert"]).collect()
    }
}

/// A rule file that a test file names and that is not there.
pub(crate) fn no_rule_file(test: &str, name: &Spot, known: &[&str]) -> Diagnostic {
    let mut problems = Problems::default();
    let help = did_you_mean(&name.text, known, "rule files are");
    problems.error(names::UNKNOWN_NAME, test, name.at, format!("there is no rule file `{}`", name.text), help);
    problems.found.remove(0)
}
