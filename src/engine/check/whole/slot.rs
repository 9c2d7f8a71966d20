//! The values that one path can still have.

use super::literal::Literal;
use super::span::Order;

#[derive(Clone, Debug, Default)]
pub(super) struct Slot {
    /// Only these; `None` when nothing was said.
    allowed: Option<Vec<Literal>>,
    excluded: Vec<Literal>,
    /// Lowest value, and whether it is excluded itself.
    low: Option<(f64, bool)>,
    high: Option<(f64, bool)>,
    /// Line of the first condition about it.
    pub origin: Option<usize>,
}

impl Slot {
    pub fn since(origin: Option<usize>) -> Self {
        Self { origin, ..Self::default() }
    }

    pub fn keep(&mut self, values: Vec<Literal>) {
        match &mut self.allowed {
            Some(allowed) => allowed.retain(|v| values.contains(v)),
            None => self.allowed = Some(values),
        }
    }

    pub fn exclude(&mut self, values: Vec<Literal>) {
        self.excluded.extend(values);
    }

    pub fn bound(&mut self, order: Order, number: f64) {
        match order {
            Order::Less => self.lower_to((number, true)),
            Order::LessOrEqual => self.lower_to((number, false)),
            Order::Greater => self.raise_to((number, true)),
            Order::GreaterOrEqual => self.raise_to((number, false)),
        }
    }

    fn lower_to(&mut self, high: (f64, bool)) {
        let tighter = self.high.is_none_or(|now| high.0 < now.0 || (high.0 <= now.0 && high.1));
        if tighter {
            self.high = Some(high);
        }
    }

    fn raise_to(&mut self, low: (f64, bool)) {
        let tighter = self.low.is_none_or(|now| low.0 > now.0 || (low.0 >= now.0 && low.1));
        if tighter {
            self.low = Some(low);
        }
    }

    /// Nothing is left; `universe` is all that the path can ever be, when that is a short list.
    pub fn is_empty(&self, universe: Option<&[Literal]>) -> bool {
        let bounds_cross = match (self.low, self.high) {
            (Some((low, out)), Some((high, also_out))) => low > high || (low >= high && (out || also_out)),
            _ => false,
        };
        let used_up = |values: &[Literal]| !values.iter().any(|v| self.is_possible(v));
        bounds_cross || self.allowed.as_deref().or(universe).is_some_and(used_up)
    }

    /// What is possible, when it is a list.
    pub fn values(&self) -> Option<Vec<&Literal>> {
        Some(self.allowed.as_ref()?.iter().filter(|v| self.is_possible(v)).collect())
    }

    /// What is possible in any of the alternatives, when each is a list.
    pub fn union(&self, others: &[&Self]) -> Option<Vec<Literal>> {
        let mut all: Vec<Literal> = self.values()?.into_iter().cloned().collect();
        for other in others {
            all.extend(other.values()?.into_iter().cloned());
        }
        Some(all)
    }

    fn is_possible(&self, value: &Literal) -> bool {
        if self.excluded.contains(value) {
            return false;
        }
        let Literal::Number(number) = value else { return true };
        let high_enough = self.low.is_none_or(|(low, out)| *number > low || (!out && *number >= low));
        let low_enough = self.high.is_none_or(|(high, out)| *number < high || (!out && *number <= high));
        high_enough && low_enough
    }
}
