//! What a person is found by: words of the name without marks, the email address, any part of the phone number. And the same of
//! what staff types.

use super::letters;

/// Words of one contact; further ones are not found.
const WORDS_MAX: usize = 12;
/// Characters of a word or an address.
const WORD_CHARS_MAX: usize = 64;
/// Fewer digits say nothing.
pub const PHONE_DIGITS_MIN: usize = 3;
/// Digits of a number; E.164 has at most 15.
const PHONE_DIGITS_MAX: usize = 15;
/// Conditions of one question.
const CONDITIONS_MAX: usize = 6;
/// Stands before a whole number: what follows is its beginning, not any part.
const WHOLE_NUMBER: char = '^';
/// Australia, and what is dialled in its place inside of the country.
const COUNTRY_CODE: &str = "61";
const TRUNK: &str = "0";

/// Small letters without marks; everything that is no letter and no digit ends a word.
fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.chars().filter(|c| !is_mark(*c)) {
        match letters::plain(letter) {
            Some(plain) => folded.push_str(&plain.to_lowercase()),
            None => folded.extend(letter.to_lowercase()),
        }
    }
    folded
}

/// A mark that stands after its letter, as some systems write them.
const fn is_mark(c: char) -> bool {
    matches!(c, '\u{0300}'..='\u{036F}')
}

fn words_of(text: &str) -> Vec<String> {
    let folded = fold(text);
    folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(cut).collect()
}

fn cut(word: &str) -> String {
    word.chars().take(WORD_CHARS_MAX).collect()
}

/// The digits of an E.164 number as they are known inside of the country: without 61.
fn national(phone: &str) -> String {
    let digits: String = phone.chars().filter(char::is_ascii_digit).take(PHONE_DIGITS_MAX).collect();
    let is_ours = phone.starts_with('+') || digits.len() > COUNTRY_CODE.len() + PHONE_DIGITS_MIN;
    match digits.strip_prefix(COUNTRY_CODE).or_else(|| digits.strip_prefix(TRUNK)) {
        Some(rest) if is_ours => rest.to_owned(),
        _ => digits,
    }
}

/// One line of everything that a contact is found by: ` jane o neil oneil jane@example.com ^491570006`.
#[must_use]
pub fn line_of(name: &str, email: Option<&str>, phone: Option<&str>) -> String {
    let mut words = words_of(name);
    // O'Neil is found as o, neil and oneil.
    for whole in name.split_whitespace() {
        for apart in whole.split('-').chain(whole.contains('-').then_some(whole)) {
            let parts = words_of(apart);
            if parts.len() > 1 {
                words.push(cut(&parts.concat()));
            }
        }
    }
    words.truncate(WORDS_MAX);
    words.extend(email.map(|email| cut(&fold(email.trim()).replace(char::is_whitespace, ""))).filter(|email| !email.is_empty()));
    let number = phone.map(national).filter(|digits| digits.len() >= PHONE_DIGITS_MIN);
    words.extend(number.map(|digits| format!("{WHOLE_NUMBER}{digits}")));
    words.iter().fold(String::new(), |line, word| line + " " + word.as_str())
}

/// By which names are sorted.
#[must_use]
pub fn sort_name(name: &str) -> String {
    words_of(name).join(" ")
}

/// Every term of a line; a prefix of one of them finds the contact.
#[must_use]
pub fn terms_of(line: &str) -> Vec<String> {
    let mut terms = Vec::new();
    for word in line.split(' ').filter(|word| !word.is_empty()) {
        terms.push(word.to_owned());
        if let Some(digits) = word.strip_prefix(WHOLE_NUMBER) {
            // Digits only: every byte is a character.
            let ends = 0..=digits.len().saturating_sub(PHONE_DIGITS_MIN);
            terms.extend(ends.filter_map(|at| digits.get(at..)).map(str::to_owned));
        }
    }
    terms.sort_unstable();
    terms.dedup();
    terms
}

/// One thing that a contact must have: the beginning of one of these terms.
pub type Condition = Vec<String>;

/// What staff has typed, as conditions that hold together. Empty when nothing in it can be looked for.
#[must_use]
pub fn conditions(text: &str) -> Vec<Condition> {
    if let Some(digits) = phone_digits(text) {
        return vec![number_parts(&digits)];
    }
    let mut found = Vec::new();
    for piece in text.split_whitespace() {
        if piece.contains('@') {
            found.push(vec![cut(&fold(piece))]);
        } else if let Some(digits) = phone_digits(piece) {
            found.push(number_parts(&digits));
        } else {
            found.extend(words_of(piece).into_iter().map(|word| vec![word]));
        }
    }
    found.truncate(CONDITIONS_MAX);
    found
}

