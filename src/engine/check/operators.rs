//! Operators and the types they take.

use super::chain::Link;
use super::ty::{BOOL, Kind, Ty, UNKNOWN, of};
use super::walk::{Walker, start_of};
use crate::engine::diagnostic::names;
use crate::engine::schema::Type;
use crate::engine::syntax::{did_you_mean, list_of};
use rhai::{Expr, FnCallExpr, Position};

impl Walker<'_> {
    pub(super) fn operator(&mut self, call: &FnCallExpr, position: Position) -> Ty {
        let (left, right) = match call.args.as_slice() {
            [only] => return self.unary(&call.name, only, position),
            [left, right] => (left, right),
            _ => return UNKNOWN,
        };
        match call.name.as_str() {
            "==" | "!=" => self.equality(left, right, position),
            "<" | "<=" | ">" | ">=" => self.ordering(left, right, position),
            "+" | "-" | "*" | "/" | "%" | "**" => self.arithmetic(&call.name, left, right, position),
            "contains" => self.membership(right, left),
            ".." | "..=" => {
                self.expr(left);
                self.expr(right);
                Ty { kind: Kind::List(Some(Type::Int)), maybe: false }
            }
            _ => {
                self.expr(left);
                self.expr(right);
                UNKNOWN
            }
        }
    }

    fn unary(&mut self, name: &str, operand: &Expr, position: Position) -> Ty {
        if name == "!" {
            self.condition(operand);
            return BOOL;
        }
        let link = self.operand(operand);
        self.require(&link, "so there is nothing to negate then");
        match link.ty.kind {
            Kind::Of(Type::Int | Type::Float | Type::Duration) | Kind::Unknown => link.ty.optional(false),
            _ => {
                let message = format!("`{name}` needs a number, and this is {}", link.ty.describe());
                self.error(names::OPERATOR, position, 1, message, None);
                UNKNOWN
            }
        }
    }

    fn equality(&mut self, left: &Expr, right: &Expr, position: Position) -> Ty {
        let (l, r) = (self.operand(left), self.operand(right));
        if l.ty.kind == Kind::Nothing || r.ty.kind == Kind::Nothing {
            self.missing_test(if l.ty.kind == Kind::Nothing { &r } else { &l });
        } else if !l.ty.comparable(r.ty) {
            let message = format!("{} is never equal to {}", l.ty.describe(), r.ty.describe());
            let help = quoted_hint(left, right);
            self.error(names::IMPOSSIBLE, position, 2, message, help);
        }
        let whole = |ty: Ty| ty.is_list() || matches!(ty.kind, Kind::Of(Type::Record(_) | Type::TextMap));
        if whole(l.ty) && whole(r.ty) {
            let help = Some("compare a field of theirs: `a.id == b.id`".to_owned());
            self.error(names::IMPOSSIBLE, position, 2, "records and lists cannot be compared", help);
        }
        self.literal(&l, right);
        self.literal(&r, left);
        BOOL
    }

    fn missing_test(&mut self, tested: &Link) {
        let Some(path) = &tested.path else { return };
        let open = tested.ty.maybe || tested.ty.is_unknown() || tested.ty.kind == Kind::Nothing;
        if !open && !self.scope.is_present(path) {
            let width = path.chars().count();
            self.warning(names::NEVER_MISSING, tested.position, width, format!("`{path}` is never missing"));
        }
    }

    /// `value in list`.
    pub(super) fn membership(&mut self, value: &Expr, list: &Expr) -> Ty {
        if let Expr::FnCall(call, position) = value
            && call.name == "!"
        {
            let help = Some("write `not (x in [...])` or `x !in [...]`".to_owned());
            self.error(names::NOT_IN, *position, 3, "`not x in [...]` means `(not x) in [...]`", help);
            return BOOL;
        }
        let item = self.operand(value);
        if let Expr::FnCall(call, position) = list
            && call.name.starts_with("..")
        {
            let help = Some("write `x >= 0 and x < 5`".to_owned());
            self.error(names::OPERATOR, *position, call.name.len(), "`in` needs a list, and this is a range", help);
            return BOOL;
        }
        let Expr::Array(elements, _) = list else {
            let link = self.operand(list);
            self.require(&link, "so there is nothing to look into then");
            let ty = link.ty;
            let searchable = ty.is_unknown() || ty.is_text() || ty.is_list();
            if !searchable {
                let at = start_of(list);
                let (width, message) = (self.width_at(at), format!("`in` needs a list, and this is {}", ty.describe()));
                self.error(names::OPERATOR, at, width, message, Some("write it as `[\"a\", \"b\"]`".to_owned()));
            }
            return BOOL;
        };
        for element in elements {
            let ty = self.expr(element);
            if !item.ty.comparable(ty) {
                let at = start_of(element);
                let message = format!("{} is never equal to {}", item.ty.describe(), ty.describe());
                let width = self.width_at(at);
                self.error(names::IMPOSSIBLE, at, width, message, None);
            }
            self.literal(&item, element);
        }
        BOOL
    }

    /// A word compared with a field that only has certain words.
    pub(super) fn literal(&mut self, field: &Link, literal: &Expr) {
        let Expr::StringConstant(word, position) = literal else { return };
        let path = field.path.as_deref().unwrap_or("this");
        let pipelines = &self.env.catalogue.pipelines.pipelines;
        let known: Vec<&str> = match (field.ty.kind, path) {
            (Kind::Of(Type::Enum(words)), _) => words.to_vec(),
            (_, "contact.current_pipeline") => pipelines.iter().map(|p| p.name.as_str()).collect(),
            (_, "contact.current_stage") => pipelines.iter().flat_map(|p| &p.stages).map(|s| s.name.as_str()).collect(),
            _ => return,
        };
        if known.contains(&word.as_str()) {
            return;
        }
        let mut help = did_you_mean(word, &known, "it can be").unwrap_or_default().replace('`', "\"");
        if help.starts_with("did you mean") {
            help = format!("{help} it can be: {}", list_of(&known));
        }
        let message = format!("\"{word}\" is not a value of `{path}`");
        self.error(names::UNKNOWN_VALUE, *position, word.chars().count() + 2, message, Some(help));
    }

    fn ordering(&mut self, left: &Expr, right: &Expr, position: Position) -> Ty {
        let (l, r) = (self.operand(left), self.operand(right));
        for side in [&l, &r] {
            self.require(side, "and the comparison would then silently be false");
        }
        let known = !l.ty.is_unknown() && !r.ty.is_unknown();
        let orderable = match (l.ty.kind, r.ty.kind) {
            (Kind::Of(Type::Time), Kind::Of(Type::Time))
            | (Kind::Of(Type::Duration), Kind::Of(Type::Duration))
            | (Kind::Of(Type::Text), Kind::Of(Type::Text)) => true,
            _ => l.ty.is_number() && r.ty.is_number(),
        };
        if known && !orderable {
            let message = format!("{} and {} have no order", l.ty.describe(), r.ty.describe());
            let help = time_hint((l.ty, left), (r.ty, right)).or_else(|| quoted_hint(left, right));
            let width = self.width_at(position);
            self.error(names::ORDERING, position, width, message, help);
        }
        BOOL
    }

    /// Text joins with text alone.
    fn joined(&mut self, left: &Link, right: &Link, position: Position) -> Ty {
        let other = if left.ty.is_text() { right } else { left };
        if !other.ty.is_text() && !other.ty.is_unknown() {
            let message = format!("text can only be joined with text, and this is {}", other.ty.describe());
            let name = other.path.as_deref().unwrap_or("value");
            let help = Some(format!("write it inside of the text: `… ${{{name}}} …` between backticks"));
            self.error(names::OPERATOR, position, 1, message, help);
        }
        of(Type::Text)
    }

    pub(super) fn arithmetic(&mut self, operator: &str, left: &Expr, right: &Expr, position: Position) -> Ty {
        let (l, r) = (self.operand(left), self.operand(right));
        let joins_text = operator == "+" && (l.ty.is_text() || r.ty.is_text());
        for side in [&l, &r] {
            let consequence =
                if joins_text { "and nothing would be joined" } else { "and nothing can be calculated with it then" };
            self.require(side, consequence);
        }
        if joins_text {
            return self.joined(&l, &r, position);
        }
        if operator == "+" && l.ty.is_list() {
            return l.ty;
        }
        let result = calculate(operator, l.ty, r.ty);
        if let Some(ty) = result {
            return ty;
        }
        let message = format!("`{operator}` does not work with {} and {}", l.ty.describe(), r.ty.describe());
        let width = self.width_at(position);
        self.error(names::OPERATOR, position, width, message, time_hint((l.ty, left), (r.ty, right)));
        UNKNOWN
    }
}

