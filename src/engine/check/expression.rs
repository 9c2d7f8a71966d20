//! One expression of a rule: parse, check, and hand over what evaluation needs.

use super::scope::Scope;
use super::ty::{Ty, describe};
use super::walk::{Walker, start_of, token_width};
use super::{Environment, flow, parser};
use crate::engine::diagnostic::{Severity, names};
use crate::engine::ruleset;
use crate::engine::schema::Type;
use crate::engine::source::{Place, Problems, Scalar, SourceFile};
use crate::engine::syntax::did_you_mean;
use rhai::{AST, Expr, ParseError, Position, Stmt};

/// Longest expression.
const EXPRESSION_BYTES_MAX: usize = 4 * 1024;

/// What an expression must come to.
pub(crate) enum Wanted<'w> {
    Anything,
    /// A condition.
    Truth,
    /// Something that reads well in a text.
    Printable,
    /// A value of this type; the name of what takes it, for messages.
    Value {
        ty: Ty,
        what: &'w str,
    },
}

/// An expression without errors.
pub(crate) struct Checked {
    pub expr: ruleset::Expr,
    pub ty: Ty,
    /// Paths that are there if it is true.
    pub proves: Vec<String>,
    /// Paths that are there if it is false.
    pub disproves: Vec<String>,
}

/// A part of a scalar: the expression's text and where in the value it begins, in characters.
#[derive(Clone, Copy)]
pub(crate) struct Part<'p> {
    pub file: &'p SourceFile,
    pub scalar: &'p Scalar,
    pub text: &'p str,
    pub skip: usize,
}

impl<'p> Part<'p> {
    pub fn whole(file: &'p SourceFile, scalar: &'p Scalar) -> Self {
        Self { file, scalar, text: &scalar.text, skip: 0 }
    }

    fn place(&self, position: Position, width: usize) -> Place {
        let line = position.line().unwrap_or(1);
        let column = position.position().unwrap_or(1).max(1);
        let before: usize = self.text.split('\n').take(line - 1).map(|l| l.chars().count() + 1).sum();
        let at = (before + column - 1).min(self.text.chars().count());
        self.scalar.place_of(self.file, self.skip + at, width)
    }
}

/// Checks an expression in its scope. `None` when a problem was reported.
pub(crate) fn check_expression(
    env: &Environment<'_>,
    part: Part<'_>,
    scope: &Scope,
    wanted: &Wanted<'_>,
    problems: &mut Problems,
) -> Option<Checked> {
    if part.text.len() > EXPRESSION_BYTES_MAX {
        let message = format!("an expression has at most {EXPRESSION_BYTES_MAX} bytes; write a function in rules/scripts/");
        problems.error(names::FILE_TOO_LARGE, &part.file.path, part.scalar.at, message, None);
        return None;
    }
    let mut ast = match parser().compile_expression(part.text) {
        Ok(ast) => ast,
        Err(error) => {
            report_syntax(&part, &error, problems);
            return None;
        }
    };
    ast.set_source(part.file.path.as_ref());
    let root = root_of(&ast)?;
    let mut walker = Walker::new(env, scope.clone(), part.text, false);
    let ty = walker.expr(root);
    check_result(&mut walker, root, ty, wanted);
    let (proves, disproves) = (flow::proves(root, true), flow::proves(root, false));
    let (found, reads) = (walker.found, walker.reads);
    let failed = found.iter().any(|f| f.severity == Severity::Error);
    for finding in found {
        let at = part.place(finding.position, finding.width);
        match finding.severity {
            Severity::Error => problems.error(finding.code, &part.file.path, at, finding.message, finding.help),
            Severity::Warning => problems.warning(finding.code, &part.file.path, at, finding.message, finding.help),
        }
    }
    if failed {
        return None;
    }
    let first = part.place(Position::new(1, 1), 1);
    let expr = ruleset::Expr {
        text: part.text.trim().to_owned(),
        ast,
        file: part.file.path.clone(),
        line: first.line,
        column: first.column,
        reads,
    };
    Some(Checked { expr, ty, proves, disproves })
}

fn root_of(ast: &AST) -> Option<&Expr> {
    match ast.statements().first() {
        Some(Stmt::Expr(expr)) => Some(expr),
        _ => None,
    }
}

fn check_result(walker: &mut Walker<'_>, root: &Expr, ty: Ty, wanted: &Wanted<'_>) {
    let at = start_of(root);
    let width = walker.text.trim().lines().next().map_or(1, |line| line.chars().count());
    if !walker.found.is_empty() && ty.is_unknown() {
        return;
    }
    match wanted {
        Wanted::Anything => {}
        Wanted::Truth if ty.is_unknown() || ty.is(Type::Bool) => {}
        Wanted::Truth => {
            let message = format!("a condition is true or false, and this is {}", ty.describe());
            let help = Some("compare it with something, such as `== \"yes\"` or `> 0`".to_owned());
            walker.error(names::NOT_BOOLEAN, at, width, message, help);
        }
        Wanted::Printable if ty.is_printable() => {}
        Wanted::Printable => {
            let message = format!("{} cannot stand in a text", ty.describe());
            walker.error(names::WRONG_RESULT, at, width, message, Some("name one of its fields".to_owned()));
        }
        Wanted::Value { ty: wanted, what } if ty.fits(*wanted) => {
            if let Some(words) = wanted.words() {
                check_words(walker, root, words, what);
            }
        }
        Wanted::Value { ty: wanted, what } => {
            if ty.maybe && ty.optional(false).fits(*wanted) {
                let message = format!("this may be missing, and {what} needs {}", wanted.describe());
                let help = Some("give a stand-in: `… ?? value`, or test it in an earlier `if`".to_owned());
                walker.error(names::MAYBE_MISSING, at, width, message, help);
                return;
            }
            let message = format!("{what} is {}, and this is {}", wanted.describe(), ty.describe());
            walker.error(names::WRONG_RESULT, at, width, message, result_hint(ty, *wanted));
        }
    }
}

