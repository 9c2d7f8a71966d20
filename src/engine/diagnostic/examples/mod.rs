//! For each code a file that has the problem, and one that has not. A test compiles them all.

mod expressions;
mod files;
mod flow;
mod references;
mod scripts;
mod whole;

/// One mistake, and how it is put right.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    pub code: &'static str,
    /// Which kind of file it is.
    pub file: &'static str,
    pub wrong: &'static str,
    pub right: &'static str,
}

/// Stands in an example for as much more of the same as a limit needs.
pub const AND_SO_ON: &str = "…and so on";

const RULES: &str = "rules/example.yaml";
const SCRIPT: &str = "rules/scripts/example.rhai";
const TEXT: &str = "sms_templates/example.hbs";

/// Every example, in the order of codes.
pub fn examples() -> impl Iterator<Item = &'static Example> {
    [files::EXAMPLES, references::EXAMPLES, flow::EXAMPLES, expressions::EXAMPLES, whole::EXAMPLES, scripts::EXAMPLES]
        .into_iter()
        .flatten()
}

/// The example of a code; scripts' and templates' type errors share those of the rules.
#[must_use]
pub fn example_of(code: &str) -> Option<&'static Example> {
    examples().find(|e| e.code == code)
}

const fn of_rules(code: &'static str, wrong: &'static str, right: &'static str) -> Example {
    Example { code, file: RULES, wrong, right }
}
const fn of_script(code: &'static str, wrong: &'static str, right: &'static str) -> Example {
    Example { code, file: SCRIPT, wrong, right }
}
const fn of_text(code: &'static str, wrong: &'static str, right: &'static str) -> Example {
    Example { code, file: TEXT, wrong, right }
}
