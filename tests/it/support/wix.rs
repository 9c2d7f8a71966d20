//! Wix's events, as Wix writes them.

use serde_json::{Value, json};
use std::cell::Cell;

/// A person, as Wix and `ManyChat` know them.
#[derive(Clone, Debug)]
pub struct Patient {
    pub wix_id: String,
    pub first_name: String,
    pub last_name: String,
    pub phone: String,
    pub email: String,
}

impl Patient {
    /// Jane, with one of the numbers that are given to nobody.
    pub fn jane() -> Self {
        Self::new("wix-jane", "Jane", "Nguyen", "0491570006")
    }

    pub fn new(wix_id: &str, first_name: &str, last_name: &str, phone: &str) -> Self {
        Self {
            wix_id: wix_id.into(),
            first_name: first_name.into(),
            last_name: last_name.into(),
            phone: phone.into(),
            email: format!("{}@example.com", wix_id.to_lowercase()),
        }
    }

    /// E.164, as texts go out.
    pub fn mobile(&self) -> String {
        format!("+61{}", &self.phone[1..])
    }
}

/// A booking at Wix: tells its own story, event by event.
#[derive(Clone, Debug)]
pub struct Visit {
    pub patient: Patient,
    pub id: String,
    at: String,
    status: &'static str,
    /// The last number given to an event.
    pub sequence: Cell<i64>,
}

/// One event: what goes into the token.
#[derive(Clone, Debug, PartialEq)]
pub struct WixEvent {
    pub event_type: String,
    pub inner: Value,
}

impl Visit {
    /// `at` is RFC 3339 with an offset.
    pub fn new(patient: &Patient, id: &str, at: &str) -> Self {
        Self { patient: patient.clone(), id: id.into(), at: at.into(), status: "CONFIRMED", sequence: Cell::new(0) }
    }

    /// Booked and accepted at once.
    pub fn created(&self) -> WixEvent {
        let entity = self.entity(self.next());
        self.event("created", &json!({ "createdEvent": { "entity": entity } }))
    }

    /// Booked, but not paid: the clinic has not accepted it.
    pub fn created_unpaid(&mut self) -> WixEvent {
        self.status = "CREATED";
        self.created()
    }

    pub fn confirmed(&mut self) -> WixEvent {
        self.status = "CONFIRMED";
        self.action("confirmed", json!({}))
    }

    pub fn rescheduled(&mut self, to: &str) -> WixEvent {
        let before = std::mem::replace(&mut self.at, to.into());
        self.action("rescheduled", json!({ "previousStartDate": before }))
    }

    pub fn cancelled(&mut self) -> WixEvent {
        self.status = "CANCELED";
        self.action("canceled", json!({}))
    }

    pub fn declined(&mut self) -> WixEvent {
        self.status = "DECLINED";
        self.action("declined", json!({}))
    }

    pub fn updated(&self) -> WixEvent {
        let entity = self.entity(self.next());
        self.event("updated", &json!({ "updatedEvent": { "currentEntity": entity } }))
    }

    fn next(&self) -> i64 {
        self.sequence.set(self.sequence.get() + 1);
        self.sequence.get()
    }

    fn action(&self, slug: &str, mut body: Value) -> WixEvent {
        body["booking"] = self.entity(self.next());
        self.event(slug, &json!({ "actionEvent": { "body": body } }))
    }

    fn event(&self, slug: &str, content: &Value) -> WixEvent {
        let mut inner = json!({
            "id": format!("{}-event-{}", self.id, self.sequence.get()),
            "entityFqdn": "wix.bookings.v2.booking",
            "slug": slug,
            "entityId": self.id,
            "entityEventSequence": self.sequence.get().to_string(),
        });
        for (name, value) in content.as_object().unwrap() {
            inner[name] = value.clone();
        }
        WixEvent { event_type: format!("wix.bookings.v2.booking_{slug}"), inner }
    }

    fn entity(&self, revision: i64) -> Value {
        json!({
            "id": self.id,
            "bookedEntity": {
                "title": "MRI consultation",
                "slot": { "serviceId": "mri", "startDate": self.at, "timezone": "Australia/Sydney", "location": { "name": "Parramatta" } },
            },
            "contactDetails": {
                "contactId": self.patient.wix_id, "firstName": self.patient.first_name, "lastName": self.patient.last_name,
                "email": self.patient.email, "phone": self.patient.phone,
            },
            "status": self.status,
            "paymentStatus": "NOT_PAID",
            "revision": revision.to_string(),
        })
    }
}
