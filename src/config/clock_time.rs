//! Times of day as people write them: `08:00`, `08:00-18:00`.

/// Minutes after midnight of `HH:MM`, up to `24:00`.
pub(super) fn minute(text: &str) -> Option<u32> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let (hours, minutes) = (hours.parse::<u32>().ok()?, minutes.parse::<u32>().ok()?);
    let total = hours * 60 + minutes;
    (minutes < 60 && total <= 24 * 60).then_some(total)
}

/// `08:00-12:00, 13:00-18:00` as sorted spans that do not overlap; `closed` is none.
pub(super) fn spans(text: &str) -> Option<Vec<(u32, u32)>> {
    if text.trim() == "closed" {
        return Some(Vec::new());
    }
    let found: Option<Vec<(u32, u32)>> = text.split(',').map(span).collect();
    let found = found?;
    found.windows(2).all(|w| w[0].1 <= w[1].0).then_some(found)
}

fn span(text: &str) -> Option<(u32, u32)> {
    let (from, until) = text.split_once('-')?;
    let (from, until) = (minute(from)?, minute(until)?);
    (from < until).then_some((from, until))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opening_hours_are_read_and_nonsense_is_refused() {
        assert_eq!(spans("08:00-12:00, 13:30-18:00"), Some(vec![(480, 720), (810, 1080)]));
        assert_eq!(spans("closed"), Some(vec![]));
        for wrong in ["8-18", "18:00-08:00", "08:00-12:00, 11:00-18:00", "08:61-09:00", "25:00-26:00", ""] {
            assert_eq!(spans(wrong), None, "{wrong}");
        }
    }
}
