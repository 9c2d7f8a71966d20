//! From the text of all files to a ruleset, or to everything that is wrong with them.

mod rule;
mod step;
mod trigger;

use super::check::{Environment, TemplateRead, check_scripts, check_template, template_name};
use super::diagnostic::{Diagnostic, Severity, names};
use super::ruleset::{Catalogue, Rule, Ruleset, Sources, Template};
use super::ruletest::is_test_file;
use super::source::{Place, Problems, SourceFile, read};
use super::syntax::{FileReader, RULES_MAX, RuleSyntax};
use rule::Lowering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

/// Largest rule file.
const RULE_FILE_BYTES_MAX: usize = 256 * 1024;

/// What came of compiling.
pub struct Compiled {
    /// There exactly if no diagnostic is an error.
    pub ruleset: Option<Ruleset>,
    /// Sorted by file, line and column.
    pub diagnostics: Vec<Diagnostic>,
}

/// Compiles all files together. Reports every problem it finds, not only the first.
#[must_use]
pub fn compile(sources: &Sources, catalogue: &Catalogue) -> Compiled {
    let mut problems = Problems::default();
    let scripts = files(sources, |path| path.starts_with("rules/scripts/") && has_ending(path, "rhai"));
    let (functions, ast) = check_scripts(&scripts, catalogue, &mut problems);
    let templates = Templates::check(sources, catalogue, &mut problems);
    let env = Environment { functions: &functions, catalogue };
    let rules = check_rules(sources, &env, &templates, &mut problems);
    let mut diagnostics = problems.found;
    diagnostics
        .sort_by(|a, b| (&a.file, a.line, a.column, &a.code, &a.message).cmp(&(&b.file, b.line, b.column, &b.code, &b.message)));
    diagnostics.dedup();
    let failed = diagnostics.iter().any(|d| d.severity == Severity::Error);
    let ruleset = (!failed).then(|| {
        Ruleset::new(sources.hash(), rules, templates.compiled, ast, catalogue.clone()).with_function_files(functions.files())
    });
    Compiled { ruleset, diagnostics }
}

fn files(sources: &Sources, wanted: impl Fn(&str) -> bool) -> Vec<SourceFile> {
    sources.files.iter().filter(|(path, _)| wanted(path)).map(|(path, text)| SourceFile::new(path, text)).collect()
}

fn has_ending(path: &str, ending: &str) -> bool {
    Path::new(path).extension().is_some_and(|e| e == ending)
}

/// Tests stand beside the rules; promises are read elsewhere.
fn is_rule_file(path: &str) -> bool {
    let yaml = has_ending(path, "yaml") || has_ending(path, "yml");
    path.starts_with("rules/") && yaml && !is_test_file(path) && path != "rules/policies.yaml"
}

/// All templates by name.
pub(super) struct Templates {
    compiled: BTreeMap<String, Template>,
    reads: HashMap<String, Vec<TemplateRead>>,
    /// Also those with problems of their own.
    known: BTreeSet<String>,
}

impl Templates {
    fn check(sources: &Sources, catalogue: &Catalogue, problems: &mut Problems) -> Self {
        let mut all = Self { compiled: BTreeMap::new(), reads: HashMap::new(), known: BTreeSet::new() };
        for file in files(sources, |path| path.starts_with("sms_templates/") && has_ending(path, "hbs")) {
            all.known.insert(template_name(&file.path).to_owned());
            if let Some((template, reads)) = check_template(&file, catalogue, problems) {
                all.reads.insert(template.name.clone(), reads);
                all.compiled.insert(template.name.clone(), template);
            }
        }
        all
    }
}

fn check_rules(sources: &Sources, env: &Environment<'_>, templates: &Templates, problems: &mut Problems) -> Vec<Rule> {
    let mut rules = Vec::new();
    let mut ids: HashMap<String, String> = HashMap::new();
    for file in files(sources, is_rule_file) {
        for syntax in syntax_of(&file, problems) {
            if ids.len() >= RULES_MAX {
                let message = format!("there are more than {RULES_MAX} rules");
                problems.error(names::TOO_MANY, &file.path, syntax.id.at, message, None);
                return rules;
            }
            let here = format!("{}:{}", file.path, syntax.id.at.line);
            if let Some(first) = ids.get(&syntax.id.text) {
                let message = format!("two rules are called `{}`; the first is at {first}", syntax.id.text);
                problems.error(names::DUPLICATE_RULE, &file.path, syntax.id.at, message, None);
            } else {
                ids.insert(syntax.id.text.clone(), here);
            }
            let mut lowering = Lowering { env, templates, file: &file, problems };
            rules.push(lowering.rule(syntax));
        }
    }
    rules
}

fn syntax_of(file: &SourceFile, problems: &mut Problems) -> Vec<RuleSyntax> {
    if file.text.len() > RULE_FILE_BYTES_MAX {
        let at = Place { line: 1, column: 1, width: 1 };
        let message = format!("a rule file has at most {RULE_FILE_BYTES_MAX} bytes, and this one has {}", file.text.len());
        problems.error(names::FILE_TOO_LARGE, &file.path, at, message, Some("split it: all files in rules/ are read".to_owned()));
        return Vec::new();
    }
    match read(file, problems) {
        Some(root) => FileReader::new(file, problems).rules(root),
        None => Vec::new(),
    }
}
