//! Who comes to the clinic: made-up people with names as Sydney has them.

use super::names::{FIRST_NAMES, LAST_NAMES};
use super::random::Random;
use std::collections::HashSet;

/// One made-up person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub first_name: String,
    pub last_name: String,
    /// As the person wrote it: spaces, `+61`, brackets.
    pub phone: String,
    pub email: String,
    pub wix_contact: String,
    pub manychat: String,
    /// Answers the first reminder with STOP.
    pub stops: bool,
}

/// The mobiles that the ACMA keeps for drama: nobody has them.
pub const DRAMA_MOBILES: [&str; 30] = [
    "0491570006",
    "0491570110",
    "0491570156",
    "0491570157",
    "0491570158",
    "0491570159",
    "0491570313",
    "0491570737",
    "0491571266",
    "0491571491",
    "0491571804",
    "0491572549",
    "0491572665",
    "0491572983",
    "0491573087",
    "0491573770",
    "0491574118",
    "0491574632",
    "0491575254",
    "0491575789",
    "0491576398",
    "0491576801",
    "0491577426",
    "0491577644",
    "0491578148",
    "0491578888",
    "0491578957",
    "0491579212",
    "0491579455",
    "0491579760",
];

/// A drama number that is the clinic's own.
pub const CLINIC_MOBILE: &str = "+61491570156";

/// Families: so many pairs of people have one phone.
const FAMILIES: usize = 4;
/// The first people who, texted, do not want to be.
const STOPPERS: usize = 2;

/// `count` people; the first 30 have drama numbers, and a few of the others share those.
pub fn cast(seed: u64, count: usize) -> Vec<Person> {
    let mut random = Random::of(seed, "people");
    let mut taken: HashSet<String> = DRAMA_MOBILES.iter().map(ToString::to_string).collect();
    let mut people: Vec<Person> = Vec::with_capacity(count);
    for number in 0..count {
        let child_of = number.checked_sub(DRAMA_MOBILES.len()).filter(|n| *n < FAMILIES).and_then(|n| people.get(n)).cloned();
        let last_name = match &child_of {
            Some(parent) => parent.last_name.clone(),
            None => random.weighted(LAST_NAMES).copied().unwrap_or("Smith").to_owned(),
        };
        let phone = match (DRAMA_MOBILES.get(number), child_of) {
            (Some(drama), _) => (*drama).to_owned(),
            (None, Some(parent)) => parent.phone,
            (None, None) => mobile(&mut random, &mut taken),
        };
        let first_name = random.weighted(FIRST_NAMES).copied().unwrap_or("Jane").to_owned();
        people.push(Person {
            email: format!("{}.{}+{number}@example.com", ascii(&first_name), ascii(&last_name)),
            phone: written(&phone, number),
            wix_contact: random.uuid(),
            manychat: random.between(1_000_000_000, 9_000_000_000).to_string(),
            stops: (DRAMA_MOBILES.len() + FAMILIES..DRAMA_MOBILES.len() + FAMILIES + STOPPERS).contains(&number),
            first_name,
            last_name,
        });
    }
    people
}

/// A number made for this run. Demo contacts are never texted by a real provider, whoever has the number.
fn mobile(random: &mut Random, taken: &mut HashSet<String>) -> String {
    loop {
        let number = format!("04{:08}", random.between(0, 100_000_000));
        if !number.starts_with("049157") && taken.insert(number.clone()) {
            return number;
        }
    }
}

/// People write their numbers as they like.
fn written(phone: &str, number: usize) -> String {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let national = digits.strip_prefix("61").map_or_else(|| digits.clone(), |rest| format!("0{rest}"));
    let (Some(a), Some(b), Some(c)) = (national.get(1..4), national.get(4..7), national.get(7..10)) else { return national };
    match number % 4 {
        0 => format!("0{a} {b} {c}"),
        1 => national,
        2 => format!("+61 {a} {b} {c}"),
        _ => format!("+61{a}{b}{c}"),
    }
}

fn ascii(name: &str) -> String {
    let plain = name.chars().filter_map(|c| match c {
        'ë' | 'é' | 'è' | 'ễ' | 'ê' => Some('e'),
        'á' | 'ā' | 'à' => Some('a'),
        'ọ' | 'Ó' | 'ó' => Some('o'),
        'ú' | 'ü' => Some('u'),
        'í' => Some('i'),
        'ć' => Some('c'),
        c if c.is_ascii_alphabetic() => Some(c.to_ascii_lowercase()),
        _ => None,
    });
    plain.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::phone;

    #[test]
    fn the_cast_has_drama_numbers_families_and_names_beyond_ascii() {
        let people = cast(1, 400);
        let normal: Vec<String> = people.iter().map(|p| phone::normalise(&p.phone).unwrap().e164).collect();
        assert!(normal.iter().all(|n| n.starts_with("+614") && n.len() == 12), "every number is a mobile");
        assert!(normal[..30].iter().zip(DRAMA_MOBILES).all(|(n, d)| n[3..] == d[1..]));
        assert_eq!(normal.iter().collect::<HashSet<_>>().len(), 400 - FAMILIES);
        assert_eq!(people.iter().filter(|p| p.stops).count(), STOPPERS);
        for sign in ["'", "-", "ễ", "ë"] {
            assert!(people.iter().any(|p| format!("{} {}", p.first_name, p.last_name).contains(sign)), "{sign}");
        }
        assert!(people.iter().all(|p| p.email.is_ascii() && p.email.ends_with("@example.com")));
        assert_eq!(people, cast(1, 400));
        assert_ne!(people, cast(2, 400));
    }
}
