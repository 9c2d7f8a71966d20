//! `keywords.yaml`: what replies mean.

use super::document::Document;
use super::lists::Listing;
use super::problem::ConfigProblem;
use super::reader::Reader;
use crate::domain::keywords::{Keywords, StopWords, spoken};
use std::collections::HashMap;

pub(super) const FILE: &str = "keywords.yaml";
/// What holds without the file.
const SHIPPED: &str = include_str!("../../config/keywords.yaml");
const INTENTS: [&str; 6] = ["start", "yes", "no", "cancel", "reschedule", "help"];
const KEYS: &[&str] = &["stop", "start", "yes", "no", "cancel", "reschedule", "help", "languages"];
const KEYS_OF_A_LANGUAGE: &[&str] = &["stop", "start", "yes", "no", "cancel", "reschedule", "help"];
const KEYS_OF_STOP: [&str; 3] = ["words", "alone", "phrases"];
/// Without these nobody could stop texts or confirm.
const NEEDED: &[&str] = &["start", "yes", "no", "cancel"];

/// Reads the keywords from the text of `keywords.yaml`.
///
/// # Errors
/// All problems, with their places.
pub fn load_keywords(text: &str) -> Result<Keywords, Vec<ConfigProblem>> {
    load_named("config/keywords.yaml", text)
}

/// The keywords that the program brings along.
pub(super) fn shipped() -> Keywords {
    load_keywords(SHIPPED).unwrap_or_default()
}

/// Those of the file, if there is one.
pub(super) fn read(reader: &mut Reader) -> Option<Keywords> {
    let text = reader.read_file(FILE)?;
    match load_named(&reader.shown(FILE), &text) {
        Ok(keywords) => Some(keywords),
        Err(problems) => {
            for problem in problems {
                reader.push(problem);
            }
            None
        }
    }
}

fn load_named(file: &str, text: &str) -> Result<Keywords, Vec<ConfigProblem>> {
    let document = Document::parse(file, text).map_err(|problem| vec![problem])?;
    let mut listing = Listing::of(&document);
    listing.check_keys("", KEYS);
    let mut reading = Reading { listing, meanings: HashMap::new() };
    let mut keywords = reading.language("", true);
    for name in reading.listing.keys("languages") {
        let path = format!("languages.{name}");
        reading.listing.check_keys(&path, KEYS_OF_A_LANGUAGE);
        let further = reading.language(&format!("{path}."), false);
        add(&mut keywords, further);
    }
    let mut problems = reading.listing.problems;
    problems.sort();
    if problems.is_empty() { Ok(keywords) } else { Err(problems) }
}

struct Reading<'a> {
    listing: Listing<'a>,
    /// Which list has a keyword first.
    meanings: HashMap<String, &'static str>,
}

impl Reading<'_> {
    /// The lists under `prefix`.
    fn language(&mut self, prefix: &str, is_first: bool) -> Keywords {
        self.listing.check_keys(&format!("{prefix}stop"), &KEYS_OF_STOP);
        let [words, alone, phrases] =
            KEYS_OF_STOP.map(|name| self.list(&format!("{prefix}stop.{name}"), "stop", is_first && name == "words"));
        let [start, yes, no, cancel, reschedule, help] =
            INTENTS.map(|name| self.list(&format!("{prefix}{name}"), name, is_first && NEEDED.contains(&name)));
        Keywords { stop: StopWords { words, alone, phrases }, start, yes, no, cancel, reschedule, help }
    }

    fn list(&mut self, path: &str, intent: &'static str, needed: bool) -> Vec<String> {
        let written = self.listing.words(path, needed);
        let mut list = Vec::with_capacity(written.len());
        for (index, word) in written.iter().enumerate() {
            let at = format!("{path}.{index}");
            let keyword = spoken(word).join(" ");
            let before = *self.meanings.entry(keyword.clone()).or_insert(intent);
            if keyword.is_empty() {
                self.listing.problem(&at, format!("`{word}` has no letter, digit or emoji"), None);
            } else if before != intent {
                let help = Some("a word has one meaning".to_owned());
                self.listing.problem(&at, format!("`{word}` already means `{before}`"), help);
            } else {
                list.push(keyword);
            }
        }
        list
    }
}