/// The digits of what is written like a phone number, however it is written.
fn phone_digits(text: &str) -> Option<String> {
    let is_phone = text.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '+' | '-' | '(' | ')' | '.'));
    // `+61 (0)491`: the 0 is not dialled.
    let written = text.replace("(0)", "");
    let digits: String = written.chars().filter(char::is_ascii_digit).take(PHONE_DIGITS_MAX).collect();
    (is_phone && digits.len() >= PHONE_DIGITS_MIN).then_some(digits)
}

/// Any part of a number, or the beginning of one with what stands before it: 0, 61, 1 of 61, 0061, 0011 61.
fn number_parts(digits: &str) -> Condition {
    let mut parts = vec![digits.to_owned()];
    for before in [TRUNK, COUNTRY_CODE, "1", "0061", "001161"] {
        if let Some(rest) = digits.strip_prefix(before).filter(|rest| !rest.is_empty()) {
            parts.push(format!("{WHOLE_NUMBER}{rest}"));
        }
    }
    parts
}

/// Where the term must stand in a line: after a space, or, of a part of a number, anywhere in the number. As `LIKE` patterns
/// that want `ESCAPE '\'`.
#[must_use]
pub fn pattern_of(term: &str) -> String {
    let escaped = term.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    let is_part = term.len() >= PHONE_DIGITS_MIN && term.bytes().all(|b| b.is_ascii_digit());
    if is_part { format!("%{WHOLE_NUMBER}%{escaped}%") } else { format!("% {escaped}%") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the question finds the line, as the database does it.
    fn finds(line: &str, text: &str) -> bool {
        let terms = terms_of(line);
        let asked = conditions(text);
        let by_terms = asked.iter().all(|c| c.iter().any(|prefix| terms.iter().any(|t| t.starts_with(prefix.as_str()))));
        !asked.is_empty() && by_terms
    }

    #[test]
    fn a_name_is_found_by_the_beginning_of_any_word_without_marks() {
        let line = line_of("Ngọc Anh Nguyễn-O'Neil", Some("Ngoc.Anh@Example.com"), None);
        for text in ["ngoc", "Nguyên", "NEIL", "oneil", "anh ngo", "o'neil", "nguyen-oneil", "ngoc.anh@exa", "N\u{0303}goc"] {
            assert!(finds(&line, text), "{text} in {line}");
        }
        for text in ["guyen", "anh x", "", " - ", "%", "example"] {
            assert!(!finds(&line, text), "{text} in {line}");
        }
    }

    #[test]
    fn a_number_is_found_by_any_part_however_it_is_written() {
        let line = line_of("", None, Some("+61491570006"));
        for text in [
            "0491 570 006",
            "+61 491 570 006",
            "+61 (0)491",
            "61491",
            "0061491",
            "1491",
            "570",
            "006",
            "(0491) 570-006",
            "0491.570",
        ] {
            assert!(finds(&line, text), "{text} in {line}");
        }
        for text in ["0490", "07", "5700061", "0570"] {
            assert!(!finds(&line, text), "{text} in {line}");
        }
        assert!(finds(&line_of("Jane", None, Some("+61491570006")), "jane 570"));
        assert!(finds(&line_of("Jane", None, Some("0491 570 006")), "+61491570"), "a number that nobody could read");
        assert!(finds(&line_of("Kiri", None, Some("+64211234567")), "+64 21 123"));
    }

    #[test]
    fn every_part_of_every_number_finds_it() {
        let line = line_of("", None, Some("+61255501234"));
        for written in ["61255501234", "0255501234"] {
            for from in 0..written.len() {
                for to in from + PHONE_DIGITS_MIN..=written.len() {
                    assert!(finds(&line, &written[from..to]), "{}", &written[from..to]);
                }
            }
        }
    }

    #[test]
    fn a_contact_has_few_terms() {
        assert_eq!(terms_of(&line_of("Jane Nguyen", None, Some("+61491570006"))).len(), 10);
        assert!(terms_of(&line_of(&"ab ".repeat(500), None, None)).len() <= WORDS_MAX);
    }
}
