//! Statements, and what a condition proves about values that may be missing.

use super::ty::{Kind, NOTHING, Ty, UNKNOWN, of};
use super::walk::{Walker, start_of};
use crate::engine::diagnostic::names;
use crate::engine::schema::Type;
use rhai::{AST, Expr, FlowControl, Ident, Position, Stmt};

/// What a block of statements comes to.
pub(super) struct Block {
    pub ty: Ty,
    /// It always leaves by `return`, `break` or `continue`.
    pub leaves: bool,
}

const PASSES: Block = Block { ty: NOTHING, leaves: false };
const LEAVES: Block = Block { ty: NOTHING, leaves: true };

impl Walker<'_> {
    /// From now on the condition is known to be `truth`.
    pub fn learn(&mut self, condition: &Expr, truth: bool) {
        let proved = proves(condition, truth);
        self.scope.know(proved);
    }

    pub(super) fn block(&mut self, statements: &[Stmt]) -> Block {
        let mark = self.scope.mark();
        let mut last = PASSES;
        for statement in statements {
            let leaves = last.leaves;
            last = self.statement(statement);
            last.leaves |= leaves;
        }
        self.scope.reset(mark);
        last
    }

    /// The statements of a function, with the place of its last value.
    pub fn body(&mut self, statements: &[Stmt]) -> Option<(Ty, Position)> {
        let result = self.block(statements);
        let position = statements.last().map(Stmt::position)?;
        (!result.leaves).then_some((result.ty, position))
    }

    fn statement(&mut self, statement: &Stmt) -> Block {
        match statement {
            Stmt::Expr(expr) => Block { ty: self.expr(expr), leaves: false },
            Stmt::FnCall(call, position) => Block { ty: self.call(call, *position), leaves: false },
            Stmt::Block(block) => self.block(block.statements()),
            Stmt::If(flow, _) => self.branch(flow),
            Stmt::Switch(parts, _) => Block { ty: self.switch(&parts.0, &parts.1), leaves: false },
            Stmt::For(parts, _) => self.for_each(&parts.0, parts.1.as_ref(), &parts.2),
            Stmt::Var(parts, _, _) => {
                let ty = self.expr(&parts.1);
                let ty = if ty.kind == Kind::Nothing { UNKNOWN } else { ty };
                self.scope.declare(&parts.0.name, ty);
                PASSES
            }
            Stmt::Assignment(parts) => {
                let operator = parts.0.get_op_assignment_info().map(|info| info.5);
                self.assignment(operator, &parts.1.lhs, &parts.1.rhs, parts.0.position());
                PASSES
            }
            Stmt::Return(value, _, position) => {
                let found = match value {
                    Some(expr) => (self.expr(expr), start_of(expr)),
                    None => (NOTHING, *position),
                };
                self.returns.push(found);
                LEAVES
            }
            Stmt::BreakLoop(..) => LEAVES,
            _ => PASSES,
        }
    }

    fn branch(&mut self, flow: &FlowControl) -> Block {
        self.condition(&flow.expr);
        let mark = self.scope.mark();
        self.learn(&flow.expr, true);
        let then = self.block(flow.body.statements());
        self.scope.reset(mark.clone());
        self.learn(&flow.expr, false);
        let other = if flow.branch.is_empty() { PASSES } else { self.block(flow.branch.statements()) };
        self.scope.reset(mark);
        if then.leaves {
            self.learn(&flow.expr, false);
        } else if other.leaves {
            self.learn(&flow.expr, true);
        }
        let ty = match (then.leaves, other.leaves) {
            (true, _) => other.ty,
            (_, true) => then.ty,
            _ => then.ty.or(other.ty),
        };
        Block { ty, leaves: then.leaves && other.leaves }
    }

    fn for_each(&mut self, item: &Ident, counter: Option<&Ident>, flow: &FlowControl) -> Block {
        let list = self.chain(&flow.expr);
        self.require(&list, "so there is nothing to go through then");
        let item_ty = list.ty.item().unwrap_or_else(|| {
            let message = format!("`for` goes through a list, and this is {}", list.ty.describe());
            let width = self.width_at(list.position);
            self.error(names::OPERATOR, list.position, width, message, None);
            UNKNOWN
        });
        let mark = self.scope.mark();
        self.scope.declare(&item.name, item_ty);
        if let Some(counter) = counter {
            self.scope.declare(&counter.name, of(Type::Int));
        }
        self.block(flow.body.statements());
        self.scope.reset(mark);
        PASSES
    }

    fn assignment(&mut self, operator: Option<&str>, target: &Expr, value: &Expr, position: Position) {
        let ty = match operator {
            Some(operator) => self.arithmetic(operator, target, value, position),
            None => self.expr(value),
        };
        match target {
            Expr::Variable(name, _, at) => {
                if self.scope.find(&name.1).is_none() {
                    self.expr(target);
                } else if matches!(self.scope.find(&name.1), Some(Ty { kind: Kind::Of(Type::Record(_)), .. })) {
                    self.error(names::NOT_ALLOWED, *at, name.1.len(), "records cannot be changed in scripts", None);
                }
                self.scope.assign(&name.1, ty);
            }
            Expr::Dot(..) => {
                let link = self.chain(target);
                if link.path.is_some() && !link.ty.is_unknown() {
                    let help = Some("return the value, and `set` the field in the rule".to_owned());
                    self.error(names::NOT_ALLOWED, link.position, 1, "records cannot be changed in scripts", help);
                }
            }
            _ => {}
        }
    }
}

/// The paths that are there if the condition is `truth`: what follows may rely on them.
pub(crate) fn proved(ast: &AST, truth: bool) -> Vec<String> {
    match ast.statements().first() {
        Some(Stmt::Expr(condition)) => proves(condition, truth),
        _ => Vec::new(),
    }
}

/// The paths that are there if the condition is `truth`.
pub(super) fn proves(condition: &Expr, truth: bool) -> Vec<String> {
    match condition {
        Expr::And(parts, _) if truth => parts.iter().flat_map(|p| proves(p, true)).collect(),
        Expr::Or(parts, _) if !truth => parts.iter().flat_map(|p| proves(p, false)).collect(),
        Expr::FnCall(call, _) => match (call.name.as_str(), call.args.as_slice()) {
            ("!", [inner]) => proves(inner, !truth),
            ("==", [a, b]) => compared(a, b, truth),
            ("!=", [a, b]) => compared(a, b, !truth),
            ("contains", [Expr::Array(..), value]) if truth => path_of(value).into_iter().collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// `a == b` is true (`equal`) or false.
fn compared(a: &Expr, b: &Expr, equal: bool) -> Vec<String> {
    let nothing = |e: &Expr| matches!(e, Expr::Unit(_));
    let path = match (nothing(a), nothing(b)) {
        (false, true) if !equal => path_of(a),
        (true, false) if !equal => path_of(b),
        (false, false) if equal && is_literal(b) => path_of(a),
        (false, false) if equal && is_literal(a) => path_of(b),
        _ => None,
    };
    path.into_iter().collect()
}

fn is_literal(expr: &Expr) -> bool {
    matches!(expr, Expr::StringConstant(..) | Expr::IntegerConstant(..) | Expr::FloatConstant(..) | Expr::BoolConstant(..))
}

/// `contact.next_booking.status` as text; `None` for anything but names and dots.
fn path_of(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Variable(name, ..) => Some(name.1.to_string()),
        Expr::Property(name, _) => Some(name.2.to_string()),
        Expr::Dot(parts, ..) => Some(format!("{}.{}", path_of(&parts.lhs)?, path_of(&parts.rhs)?)),
        _ => None,
    }
}
