//! Phone numbers as people write them, and as networks need them.

/// A number that networks understand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phone {
    /// `+` and 8 to 15 digits.
    pub e164: String,
    pub kind: PhoneKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneKind {
    /// An Australian mobile: can be texted.
    Mobile,
    /// An Australian landline, or a number without a place (0550): can be called, not texted.
    Landline,
    /// A plausible number of another country.
    Other,
}

/// Why a text is no phone number. Never carries the number itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    #[error("no number was given")]
    Empty,
    #[error("a phone number has at most {TEXT_BYTES_MAX} bytes")]
    TooLong,
    #[error("a phone number has no letters")]
    Letters,
    #[error("a phone number has only digits, spaces and + - . ( )")]
    Characters,
    #[error("the number has too few or too many digits")]
    WrongLength,
    #[error("13, 1300, 1800 and 190 numbers are services, not people")]
    ServiceNumber,
    #[error("Australia has no such range of numbers")]
    UnknownRange,
}

/// Longest text looked at.
pub const TEXT_BYTES_MAX: usize = 64;
/// E.164 allows 15 digits; prefixes such as 0011 come on top.
const DIGITS_MAX: usize = 20;
const E164_DIGITS_MIN: usize = 8;
const E164_DIGITS_MAX: usize = 15;

impl Phone {
    #[must_use]
    pub fn can_be_texted(&self) -> bool {
        self.kind != PhoneKind::Landline
    }
}

/// Reads a number by Australian habits: `04xx xxx xxx`, `+61 4…`, `61 4…`, `0011 61 4…`, `+61 (0)4…`, `4xxxxxxxx`, the same
/// with 5, landlines with area code, and other countries' numbers with `+` or `0011`.
///
/// Normalising the result again gives the same result.
pub fn normalise(text: &str) -> Result<Phone, PhoneError> {
    let written = scan(text)?;
    let digits = written.digits();
    if written.plus {
        return international(digits);
    }
    if let Some(rest) = digits.strip_prefix(b"0011") {
        return international(rest);
    }
    match digits {
        [b'0', b'0', b'6', b'1', rest @ ..] => australian(rest),
        [b'6', b'1', rest @ ..] if digits.len() == 11 || digits.starts_with(b"610") && digits.len() == 12 => australian(rest),
        [b'4' | b'5', ..] if digits.len() == 9 => australian(digits),
        [b'0', rest @ ..] if digits.len() == 10 => australian(rest),
        [b'1', b'3' | b'8' | b'9', ..] if matches!(digits.len(), 6 | 7 | 10) => Err(PhoneError::ServiceNumber),
        _ => Err(PhoneError::WrongLength),
    }
}

fn international(digits: &[u8]) -> Result<Phone, PhoneError> {
    if let Some(rest) = digits.strip_prefix(b"61") {
        return australian(rest);
    }
    if !(E164_DIGITS_MIN..=E164_DIGITS_MAX).contains(&digits.len()) {
        return Err(PhoneError::WrongLength);
    }
    if digits.first() == Some(&b'0') {
        return Err(PhoneError::UnknownRange);
    }
    Ok(Phone { e164: e164(&[digits]), kind: PhoneKind::Other })
}

/// `digits` follow the country code; a 0 in front of the area code is forgiven.
fn australian(digits: &[u8]) -> Result<Phone, PhoneError> {
    let national = match digits {
        [b'0', rest @ ..] if digits.len() == 10 => rest,
        _ => digits,
    };
    if let [b'1', b'3' | b'8' | b'9', ..] = national {
        return Err(PhoneError::ServiceNumber);
    }
    if national.len() != 9 {
        return Err(PhoneError::WrongLength);
    }
    let kind = match national {
        // The numbering plan keeps 05 for mobiles, all but 0550: a patient who has one must not go without reminders.
        [b'5', b'5', b'0', ..] | [b'2' | b'3' | b'7' | b'8', ..] => PhoneKind::Landline,
        [b'4' | b'5', ..] => PhoneKind::Mobile,
        _ => return Err(PhoneError::UnknownRange),
    };
    Ok(Phone { e164: e164(&[b"61", national]), kind })
}

