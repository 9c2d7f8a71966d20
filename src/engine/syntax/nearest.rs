//! "Did you mean …?"

/// How many names a message lists.
const LISTED_MAX: usize = 24;

/// The candidate most like `wrong`, if any is like it at all.
fn nearest<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = wrong.to_lowercase();
    let allowed = (lower.chars().count() / 3).clamp(1, 4);
    candidates
        .into_iter()
        .map(|c| (strsim::damerau_levenshtein(&lower, &c.to_lowercase()), c))
        .filter(|(distance, c)| *distance <= allowed && *distance < c.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, c)| c)
}

/// A hint with the nearest name, or with all of them.
pub(crate) fn did_you_mean(wrong: &str, candidates: &[&str], introduction: &str) -> Option<String> {
    match nearest(wrong, candidates.iter().copied()) {
        Some(name) => Some(format!("did you mean `{name}`?")),
        None if candidates.is_empty() => None,
        None => Some(format!("{introduction}: {}", list_of(candidates))),
    }
}

pub(crate) fn list_of(names: &[&str]) -> String {
    let mut text = names.iter().take(LISTED_MAX).copied().collect::<Vec<_>>().join(", ");
    if names.len() > LISTED_MAX {
        text.push_str(" …");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_typo_finds_its_word_and_a_stranger_finds_none() {
        let words = ["cancelled", "confirmed", "no_show"];
        assert_eq!(nearest("canceled", words), Some("cancelled"));
        assert_eq!(nearest("Confirmed", words), Some("confirmed"));
        assert_eq!(nearest("elephant", words), None);
    }
}
