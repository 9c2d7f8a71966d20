//! For each code a file that has the problem, and one that has not. A test compiles them all.

mod expressions;
mod files;
mod flow;
mod further;
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
    /// A file that stands beside both.
    pub beside: Option<(&'static str, &'static str)>,
    /// The file as it was in force before.
    pub before: Option<&'static str>,
}

/// Stands in an example for as much more of the same as a limit needs.
pub const AND_SO_ON: &str = "…and so on";

const RULES: &str = "rules/example.yaml";
const PIPELINES: &str = "config/pipelines.yaml";
const SCRIPT: &str = "rules/scripts/example.rhai";
const TEXT: &str = "sms_templates/example.hbs";

/// Every example, in the order of codes.
pub fn examples() -> impl Iterator<Item = &'static Example> {
    let rules = [files::EXAMPLES, references::EXAMPLES, flow::EXAMPLES, expressions::EXAMPLES];
    rules.into_iter().chain([whole::EXAMPLES, further::EXAMPLES, scripts::EXAMPLES]).flatten()
}

/// The example of a code; scripts' and templates' type errors share those of the rules.
#[must_use]
pub fn example_of(code: &str) -> Option<&'static Example> {
    examples().find(|e| e.code == code)
}

impl Example {
    const fn of(file: &'static str, code: &'static str, wrong: &'static str, right: &'static str) -> Self {
        Self { code, file, wrong, right, beside: None, before: None }
    }

    const fn with(mut self, file: &'static str, text: &'static str) -> Self {
        self.beside = Some((file, text));
        self
    }

    const fn after(mut self, before: &'static str) -> Self {
        self.before = Some(before);
        self
    }
}

const fn of_rules(code: &'static str, wrong: &'static str, right: &'static str) -> Example {
    Example::of(RULES, code, wrong, right)
}
const fn of_script(code: &'static str, wrong: &'static str, right: &'static str) -> Example {
    Example::of(SCRIPT, code, wrong, right)
}
const fn of_text(code: &'static str, wrong: &'static str, right: &'static str) -> Example {
    Example::of(TEXT, code, wrong, right)
}
