//! How long a failed job waits.

use crate::domain::ids::fill_random;
use crate::domain::time::Millis;

const FIRST_DELAY: Millis = Millis::seconds(2);
/// No job waits longer between two attempts.
pub const RETRY_DELAY_MAX: Millis = Millis::hours(1);

/// Doubles with each attempt, give or take a fifth, so that jobs that failed together do not come back together.
#[must_use]
pub fn retry_delay(attempt: i32) -> Millis {
    let mut random = [0u8; 2];
    fill_random(&mut random);
    delay(attempt, u16::from_le_bytes(random))
}

fn delay(attempt: i32, random: u16) -> Millis {
    let doublings = u32::try_from(attempt.saturating_sub(1)).unwrap_or(0).min(20);
    let base = FIRST_DELAY.0.saturating_mul(1 << doublings).min(RETRY_DELAY_MAX.0);
    let fifth = base / 5;
    Millis((base - fifth + 2 * fifth * i64::from(random) / i64::from(u16::MAX)).min(RETRY_DELAY_MAX.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_within_their_bounds() {
        let bounds: Vec<(i64, i64)> = [1, 2, 5, 11, i32::MAX].map(|n| (delay(n, 0).0, delay(n, u16::MAX).0)).to_vec();
        assert_eq!(bounds, [(1_600, 2_400), (3_200, 4_800), (25_600, 38_400), (1_638_400, 2_457_600), (2_880_000, 3_600_000)]);
    }
}
