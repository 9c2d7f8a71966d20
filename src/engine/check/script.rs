//! `rules/scripts/*.rhai`: signatures and function bodies.

use super::scope::Scope;
use super::signature::{self, Signature};
use super::ty::Ty;
use super::walk::{Finding, Walker};
use super::{Environment, parser};
use crate::engine::diagnostic::{Severity, names};
use crate::engine::functions::FUNCTIONS;
use crate::engine::ruleset::Catalogue;
use crate::engine::source::{Place, Problems, SourceFile};
use rhai::{AST, ASTNode, Position, Stmt};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Largest script.
const SCRIPT_BYTES_MAX: usize = 32 * 1024;

/// Arms of all `switch` in one script: parsing takes the square of them.
const ARMS_MAX: usize = 1_000;

/// A function of a script, as its signature says.
#[derive(Clone, Debug)]
pub(crate) struct ScriptFunction {
    pub name: String,
    pub params: Vec<(String, Ty)>,
    pub result: Ty,
    /// Where it is defined.
    file: Arc<str>,
    line: usize,
}

/// The functions of all scripts, by name.
#[derive(Default)]
pub(crate) struct Functions {
    by_name: BTreeMap<String, ScriptFunction>,
}

impl Functions {
    /// The file of each function, for messages of the script host.
    pub fn files(&self) -> BTreeMap<String, Arc<str>> {
        self.by_name.values().map(|f| (f.name.clone(), Arc::clone(&f.file))).collect()
    }
}

impl Functions {
    pub fn find(&self, name: &str) -> Option<&ScriptFunction> {
        self.by_name.get(name)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }
}

/// Checks all scripts together: each may call the functions of the others.
pub(crate) fn check_scripts(files: &[SourceFile], catalogue: &Catalogue, problems: &mut Problems) -> (Functions, AST) {
    let mut functions = Functions::default();
    let mut parsed: Vec<(&SourceFile, AST)> = Vec::new();
    for file in files {
        if let Some(ast) = parse(file, problems) {
            declare(file, &ast, &mut functions, problems);
            parsed.push((file, ast));
        }
    }
    let env = Environment { functions: &functions, catalogue };
    for (file, ast) in &parsed {
        check_bodies(&env, file, ast, problems);
    }
    let mut parsed = parsed.into_iter().map(|(_, ast)| ast);
    let mut all = parsed.next().unwrap_or_else(AST::empty);
    for ast in parsed {
        all.combine(ast);
    }
    (functions, all)
}

fn parse(file: &SourceFile, problems: &mut Problems) -> Option<AST> {
    if file.text.len() > SCRIPT_BYTES_MAX {
        let at = Place { line: 1, column: 1, width: 1 };
        let message = format!("a script has at most {SCRIPT_BYTES_MAX} bytes, and this one has {}", file.text.len());
        problems.error(names::FILE_TOO_LARGE, &file.path, at, message, None);
        return None;
    }
    if let Some((at, _)) = file.text.match_indices("=>").nth(ARMS_MAX) {
        let line = file.text.get(..at).unwrap_or("").lines().count().max(1);
        let message = format!("a script has at most {ARMS_MAX} arms of `switch`");
        problems.error(names::TOO_MANY, &file.path, Place { line, column: 1, width: 1 }, message, None);
        return None;
    }
    match parser().compile(&file.text) {
        Ok(mut ast) => {
            ast.set_source(file.path.as_ref());
            for statement in ast.statements().iter().filter(|s| !s.is_noop()).take(1) {
                let help = Some("put it into a function, or delete it".to_owned());
                problems.error(
                    names::OUTSIDE_FUNCTION,
                    &file.path,
                    place(statement.position(), 1),
                    "this is outside of a function",
                    help,
                );
            }
            Some(ast)
        }
        Err(error) => {
            let message = error.err_type().to_string();
            problems.error(names::SCRIPT_SYNTAX, &file.path, place(error.position(), 1), message, None);
            None
        }
    }
}

