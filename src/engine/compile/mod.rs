//! From the text of all files to a ruleset, or to everything that is wrong with them.

mod flow;
mod outline;
mod policies;
mod rule;
mod step;
mod trigger;

use super::check::{
    CheckedTemplate, Environment, RuleOutline, TemplateRead, Whole, check_scripts, check_template, check_whole, outline,
    template_name,
};
use super::diagnostic::{Diagnostic, Severity, names};
use super::ruleset::{Catalogue, Rule, Ruleset, Sources, Template};
use super::ruletest::is_test_file;
use super::smoke::smoke;
use super::source::{Place, Problems, SourceFile, read};
use super::syntax::{FileReader, RULES_MAX, RuleSyntax};
use outline::Outlines;
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
    let (rules, outlines) = check_rules(sources, &env, &templates, &mut problems);
    let promises = policies::check_promises(sources, &env, &mut problems);
    let texts: Vec<&str> = scripts.iter().map(|s| s.text.as_str()).collect();
    let whole = Whole { rules: &rules, outlines: &outlines, templates: &templates.for_rules, scripts: &texts, catalogue };
    check_whole(&whole, &mut problems);
    let mut diagnostics = problems.found;
    sort(&mut diagnostics);
    let failed = diagnostics.iter().any(|d| d.severity == Severity::Error);
    let ruleset = (!failed).then(|| {
        let ruleset = Ruleset::new(sources.hash(), rules, templates.compiled, ast, catalogue.clone());
        let bodies = outlines.iter().map(|o| (o.id.text.clone(), o.body.clone())).collect();
        let was = outlines.iter().filter_map(|o| Some((o.id.text.clone(), o.was.clone()?))).collect();
        Ruleset { bodies, was, promises, ..ruleset }.with_function_files(functions.files())
    });
    Compiled { ruleset, diagnostics }
}

/// Compiles, and tries every rule out with made-up records: what a candidate goes through before it is in force.
#[must_use]
pub fn compile_and_try(sources: &Sources, catalogue: &Catalogue) -> Compiled {
    let mut compiled = compile(sources, catalogue);
    if let Some(ruleset) = &compiled.ruleset {
        let failures = smoke(ruleset);
        if !failures.is_empty() {
            compiled.ruleset = None;
            compiled.diagnostics.extend(failures);
            sort(&mut compiled.diagnostics);
        }
    }
    compiled
}

fn sort(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics
        .sort_by(|a, b| (&a.file, a.line, a.column, &a.code, &a.message).cmp(&(&b.file, b.line, b.column, &b.code, &b.message)));
    diagnostics.dedup();
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
    path.starts_with("rules/") && yaml && !is_test_file(path) && path != policies::POLICIES
}

/// All templates by name.
pub(super) struct Templates {
    compiled: BTreeMap<String, Template>,
    reads: HashMap<String, Vec<TemplateRead>>,
    /// Also those with problems of their own.
    known: BTreeSet<String>,
    /// Name and file of those that rules are expected to send.
    for_rules: Vec<(String, String)>,
}

impl Templates {
    fn check(sources: &Sources, catalogue: &Catalogue, problems: &mut Problems) -> Self {
        let mut all = Self { compiled: BTreeMap::new(), reads: HashMap::new(), known: BTreeSet::new(), for_rules: Vec::new() };
        for file in files(sources, |path| path.starts_with("sms_templates/") && has_ending(path, "hbs")) {
            all.known.insert(template_name(&file.path).to_owned());
            if let Some(CheckedTemplate { template, reads, staff }) = check_template(&file, catalogue, problems) {
                if !staff {
                    all.for_rules.push((template.name.clone(), file.path.to_string()));
                }
                all.reads.insert(template.name.clone(), reads);
                all.compiled.insert(template.name.clone(), template);
            }
        }
        all
    }
}

fn check_rules(
    sources: &Sources,
    env: &Environment<'_>,
    templates: &Templates,
    problems: &mut Problems,
) -> (Vec<Rule>, Vec<RuleOutline>) {
    let files = files(sources, is_rule_file);
    let mut syntax: Vec<(&SourceFile, RuleSyntax)> = Vec::new();
    let mut seen = Vec::new();
    for file in &files {
        syntax.extend(syntax_of(file, &mut seen, problems).into_iter().map(|rule| (file, rule)));
    }
    syntax.truncate(unique(&syntax, problems));
    let outlines = Outlines::of(syntax.iter().map(|(_, rule)| rule));
    let mut rules = Vec::with_capacity(syntax.len());
    for (file, rule) in syntax {
        rules.push(Lowering { env, templates, outlines: &outlines, file, problems }.rule(rule));
    }
    (rules, seen)
}

/// Reports rules with one id. How many rules there may be, of those that there are.
fn unique(rules: &[(&SourceFile, RuleSyntax)], problems: &mut Problems) -> usize {
    let mut ids: HashMap<&str, String> = HashMap::new();
    for (index, (file, rule)) in rules.iter().enumerate() {
        if ids.len() >= RULES_MAX {
            let message = format!("there are more than {RULES_MAX} rules");
            problems.error(names::TOO_MANY, &file.path, rule.id.at, message, None);
            return index;
        }
        if let Some(first) = ids.get(rule.id.text.as_str()) {
            let message = format!("two rules are called `{}`; the first is at {first}", rule.id.text);
            problems.error(names::DUPLICATE_RULE, &file.path, rule.id.at, message, None);
        } else {
            ids.insert(&rule.id.text, format!("{}:{}", file.path, rule.id.at.line));
        }
    }
    rules.len()
}

fn syntax_of(file: &SourceFile, outlines: &mut Vec<RuleOutline>, problems: &mut Problems) -> Vec<RuleSyntax> {
    if file.text.len() > RULE_FILE_BYTES_MAX {
        let at = Place { line: 1, column: 1, width: 1 };
        let message = format!("a rule file has at most {RULE_FILE_BYTES_MAX} bytes, and this one has {}", file.text.len());
        problems.error(names::FILE_TOO_LARGE, &file.path, at, message, Some("split it: all files in rules/ are read".to_owned()));
        return Vec::new();
    }
    match read(file, problems) {
        Some(root) => {
            outlines.extend(outline(&root, &file.path));
            FileReader::new(file, problems).rules(root)
        }
        None => Vec::new(),
    }
}
