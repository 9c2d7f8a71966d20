-- Times are epoch milliseconds, UTC. Ids are UUIDv7 text. JSON is text.

CREATE TABLE contacts (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    phone TEXT UNIQUE,
    phone_raw TEXT,
    phone_status TEXT NOT NULL,
    email TEXT,
    is_existing_patient BOOLEAN NOT NULL,
    guardian_contact_id TEXT,
    marketing_consent TEXT NOT NULL,
    opted_out_at BIGINT,
    source TEXT NOT NULL,
    first_source TEXT,
    interest TEXT,
    current_pipeline TEXT,
    current_stage TEXT,
    stage_entered_at BIGINT,
    warmness INTEGER NOT NULL CHECK (warmness BETWEEN 0 AND 100),
    warmness_at BIGINT,
    assigned_to TEXT,
    last_inbound_at BIGINT,
    last_outbound_at BIGINT,
    last_visit_at BIGINT,
    recall_due_on BIGINT,
    no_shows INTEGER NOT NULL,
    merged_into_id TEXT,
    is_demo BOOLEAN NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX contacts_stage ON contacts (current_pipeline, current_stage);
CREATE INDEX contacts_updated ON contacts (updated_at, id);

-- At most one contact owns a (kind, value): the arbiter when two events about one person race.
CREATE TABLE contact_identities (
    kind TEXT NOT NULL CHECK (kind IN ('wix_contact', 'manychat', 'phone', 'email')),
    value TEXT NOT NULL,
    contact_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (kind, value)
);
CREATE INDEX contact_identities_contact ON contact_identities (contact_id);

CREATE TABLE bookings (
    id TEXT NOT NULL PRIMARY KEY,
    contact_id TEXT NOT NULL,
    wix_booking_id TEXT UNIQUE,
    source TEXT NOT NULL,
    service_id TEXT,
    service_name TEXT,
    location TEXT,
    resource_name TEXT,
    appointment_datetime BIGINT NOT NULL,
    end_datetime BIGINT,
    timezone TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'scheduled', 'confirmed', 'checked_in', 'completed', 'no_show', 'cancelled', 'declined', 'waitlisted')),
    urgency_level TEXT NOT NULL,
    referral_status TEXT NOT NULL,
    payment_status TEXT,
    patient_confirmed_at BIGINT,
    confirmed_via TEXT,
    reschedule_count INTEGER NOT NULL,
    cancelled_at BIGINT,
    no_show_at BIGINT,
    checked_in_at BIGINT,
    completed_at BIGINT,
    provider_sequence BIGINT NOT NULL,
    provider_revision BIGINT NOT NULL,
    is_demo BOOLEAN NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX bookings_appointment ON bookings (appointment_datetime, id);
CREATE INDEX bookings_contact ON bookings (contact_id, appointment_datetime);