fn declare(file: &SourceFile, ast: &AST, functions: &mut Functions, problems: &mut Problems) {
    for found in signature::find_all(&file.text) {
        let Some(script) = ast.iter_functions().find(|f| f.name == found.name) else { continue };
        let at = Place { line: found.line, column: found.column, width: found.name.chars().count() };
        let mut error = |code, message: String, help| problems.error(code, &file.path, at, message, help);
        if FUNCTIONS.iter().any(|f| f.name == found.name) {
            error(names::DUPLICATE_FUNCTION, format!("`{}` is a built-in function", found.name), None);
            continue;
        }
        if let Some(first) = functions.find(&found.name) {
            error(
                names::DUPLICATE_FUNCTION,
                format!("`{}` is defined twice; the first is at {}:{}", found.name, first.file, first.line),
                None,
            );
            continue;
        }
        let example = signature::example(&found.name, &script.params);
        let signature = match found.signature {
            None => {
                error(
                    names::NO_SIGNATURE,
                    format!("`{}` has no signature", found.name),
                    Some(format!("write above it: {example}")),
                );
                Signature::unknown(&script.params)
            }
            Some(Err(why)) => {
                error(names::NO_SIGNATURE, why, Some(format!("write it like this: {example}")));
                Signature::unknown(&script.params)
            }
            Some(Ok(signature)) => {
                let same = signature.params.iter().map(|(name, _)| name.as_str()).eq(script.params.iter().copied());
                if signature.name != found.name || !same {
                    let message = format!(
                        "the signature says `{}`, the function is `{}`",
                        signature.head(),
                        signature::head(&found.name, &script.params)
                    );
                    error(names::BAD_SIGNATURE, message, Some(format!("write above it: {example}")));
                }
                signature
            }
        };
        let function = ScriptFunction {
            name: found.name.clone(),
            params: signature.params,
            result: signature.result,
            file: file.path.clone(),
            line: found.line,
        };
        functions.by_name.insert(found.name, function);
    }
}

fn check_bodies(env: &Environment<'_>, file: &SourceFile, ast: &AST, problems: &mut Problems) {
    for function in env.functions.by_name.values().filter(|f| f.file == file.path) {
        let body = body_of(ast, &function.name);
        let mut scope = Scope::default();
        for (name, ty) in &function.params {
            scope.declare(name, *ty);
        }
        let mut walker = Walker::new(env, scope, &file.text, true);
        let last = walker.body(&body);
        let results: Vec<(Ty, Position)> = walker.returns.iter().copied().chain(last).collect();
        for (ty, position) in results {
            check_result(&mut walker, function, ty, position);
        }
        for finding in walker.found {
            report(file, finding, problems);
        }
    }
}

fn check_result(walker: &mut Walker<'_>, function: &ScriptFunction, ty: Ty, position: Position) {
    if ty.fits(function.result) {
        return;
    }
    let message =
        format!("`{}` gives {} by its signature, and this is {}", function.name, function.result.describe(), ty.describe());
    let help = ty.maybe.then(|| "it may be missing: test it first, or add `?` to the signature's type".to_owned());
    let width = walker.width_at(position);
    walker.error(names::BAD_SIGNATURE, position, width, message, help);
}

/// The statements of one function. Rhai shows a function's body only by walking a tree that has no other function.
fn body_of(ast: &AST, name: &str) -> Vec<Stmt> {
    let mut only = ast.clone_functions_only();
    only.retain_functions(|_, _, function, _| function == name);
    let mut statements = Vec::new();
    only.walk(&mut |path: &[ASTNode<'_>]| {
        if let [ASTNode::Stmt(statement)] = path {
            statements.push((*statement).clone());
        }
        true
    });
    statements
}

fn report(file: &SourceFile, finding: Finding, problems: &mut Problems) {
    let at = place(finding.position, finding.width);
    let code = finding.code.replacen("R0", "S0", 1);
    match finding.severity {
        Severity::Error => problems.error(&code, &file.path, at, finding.message, finding.help),
        Severity::Warning => problems.warning(&code, &file.path, at, finding.message, finding.help),
    }
}

fn place(position: Position, width: usize) -> Place {
    Place { line: position.line().unwrap_or(1), column: position.position().unwrap_or(1).max(1), width }
}
