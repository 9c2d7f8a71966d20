//! How many parts a text takes on the network, which is what it costs.

/// Parts of a text: GSM-7 as long as every character is in its alphabet, UCS-2 otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segments {
    /// `gsm7` or `ucs2`.
    pub encoding: &'static str,
    /// Septets (characters of the extension table take two) or UTF-16 units.
    pub units: usize,
    pub parts: usize,
}

impl Segments {
    /// How many units more fit into the last part.
    #[must_use]
    pub const fn units_left(&self) -> usize {
        let is_gsm7 = matches!(self.encoding.as_bytes(), b"gsm7");
        let (single_max, part_max) = if is_gsm7 { GSM7_UNITS_MAX } else { UCS2_UNITS_MAX };
        let room = if self.parts > 1 { self.parts * part_max } else { single_max };
        room.saturating_sub(self.units)
    }
}

/// Septets of a text that fits one part; of each part when it takes several.
const GSM7_UNITS_MAX: (usize, usize) = (160, 153);
/// UTF-16 units of a text that fits one part; of each part when it takes several.
const UCS2_UNITS_MAX: (usize, usize) = (70, 67);

const GSM7_BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const GSM7_EXTENSION: &str = "^{}\\[~]|€\u{c}";

/// Counts the parts that `text` takes. An empty text takes none.
#[must_use]
pub fn count(text: &str) -> Segments {
    if text.chars().all(|c| gsm7_width(c).is_some()) {
        let (units, parts) = fill(text, GSM7_UNITS_MAX, |c| gsm7_width(c).unwrap_or(1));
        return Segments { encoding: "gsm7", units, parts };
    }
    let (units, parts) = fill(text, UCS2_UNITS_MAX, char::len_utf16);
    Segments { encoding: "ucs2", units, parts }
}

/// Septets of one character; `None` when GSM-7 does not have it.
#[must_use]
pub fn gsm7_width(c: char) -> Option<usize> {
    if c.is_ascii_alphanumeric() || c == ' ' || GSM7_BASIC.contains(c) {
        Some(1)
    } else if GSM7_EXTENSION.contains(c) {
        Some(2)
    } else {
        None
    }
}

/// Packs characters into parts. A pair (escape or surrogate) is never split: it goes into the next part as a whole.
fn fill(text: &str, (single_max, part_max): (usize, usize), width: impl Fn(char) -> usize) -> (usize, usize) {
    let units = text.chars().map(&width).sum();
    if units <= single_max {
        return (units, usize::from(units > 0));
    }
    let (mut parts, mut used) = (1, 0);
    for c in text.chars() {
        if used + width(c) > part_max {
            parts += 1;
            used = 0;
        }
        used += width(c);
    }
    (units, parts)
}

/// Texts whose encoding and parts are known.
#[cfg(test)]
#[derive(serde::Deserialize)]
pub(super) struct Vector {
    pub case: String,
    pub text: String,
    pub encoding: String,
    pub units: usize,
    pub parts: usize,
}

#[cfg(test)]
pub(super) fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("../../../tests/samples/gsm7_segments.json")).expect("the vectors are JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_thirty_vectors_agree() {
        let vectors = vectors();
        assert_eq!(vectors.len(), 30);
        for v in vectors {
            let got = count(&v.text);
            assert_eq!((got.encoding, got.units, got.parts), (v.encoding.as_str(), v.units, v.parts), "{}", v.case);
        }
    }
    proptest::proptest! {
        #[test]
        fn parts_hold_all_units_and_none_is_wasted(text in "[a-zé€ễ😀 ]{0,700}") {
            let counted = count(&text);
            let (single_max, part_max) = if counted.encoding == "gsm7" { GSM7_UNITS_MAX } else { UCS2_UNITS_MAX };
            if counted.parts <= 1 {
                proptest::prop_assert!(counted.units <= single_max);
            } else {
                proptest::prop_assert!(counted.units > single_max);
                proptest::prop_assert!(counted.units <= counted.parts * part_max);
                // A part ends at most one unit early, for a pair that must not be split.
                proptest::prop_assert!(counted.units > (counted.parts - 1) * (part_max - 1));
            }
        }
    }
}
