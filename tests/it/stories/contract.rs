//! What the OpenAPI document shows as a request is one that the program takes.

use crate::support::clinic::Clinic;
use crate::support::wix::{Patient, Visit};
use serde_json::Value;

/// The id in the examples.
const ID: &str = "019ab2f0-6c1e-7c3a-9d7e-2b8f6a1c4e5d";

#[test]
fn the_examples_of_requests_are_taken() {
    let clinic = Clinic::sqlite();
    clinic.wix(&Visit::new(&Patient::jane(), "mri", "2026-11-30T10:30:00+11:00").created());
    let document = clinic.get("/api/openapi.json").json();
    let first = |list: &str| clinic.get(&format!("/api/{list}")).json()["items"][0]["id"].as_str().map(str::to_owned);
    let (contact, booking) = (first("contacts").unwrap(), first("bookings").unwrap());
    let mut asked = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        let list = path.split('/').nth(2).unwrap_or_default();
        for (method, operation) in methods.as_object().unwrap() {
            let example = &operation["requestBody"]["content"]["application/json"]["example"];
            if example.is_null() || !path.starts_with("/api/") {
                continue;
            }
            let id = if list == "inbox" { Some(contact.clone()) } else { first(list) };
            let path = path.replace("{id}", id.as_deref().unwrap_or(ID));
            let mut body: Value = serde_json::from_str(&example.to_string().replace(ID, &contact)).unwrap();
            // Somebody else, and the one booking there is.
            for (field, id) in [("other_id", ID), ("booking_id", &booking)] {
                if body.get(field).is_some() {
                    body[field] = id.into();
                }
            }
            let answer = clinic.call(&method.to_uppercase(), &path, Some(0), &body);
            assert!(!matches!(answer.status, 400 | 422 | 500..), "{method} {path} {body}: {answer:?}");
            asked += 1;
        }
    }
    assert!(asked > 30, "{asked}");
}
