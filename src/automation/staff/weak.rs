//! Passwords that are tried first: those that many people have, and those made of what everybody knows about somebody.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Some 5,000 passwords of at least 8 characters, most common first, lower case. From the frequency lists of zxcvbn (MIT).
static COMMON: LazyLock<HashSet<&'static str>> = LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());

/// Known of every clinic that uses this program.
const WORDS_OF_THE_TRADE: &[&str] = &["password", "passwort", "avatar", "clinic", "imaging", "radiology", "welcome", "admin"];

/// Shorter words are in many good passwords by chance.
const WORD_CHARACTERS_MIN: usize = 4;
/// What is left of a good password without known words.
const REST_CHARACTERS_MIN: usize = 6;
const DISTINCT_CHARACTERS_MIN: usize = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weakness {
    Common,
    Guessable,
}

/// What is wrong with a password, of a person or clinic that `about` names.
pub(super) fn find(password: &str, about: &[&str]) -> Option<Weakness> {
    let lower = password.to_lowercase();
    let bare = lower.trim_matches(|c: char| c.is_ascii_digit() || c.is_ascii_punctuation());
    let plain = lower.trim_matches(|c: char| c.is_ascii_punctuation());
    if [lower.as_str(), plain, bare, unit(&lower)].iter().any(|text| COMMON.contains(text)) {
        return Some(Weakness::Common);
    }
    let distinct: HashSet<char> = lower.chars().collect();
    let is_poor = distinct.len() < DISTINCT_CHARACTERS_MIN || is_sequence(&lower) || unit(&lower).len() < REST_CHARACTERS_MIN;
    (is_poor || without_words(&lower, about) < REST_CHARACTERS_MIN).then_some(Weakness::Guessable)
}

/// What the text is a repetition of; all of it when it is none.
fn unit(text: &str) -> &str {
    let repeats = |length: &usize| {
        text.is_char_boundary(*length) && text.len() % length == 0 && text[*length..] == text[..text.len() - length]
    };
    (1..text.len()).find(repeats).map_or(text, |length| &text[..length])
}

/// Nearly all characters follow the one before, such as `1234…`, `cba…` or `aaaa`.
fn is_sequence(text: &str) -> bool {
    let codes: Vec<i64> = text.chars().map(|c| i64::from(u32::from(c))).collect();
    let steps = codes.windows(2).filter(|pair| (pair[1] - pair[0]).abs() <= 1).count();
    codes.len() > 1 && steps * 5 >= (codes.len() - 1) * 4
}

/// Characters that are left when every known word is taken out.
fn without_words(lower: &str, about: &[&str]) -> usize {
    let known = about.iter().flat_map(|text| text.split(|c: char| !c.is_alphanumeric())).map(str::to_lowercase);
    let mut words: Vec<String> = known.chain(WORDS_OF_THE_TRADE.iter().map(|w| (*w).to_owned())).collect();
    words.retain(|word| word.chars().count() >= WORD_CHARACTERS_MIN);
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let mut rest = lower.to_owned();
    for word in words {
        rest = rest.replace(&word, "");
    }
    rest.chars().filter(|c| c.is_alphanumeric()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_long_and_of_passwords_that_could_be_chosen() {
        assert!(COMMON.len() > 3_000);
        assert!(COMMON.iter().all(|word| word.len() >= 8 && *word == word.to_lowercase()));
    }

    #[test]
    fn what_everybody_tries_first_is_weak() {
        let about = ["kim.nguyen@harbour.example", "Kim Nguyen", "Harbour Imaging"];
        for common in ["baseball", "Trustno1", "trustno1!!!!!!!!", "passwordpassword"] {
            assert_eq!(find(common, &about), Some(Weakness::Common), "{common}");
        }
        for guessable in [
            "123456789012345",
            "aaaaaaaaaaaaaaab",
            "abcabcabcabcabcabc",
            "harbourimaging2026",
            "Kim-Nguyen-Harbour",
            "abcdefghijklmnop",
        ] {
            assert_eq!(find(guessable, &about), Some(Weakness::Guessable), "{guessable}");
        }
        for good in ["correct horse battery", "fifteen charss!", "harbour ferry at seven", "kX9#mq2!vB", "a long enough password"]
        {
            assert_eq!(find(good, &about), None, "{good}");
        }
    }
}
