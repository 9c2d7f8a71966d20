//! Promises: conditions checked in a scope of their own, limits that count what can be counted.

use super::has_ending;
use crate::engine::check::{Environment, Part, Scope, Wanted, check_expression};
use crate::engine::diagnostic::names;
use crate::engine::promise::{ActionLimit, COUNTED, Promise, Promised, Then};
use crate::engine::ruleset::{Expr, Sources};
use crate::engine::source::{Problems, Scalar, SourceFile, read};
use crate::engine::syntax::{PromiseSyntax, PromisedSyntax, did_you_mean, read_promises};
use std::collections::HashMap;

/// The file that holds them.
pub(super) const POLICIES: &str = "rules/policies.yaml";
const FILE_BYTES_MAX: usize = 64 * 1024;

pub(super) fn check_promises(sources: &Sources, env: &Environment<'_>, problems: &mut Problems) -> Vec<Promise> {
    let Some(text) = sources.files.get(POLICIES).filter(|_| has_ending(POLICIES, "yaml")) else { return Vec::new() };
    let file = SourceFile::new(POLICIES, text);
    if file.text.len() > FILE_BYTES_MAX {
        let at = crate::engine::source::Place { line: 1, column: 1, width: 1 };
        problems.error(names::FILE_TOO_LARGE, POLICIES, at, format!("promises have at most {FILE_BYTES_MAX} bytes"), None);
        return Vec::new();
    }
    let Some(root) = read(&file, problems) else { return Vec::new() };
    let mut lines: HashMap<String, usize> = HashMap::new();
    let mut promises = Vec::new();
    for syntax in read_promises(&file, root, problems) {
        if let Some(first) = lines.insert(syntax.id.text.clone(), syntax.id.at.line) {
            let message = format!("two promises are called `{}`; the first is in line {first}", syntax.id.text);
            problems.error(names::DUPLICATE_RULE, &file.path, syntax.id.at, message, None);
        }
        promises.extend(Checking { env, file: &file, problems }.promise(syntax));
    }
    promises
}

struct Checking<'a> {
    env: &'a Environment<'a>,
    file: &'a SourceFile,
    problems: &'a mut Problems,
}

impl Checking<'_> {
    fn promise(&mut self, syntax: PromiseSyntax) -> Option<Promise> {
        let (then_at, then) = syntax.then;
        if let Some(owner) = &syntax.owner {
            self.team(owner);
        }
        let what = match syntax.what {
            PromisedSyntax::Never(lines) => Promised::Never(self.never(&lines)?),
            PromisedSyntax::Limit { action, max, within, per } => {
                let action = self.counted(&action)?;
                if then == Then::MoveToWindow {
                    let help = Some("a limit can `block` or `alert`".to_owned());
                    self.problems.error(names::BAD_VALUE, &self.file.path, then_at, "a limit knows no window", help);
                    return None;
                }
                Promised::Limit(ActionLimit { action, max, within, per })
            }
        };
        let promise = Promise {
            id: syntax.id.text,
            about: syntax.about.map(|s| s.text).unwrap_or_default(),
            owner: syntax.owner.map(|s| s.text),
            file: self.file.path.clone(),
            line: syntax.at.line,
            what,
            then,
            only: None,
        };
        Some(promise.focused())
    }

    /// `None` when a line has a problem: half a condition would forbid more than was meant.
    fn never(&mut self, lines: &[Scalar]) -> Option<Vec<Expr>> {
        let mut scope = Scope::of_promise();
        let mut compiled = Vec::new();
        for line in lines {
            let checked = check_expression(self.env, Part::whole(self.file, line), &scope, &Wanted::Truth, self.problems);
            if let Some(checked) = checked {
                scope.know(checked.proves);
                compiled.push(checked.expr);
            }
        }
        (!lines.is_empty() && compiled.len() == lines.len()).then_some(compiled)
    }

    fn counted(&mut self, action: &Scalar) -> Option<&'static str> {
        let found = COUNTED.iter().copied().find(|known| *known == action.text);
        if found.is_none() {
            let help = did_you_mean(&action.text, COUNTED, "it can be");
            self.problems.error(
                names::BAD_LIMIT,
                &self.file.path,
                action.at,
                format!("`{}` cannot be counted", action.text),
                help,
            );
        }
        found
    }

    fn team(&mut self, team: &Scalar) {
        let teams: Vec<&str> = self.env.catalogue.clinic.teams.iter().map(String::as_str).collect();
        if !teams.contains(&team.text.as_str()) {
            let help = did_you_mean(&team.text, &teams, "teams are");
            self.problems.error(names::UNKNOWN_TEAM, &self.file.path, team.at, format!("there is no team `{}`", team.text), help);
        }
    }
}
