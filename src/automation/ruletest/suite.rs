//! Test files against the rules that each of them names.

use super::coverage::Coverage;
use super::{Failure, play, table};
use crate::automation::simulate::Rules;
use crate::engine::ruleset::{Catalogue, Ruleset, Sources};
use crate::engine::ruletest::{Case, Spot, TestFile, check_names, no_rule_file, read_test};
use crate::engine::{Compiled, Diagnostic, compile};
use std::collections::{BTreeMap, BTreeSet};

/// Tests run with rules that no ruleset number was given to.
const REVISION: i64 = 0;

/// Compiles what test files need, each set of rule files once.
pub struct Suite<'a> {
    sources: &'a Sources,
    catalogue: &'a Catalogue,
    compiled: BTreeMap<Option<BTreeSet<String>>, Compiled>,
}

/// What came of one file.
#[derive(Default)]
pub struct FileResult {
    /// Mistakes in the test file or in the rules that it names; then no test has run.
    pub problems: Vec<Diagnostic>,
    pub tests: Vec<TestResult>,
    pub coverage: Coverage,
}

#[derive(Clone, Debug)]
pub struct TestResult {
    pub name: String,
    pub line: usize,
    pub failures: Vec<Failure>,
}

impl<'a> Suite<'a> {
    #[must_use]
    pub const fn new(sources: &'a Sources, catalogue: &'a Catalogue) -> Self {
        Self { sources, catalogue, compiled: BTreeMap::new() }
    }

    /// All rules, as they are checked together.
    pub fn whole(&mut self) -> &Compiled {
        self.compiled(None)
    }

    /// Runs the tests of one file whose names `wanted` takes. `path` is relative to where `rules/` is.
    pub fn run(&mut self, path: &str, text: &str, wanted: &dyn Fn(&str) -> bool) -> FileResult {
        let (file, problems) = read_test(path, text, &self.catalogue.clinic.calendar);
        let Some(file) = file else { return FileResult { problems, ..FileResult::default() } };
        let chosen = match file.rules.as_ref().map(|rules| self.chosen(&file, rules)) {
            Some(Err(problem)) => return FileResult { problems: vec![*problem], ..FileResult::default() },
            Some(Ok(chosen)) => Some(chosen),
            None => None,
        };
        let catalogue = self.catalogue;
        let compiled = self.compiled(chosen);
        let Some(ruleset) = &compiled.ruleset else {
            return FileResult { problems: compiled.diagnostics.clone(), ..FileResult::default() };
        };
        let problems = check_names(&file, ruleset);
        if !problems.is_empty() {
            return FileResult { problems, ..FileResult::default() };
        }
        run_file(catalogue, ruleset, &file, wanted)
    }

    /// The rule files that a test file names, relative to itself.
    fn chosen(&self, file: &TestFile, names: &[Spot]) -> Result<BTreeSet<String>, Box<Diagnostic>> {
        names.iter().map(|name| self.resolve(&file.path, name)).collect()
    }

    fn resolve(&self, test: &str, name: &Spot) -> Result<String, Box<Diagnostic>> {
        let mut parts: Vec<&str> = test.split('/').collect();
        parts.pop();
        for part in name.text.split('/') {
            match part {
                "." | "" => {}
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        let path = parts.join("/");
        if self.sources.files.contains_key(&path) {
            return Ok(path);
        }
        // A test file outside of the rules folder names its rules by their own paths.
        let known: Vec<&str> = self.sources.files.keys().map(String::as_str).filter(|p| is_rule_file(p)).collect();
        let plain = name.text.trim_start_matches("../").trim_start_matches("./");
        let found = known.iter().find(|k| **k == plain || k.strip_prefix("rules/") == Some(plain));
        found.map(|k| (*k).to_owned()).ok_or_else(|| Box::new(no_rule_file(test, name, &known)))
    }

    fn compiled(&mut self, chosen: Option<BTreeSet<String>>) -> &Compiled {
        let (sources, catalogue) = (self.sources, self.catalogue);
        self.compiled.entry(chosen.clone()).or_insert_with(|| match chosen {
            None => compile(sources, catalogue),
            Some(chosen) => {
                let kept = sources.files.iter().filter(|(path, _)| !is_rule_file(path) || chosen.contains(*path));
                compile(&Sources { files: kept.map(|(p, t)| (p.clone(), t.clone())).collect() }, catalogue)
            }
        })
    }
}

/// Promises hold for every test, whatever rules it names.
fn is_rule_file(path: &str) -> bool {
    let yaml = std::path::Path::new(path).extension().is_some_and(|e| e == "yaml" || e == "yml");
    path.starts_with("rules/") && yaml && path != "rules/policies.yaml"
}

fn run_file(catalogue: &Catalogue, ruleset: &Ruleset, file: &TestFile, wanted: &dyn Fn(&str) -> bool) -> FileResult {
    let rules = Rules { ruleset, revision: REVISION, clinic: &catalogue.clinic, pipelines: &catalogue.pipelines };
    let mut result = FileResult::default();
    for case in &file.cases {
        match case {
            Case::Story(story) if wanted(&story.name.text) => {
                let mut coverage = Coverage::default();
                let start = story.start.unwrap_or(file.start);
                let failures = play::play(rules, start, &file.given, story, &mut coverage);
                result.coverage.merge(coverage);
                result.tests.push(TestResult { name: story.name.text.clone(), line: story.name.at.line, failures });
            }
            Case::Call(row) if wanted(&row.text.text) => {
                result.tests.push(table::run(rules, file.start, &file.given, row));
            }
            _ => {}
        }
    }
    result
}

impl FileResult {
    /// Adds what this file has seen to what others have.
    pub fn covers(&self, all: &mut Coverage) {
        all.merge(self.coverage.clone());
    }
}
