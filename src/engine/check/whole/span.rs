//! Orders, and differences of two times: `contact.last_visit_at < now - 90.days`.

use super::literal::{Literal, literal_of, path_of};
use crate::domain::time::Millis;
use rhai::Expr;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    pub fn parse(operator: &str) -> Option<Self> {
        match operator {
            "<" => Some(Self::Less),
            "<=" => Some(Self::LessOrEqual),
            ">" => Some(Self::Greater),
            ">=" => Some(Self::GreaterOrEqual),
            _ => None,
        }
    }

    /// What is true when the order is not.
    pub fn negated(self) -> Self {
        match self {
            Self::Less => Self::GreaterOrEqual,
            Self::LessOrEqual => Self::Greater,
            Self::Greater => Self::LessOrEqual,
            Self::GreaterOrEqual => Self::Less,
        }
    }

    /// The order with its sides exchanged.
    pub fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }
}

/// A comparison of two paths, each with a span added, as a bound on the difference of the paths: a name for it, the order, and
/// the bound in milliseconds.
pub(super) fn difference(a: &Expr, order: Order, b: &Expr) -> Option<(String, Order, f64)> {
    let ((left, plus_left), (right, plus_right)) = (shifted(a)?, shifted(b)?);
    if left == right {
        return None;
    }
    let bound = (plus_right - plus_left) as f64;
    // Always the same name for the same two paths: left minus right, or its negative.
    if left < right {
        Some((format!("{left}\0{right}"), order, bound))
    } else {
        Some((format!("{right}\0{left}"), order.mirrored(), -bound))
    }
}

/// A path, and the milliseconds added to it.
fn shifted(expr: &Expr) -> Option<(String, i64)> {
    if let Some(path) = path_of(expr) {
        return Some((path, 0));
    }
    let Expr::FnCall(call, _) = expr else { return None };
    match (call.name.as_str(), call.args.as_slice()) {
        ("+", [base, span]) => {
            let (path, plus) = shifted(base)?;
            Some((path, plus.checked_add(span_of(span)?)?))
        }
        ("-", [base, span]) => {
            let (path, plus) = shifted(base)?;
            Some((path, plus.checked_sub(span_of(span)?)?))
        }
        _ => None,
    }
}

/// `90.days` in milliseconds.
fn span_of(expr: &Expr) -> Option<i64> {
    let Expr::Dot(parts, ..) = expr else { return None };
    let Literal::Number(count) = literal_of(&parts.lhs)? else { return None };
    let Expr::Property(unit, _) = &parts.rhs else { return None };
    let count = count as i64;
    let span = match unit.2.as_str() {
        "minute" | "minutes" => Millis::minutes(count),
        "hour" | "hours" => Millis::hours(count),
        "day" | "days" => Millis::days(count),
        "week" | "weeks" => Millis::days(count.checked_mul(7)?),
        _ => return None,
    };
    Some(span.0)
}