fn e164(parts: &[&[u8]]) -> String {
    let mut text = String::with_capacity(1 + E164_DIGITS_MAX);
    text.push('+');
    for digit in parts.iter().flat_map(|part| part.iter()) {
        text.push(char::from(*digit));
    }
    text
}

struct Written {
    plus: bool,
    buffer: [u8; DIGITS_MAX],
    len: usize,
}

impl Written {
    fn digits(&self) -> &[u8] {
        &self.buffer[..self.len]
    }
}

/// Collects the digits; a `+` counts only in front of them.
fn scan(text: &str) -> Result<Written, PhoneError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(PhoneError::TooLong);
    }
    let mut written = Written { plus: false, buffer: [0; DIGITS_MAX], len: 0 };
    for c in text.chars() {
        match c {
            '0'..='9' if written.len == DIGITS_MAX => return Err(PhoneError::WrongLength),
            '0'..='9' => {
                written.buffer[written.len] = c as u8;
                written.len += 1;
            }
            '+' if written.len == 0 && !written.plus => written.plus = true,
            _ if is_separator(c) => {}
            _ if c.is_alphabetic() => return Err(PhoneError::Letters),
            _ => return Err(PhoneError::Characters),
        }
    }
    if written.len == 0 { Err(PhoneError::Empty) } else { Ok(written) }
}

