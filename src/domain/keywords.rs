//! What people mean by a reply (`config/keywords.yaml`).

use super::letters;
use serde::{Deserialize, Serialize};

/// What a message can mean: the values of `message.intent`.
pub const INTENTS: &[&str] = &["stop", "start", "yes", "no", "cancel", "reschedule", "help", "other"];

/// Words and phrases, in [`spoken`] form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keywords {
    pub stop: StopWords,
    pub start: Vec<String>,
    pub yes: Vec<String>,
    pub no: Vec<String>,
    pub cancel: Vec<String>,
    pub reschedule: Vec<String>,
    pub help: Vec<String>,
}

/// How people say that they want no more texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StopWords {
    /// Begin a message of any length.
    pub words: Vec<String>,
    /// Begin a short message: in a long one they may mean something else.
    pub alone: Vec<String>,
    /// Stand anywhere in a message.
    pub phrases: Vec<String>,
}

/// Longer replies are for a person to read, whatever they begin with.
const SHORT_REPLY_WORDS_MAX: usize = 4;
/// Right before a phrase these turn it round.
const NEGATIONS: &[&str] = &["dont", "not", "never"];
/// So many single letters in a row are one word that somebody has spelled.
const SPELLED_LETTERS_MIN: usize = 3;

impl Keywords {
    /// What a message means, one of [`INTENTS`]. STOP is heard in messages of any length; the others only when the message is
    /// short and says one thing.
    #[must_use]
    pub fn intent(&self, body: &str) -> &'static str {
        let words = spoken(body);
        let is_short = words.len() <= SHORT_REPLY_WORDS_MAX;
        if self.stop.is_meant(&words, is_short) {
            return "stop";
        }
        if !is_short {
            return "other";
        }
        let Some((intent, length)) = self.longest(&words) else { return "other" };
        let rest = words.get(length..).unwrap_or(&[]);
        let is_for_a_person = intent == "yes" && (asks(body) || self.contradicts_yes(rest));
        if is_for_a_person { "other" } else { intent }
    }

    /// The words of an intent; none for `other`.
    #[must_use]
    pub fn of(&self, intent: &str) -> &[String] {
        match intent {
            "stop" => &self.stop.words,
            "start" => &self.start,
            "yes" => &self.yes,
            "no" => &self.no,
            "cancel" => &self.cancel,
            "reschedule" => &self.reschedule,
            "help" => &self.help,
            _ => &[],
        }
    }

    /// The longest of all keywords that the message begins with: `no worries` is not `no`.
    fn longest(&self, words: &[String]) -> Option<(&'static str, usize)> {
        const ORDER: [&str; 6] = ["start", "reschedule", "cancel", "no", "yes", "help"];
        let begun = ORDER.into_iter().flat_map(|intent| self.of(intent).iter().map(move |keyword| (intent, keyword)));
        let lengths = begun.filter_map(|(intent, keyword)| Some((intent, begins(words, keyword)?)));
        lengths.fold(None, |best, (intent, length)| match best {
            Some((_, longest)) if longest >= length => best,
            _ => Some((intent, length)),
        })
    }

    /// "Yes please cancel it" is for a person to read.
    fn contradicts_yes(&self, rest: &[String]) -> bool {
        let others = self.no.iter().chain(&self.cancel).chain(&self.reschedule);
        others.filter(|keyword| keyword.chars().count() > 1).any(|keyword| find(rest, keyword).is_some())
    }
}

/// "Yes, is there parking?" wants an answer.
fn asks(body: &str) -> bool {
    body.contains(['?', '\u{FF1F}', '\u{061F}'])
}

impl StopWords {
    fn is_meant(&self, words: &[String], is_short: bool) -> bool {
        let begins_with = |list: &[String]| list.iter().any(|keyword| begins(words, keyword).is_some());
        begins_with(&self.words)
            || is_short && begins_with(&self.alone)
            || self.phrases.iter().any(|phrase| find(words, phrase).is_some_and(|at| !is_negated(words, at)))
    }
}

fn is_negated(words: &[String], at: usize) -> bool {
    at.checked_sub(1).and_then(|before| words.get(before)).is_some_and(|word| NEGATIONS.contains(&word.as_str()))
}

/// A text as it is compared: small letters without marks, no punctuation, no emoji. A text of nothing but emoji keeps those.
#[must_use]
pub fn spoken(text: &str) -> Vec<String> {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match of_width(c) {
            '\'' | '\u{2018}' | '\u{2019}' | '`' | '\u{b4}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => {}
            c if c.is_alphanumeric() => match letters::plain(c) {
                Some(letters) => plain.push_str(&letters.to_lowercase()),
                None => plain.extend(c.to_lowercase()),
            },
            // A mark of its own stands on the letter before it.
            '\u{300}'..='\u{36f}' | '\u{fe0f}' | '\u{20e3}' => {}
            _ => plain.push(' '),
        }
    }
    let words: Vec<String> = plain.split_whitespace().map(str::to_owned).collect();
    if words.is_empty() {
        return emoji(text);
    }
    let is_spelled = words.len() >= SPELLED_LETTERS_MIN && words.iter().all(|w| w.chars().count() == 1);
    if is_spelled { vec![words.concat()] } else { words }
}

/// Wide forms, as some keyboards write them, are the same letters.
fn of_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

/// Each different one once, whatever its skin.
fn emoji(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for c in
        text.chars().filter(|c| matches!(*c, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1f3fa}' | '\u{1f400}'..='\u{1faff}'))
    {
        let one = c.to_string();
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

/// How many words the keyword has, when `words` begin with it.
fn begins(words: &[String], keyword: &str) -> Option<usize> {
    let mut length = 0;
    for part in keyword.split(' ') {
        if words.get(length).is_none_or(|word| word != part) {
            return None;
        }
        length += 1;
    }
    Some(length)
}

/// Where the keyword stands in `words`.
fn find(words: &[String], keyword: &str) -> Option<usize> {
    (0..words.len()).find(|at| words.get(*at..).is_some_and(|rest| begins(rest, keyword).is_some()))
}