fn add(all: &mut Keywords, further: Keywords) {
    all.stop.words.extend(further.stop.words);
    all.stop.alone.extend(further.stop.alone);
    all.stop.phrases.extend(further.stop.phrases);
    all.start.extend(further.start);
    all.yes.extend(further.yes);
    all.no.extend(further.no);
    all.cancel.extend(further.cancel);
    all.reschedule.extend(further.reschedule);
    all.help.extend(further.help);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_keywords_have_no_problem() {
        assert_eq!(load_keywords(SHIPPED).expect("keywords"), shipped());
    }

    #[test]
    fn replies_mean_what_people_mean_by_them() {
        let keywords = shipped();
        for (bodies, intent) in [
            (
                &[
                    "STOP",
                    "Stop.",
                    " stop!! ",
                    "“STOP”",
                    "stop,please",
                    "STOP\u{200b}",
                    "Stop 🛑",
                    "ＳＴＯＰ",
                    "S T O P",
                    "s.t.o.p",
                ][..],
                "stop",
            ),
            (
                &[
                    "Stop texting me you people, please, now",
                    "opt-out",
                    "OPT OUT",
                    "Please stop",
                    "End",
                    "quit!",
                    "Unsubscribe me",
                ],
                "stop",
            ),
            (
                &["cancel my messages", "Can you please cancel my texts thanks", "I'd like to unsubscribe from all of this"],
                "stop",
            ),
            (&["Don’t text me again", "no more texts thanks", "take me off your list please, I never asked for it"], "stop"),
            (&["START", "start all", "Unstop"], "start"),
            (
                &[
                    "Yes",
                    "YES!!!",
                    "y",
                    "Yes please 😀",
                    "ok",
                    "👍",
                    "👍🏽",
                    "✅",
                    "1",
                    "1️⃣",
                    "No worries",
                    "c",
                    "Confirmed, thanks",
                ],
                "yes",
            ),
            (&["No", "N", "nope", "2", "👎", "Can't make it", "cant make it sorry"], "no"),
            (&["CANCEL", "Cancel.", "cancel please", "please cancel"], "cancel"),
            (&["Reschedule", "change please", "Another time?"], "reschedule"),
            (&["help", "INFO"], "help"),
            (&["Yes please cancel it", "yes but can I come an hour later instead", "ok, move it"], "other"),
            (&["Yes, is there parking?", "ok?", "好？"], "other"),
            (
                &[
                    "Stopping by at ten",
                    "Don't stop the reminders",
                    "please do not stop texting me",
                    "End of the week suits me better",
                ],
                "other",
            ),
            (&["Do you want me to cancel my booking or not?", "", "  ", "...", "Is there parking?", "😀"], "other"),
        ] {
            for body in bodies {
                assert_eq!(keywords.intent(body), intent, "{body:?}");
            }
        }
    }

    #[test]
    fn another_language_adds_its_words() {
        let text = format!(
            "{}\n",
            SHIPPED.replace(
                "languages: {}",
                "languages:\n  vi: { stop: { words: [dừng] }, \"yes\": [vâng], cancel: [hủy] }\n  zh: { stop: { words: [停止] } }"
            )
        );
        let keywords = load_keywords(&text).expect("keywords");
        for (body, intent) in [("Dừng!", "stop"), ("dung", "stop"), ("停止。", "stop"), ("Vâng ạ", "yes"), ("HUY", "cancel")]
        {
            assert_eq!(keywords.intent(body), intent, "{body}");
        }
    }

    #[test]
    fn each_mistake_has_its_place() {
        let text = "stop:\n  words: [stop]\n  alonee: [end]\nstart: [start]\n\"yes\": [ok, true]\n\"no\": [\"no\", \"Stop!\"]\ncancel: []\nlanguages:\n  vi: { stop: { words: [\"...\"] }, ja: [x] }\n";
        let problems = load_keywords(text).expect_err("problems");
        let shown: Vec<String> = problems.iter().map(|p| format!("{}:{} {}", p.line, p.column, p.message)).collect();
        insta::assert_snapshot!(shown.join("\n"), @r"
        3:3 there is no `stop.alonee` in this file
        5:1 `yes` has an item that is not a word
        6:1 `stop!` already means `stop`
        7:1 `cancel` is a list of words
        9:3 `...` has no letter, digit or emoji
        9:3 there is no `languages.vi.ja` in this file
        ");
    }
}
