//! Typographic characters that would turn a text of one part into one of three, replaced by their plain twins.

use super::segments::gsm7_width;
use crate::domain::letters;
use std::borrow::Cow;

/// As [`transliterate`], and with `plain_letters` also letters that the SMS alphabet lacks lose their marks: Nguyễn → Nguyen. Those
/// that it has stay: Zoé.
#[must_use]
pub fn transliterate_for(text: &str, plain_letters: bool) -> Cow<'_, str> {
    let text = transliterate(text);
    if !plain_letters || text.is_ascii() {
        return text;
    }
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match letters::plain(c).filter(|_| gsm7_width(c).is_none()) {
            Some(letters) => plain.push_str(&letters),
            None => plain.push(c),
        }
    }
    Cow::Owned(plain)
}

/// Curly quotes, dashes, the ellipsis and odd spaces become ASCII; everything else stays, letters of names above all.
#[must_use]
pub fn transliterate(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{2018}' | '\u{2019}' | '\u{201A}' | '\u{201B}' | '\u{2032}' => plain.push('\''),
            '\u{201C}' | '\u{201D}' | '\u{201E}' | '\u{201F}' | '\u{2033}' => plain.push('"'),
            '\u{2010}'..='\u{2015}' | '\u{2212}' => plain.push('-'),
            '\u{2026}' => plain.push_str("..."),
            '\u{00A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}' => plain.push(' '),
            // Zero-width characters and the byte order mark are invisible and cost a whole encoding.
            '\u{200B}' | '\u{2060}' | '\u{FEFF}' => {}
            other => plain.push(other),
        }
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::template::segments;

    #[test]
    fn a_word_processors_text_fits_gsm7_again() {
        let pasted = "Hi Jane, we\u{2019}ll see you \u{2013} tomorrow\u{2026}\u{00A0}\u{201C}early\u{201D}";
        assert_eq!(transliterate(pasted), "Hi Jane, we'll see you - tomorrow... \"early\"");
        assert_eq!(segments::count(&transliterate(pasted)).encoding, "gsm7");
    }

    #[test]
    fn names_keep_their_letters() {
        assert_eq!(transliterate("Nguyễn, Zoë"), "Nguyễn, Zoë");
        assert_eq!(transliterate_for("Nguyễn, Zoë", false), "Nguyễn, Zoë");
    }

    #[test]
    fn letters_that_cost_a_whole_encoding_can_lose_their_marks() {
        let plain = transliterate_for("Hi Nguyễn, Zoë and José\u{2019}s son", true);
        assert_eq!(plain, "Hi Nguyen, Zoe and José's son");
        assert_eq!(segments::count(&plain).encoding, "gsm7");
        assert_eq!(transliterate_for("王", true), "王", "there is no plain twin");
    }
}
