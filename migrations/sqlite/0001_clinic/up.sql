-- Times are epoch milliseconds, UTC. Ids are UUIDv7 text. JSON is text.
-- Checks of three words and more are chains of OR: for `IN (…)` SQLite builds a small table anew for every row that is written,
-- and that took a third of the writer's time.

CREATE TABLE contacts (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    phone TEXT UNIQUE,
    phone_raw TEXT,
    phone_status TEXT NOT NULL,
    email TEXT,
    is_existing_patient INTEGER NOT NULL,
    guardian_contact_id TEXT,
    marketing_consent TEXT NOT NULL,
    opted_out_at INTEGER,
    source TEXT NOT NULL,
    first_source TEXT,
    interest TEXT,
    current_pipeline TEXT,
    current_stage TEXT,
    stage_entered_at INTEGER,
    warmness INTEGER NOT NULL CHECK (warmness BETWEEN 0 AND 100),
    warmness_at INTEGER,
    assigned_to TEXT,
    last_inbound_at INTEGER,
    last_outbound_at INTEGER,
    last_visit_at INTEGER,
    recall_due_on INTEGER,
    no_shows INTEGER NOT NULL,
    merged_into_id TEXT,
    is_demo INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX contacts_stage ON contacts (current_pipeline, current_stage);
CREATE INDEX contacts_updated ON contacts (updated_at, id);

-- At most one contact owns a (kind, value): the arbiter when two events about one person race.
CREATE TABLE contact_identities (
    kind TEXT NOT NULL CHECK (kind = 'wix_contact' OR kind = 'manychat' OR kind = 'phone' OR kind = 'email'),
    value TEXT NOT NULL,
    contact_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (kind, value)
) STRICT, WITHOUT ROWID;
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
    appointment_datetime INTEGER NOT NULL,
    end_datetime INTEGER,
    timezone TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status = 'pending' OR status = 'scheduled' OR status = 'confirmed' OR status = 'checked_in' OR status = 'completed' OR status = 'no_show' OR status = 'cancelled' OR status = 'declined' OR status = 'waitlisted'),
    urgency_level TEXT NOT NULL,
    referral_status TEXT NOT NULL,
    payment_status TEXT,
    patient_confirmed_at INTEGER,
    confirmed_via TEXT,
    reschedule_count INTEGER NOT NULL,
    cancelled_at INTEGER,
    no_show_at INTEGER,
    checked_in_at INTEGER,
    completed_at INTEGER,
    provider_sequence INTEGER NOT NULL,
    provider_revision INTEGER NOT NULL,
    is_demo INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX bookings_appointment ON bookings (appointment_datetime, id);
CREATE INDEX bookings_contact ON bookings (contact_id, appointment_datetime);