/// Words that the expression can come to must be among those of the field.
fn check_words(walker: &mut Walker<'_>, expr: &Expr, words: &'static [&'static str], what: &str) {
    match expr {
        Expr::StringConstant(word, position) if !words.contains(&word.as_str()) => {
            let message = format!("\"{word}\" is not a value of {what}");
            let help = did_you_mean(word, words, "it can be");
            walker.error(names::UNKNOWN_VALUE, *position, word.chars().count() + 2, message, help);
        }
        Expr::Stmt(block) => {
            if let Some(Stmt::If(flow, _)) = block.statements().last() {
                for branch in [&flow.body, &flow.branch] {
                    if let Some(Stmt::Expr(last)) = branch.statements().last() {
                        check_words(walker, last, words, what);
                    }
                }
            }
        }
        _ => {}
    }
}

fn result_hint(ty: Ty, wanted: Ty) -> Option<String> {
    if wanted.is(Type::Time) && ty.is(Type::Duration) {
        return Some(format!("add the duration to {}: `now + 2.hours`", describe(Type::Time)));
    }
    (wanted.is(Type::Int) && ty.is(Type::Float)).then(|| "round it: `round(…)`".to_owned())
}

fn report_syntax(part: &Part<'_>, error: &ParseError, problems: &mut Problems) {
    let position = error.position();
    let text = part.text;
    let at = part.place(position, token_width(text, position));
    let trapped = part.scalar.in_flow && part.scalar.is_plain() && is_open(text);
    let rest: String = text.chars().skip(position.position().unwrap_or(1).saturating_sub(1)).collect();
    let (code, message, help) = if trapped {
        let help = "put quotes around the expression, or write the keys on lines of their own";
        (names::EXPR_SYNTAX, "the expression is cut off: inside { } a comma ends the value".to_owned(), Some(help))
    } else if rest.starts_with('=') && position.position() == Some(1) {
        (names::EXPR_SYNTAX, "a condition does not begin with `=`".to_owned(), Some("leave the `=` out"))
    } else if rest.starts_with('=') && !rest.starts_with("==") {
        (names::SINGLE_EQUALS, "`=` does not compare".to_owned(), Some("write `==`"))
    } else {
        (names::EXPR_SYNTAX, explain(error), word_hint(&rest))
    };
    problems.error(code, &part.file.path, at, message, help.map(str::to_owned));
}

fn explain(error: &ParseError) -> String {
    use rhai::{LexError, ParseErrorType as Kind};
    match error.err_type() {
        Kind::UnexpectedEOF => "the expression ends too early".to_owned(),
        Kind::BadInput(LexError::UnexpectedInput(what)) => format!("`{what}` does not belong here"),
        Kind::BadInput(LexError::UnterminatedString) => "a quote is not closed".to_owned(),
        Kind::BadInput(LexError::ImproperSymbol(word, _)) if word == "eval" || word == "print" || word == "debug" => {
            format!("`{word}` is not available")
        }
        Kind::Reserved(word) => format!("`{word}` is not available in expressions"),
        Kind::PropertyExpected => "the name of a field is missing after the dot".to_owned(),
        Kind::MissingToken(token, what) => format!("`{token}` is missing {what}"),
        Kind::ExprTooDeep => "the expression is nested too deeply".to_owned(),
        Kind::UnknownOperator(operator) => format!("there is no operator `{operator}`"),
        other => other.to_string(),
    }
}

fn word_hint(rest: &str) -> Option<&'static str> {
    let word: String = rest.chars().take_while(|c| !c.is_whitespace()).collect();
    match word.as_str() {
        "AND" | "&" | "," => Some("write `and`"),
        "OR" | "|" => Some("write `or`"),
        "NOT" => Some("write `not`"),
        "is" | "equals" | "eq" => Some("write `==`"),
        "<>" | ">" | "isnt" => Some("for \"is not\" write `!=`"),
        "null" | "nil" | "None" => Some("a missing value is `()`"),
        "?" => Some("write `if condition { a } else { b }`"),
        "let" | "fn" => Some("statements belong into a function in rules/scripts/"),
        _ => None,
    }
}

/// A bracket is opened and not closed.
fn is_open(text: &str) -> bool {
    let count = |open: char, close: char| text.matches(open).count() > text.matches(close).count();
    count('(', ')') || count('[', ']') || text.matches('"').count() % 2 == 1
}
