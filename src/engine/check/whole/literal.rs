//! Constants and paths in conditions.

use rhai::{ASTFlags, Expr};

/// A constant that a condition compares with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Nothing,
    Bool(bool),
    Text(String),
    Number(f64),
}

/// Whole numbers beyond this have no exact twin among floats.
const EXACT_MAX: i64 = 1 << 53;

pub(super) fn literal_of(expr: &Expr) -> Option<Literal> {
    match expr {
        Expr::Unit(_) => Some(Literal::Nothing),
        Expr::BoolConstant(value, _) => Some(Literal::Bool(*value)),
        Expr::StringConstant(text, _) => Some(Literal::Text(text.to_string())),
        Expr::IntegerConstant(number, _) => (number.abs() <= EXACT_MAX).then_some(Literal::Number(*number as f64)),
        Expr::FloatConstant(number, _) => Some(Literal::Number(**number)),
        Expr::FnCall(call, _) => match (call.name.as_str(), call.args.as_slice()) {
            ("-", [inner]) => match literal_of(inner)? {
                Literal::Number(number) => Some(Literal::Number(-number)),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// `contact.next_booking.status`; `None` for anything but names and dots. What `?.` gives may be missing whatever the field says.
pub(super) fn path_of(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Variable(name, ..) => Some(name.1.to_string()),
        Expr::Property(name, _) => Some(name.2.to_string()),
        Expr::Dot(parts, flags, _) if !flags.contains(ASTFlags::NEGATED) => {
            Some(format!("{}.{}", path_of(&parts.lhs)?, path_of(&parts.rhs)?))
        }
        _ => None,
    }
}
