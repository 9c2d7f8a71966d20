//! Characters that make a text cost more than it looks, and what to write in their place.

use super::segments::{count, gsm7_width};
use super::transliterate::transliterate;
use crate::domain::letters;

/// Characters that are named in one sentence.
const NAMED_MAX: usize = 5;

/// What single characters of a text cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// Segments that the text takes.
    pub segments: usize,
    /// Segments that it would take with every replacement made.
    pub segments_plain: usize,
    /// In the order in which the text has them, each once.
    pub characters: Vec<Costly>,
}

/// One character that costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Costly {
    pub character: char,
    /// How often the text has it.
    pub count: usize,
    pub why: Why,
    pub instead: Instead,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The SMS alphabet (GSM-7) lacks it, so the whole text is written in UCS-2: 70 characters a segment instead of 160.
    Alphabet,
    /// It takes the place of two.
    CountsTwice,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instead {
    Write(String),
    LeaveOut,
    /// A letter or a sign that nothing else stands for.
    Nothing,
}

impl Why {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alphabet => "alphabet",
            Self::CountsTwice => "counts_twice",
        }
    }
}

/// Looks for the characters that cost, in a text as it would be sent.
#[must_use]
pub fn advise(text: &str) -> Advice {
    let counted = count(text);
    let is_wide = text.chars().any(|c| gsm7_width(c).is_none());
    let mut characters: Vec<Costly> = Vec::new();
    for c in text.chars() {
        if let Some(known) = characters.iter_mut().find(|known| known.character == c) {
            known.count += 1;
        } else if let Some(why) = why(c, is_wide) {
            characters.push(Costly { character: c, count: 1, why, instead: instead(c, why) });
        }
    }
    let segments_plain = count(&plain(text, &characters)).parts;
    Advice { segments: counted.parts, segments_plain, characters }
}

/// In a text that is wide anyhow, nothing of the SMS alphabet counts twice.
fn why(c: char, is_wide: bool) -> Option<Why> {
    match gsm7_width(c) {
        None => Some(Why::Alphabet),
        Some(2) if !is_wide => Some(Why::CountsTwice),
        Some(_) => None,
    }
}

fn instead(c: char, why: Why) -> Instead {
    let mut buffer = [0; 4];
    let typed = transliterate(c.encode_utf8(&mut buffer)).into_owned();
    let found = if typed.is_empty() { Some(typed) } else { Some(typed).filter(|typed| *typed != c.to_string()) };
    match found.or_else(|| letters::plain(c)).or_else(|| sign(c).map(ToOwned::to_owned)) {
        Some(plain) if plain.is_empty() => Instead::LeaveOut,
        Some(plain) => Instead::Write(plain),
        None if why == Why::CountsTwice || c.is_alphanumeric() => Instead::Nothing,
        None => Instead::LeaveOut,
    }
}

/// Signs that something of the SMS alphabet can stand for.
const fn sign(c: char) -> Option<&'static str> {
    Some(match c {
        '`' | '´' | '‹' | '›' => "'",
        '«' | '»' => "\"",
        '\t' => " ",
        '•' | '·' | '~' => "-",
        '×' => "x",
        '½' => "1/2",
        '¼' => "1/4",
        '¾' => "3/4",
        '→' => "->",
        '[' | '{' => "(",
        ']' | '}' => ")",
        '|' | '\\' => "/",
        _ => return None,
    })
}

fn plain(text: &str, characters: &[Costly]) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match characters.iter().find(|costly| costly.character == c).map(|costly| &costly.instead) {
            Some(Instead::Write(other)) => plain.push_str(other),
            Some(Instead::LeaveOut) => {}
            Some(Instead::Nothing) | None => plain.push(c),
        }
    }
    plain
}

impl Advice {
    /// Segments that the replacements save.
    #[must_use]
    pub const fn saves(&self) -> usize {
        self.segments.saturating_sub(self.segments_plain)
    }

    /// For whoever writes the text; `None` when no character costs anything.
    ///
    /// `’ makes this 2 segments. Use ' instead.`
    #[must_use]
    pub fn sentence(&self) -> Option<String> {
        let costly: Vec<&Costly> = self.characters.iter().collect();
        let first = costly.first()?;
        let (names, are_many) = (names(&costly), costly.len() > 1);
        let said = match (first.why, self.saves() > 0) {
            (_, true) => format!("{names} {} this {}", if are_many { "make" } else { "makes" }, segments(self.segments)),
            (Why::Alphabet, false) => {
                let verb = if are_many { "leave" } else { "leaves" };
                format!("{names} {verb} 70 characters a segment instead of 160; this text takes {}", segments(self.segments))
            }
            (Why::CountsTwice, false) => format!("{names} {} twice", if are_many { "count" } else { "counts" }),
        };
        let help = if self.saves() > 0 { help(&costly) } else { None };
        Some(match help {
            Some(help) => format!("{said}. {help}."),
            None => format!("{said}."),
        })
    }
}

fn segments(count: usize) -> String {
    format!("{count} segment{}", if count == 1 { "" } else { "s" })
}

