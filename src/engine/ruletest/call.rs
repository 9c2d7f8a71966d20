//! Table tests of scripts: one call, one value.

use crate::domain::booking::Booking;
use crate::domain::contact::Contact;
use crate::domain::time::Timestamp;
use crate::domain::touchpoint::Touchpoint;
use crate::engine::facts::ContactFacts;
use crate::engine::ruleset::Ruleset;
use crate::engine::script::{ScriptError, View, for_trace, limits};
use std::sync::Arc;

/// What a call such as `warmness(contact, now)` returns, as a trace shows it.
pub(crate) fn call(
    ruleset: &Ruleset,
    text: &str,
    contact: Option<(Contact, Vec<Arc<Touchpoint>>)>,
    booking: Option<Booking>,
    now: Timestamp,
) -> Result<String, ScriptError> {
    let booking = booking.map(Arc::new);
    let next = booking.clone().filter(|b| b.status.is_live() && b.appointment_datetime > now);
    let bookings: Vec<Arc<Booking>> = next.iter().cloned().collect();
    let facts =
        |(contact, touchpoints)| ContactFacts { contact, touchpoints, next_booking: next, bookings, ..ContactFacts::default() };
    let contact = contact.map(|known| Arc::new(facts(known)));
    let clinic = &ruleset.catalogue.clinic;
    let view = View::of_records(clinic, contact.as_ref(), booking.as_ref(), now);
    limits::begin_rule();
    let value = ruleset.host.eval_text(text, &mut ruleset.host.scope(&view))?;
    Ok(for_trace(&clinic.calendar, &value))
}
