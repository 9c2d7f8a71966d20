//! What people may ask of a clinic: everything that is known of them, and that it is forgotten.

mod erase;
mod export;

pub use erase::{Erased, PrivacyError, Scrubbed, erase, erase_rows, preview};
pub use export::export;

use crate::domain::contact::Contact;
use crate::store::privacy::ERASED;

/// True for a contact whose data were destroyed. Nothing is ever done with it again.
#[must_use]
pub fn is_erased(contact: &Contact) -> bool {
    contact.phone_status == ERASED
}