/// `’, – and ễ`
fn names(costly: &[&Costly]) -> String {
    let named: Vec<String> = costly.iter().take(NAMED_MAX).map(|costly| name(costly.character)).collect();
    match costly.len().saturating_sub(NAMED_MAX) {
        0 => list(&named),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

fn list(parts: &[String]) -> String {
    match parts {
        [before @ .., last] if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        parts => parts.concat(),
    }
}

/// What cannot be seen is called by its number.
fn name(c: char) -> String {
    let is_seen = !c.is_whitespace() && !c.is_control() && !matches!(c, '\u{300}'..='\u{36F}') && transliterates_to_something(c);
    if is_seen { c.to_string() } else { format!("U+{:04X}", u32::from(c)) }
}

fn transliterates_to_something(c: char) -> bool {
    let mut buffer = [0; 4];
    !transliterate(c.encode_utf8(&mut buffer)).is_empty()
}

/// `Use ' instead`, or for several `Use ' for ’ and - for –; leave out 😀`
fn help(costly: &[&Costly]) -> Option<String> {
    if let [only] = costly {
        return match &only.instead {
            Instead::Write(plain) if plain == " " => Some("Use a space instead".to_owned()),
            Instead::Write(plain) => Some(format!("Use {plain} instead")),
            Instead::LeaveOut => Some("Leave it out".to_owned()),
            Instead::Nothing => None,
        };
    }
    let (mut written, mut left_out) = (Vec::new(), Vec::new());
    for costly in costly.iter().take(NAMED_MAX) {
        match &costly.instead {
            Instead::Write(plain) if plain == " " => written.push(format!("a space for {}", name(costly.character))),
            Instead::Write(plain) => written.push(format!("{plain} for {}", name(costly.character))),
            Instead::LeaveOut => left_out.push(name(costly.character)),
            Instead::Nothing => {}
        }
    }
    match (written.is_empty(), left_out.is_empty()) {
        (true, true) => None,
        (false, true) => Some(format!("Use {}", list(&written))),
        (true, false) => Some(format!("Leave out {}", list(&left_out))),
        (false, false) => Some(format!("Use {}; leave out {}", list(&written), list(&left_out))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vector_names_what_it_costs() {
        let vectors = super::super::segments::vectors();
        for v in vectors {
            let advice = advise(&v.text);
            assert_eq!(advice.segments, v.parts, "{}", v.case);
            let of = |why: Why| advice.characters.iter().filter(|c| c.why == why).map(|c| c.count).sum::<usize>();
            assert_eq!(of(Why::Alphabet) > 0, v.encoding == "ucs2", "{}: what forces the encoding is named", v.case);
            if v.encoding == "gsm7" {
                let characters = v.text.chars().count();
                assert_eq!(characters + of(Why::CountsTwice), v.units, "{}: what counts twice is named", v.case);
            }
            assert_eq!(advice.sentence().is_none(), advice.characters.is_empty(), "{}", v.case);
        }
    }

    fn said(text: &str) -> String {
        advise(text).sentence().unwrap_or_default()
    }

    #[test]
    fn the_culprit_is_named_with_what_to_write_instead() {
        let long = "x".repeat(80);
        assert_eq!(said(&format!("We\u{2019}ll see you {long}")), "\u{2019} makes this 2 segments. Use ' instead.");
        assert_eq!(said(&format!("Hi Nguyễn {long}")), "ễ makes this 2 segments. Use e instead.");
        assert_eq!(said(&format!("See you\u{a0}{long}")), "U+00A0 makes this 2 segments. Use a space instead.");
        assert_eq!(said(&format!("{long}\u{200b}")), "U+200B makes this 2 segments. Leave it out.");
        assert_eq!(
            said(&format!("\u{1f44b} We\u{2019}ll \u{2013} {long}")),
            "\u{1f44b}, \u{2019} and \u{2013} make this 2 segments. Use ' for \u{2019} and - for \u{2013}; leave out \u{1f44b}."
        );
        assert_eq!(said(&format!("{}[", "x".repeat(159))), "[ makes this 2 segments. Use ( instead.");
        assert_eq!(said("[1]"), "[ and ] count twice.");
        assert_eq!(said("€"), "€ counts twice.");
        assert_eq!(said("plain"), "");
    }

    #[test]
    fn a_replacement_that_saves_nothing_is_not_asked_for() {
        assert_eq!(said("it\u{2019}s"), "\u{2019} leaves 70 characters a segment instead of 160; this text takes 1 segment.");
        let chinese = "王".repeat(80);
        assert_eq!(said(&chinese), "王 leaves 70 characters a segment instead of 160; this text takes 2 segments.");
        let halves = "½".repeat(60);
        assert!(advise(&halves).segments_plain > 1 && advise(&halves).saves() == 0);
        assert_eq!(said(&"ếềệểễ王李".repeat(20)).matches(" and 2 more ").count(), 1);
    }

    proptest::proptest! {
        #[test]
        fn what_is_promised_to_be_saved_is_saved(text in "[a-z€\\[ễ’–😀王\u{a0}\u{200b}½ ]{0,400}") {
            let advice = advise(&text);
            let plain = plain(&text, &advice.characters);
            proptest::prop_assert_eq!(count(&plain).parts, advice.segments_plain);
            let kept = advice.characters.iter().any(|c| c.why == Why::Alphabet && c.instead == Instead::Nothing);
            proptest::prop_assert_eq!(count(&plain).encoding == "ucs2", kept, "{}", plain);
        }
    }
}
