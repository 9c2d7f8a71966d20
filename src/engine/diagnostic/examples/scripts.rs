//! Scripts and texts.

use super::{Example, of_script, of_text};
use crate::engine::diagnostic::names;

pub(super) const EXAMPLES: &[Example] = &[
    of_script(
        names::NOT_ALLOWED,
        r"/// warm(contact: contact) -> int
fn warm(contact) { contact.warmness = 50; 50 }
",
        r"/// warm(contact: contact) -> int
fn warm(contact) { max(contact.warmness, 50) }
",
    ),
    of_script(
        names::SCRIPT_SYNTAX,
        r"/// twice(n: int) -> int
fn twice(n) { loop { n * 2 } }
",
        r"/// twice(n: int) -> int
fn twice(n) { n * 2 }
",
    ),
    of_script(
        names::NO_SIGNATURE,
        r"fn twice(n) { n * 2 }
",
        r"/// twice(n: int) -> int
fn twice(n) { n * 2 }
",
    ),
    of_script(
        names::BAD_SIGNATURE,
        r"/// double(n: int) -> int
fn twice(n) { n * 2 }
",
        r"/// twice(n: int) -> int
fn twice(n) { n * 2 }
",
    ),
    of_script(
        names::OUTSIDE_FUNCTION,
        r"let factor = 2;
",
        r"/// factor() -> int
fn factor() { 2 }
",
    ),
    of_script(
        names::DUPLICATE_FUNCTION,
        r"/// clamp(n: int) -> int
fn clamp(n) { if n > 100 { 100 } else { n } }
",
        r"/// at_most_100(n: int) -> int
fn at_most_100(n) { min(n, 100) }
",
    ),
    of_text(
        names::TEMPLATE_SYNTAX,
        r"{{!-- category: transactional, staff: true --}}
Hi {{contact.first_name, see you soon. {{clinic.name}}
",
        r"{{!-- category: transactional, staff: true --}}
Hi {{contact.first_name}}, see you soon. {{clinic.name}}
",
    ),
    of_text(
        names::TEMPLATE_HEADER,
        r"{{!-- category: promotion, staff: true --}}
See you soon. {{clinic.name}}
",
        r"{{!-- category: transactional, staff: true --}}
See you soon. {{clinic.name}}
",
    ),
    of_text(
        names::TEMPLATE_FEATURE,
        r"{{!-- category: transactional, staff: true --}}
Hi {{upper contact.first_name}}, see you soon. {{clinic.name}}
",
        r"{{!-- category: transactional, staff: true --}}
Hi {{contact.first_name}}, see you soon. {{clinic.name}}
",
    ),
    of_text(
        names::TEMPLATE_FIELD,
        r"{{!-- category: transactional, staff: true --}}
Hi {{first_name}}, see you soon. {{clinic.name}}
",
        r"{{!-- category: transactional, staff: true --}}
Hi {{contact.first_name}}, see you soon. {{clinic.name}}
",
    ),
    of_text(
        names::NO_SENDER,
        r"{{!-- category: transactional, staff: true --}}
Hi {{contact.first_name}}, see you soon.
",
        r"{{!-- category: transactional, staff: true --}}
Hi {{contact.first_name}}, see you soon. {{clinic.name}}
",
    ),
    of_text(
        names::UNICODE,
        r"{{!-- category: transactional, staff: true --}}
See you tomorrow – reply YES. {{clinic.name}}
",
        r"{{!-- category: transactional, staff: true --}}
See you tomorrow - reply YES. {{clinic.name}}
",
    ),
    of_text(
        names::PARTS,
        r"{{!-- category: transactional, staff: true --}}
Hi {{contact.first_name}}, your appointment is on {{booking.date}} at {{booking.time}}. Come ten minutes early, wear loose clothes without metal, and bring your referral, your Medicare card and earlier pictures. {{clinic.name}}
",
        r"{{!-- category: transactional, staff: true --}}
Hi {{contact.first_name}}, your appointment is on {{booking.date}} at {{booking.time}}. Come early, and bring referral and Medicare card. {{clinic.name}}
",
    ),
    of_text(
        names::PRIVATE,
        r"{{!-- category: transactional, staff: true --}}
Hi {{contact.first_name}}, your {{booking.service_name}} is on {{booking.date}}. {{clinic.name}}
",
        r"{{!-- category: transactional, staff: true --}}
Hi {{contact.first_name}}, your appointment is on {{booking.date}}. {{clinic.name}}
",
    ),
    of_text(
        names::UNUSED_TEMPLATE,
        r"{{!-- category: transactional --}}
Hi {{contact.first_name}}, the lift is out of order. {{clinic.name}}
",
        r"{{!-- category: transactional, staff: true --}}
Hi {{contact.first_name}}, the lift is out of order. {{clinic.name}}
",
    ),
    of_text(
        names::NO_OPT_OUT,
        r"{{!-- category: recall, staff: true --}}
Hi {{contact.first_name}}, it is time for your next scan. Call {{clinic.phone}}. {{clinic.name}}
",
        r"{{!-- category: recall, staff: true --}}
Hi {{contact.first_name}}, it is time for your next scan. Call {{clinic.phone}}. {{clinic.name}}. Reply STOP to opt out
",
    ),
];
