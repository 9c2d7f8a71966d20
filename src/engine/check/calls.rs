//! Calls of functions and methods.

use super::chain::Link;
use super::script::ScriptFunction;
use super::ty::{Ty, UNKNOWN, describe, of};
use super::walk::Walker;
use crate::engine::diagnostic::names;
use crate::engine::functions::{FUNCTIONS, Signature};
use crate::engine::schema::Type;
use crate::engine::syntax::did_you_mean;
use rhai::{Expr, FnCallExpr, Position};

/// One value handed to a function.
struct Argument {
    link: Link,
    width: usize,
}

impl Walker<'_> {
    pub(super) fn call(&mut self, call: &FnCallExpr, position: Position) -> Ty {
        if call.is_operator_call() || is_membership(call, position) {
            return self.operator(call, position);
        }
        let arguments = call.args.iter().map(|a| self.argument(a)).collect();
        self.apply(&call.name, arguments, position)
    }

    pub(super) fn method(&mut self, receiver: &Link, call: &FnCallExpr, position: Position) -> Ty {
        let link = Link { ty: receiver.ty, path: receiver.path.clone(), position: receiver.position, read: None };
        let width = link.path.as_ref().map_or(1, |p| p.chars().count());
        let mut arguments = vec![Argument { link, width }];
        arguments.extend(call.args.iter().map(|a| self.argument(a)));
        self.apply(&call.name, arguments, position)
    }

    fn argument(&mut self, expr: &Expr) -> Argument {
        let link = self.operand(expr);
        let width = self.width_at(link.position);
        Argument { link, width }
    }

    fn apply(&mut self, name: &str, arguments: Vec<Argument>, position: Position) -> Ty {
        let env = self.env;
        if let Some(function) = env.functions.find(name) {
            return self.apply_script(function, &arguments, position);
        }
        if name == "contains" && arguments.first().is_some_and(|list| list.link.ty.is_list()) && arguments.len() == 2 {
            return of(Type::Bool);
        }
        let overloads: Vec<&Signature> = FUNCTIONS.iter().filter(|f| f.name == name).collect();
        if overloads.is_empty() {
            return self.unknown_function(name, position);
        }
        for argument in &arguments {
            self.require(&argument.link, &format!("and `{name}` needs it"));
        }
        let Some(signature) = choose(&overloads, &arguments) else {
            let takes = overloads[0].params.len();
            self.wrong_count(name, takes, arguments.len(), position);
            return of(overloads[0].result);
        };
        for (argument, wanted) in arguments.iter().zip(signature.params) {
            if !accepts(argument.link.ty, *wanted) {
                self.wrong_argument(name, argument, &describe(*wanted), of(*wanted));
            }
        }
        let one_result = overloads.iter().all(|o| o.result == signature.result);
        let undecided = !one_result && arguments.iter().any(|a| a.link.ty.is_unknown());
        if undecided { UNKNOWN } else { of(signature.result) }
    }

    fn apply_script(&mut self, function: &ScriptFunction, arguments: &[Argument], position: Position) -> Ty {
        if function.params.len() != arguments.len() {
            self.wrong_count(&function.name, function.params.len(), arguments.len(), position);
            return function.result;
        }
        for (argument, (_, wanted)) in arguments.iter().zip(&function.params) {
            if argument.link.ty.fits(*wanted) {
                continue;
            }
            if argument.link.ty.maybe && argument.link.ty.optional(false).fits(*wanted) {
                self.require(&argument.link, &format!("and `{}` needs it", function.name));
            } else {
                self.wrong_argument(&function.name, argument, &wanted.describe(), *wanted);
            }
        }
        function.result
    }

    fn unknown_function(&mut self, name: &str, position: Position) -> Ty {
        let mut known: Vec<&str> = FUNCTIONS.iter().map(|f| f.name).chain(self.env.functions.names()).collect();
        known.dedup();
        let help = did_you_mean(name, &known, "functions are");
        let message = format!("there is no function `{name}`");
        self.error(names::UNKNOWN_FUNCTION, position, name.chars().count(), message, help);
        UNKNOWN
    }

    fn wrong_count(&mut self, name: &str, takes: usize, given: usize, position: Position) {
        let values = if takes == 1 { "value" } else { "values" };
        let message = format!("`{name}` takes {takes} {values}, not {given}");
        let help = FUNCTIONS.iter().find(|f| f.name == name).map(|f| f.about.to_owned());
        self.error(names::ARGUMENTS, position, name.chars().count(), message, help);
    }

    fn wrong_argument(&mut self, name: &str, argument: &Argument, wanted: &str, ty: Ty) {
        let message = format!("`{name}` needs {wanted} here, and this is {}", argument.link.ty.describe());
        let help = if ty.is(Type::Float) && argument.link.ty.is(Type::Int) {
            Some("write it with a fraction (`2.0`), or use `to_float(…)`".to_owned())
        } else if ty.is(Type::Duration) && argument.link.ty.is(Type::Int) {
            Some("a number needs its unit: `2.hours`, `1.days`".to_owned())
        } else {
            None
        };
        self.error(names::ARGUMENTS, argument.link.position, argument.width, message, help);
    }
}

/// `x in list` is a call of `contains` whose name stands after its second argument.
fn is_membership(call: &FnCallExpr, position: Position) -> bool {
    call.name == "contains" && call.args.get(1).is_some_and(|value| value.start_position() < position)
}

fn choose<'s>(overloads: &[&'s Signature], arguments: &[Argument]) -> Option<&'s Signature> {
    let mut same_count = overloads.iter().copied().filter(|s| s.params.len() == arguments.len());
    let fits = |s: &&Signature| arguments.iter().zip(s.params).all(|(a, p)| accepts(a.link.ty, *p));
    same_count.clone().find(fits).or_else(|| same_count.next())
}

fn accepts(given: Ty, wanted: Type) -> bool {
    given.optional(false).fits(of(wanted)) || (matches!(wanted, Type::List(_)) && given.is_list())
}
