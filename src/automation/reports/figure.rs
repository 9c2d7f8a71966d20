//! A figure of a report, and the arithmetic that figures share. Whole numbers only: rates become fractions where they are shown.

use super::definitions::Definition;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One figure, of everything or of one group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    pub name: String,
    /// `None`: of everything.
    pub group: Option<String>,
    /// The number itself, of figures that are no rates. `None`: there was nothing to count it from.
    pub whole: Option<i64>,
    pub numerator: Option<i64>,
    pub denominator: Option<i64>,
}

/// What a figure says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shown {
    Whole(i64),
    Rate(f64),
}

impl Figure {
    pub fn count(of: &Definition, group: Option<&str>, n: i64) -> Self {
        Self { name: of.name.to_owned(), group: group.map(str::to_owned), whole: Some(n), numerator: Some(n), denominator: None }
    }

    pub fn rate(of: &Definition, group: Option<&str>, (numerator, denominator): (i64, i64)) -> Self {
        let group = group.map(str::to_owned);
        Self { name: of.name.to_owned(), group, whole: None, numerator: Some(numerator), denominator: Some(denominator) }
    }

    /// A percentile of `values` (ascending), measured for some of `all`.
    pub fn percentile(of: &Definition, group: Option<&str>, percent: usize, values: &[i64], all: i64) -> Self {
        Self {
            name: of.name.to_owned(),
            group: group.map(str::to_owned),
            whole: percentile(values, percent),
            numerator: Some(values.len() as i64),
            denominator: Some(all),
        }
    }

    /// Null when it would be a part of nothing.
    #[must_use]
    pub fn value(&self) -> Option<Shown> {
        match (self.whole, self.numerator, self.denominator) {
            (Some(whole), _, _) => Some(Shown::Whole(whole)),
            (None, Some(part), Some(all)) if all > 0 && self.is_rate() => Some(Shown::Rate(part as f64 / all as f64)),
            _ => None,
        }
    }

    fn is_rate(&self) -> bool {
        super::definitions::find(&self.name).is_some_and(|d| d.unit == super::definitions::Unit::Rate)
    }
}

/// The smallest value that at least `percent` of all values do not exceed.
#[must_use]
pub fn percentile(ascending: &[i64], percent: usize) -> Option<i64> {
    let rank = (ascending.len() * percent).div_ceil(100).max(1);
    ascending.get(rank - 1).copied()
}

/// Groups of one figure; names come from outside, so there may be any number of them.
pub const GROUPS_MAX: usize = 50;
/// Where the smallest of more groups go.
pub const OTHERS: &str = "(others)";

/// Keeps the heaviest groups and puts the others together.
pub fn fold<T: Default>(groups: BTreeMap<String, T>, weight: impl Fn(&T) -> i64, add: impl Fn(&mut T, T)) -> BTreeMap<String, T> {
    if groups.len() <= GROUPS_MAX {
        return groups;
    }
    let mut sorted: Vec<(String, T)> = groups.into_iter().collect();
    sorted.sort_by(|a, b| weight(&b.1).cmp(&weight(&a.1)).then_with(|| a.0.cmp(&b.0)));
    let mut kept: BTreeMap<String, T> = BTreeMap::new();
    for (position, (name, group)) in sorted.into_iter().enumerate() {
        let name = if position < GROUPS_MAX { name } else { OTHERS.to_owned() };
        add(kept.entry(name).or_default(), group);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        assert_eq!(percentile(&[], 50), None);
        assert_eq!(percentile(&[7], 90), Some(7));
        assert_eq!(percentile(&[1, 2, 3, 4], 50), Some(2));
        assert_eq!(percentile(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 90), Some(9));
    }

    #[test]
    fn the_smallest_of_too_many_groups_are_put_together() {
        let groups: BTreeMap<String, i64> = (0..60).map(|n| (format!("g{n:02}"), n)).collect();
        let kept = fold(groups, |n| *n, |to, n| *to += n);
        assert_eq!(kept.len(), GROUPS_MAX + 1);
        assert_eq!(kept.get(OTHERS), Some(&(0..10).sum::<i64>()));
        assert_eq!(kept.values().sum::<i64>(), (0..60).sum::<i64>());
    }
}
