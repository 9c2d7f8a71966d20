//! Words that fields hold one of: each list is the domain's own, and has a name in the OpenAPI document.

use super::{events, jobs, runs, tasks};
use crate::domain::booking::BookingStatus as Booking;
use crate::domain::sms::{SmsCategory as Category, SmsStatus as Text};
use crate::domain::staff::Role as StaffRole;
use crate::domain::task::TaskOutcome as Outcome;
use crate::engine::schema::{ACTOR, CONSENT, DIRECTION, REFERRAL, URGENCY};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// Types that stand for nothing but their words.
macro_rules! words {
    ($($name:ident: $values:expr;)*) => {$(
        pub(super) enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                one_of(&$values)
            }
        }

        impl ToSchema for $name {}
    )*};
}

words! {
    BookingStatus: Booking::ALL.map(Booking::as_str);
    NewBookingStatus: NEW_BOOKING;
    Urgency: URGENCY;
    Referral: REFERRAL;
    TaskStatus: tasks::STATUSES;
    OpenTaskStatus: OPEN_TASK;
    TaskOutcome: Outcome::ALL.map(Outcome::as_str);
    Timeframe: tasks::TIMEFRAMES;
    TasksAction: ["complete", "snooze", "assign", "reopen"];
    SmsStatus: Text::ALL.map(Text::as_str);
    SmsCategory: CATEGORIES.map(Category::as_str);
    Direction: DIRECTION;
    Consent: CONSENT;
    ConsentKind: ["marketing", "recall", "sms"];
    Role: StaffRole::ALL.map(StaffRole::as_str);
    EventStatus: events::STATUSES;
    Actor: ACTOR;
    RunOutcome: runs::OUTCOMES;
    JobState: jobs::STATES;
}

/// What a booking may begin as.
pub(super) const NEW_BOOKING: [&str; 3] = ["scheduled", "pending", "waitlisted"];
/// Between which a task goes while it is open.
pub(super) const OPEN_TASK: [&str; 2] = ["todo", "in_progress"];
const CATEGORIES: [Category; 3] = [Category::Transactional, Category::Recall, Category::Marketing];

fn one_of(values: &[&'static str]) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(values.iter().copied())).into()
}