/// The type of a calculation; `None` when it has no meaning.
pub(super) fn calculate(operator: &str, left: Ty, right: Ty) -> Option<Ty> {
    use Type::{Duration, Float, Int, Time};
    let (Kind::Of(l), Kind::Of(r)) = (left.kind, right.kind) else {
        return (left.is_unknown() || right.is_unknown()).then_some(UNKNOWN);
    };
    let result = match (l, operator, r) {
        (Int, _, Int) => Int,
        (Int | Float, _, Int | Float) => Float,
        (Time, "-", Time) => Duration,
        (Time, "+" | "-", Duration) => Time,
        (Duration, "+", Time) => Time,
        (Duration, "+" | "-", Duration) => Duration,
        (Duration, "*" | "/", Int) => Duration,
        (Int, "*", Duration) => Duration,
        _ => return None,
    };
    Some(of(result))
}

/// The number itself with its unit: `now + 2` is `now + 2.hours`.
fn time_hint((left, left_expr): (Ty, &Expr), (right, right_expr): (Ty, &Expr)) -> Option<String> {
    let timely = |ty: Ty| ty.is(Type::Time) || ty.is(Type::Duration);
    let mixed = (timely(left) && right.is_number()) || (left.is_number() && timely(right));
    if mixed {
        let number = [left_expr, right_expr].into_iter().find_map(|e| match e {
            Expr::IntegerConstant(number, _) => Some(*number),
            _ => None,
        });
        return Some(match number {
            Some(n) => format!("a number needs its unit: `{n}.hours`, or `{n}.minutes`, `{n}.days`"),
            None => "a number needs its unit: `24.hours`, `2.days`".to_owned(),
        });
    }
    let durations = (left.is(Type::Time) && right.is(Type::Duration)) || (left.is(Type::Duration) && right.is(Type::Time));
    durations.then(|| "a duration is the difference of two times: `now - contact.created_at > 2.days`".to_owned())
}

/// `"18"` where 18 is meant.
fn quoted_hint(left: &Expr, right: &Expr) -> Option<String> {
    let quoted = |e: &Expr| match e {
        Expr::StringConstant(text, _) => {
            Some(text.to_string()).filter(|t| t.parse::<f64>().is_ok() || t == "true" || t == "false")
        }
        _ => None,
    };
    let text = quoted(left).or_else(|| quoted(right))?;
    Some(format!("write `{text}` without quotes"))
}