CREATE TABLE tasks (
    id TEXT NOT NULL PRIMARY KEY,
    type TEXT NOT NULL,
    title TEXT NOT NULL,
    contact_id TEXT,
    booking_id TEXT,
    status TEXT NOT NULL CHECK (status = 'todo' OR status = 'in_progress' OR status = 'done' OR status = 'cancelled'),
    due_datetime INTEGER NOT NULL,
    priority_score INTEGER NOT NULL CHECK (priority_score BETWEEN 0 AND 100),
    assigned_to TEXT,
    because TEXT NOT NULL,
    run_id TEXT,
    dedupe_key TEXT,
    note TEXT,
    completed_at INTEGER,
    is_demo INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX tasks_open_due ON tasks (due_datetime, id) WHERE status IN ('todo', 'in_progress');
CREATE INDEX tasks_contact ON tasks (contact_id, created_at);
CREATE UNIQUE INDEX tasks_dedupe_open ON tasks (dedupe_key) WHERE dedupe_key IS NOT NULL AND status IN ('todo', 'in_progress');

CREATE TABLE touchpoints (
    id TEXT NOT NULL PRIMARY KEY,
    contact_id TEXT NOT NULL,
    timestamp INTEGER NOT NULL,
    kind TEXT NOT NULL,
    channel TEXT,
    direction TEXT NOT NULL CHECK (direction IN ('in', 'out')),
    source TEXT,
    medium TEXT,
    campaign TEXT,
    event_id TEXT
) STRICT;
CREATE INDEX touchpoints_contact ON touchpoints (contact_id, timestamp);

CREATE TABLE notes (
    id TEXT NOT NULL PRIMARY KEY,
    contact_id TEXT,
    booking_id TEXT,
    body TEXT NOT NULL,
    author TEXT NOT NULL,
    run_id TEXT,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX notes_contact ON notes (contact_id, created_at);

CREATE TABLE pipeline_transitions (
    id TEXT NOT NULL PRIMARY KEY,
    contact_id TEXT NOT NULL,
    booking_id TEXT,
    pipeline TEXT NOT NULL,
    from_pipeline TEXT,
    from_stage TEXT,
    to_stage TEXT NOT NULL,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    run_id TEXT,
    duration_ms INTEGER
) STRICT;
CREATE INDEX pipeline_transitions_contact ON pipeline_transitions (contact_id, at);

-- The log of everything that happened. Rows are never deleted by the program; only status columns change.
CREATE TABLE event_log (
    id TEXT NOT NULL PRIMARY KEY,
    event_type TEXT NOT NULL,
    source TEXT NOT NULL,
    dedupe_key TEXT NOT NULL,
    timestamp INTEGER NOT NULL,
    occurred_at INTEGER,
    actor TEXT NOT NULL,
    signature_state TEXT NOT NULL,
    payload TEXT NOT NULL,
    lane_key TEXT,
    contact_id TEXT,
    booking_id TEXT,
    causation_id TEXT,
    depth INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status = 'accepted' OR status = 'processed' OR status = 'ignored' OR status = 'failed' OR status = 'quarantined'),
    status_reason TEXT,
    duplicates INTEGER NOT NULL,
    revision INTEGER,
    processed_at INTEGER
) STRICT;
CREATE UNIQUE INDEX event_log_dedupe ON event_log (source, dedupe_key);
CREATE INDEX event_log_contact ON event_log (contact_id, timestamp) WHERE contact_id IS NOT NULL;

-- Apart from event_log, so that changing an event's status does not rewrite what the provider sent.
CREATE TABLE event_payloads (
    event_id TEXT NOT NULL PRIMARY KEY,
    raw_payload TEXT NOT NULL,
    raw_sha256 TEXT NOT NULL
) STRICT;

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
    scheduled_at INTEGER,
    not_after INTEGER,
    status TEXT NOT NULL CHECK (status = 'scheduled' OR status = 'queued' OR status = 'sending' OR status = 'accepted' OR status = 'delivered' OR status = 'failed' OR status = 'expired' OR status = 'unknown' OR status = 'suppressed' OR status = 'cancelled' OR status = 'received'),
    status_reason TEXT,
    provider TEXT,
    provider_message_id TEXT,
    attempts INTEGER NOT NULL,
    in_reply_to TEXT,
    dedupe_key TEXT UNIQUE,
    run_id TEXT,
    revision INTEGER,
    appointment_datetime INTEGER,
    immediate INTEGER NOT NULL,
    is_demo INTEGER NOT NULL,
    accepted_at INTEGER,
    delivered_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
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
    at INTEGER NOT NULL,
    event_id TEXT
) STRICT;
CREATE INDEX sms_status_events_sms ON sms_status_events (sms_id, at);

-- Numbers that must not be texted. Checked in the transaction that sends.
CREATE TABLE suppressions (
    phone TEXT NOT NULL PRIMARY KEY,
    reason TEXT NOT NULL,
    event_id TEXT,
    at INTEGER NOT NULL,
    lifted_at INTEGER
) STRICT;

CREATE TABLE staff_users (
    id TEXT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role = 'front_desk' OR role = 'ops' OR role = 'manager' OR role = 'admin'),
    password_hash TEXT,
    active INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role = 'front_desk' OR role = 'ops' OR role = 'manager' OR role = 'admin'),
    secret_sha256 TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT;
