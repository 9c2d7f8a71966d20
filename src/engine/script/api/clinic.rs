//! `clinic`.

use super::{Getter, Record, text};
use crate::domain::clinic::Clinic;
use crate::domain::time::Timestamp;
use std::sync::Arc;

#[derive(Clone)]
pub struct ClinicRecord {
    pub clinic: Arc<Clinic>,
    pub now: Timestamp,
}

impl Record for ClinicRecord {
    const NAME: &'static str = "clinic";
    const FIELDS: &'static [(&'static str, Getter<Self>)] = &[
        ("name", |r| text(&r.clinic.name)),
        ("phone", |r| text(&r.clinic.phone)),
        ("is_open", |r| r.clinic.calendar.is_open(r.now).into()),
    ];
}
