//! Makes other people of real ones. The same person always becomes the same one.

use crate::domain::clinic::Clinic;
use sha2::{Digest, Sha256};

/// Given names of people who do not exist.
const FIRST_NAMES: [&str; 15] =
    ["Ana", "Ben", "Chloe", "Dev", "Ella", "Finn", "Grace", "Hugo", "Isla", "Jack", "Kim", "Leo", "Mia", "Noah", "Olive"];
const LAST_NAMES: [&str; 8] = ["Lima", "Novak", "Tran", "Walker", "Singh", "Rossi", "Brown", "Haddad"];

/// Mobile numbers that are kept free for films: nobody has them.
const PHONES: [&str; 30] = [
    "+61491570006",
    "+61491570110",
    "+61491570156",
    "+61491570157",
    "+61491570158",
    "+61491570159",
    "+61491570313",
    "+61491570737",
    "+61491571266",
    "+61491571491",
    "+61491571804",
    "+61491572549",
    "+61491572665",
    "+61491572983",
    "+61491573087",
    "+61491573770",
    "+61491574118",
    "+61491574632",
    "+61491575254",
    "+61491575789",
    "+61491576398",
    "+61491576801",
    "+61491577426",
    "+61491577644",
    "+61491578148",
    "+61491578888",
    "+61491578957",
    "+61491579212",
    "+61491579455",
    "+61491579760",
];

/// Longest word that is taken for one of ours, such as a source or a campaign.
const WORD_CHARS_MAX: usize = 24;

/// Somebody who stands for a real person.
pub(super) struct Mask {
    pub id: String,
    pub first_name: &'static str,
    pub last_name: &'static str,
    pub phone: &'static str,
    pub email: String,
}

/// Who stands for the person with this id.
pub(super) fn person(id: &str) -> Mask {
    let [a, b, c, ..] = Sha256::digest(id.as_bytes()).0;
    let pick = |list: &'static [&'static str], byte: u8| list[usize::from(byte) % list.len()];
    let (first_name, last_name) = (pick(&FIRST_NAMES, a), pick(&LAST_NAMES, b));
    let id = format!("{}-{}", first_name.to_lowercase(), last_name.to_lowercase());
    Mask { email: format!("{}@example.com", id.replace('-', ".")), id, first_name, last_name, phone: pick(&PHONES, c) }
}

/// What a message means is kept when it is one of the clinic's own words; nothing that the person wrote is.
pub(super) fn intent(body: &str, clinic: &Clinic) -> &'static str {
    clinic.keywords.intent(body)
}

/// A name of ours, such as `facebook` or `spring_mri`, stays; anything that a person may have written does not.
pub(super) fn word(text: &str) -> &str {
    let is_word = text.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '-') && text.len() <= WORD_CHARS_MAX;
    if is_word && !text.is_empty() { text } else { "masked" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_person_always_becomes_the_same_one_and_nobody_who_exists() {
        let (a, b) = (person("019a"), person("019a"));
        assert_eq!((&a.id, a.phone), (&b.id, b.phone));
        assert!(PHONES.contains(&a.phone) && a.email.ends_with("@example.com"));
        assert!((0..50).map(|n| person(&n.to_string()).id).collect::<std::collections::BTreeSet<_>>().len() > 20);
    }

    #[test]
    fn only_words_of_ours_are_kept() {
        assert_eq!((word("facebook"), word("Margaret"), word("call 0412"), word("")), ("facebook", "masked", "masked", "masked"));
    }
}
