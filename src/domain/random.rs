//! A small deterministic source of numbers: the same seed tells the same story. Not for secrets.

/// `SplitMix64`.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A source of its own for one part of the story, so that a change in one part leaves the others as they are.
    #[must_use]
    pub fn of(seed: u64, part: &str) -> Self {
        // FNV-1a over the name.
        let hash = part.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
        let mut random = Self(seed ^ hash);
        random.bits();
        random
    }

    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to below 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From `low` to below `high`; `low` when there is nothing between them.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = high.saturating_sub(low).max(1);
        low + (self.bits() % span as u64) as i64
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Any item; all have the same chance.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let index = self.between(0, items.len() as i64);
        items.get(index as usize)
    }

    /// An item by its weight.
    pub fn weighted<'a, T>(&mut self, items: &'a [(T, u32)]) -> Option<&'a T> {
        let total: u32 = items.iter().map(|(_, weight)| weight).sum();
        let mut rest = self.between(0, i64::from(total));
        for (item, weight) in items {
            rest -= i64::from(*weight);
            if rest < 0 {
                return Some(item);
            }
        }
        None
    }

    /// Log-normal around `median`; the larger `sigma`, the wider.
    pub fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        // The sum of twelve uniforms is close enough to normal here.
        let normal: f64 = (0..12).map(|_| self.unit()).sum::<f64>() - 6.0;
        median * (sigma * normal).exp()
    }

    /// The text form of a UUID.
    pub fn uuid(&mut self) -> String {
        let mut bytes = [0u8; 16];
        bytes[..8].copy_from_slice(&self.bits().to_be_bytes());
        bytes[8..].copy_from_slice(&self.bits().to_be_bytes());
        uuid::Builder::from_random_bytes(bytes).into_uuid().hyphenated().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_seed_and_the_weights() {
        assert_eq!(Random(0).bits(), 0xe220_a839_7b1d_cdaf, "the published first value of SplitMix64");
        let mut random = Random::of(7, "x");
        let often = (0..10_000).filter(|_| random.weighted(&[("often", 9), ("seldom", 1)]) == Some(&"often")).count();
        assert!((8_800..9_200).contains(&often), "{often}");
        let mut spans: Vec<f64> = (0..1_001).map(|_| random.log_normal(5.0, 0.8)).collect();
        spans.sort_by(f64::total_cmp);
        assert!((4.5..5.6).contains(&spans[500]), "{}", spans[500]);
    }
}
