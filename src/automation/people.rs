//! Who is meant: a contact by its id, its number, or the beginnings of words of its name.

use crate::domain::ids::is_id;
use crate::domain::phone;
use crate::store::views::PageRequest;
use crate::store::views::contacts::{self, ContactFilter, ContactSort, ContactView};
use crate::store::{Conn, StoreResult};

/// Contacts that are named when several are meant.
const NAMED_MAX: i64 = 5;

/// Whoever goes by that name.
#[derive(Debug)]
pub enum Meant {
    One(Box<ContactView>),
    Nobody,
    /// Some of them, and how many there are.
    Several(Vec<ContactView>, i64),
}

/// Finds the contact that somebody means by `text`.
pub fn find(conn: &mut Conn, text: &str) -> StoreResult<Meant> {
    let text = text.trim();
    if is_id(text) {
        let found = contacts::find(conn, text)?;
        return Ok(found.map_or(Meant::Nobody, |contact| Meant::One(Box::new(contact))));
    }
    if text.is_empty() {
        return Ok(Meant::Nobody);
    }
    let wanted = phone::normalise(text).map_or_else(|_| text.to_owned(), |phone| phone.e164);
    let filter = ContactFilter { text: Some(wanted), ..ContactFilter::default() };
    let page = contacts::list(conn, &filter, ContactSort::Updated, &PageRequest { after: None, limit: NAMED_MAX })?.rows;
    let mut items = page.items;
    Ok(match (items.len(), page.total) {
        (0, _) => Meant::Nobody,
        (1, 1) => Meant::One(Box::new(items.remove(0))),
        (_, total) => Meant::Several(items, total),
    })
}