CREATE TABLE tasks (
    id TEXT NOT NULL PRIMARY KEY,
    type TEXT NOT NULL,
    title TEXT NOT NULL,
    contact_id TEXT,
    booking_id TEXT,
    status TEXT NOT NULL CHECK (status IN ('todo', 'in_progress', 'done', 'cancelled')),
    due_datetime BIGINT NOT NULL,
    priority_score INTEGER NOT NULL CHECK (priority_score BETWEEN 0 AND 100),
    assigned_to TEXT,
    because TEXT NOT NULL,
    run_id TEXT,
    dedupe_key TEXT,
    note TEXT,
    completed_at BIGINT,
    is_demo BOOLEAN NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX tasks_open_due ON tasks (due_datetime, id) WHERE status IN ('todo', 'in_progress');
CREATE INDEX tasks_contact ON tasks (contact_id, created_at);
CREATE UNIQUE INDEX tasks_dedupe_open ON tasks (dedupe_key) WHERE dedupe_key IS NOT NULL AND status IN ('todo', 'in_progress');

CREATE TABLE touchpoints (
    id TEXT NOT NULL PRIMARY KEY,
    contact_id TEXT NOT NULL,
    timestamp BIGINT NOT NULL,
    kind TEXT NOT NULL,
    channel TEXT,
    direction TEXT NOT NULL CHECK (direction IN ('in', 'out')),
    source TEXT,
    medium TEXT,
    campaign TEXT,
    event_id TEXT
);
CREATE INDEX touchpoints_contact ON touchpoints (contact_id, timestamp);

CREATE TABLE notes (
    id TEXT NOT NULL PRIMARY KEY,
    contact_id TEXT,
    booking_id TEXT,
    body TEXT NOT NULL,
    author TEXT NOT NULL,
    run_id TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX notes_contact ON notes (contact_id, created_at);

CREATE TABLE pipeline_transitions (
    id TEXT NOT NULL PRIMARY KEY,
    contact_id TEXT NOT NULL,
    booking_id TEXT,
    pipeline TEXT NOT NULL,
    from_pipeline TEXT,
    from_stage TEXT,
    to_stage TEXT NOT NULL,
    at BIGINT NOT NULL,
    by TEXT NOT NULL,
    run_id TEXT,
    duration_ms BIGINT
);
CREATE INDEX pipeline_transitions_contact ON pipeline_transitions (contact_id, at);

-- The log of everything that happened. Rows are never deleted by the program; only status columns change.
CREATE TABLE event_log (
    id TEXT NOT NULL PRIMARY KEY,
    event_type TEXT NOT NULL,
    source TEXT NOT NULL,
    dedupe_key TEXT NOT NULL,
    timestamp BIGINT NOT NULL,
    occurred_at BIGINT,
    actor TEXT NOT NULL,
    signature_state TEXT NOT NULL,
    payload TEXT NOT NULL,
    lane_key TEXT,
    contact_id TEXT,
    booking_id TEXT,
    causation_id TEXT,
    depth INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('accepted', 'processed', 'ignored', 'failed', 'quarantined')),
    status_reason TEXT,
    duplicates INTEGER NOT NULL,
    revision BIGINT,
    processed_at BIGINT
);
CREATE UNIQUE INDEX event_log_dedupe ON event_log (source, dedupe_key);
CREATE INDEX event_log_contact ON event_log (contact_id, timestamp) WHERE contact_id IS NOT NULL;

-- Apart from event_log, so that changing an event's status does not rewrite what the provider sent.
CREATE TABLE event_payloads (
    event_id TEXT NOT NULL PRIMARY KEY,
    raw_payload TEXT NOT NULL,
    raw_sha256 TEXT NOT NULL
);

CREATE TABLE sms_messages (
    id TEXT NOT NULL PRIMARY KEY,
    direction TEXT NOT NULL CHECK (direction IN ('in', 'out')),
    contact_id TEXT,
    booking_id TEXT,
    template TEXT,
    category TEXT NOT NULL,
    to_number TEXT NOT NULL,
    from_number TEXT,
    body TEXT NOT NULL,
    encoding TEXT NOT NULL,
    parts INTEGER NOT NULL,
    scheduled_at BIGINT,
    not_after BIGINT,
    status TEXT NOT NULL CHECK (status IN ('scheduled', 'queued', 'sending', 'accepted', 'delivered', 'failed', 'expired', 'unknown', 'suppressed', 'cancelled', 'received')),
    status_reason TEXT,
    provider TEXT,
    provider_message_id TEXT,
    attempts INTEGER NOT NULL,
    in_reply_to TEXT,
    dedupe_key TEXT UNIQUE,
    run_id TEXT,
    revision BIGINT,
    appointment_datetime BIGINT,
    immediate BOOLEAN NOT NULL,
    is_demo BOOLEAN NOT NULL,
    accepted_at BIGINT,
    delivered_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX sms_messages_contact ON sms_messages (contact_id, created_at);
CREATE INDEX sms_messages_booking ON sms_messages (booking_id) WHERE booking_id IS NOT NULL;
CREATE UNIQUE INDEX sms_messages_provider ON sms_messages (provider, provider_message_id) WHERE provider_message_id IS NOT NULL;

-- Every receipt and every change of a text, append-only.
CREATE TABLE sms_status_events (
    id TEXT NOT NULL PRIMARY KEY,
    sms_id TEXT NOT NULL,
    status TEXT NOT NULL,
    code TEXT,
    detail TEXT,
    at BIGINT NOT NULL,
    event_id TEXT
);
CREATE INDEX sms_status_events_sms ON sms_status_events (sms_id, at);

-- Numbers that must not be texted. Checked in the transaction that sends.
CREATE TABLE suppressions (
    phone TEXT NOT NULL PRIMARY KEY,
    reason TEXT NOT NULL,
    event_id TEXT,
    at BIGINT NOT NULL,
    lifted_at BIGINT
);

CREATE TABLE staff_users (
    id TEXT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('front_desk', 'ops', 'manager', 'admin')),
    password_hash TEXT,
    active BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('front_desk', 'ops', 'manager', 'admin')),
    secret_sha256 TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    expires_at BIGINT,
    revoked_at BIGINT
);
