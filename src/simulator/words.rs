//! Words that a provider is told to say of texts to some numbers, for every consequence that no number has by itself.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Numbers at one time.
pub const NUMBERS_MAX: usize = 1_000;
const WORD_CHARS_MAX: usize = 40;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WordError {
    #[error("a provider's word has 1 to {WORD_CHARS_MAX} letters, digits and `_`")]
    Word,
    #[error("at most {NUMBERS_MAX} numbers have words")]
    TooMany,
}

#[derive(Default)]
pub(super) struct Words(Mutex<BTreeMap<String, String>>);

impl Words {
    pub fn of(&self, to: &str) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(to).cloned()
    }

    pub fn set(&self, to: &str, word: Option<&str>) -> Result<(), WordError> {
        let mut words = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(word) = word else {
            words.remove(to);
            return Ok(());
        };
        if !is_word(word) {
            return Err(WordError::Word);
        }
        if words.len() >= NUMBERS_MAX && !words.contains_key(to) {
            return Err(WordError::TooMany);
        }
        words.insert(to.to_owned(), word.to_owned());
        Ok(())
    }
}

fn is_word(text: &str) -> bool {
    (1..=WORD_CHARS_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
