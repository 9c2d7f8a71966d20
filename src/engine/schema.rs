//! The records and fields that rules and scripts can read, with their types. The checker, the script host and the
//! generated documentation all read this one table.

/// The type of a field or an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Bool,
    Int,
    Float,
    Text,
    /// Text out of a closed list.
    Enum(&'static [&'static str]),
    Time,
    Duration,
    /// A record of [`RECORDS`].
    Record(&'static str),
    /// A list of records.
    List(&'static str),
    /// A list of texts.
    Texts,
    /// A list of steps, as a script plans them.
    Steps,
    /// Flat text fields under free names (`event.data`).
    TextMap,
}

impl Type {
    /// The types of plain values, as signatures write them.
    pub const PLAIN: &[(&str, Self)] = &[
        ("int", Self::Int),
        ("float", Self::Float),
        ("bool", Self::Bool),
        ("string", Self::Text),
        ("time", Self::Time),
        ("duration", Self::Duration),
    ];
}

#[derive(Clone, Copy, Debug)]
pub struct Field {
    pub name: &'static str,
    pub ty: Type,
    /// May be missing: `()` in expressions.
    pub optional: bool,
    /// A rule may `set` it.
    pub settable: bool,
    pub about: &'static str,
}

#[derive(Clone, Copy, Debug)]
pub struct Record {
    pub name: &'static str,
    pub fields: &'static [Field],
}

const fn field(name: &'static str, ty: Type, about: &'static str) -> Field {
    Field { name, ty, optional: false, settable: false, about }
}
const fn maybe(name: &'static str, ty: Type, about: &'static str) -> Field {
    Field { name, ty, optional: true, settable: false, about }
}
const fn set(mut f: Field) -> Field {
    f.settable = true;
    f
}

pub const BOOKING_STATUS: &[&str] =
    &["pending", "scheduled", "confirmed", "checked_in", "completed", "no_show", "cancelled", "declined", "waitlisted"];
pub const URGENCY: &[&str] = &["routine", "soon", "urgent"];
pub const REFERRAL: &[&str] = &["not_required", "missing", "received"];
pub const INTENT: &[&str] = crate::domain::keywords::INTENTS;
pub const ACTOR: &[&str] = &["patient", "staff", "system", "provider"];
pub const PHONE_STATUS: &[&str] = &["unknown", "valid", "landline", "invalid", "unreachable"];
pub const CONSENT: &[&str] = &["unknown", "granted", "denied"];
pub const TASK_STATUS: &[&str] = &["todo", "in_progress", "done", "cancelled"];
pub const OUTCOME: &[&str] = &["spoke", "voicemail", "no_answer", "wrong_number", "done"];
pub const CHANNEL: &[&str] = &["sms", "manychat"];
pub const DIRECTION: &[&str] = &["in", "out"];

pub const RECORDS: &[Record] = &[
    Record {
        name: "contact",
        fields: &[
            field("id", Type::Text, "Identifier"),
            field("name", Type::Text, "Full name"),
            field("first_name", Type::Text, "Given name, or a friendly stand-in"),
            field("last_name", Type::Text, "Family name; may be empty text"),
            maybe("phone", Type::Text, "E.164, such as +61491570006"),
            field("phone_status", Type::Enum(PHONE_STATUS), "What is known of the number"),
            maybe("email", Type::Text, "Lower case"),
            set(field("is_existing_patient", Type::Bool, "Has been here before")),
            field("opted_out", Type::Bool, "Replied STOP, or asked not to be texted"),
            maybe("opted_out_at", Type::Time, "When that was"),
            set(field("marketing_consent", Type::Enum(CONSENT), "Consent to marketing texts")),
            set(field("sms_consent", Type::Enum(CONSENT), "Consent to texts at all; denied: none are sent")),
            field("recall_consent", Type::Enum(CONSENT), "Consent to recalls; denied: none are sent"),
            field("source", Type::Text, "Where the contact first came from"),
            set(maybe("first_source", Type::Text, "Marketing source credited with the contact")),
            set(maybe("interest", Type::Text, "What the contact asked about")),
            maybe("current_pipeline", Type::Text, "Pipeline"),
            maybe("current_stage", Type::Text, "Stage in that pipeline"),
            maybe("stage_entered_at", Type::Time, "When the stage was entered"),
            set(field("warmness", Type::Int, "0 to 100")),
            set(maybe("assigned_to", Type::Text, "Team or member of staff")),
            maybe("last_inbound_at", Type::Time, "Last message from the contact"),
            maybe("last_outbound_at", Type::Time, "Last text or call to the contact"),
            maybe("last_touch_at", Type::Time, "Newest touchpoint"),
            maybe("last_visit_at", Type::Time, "Last completed booking"),
            set(maybe("recall_due_on", Type::Time, "When the contact should be recalled")),
            field("no_shows", Type::Int, "Bookings the contact did not turn up for"),
            maybe("next_booking", Type::Record("booking"), "Soonest live booking that has not begun"),
            field("touchpoints", Type::List("touchpoint"), "Interactions, newest first, at most 100"),
            field("bookings", Type::List("booking"), "Live bookings that have not begun, soonest first, at most 50"),
            field("open_tasks", Type::List("task"), "Tasks that are not done, at most 100"),
            field("tags", Type::Texts, "What rules and staff have tagged the contact with"),
            field("created_at", Type::Time, "When we first heard of the contact"),
        ],
    },
    Record {
        name: "booking",
        fields: &[
            field("id", Type::Text, "Identifier"),
            set(field("status", Type::Enum(BOOKING_STATUS), "scheduled: accepted by the clinic; confirmed: by the patient")),
            field("appointment_datetime", Type::Time, "When the appointment begins"),
            field("date", Type::Text, "Day of the appointment: Thu 4 Dec"),
            field("time", Type::Text, "Time of the appointment: 10:30 am"),
            field("day", Type::Text, "Weekday of the appointment: Thursday"),
            maybe("end_datetime", Type::Time, "When it ends"),
            maybe("service_name", Type::Text, "Booked service"),
            maybe("location", Type::Text, "Site"),
            maybe("resource_name", Type::Text, "Room or machine"),
            field("source", Type::Text, "Where the booking was made"),
            set(field("urgency_level", Type::Enum(URGENCY), "How soon the scan is needed")),
            set(field("referral_status", Type::Enum(REFERRAL), "Whether the referral is here")),
            field("has_referral", Type::Bool, "The referral is received or not required"),
            maybe("payment_status", Type::Text, "As the booking system says"),
            maybe("patient_confirmed_at", Type::Time, "When the patient said yes"),
            field("reschedule_count", Type::Int, "How often it was moved"),
            field("created_at", Type::Time, "When we first heard of it"),
        ],
    },
    Record {
        name: "event",
        fields: &[
            field("id", Type::Text, "Identifier"),
            field("event_type", Type::Text, "Name of the event"),
            field("source", Type::Text, "wix, manychat, clicksend, messagemedia, timer, staff …"),
            field("actor", Type::Enum(ACTOR), "Who caused it"),
            field("timestamp", Type::Time, "When it was received"),
            maybe("occurred_at", Type::Time, "When it happened, as the provider says"),
            field("data", Type::TextMap, "Further fields of declared sources"),
        ],
    },
    Record {
        name: "message",
        fields: &[
            field("body", Type::Text, "What the person wrote"),
            field("intent", Type::Enum(INTENT), "What it means, by the words in config/keywords.yaml"),
            field("channel", Type::Enum(CHANNEL), "How it came"),
        ],
    },
    Record {
        name: "task",
        fields: &[
            field("id", Type::Text, "Identifier"),
            field("type", Type::Text, "Kind of task"),
            field("title", Type::Text, "Title"),
            field("status", Type::Enum(TASK_STATUS), "State"),
            field("due_datetime", Type::Time, "When it is due"),
            field("priority_score", Type::Int, "0 to 100"),
            maybe("assigned_to", Type::Text, "Team or member of staff"),
            maybe("outcome", Type::Enum(OUTCOME), "What came of it, once somebody has done it"),
        ],
    },
    Record {
        name: "touchpoint",
        fields: &[
            field("kind", Type::Text, "ad_click, manychat_message, form, call_in, sms_in, booking …"),
            field("at", Type::Time, "When"),
            maybe("channel", Type::Text, "google, facebook, manychat, wix, sms …"),
            field("direction", Type::Enum(DIRECTION), "in or out"),
            maybe("source", Type::Text, "Campaign source"),
            maybe("medium", Type::Text, "Campaign medium"),
            maybe("campaign", Type::Text, "Campaign name"),
        ],
    },
    Record {
        name: "clinic",
        fields: &[
            field("name", Type::Text, "Clinic's name"),
            field("phone", Type::Text, "Clinic's phone, as patients read it"),
            field("is_open", Type::Bool, "Inside opening hours now"),
        ],
    },
];

/// The record's fields; `None` for an unknown record.
#[must_use]
pub fn find_record(name: &str) -> Option<&'static Record> {
    RECORDS.iter().find(|r| r.name == name)
}

impl Record {
    #[must_use]
    pub fn find_field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|f| f.name == name)
    }
}

/// The records that a rule listening to `event_type` can read, beside `event`, `clinic` and `now`.
/// `true`: always there; `false`: may be missing.
#[must_use]
pub fn records_of_event(event_type: &str) -> &'static [(&'static str, bool)] {
    match event_type {
        "sms_received" => &[("contact", true), ("message", true), ("booking", false)],
        "manychat_message" => &[("contact", true), ("message", true), ("booking", false)],
        "lead_created" => &[("contact", true)],
        "stage_changed" | "warmness_changed" | "sms_opted_out" | "sms_opted_in" | "sms_delivered" | "sms_failed"
        | "sms_requested" | "sms_cancelled" | "sms_retried" | "contact_created" | "contact_updated" | "note_added" => {
            &[("contact", true), ("booking", false)]
        }
        "task_created" | "task_updated" | "task_snoozed" | "task_completed" | "task_reopened" | "task_overdue" => {
            &[("contact", false), ("booking", false), ("task", true)]
        }
        name if name.starts_with("booking_") || name == "waitlist_joined" => &[("contact", true), ("booking", true)],
        _ => &[("contact", false), ("booking", false)],
    }
}
