//! `booking`.

use super::{Getter, Record, int, text, text_or_missing, time, time_or_missing};
use crate::domain::booking::Booking;
use chrono_tz::Tz;
use rhai::Dynamic;
use std::sync::Arc;

#[derive(Clone)]
pub struct BookingRecord {
    pub booking: Arc<Booking>,
    /// The clinic's zone, used when the booking's own is not understood.
    pub zone: Tz,
}

impl Record for BookingRecord {
    const NAME: &'static str = "booking";
    const FIELDS: &'static [(&'static str, Getter<Self>)] = &[
        ("id", |r| text(&r.booking.id)),
        ("status", |r| text(r.booking.status.as_str())),
        ("appointment_datetime", |r| time(r.booking.appointment_datetime)),
        ("end_datetime", |r| time_or_missing(r.booking.end_datetime)),
        ("service_name", |r| text_or_missing(r.booking.service_name.as_deref())),
        ("location", |r| text_or_missing(r.booking.location.as_deref())),
        ("resource_name", |r| text_or_missing(r.booking.resource_name.as_deref())),
        ("source", |r| text(&r.booking.source)),
        ("urgency_level", |r| text(&r.booking.urgency_level)),
        ("referral_status", |r| text(&r.booking.referral_status)),
        ("has_referral", |r| (r.booking.referral_status != "missing").into()),
        ("payment_status", |r| text_or_missing(r.booking.payment_status.as_deref())),
        ("patient_confirmed_at", |r| time_or_missing(r.booking.patient_confirmed_at)),
        ("reschedule_count", |r| int(r.booking.reschedule_count)),
        ("created_at", |r| time(r.booking.created_at)),
        ("date", |r| r.begins("%a %-d %b")),
        ("time", |r| r.begins("%-I:%M %P")),
        ("day", |r| r.begins("%A")),
    ];
}

impl BookingRecord {
    /// When the appointment begins, in the booking's own zone: that is what the patient's clock shows at the site.
    fn begins(&self, format: &str) -> Dynamic {
        let zone = self.booking.timezone.parse::<Tz>().unwrap_or(self.zone);
        text(&self.booking.appointment_datetime.local(zone).format(format).to_string())
    }
}
