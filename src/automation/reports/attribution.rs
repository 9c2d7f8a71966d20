//! Who is credited with a booking. Credit is counted in millionths, and what a booking's touches get always sums up to one.

use super::definitions::{self as d, Definition};
use crate::domain::time::Millis;

/// One booking.
pub const WHOLE: i64 = 1_000_000;
/// A touch this much older counts half.
pub const HALF_LIFE: Millis = Millis::days(7);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    First,
    Last,
    LastNonDirect,
    Linear,
    TimeDecay,
    Position,
}

/// Something that led to a booking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touch {
    /// How long before the booking, in milliseconds; not negative.
    pub age_ms: i64,
    pub name: String,
    /// Nobody knows what brought the person here.
    pub is_direct: bool,
}

impl Model {
    pub const ALL: [Self; 6] = [Self::First, Self::Last, Self::LastNonDirect, Self::Linear, Self::TimeDecay, Self::Position];

    #[must_use]
    pub const fn figure(self) -> &'static Definition {
        match self {
            Self::First => &d::FIRST,
            Self::Last => &d::LAST,
            Self::LastNonDirect => &d::LAST_NON_DIRECT,
            Self::Linear => &d::LINEAR,
            Self::TimeDecay => &d::TIME_DECAY,
            Self::Position => &d::POSITION,
        }
    }

    /// What each of the touches (oldest first) gets of [`WHOLE`].
    #[must_use]
    pub fn credit(self, touches: &[Touch]) -> Vec<i64> {
        share(&self.weights(touches))
    }

    fn weights(self, touches: &[Touch]) -> Vec<u64> {
        let n = touches.len();
        let only = |wanted: Option<usize>| (0..n).map(|i| u64::from(Some(i) == wanted)).collect();
        match self {
            Self::First => only(Some(0)),
            Self::Last => only(n.checked_sub(1)),
            Self::LastNonDirect => only(touches.iter().rposition(|t| !t.is_direct).or(n.checked_sub(1))),
            Self::Linear => vec![1; n],
            Self::TimeDecay => touches.iter().map(|t| halved(t.age_ms)).collect(),
            Self::Position if n <= 2 => vec![1; n],
            // 40 : 20 : 40, where the middle one's share is split.
            Self::Position => (0..n).map(|i| if i == 0 || i == n - 1 { 2 * (n as u64 - 2) } else { 1 }).collect(),
        }
    }
}

/// Shares the whole out by weight. What rounding leaves goes to the newest touches that get anything.
fn share(weights: &[u64]) -> Vec<i64> {
    let sum: u128 = weights.iter().map(|w| u128::from(*w)).sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let part = |w: &u64| i64::try_from(u128::from(*w) * WHOLE as u128 / sum).unwrap_or(0);
    let mut shares: Vec<i64> = weights.iter().map(part).collect();
    let mut left = WHOLE - shares.iter().sum::<i64>();
    for (share, _) in shares.iter_mut().zip(weights).rev().filter(|(_, w)| **w > 0) {
        if left == 0 {
            break;
        }
        *share += 1;
        left -= 1;
    }
    shares
}

/// 2^32 · 0.5^(age / half-life), in whole numbers so that it is the same everywhere.
fn halved(age_ms: i64) -> u64 {
    let steps = i128::from(age_ms.max(0)) * 65_536 / i128::from(HALF_LIFE.0);
    let whole = u32::try_from(steps >> 16).unwrap_or(u32::MAX);
    let mut value: u64 = 1 << 32;
    for (bit, root) in ROOTS.iter().enumerate() {
        if (steps >> (15 - bit)) & 1 == 1 {
            value = (value * root) >> 32;
        }
    }
    // No touch is so old that it counts nothing.
    value.checked_shr(whole).unwrap_or(0).max(1)
}

/// 2^32 · 0.5^(1/2), 2^32 · 0.5^(1/4) … down to 0.5^(1/65536).
const ROOTS: [u64; 16] = [
    3_037_000_500,
    3_611_622_603,
    3_938_502_376,
    4_112_874_773,
    4_202_935_003,
    4_248_701_965,
    4_271_771_996,
    4_283_353_945,
    4_289_156_690,
    4_292_061_010,
    4_293_513_907,
    4_294_240_540,
    4_294_603_903,
    4_294_785_595,
    4_294_876_445,
    4_294_921_870,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn touches(ages_days: &[i64]) -> Vec<Touch> {
        let touch = |days: &i64| Touch { age_ms: Millis::days(*days).0, name: format!("{days}"), is_direct: days % 2 == 0 };
        ages_days.iter().map(touch).collect()
    }

    #[test]
    fn every_model_by_hand() {
        let three = touches(&[21, 7, 0]);
        assert_eq!(Model::First.credit(&three), [1_000_000, 0, 0]);
        assert_eq!(Model::Last.credit(&three), [0, 0, 1_000_000]);
        assert_eq!(Model::LastNonDirect.credit(&three), [0, 1_000_000, 0]);
        assert_eq!(Model::Linear.credit(&three), [333_333, 333_333, 333_334]);
        // 1/8 : 1/2 : 1
        assert_eq!(Model::TimeDecay.credit(&three), [76_923, 307_692, 615_385]);
        assert_eq!(Model::Position.credit(&three), [400_000, 200_000, 400_000]);
        assert_eq!(Model::Position.credit(&touches(&[9, 5, 3, 1])), [400_000, 100_000, 100_000, 400_000]);
        assert_eq!(Model::Position.credit(&touches(&[9, 5])), [500_000, 500_000]);
        assert_eq!(Model::LastNonDirect.credit(&touches(&[4, 2])), [0, 1_000_000]);
    }

    #[test]
    fn credit_sums_up_to_one_for_any_number_of_touches() {
        for n in 1..200 {
            let many = touches(&(0..n).rev().collect::<Vec<_>>());
            for model in Model::ALL {
                assert_eq!(model.credit(&many).iter().sum::<i64>(), WHOLE, "{model:?} of {n}");
            }
        }
        assert_eq!(Model::Linear.credit(&[]), [0; 0]);
    }

    #[test]
    fn half_lives_are_as_exact_as_needed() {
        for hours in 0..(90 * 24) {
            let age = Millis::hours(hours);
            let exact = 0.5f64.powf(age.0 as f64 / HALF_LIFE.0 as f64);
            let counted = halved(age.0) as f64 / 4_294_967_296.0;
            assert!((counted - exact).abs() / exact < 2e-5, "{hours} h: {counted} for {exact}");
        }
    }
}
