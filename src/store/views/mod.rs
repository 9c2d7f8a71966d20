//! What the API and the dashboard read: rows shaped for them, a page at a time, with the count of all.
//!
//! Pages follow a key, not an offset: a row that appears or goes meanwhile neither repeats nor hides another.

pub mod board;
pub mod bookings;
pub mod contacts;
pub mod day;
pub mod events;
pub mod inbox;
pub mod jobs;
pub mod probe;
pub mod runs;
pub mod sms;
pub mod tasks;
pub mod timeline;

/// Which rows of a list: those after `after`, at most `limit`. `N` is how many numbers the list is sorted by, before the id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest<const N: usize> {
    pub after: Option<Cursor<N>>,
    /// From 1.
    pub limit: i64,
}

/// The place of one row in a list: its sort keys, then its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor<const N: usize> {
    pub keys: [i64; N],
    pub id: String,
}

/// Some rows of a list, how many there are in all, and where to go on.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T, const N: usize> {
    pub items: Vec<T>,
    pub total: i64,
    pub next: Option<Cursor<N>>,
}

impl<T, const N: usize> Default for Page<T, N> {
    fn default() -> Self {
        Self { items: Vec::new(), total: 0, next: None }
    }
}

impl<const N: usize> PageRequest<N> {
    /// One more than asked for tells whether there is a next page.
    pub(in crate::store) const fn rows_wanted(&self) -> i64 {
        self.limit + 1
    }

    /// Makes a page of `rows`, of which there is one too many when there are more pages.
    pub(in crate::store) fn page_of<T>(&self, mut rows: Vec<T>, total: i64, place: impl Fn(&T) -> Cursor<N>) -> Page<T, N> {
        let limit = usize::try_from(self.limit).unwrap_or(0);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next = if has_more { rows.last().map(place) } else { None };
        Page { items: rows, total, next }
    }
}

/// A pattern that finds `text` anywhere, to be used with `ESCAPE '\'`.
pub(in crate::store) fn containing(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

diesel::define_sql_function! {
    /// Lower case; ASCII only on SQLite.
    fn lower(text: diesel::sql_types::Nullable<diesel::sql_types::Text>) -> diesel::sql_types::Nullable<diesel::sql_types::Text>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_in_a_search_are_letters() {
        assert_eq!(containing(r"50%_\x"), r"%50\%\_\\x%");
    }

    #[test]
    fn the_row_too_many_is_cut_and_marks_the_next_page() {
        let request = PageRequest::<0> { after: None, limit: 2 };
        let place = |id: &&str| Cursor { keys: [], id: (*id).to_owned() };
        let page = request.page_of(vec!["a", "b", "c"], 9, place);
        assert_eq!((page.items.len(), page.next.map(|c| c.id)), (2, Some("b".into())));
        assert_eq!(request.page_of(vec!["a", "b"], 2, place).next, None);
    }
}