/// Spaces and dashes of any width, brackets and dots; copied text also carries invisible direction marks.
fn is_separator(c: char) -> bool {
    matches!(c, ' ' | '-' | '.' | '(' | ')' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || c.is_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mobile(text: &str) -> String {
        let phone = normalise(text).unwrap_or_else(|e| panic!("{text:?}: {e}"));
        assert_eq!(phone.kind, PhoneKind::Mobile, "{text:?}");
        phone.e164
    }

    #[test]
    fn one_mobile_written_in_every_habit_is_one_number() {
        for text in [
            "0491 570 006",
            "0491570006",
            "(04) 9157-0006",
            "+61 491 570 006",
            "+61491570006",
            "(+61) 491570006",
            "61 491 570 006",
            "0011 61 491 570 006",
            "0061 491 570 006",
            "+61 (0)491 570 006",
            "61 (0) 491 570 006",
            "491570006",
            " 0491\u{a0}570\u{2011}006 ",
            "\u{202a}+61 491 570 006\u{202c}",
            "0491.570.006",
        ] {
            assert_eq!(mobile(text), "+61491570006", "{text:?}");
        }
    }

    #[test]
    fn numbers_with_05_are_mobiles_all_but_those_without_a_place() {
        for text in ["0510 123 456", "+61 510 123 456", "+61 (0)510 123 456", "510123456", "61510123456"] {
            assert_eq!(mobile(text), "+61510123456", "{text:?}");
        }
        for text in ["0550 123 456", "+61 550 123 456"] {
            let phone = normalise(text).unwrap_or_else(|e| panic!("{text:?}: {e}"));
            assert_eq!((phone.e164.as_str(), phone.can_be_texted()), ("+61550123456", false), "{text:?}");
        }
    }

    #[test]
    fn landlines_are_numbers_that_cannot_be_texted() {
        for (text, e164) in [
            ("(02) 5550 1234", "+61255501234"),
            ("+61 3 7010 0000", "+61370100000"),
            ("0755501234", "+61755501234"),
            ("61855501234", "+61855501234"),
        ] {
            let phone = normalise(text).unwrap_or_else(|e| panic!("{text:?}: {e}"));
            assert_eq!((phone.e164.as_str(), phone.kind), (e164, PhoneKind::Landline));
            assert!(!phone.can_be_texted());
        }
    }

    #[test]
    fn other_countries_need_their_code() {
        for (text, e164) in
            [("+64 21 123 4567", "+64211234567"), ("0011 1 202 555 0143", "+12025550143"), ("+4420 7946 0000", "+442079460000")]
        {
            let phone = normalise(text).unwrap_or_else(|e| panic!("{text:?}: {e}"));
            assert_eq!((phone.e164.as_str(), phone.kind), (e164, PhoneKind::Other));
        }
        assert_eq!(normalise("202 555 0143"), Err(PhoneError::WrongLength));
        assert_eq!(normalise("+0 491 570 006"), Err(PhoneError::UnknownRange));
    }

    #[test]
    fn what_is_no_number_says_why() {
        for (text, error) in [
            ("", PhoneError::Empty),
            (" +- ", PhoneError::Empty),
            ("O412345678", PhoneError::Letters),
            ("0491 57O 006", PhoneError::Letters),
            ("0491570006 ext 2", PhoneError::Letters),
            ("call me", PhoneError::Letters),
            ("٠٤٩١٥٧٠٠٠٦", PhoneError::Characters),
            ("0491 570 006 / 0491 570 156", PhoneError::Characters),
            ("04+91570006", PhoneError::Characters),
            ("13 11 14", PhoneError::ServiceNumber),
            ("1300 975 707", PhoneError::ServiceNumber),
            ("1800 160 401", PhoneError::ServiceNumber),
            ("+61 1300 975 707", PhoneError::ServiceNumber),
            ("000", PhoneError::WrongLength),
            ("0491 570 00", PhoneError::WrongLength),
            ("0491 570 0066", PhoneError::WrongLength),
            ("0991 570 006", PhoneError::UnknownRange),
            ("+61 1 5000 0000", PhoneError::UnknownRange),
            ("+61 6 5000 0000", PhoneError::UnknownRange),
            ("123456789012345678901", PhoneError::WrongLength),
        ] {
            assert_eq!(normalise(text), Err(error), "{text:?}");
        }
        assert_eq!(normalise(&"4".repeat(TEXT_BYTES_MAX + 1)), Err(PhoneError::TooLong));
    }

    proptest! {
        #[test]
        fn every_mobile_survives_every_style(first in 4..6, rest in 0u32..100_000_000, style in 0usize..7, gaps in proptest::collection::vec(0usize..9, 0..4)) {
            let tail = format!("{first}{rest:08}");
            prop_assume!(!tail.starts_with("550"));
            let prefix = ["0", "+61", "61", "0011 61", "+61 (0)", "", "0061"][style];
            let mut spaced = tail.clone();
            for gap in gaps {
                spaced.insert(gap.min(spaced.len()), ' ');
            }
            let phone = normalise(&format!("{prefix}{spaced}")).expect("a mobile");
            prop_assert_eq!(phone, Phone { e164: format!("+61{tail}"), kind: PhoneKind::Mobile });
        }

        #[test]
        fn what_is_accepted_is_e164_and_stays_the_same(text in "[+0-9 ()\\-a-z.\u{a0}]{0,24}") {
            if let Ok(phone) = normalise(&text) {
                let digits = phone.e164.strip_prefix('+').expect("a plus");
                prop_assert!((E164_DIGITS_MIN..=E164_DIGITS_MAX).contains(&digits.len()));
                prop_assert!(digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0'));
                prop_assert_eq!(normalise(&phone.e164), Ok(phone.clone()));
            }
        }

        #[test]
        fn one_letter_spoils_a_number(position in 0usize..10, letter in proptest::char::range('a', 'z')) {
            let mut text = "0491570006".to_owned();
            text.insert(position, letter);
            prop_assert_eq!(normalise(&text), Err(PhoneError::Letters));
        }

        #[test]
        fn any_text_is_answered(text in "\\PC{0,80}") {
            let _ = normalise(&text);
        }
    }
}
