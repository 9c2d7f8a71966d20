-- All timers of a contact stand together: one index finds them and keeps them apart. With a rowid, an entry of timers_due is a
-- few bytes and not the whole key, so the timers of one event change fewer pages.
CREATE TABLE timers_anew (
    rule_id TEXT NOT NULL,
    trigger_index INTEGER NOT NULL,
    subject_id TEXT NOT NULL,
    occurrence TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    contact_id TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    late_ms INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state = 'pending' OR state = 'fired'),
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (contact_id, subject_id, rule_id, trigger_index, occurrence)
) STRICT;
INSERT INTO timers_anew (rule_id, trigger_index, subject_id, occurrence, subject_kind, contact_id, due_at, late_ms, state, updated_at) SELECT rule_id, trigger_index, subject_id, occurrence, subject_kind, contact_id, due_at, late_ms, state, updated_at FROM timers;
DROP TABLE timers;
ALTER TABLE timers_anew RENAME TO timers;
CREATE INDEX timers_due ON timers (due_at) WHERE state = 'pending';

-- What only grows beside a contact is read by contact: it is stored in that order, without a second and a third tree.
CREATE TABLE touchpoints_anew (
    id TEXT NOT NULL,
    contact_id TEXT NOT NULL,
    timestamp INTEGER NOT NULL,
    kind TEXT NOT NULL,
    channel TEXT,
    direction TEXT NOT NULL CHECK (direction = 'in' OR direction = 'out'),
    source TEXT,
    medium TEXT,
    campaign TEXT,
    event_id TEXT,
    PRIMARY KEY (contact_id, id)
) STRICT, WITHOUT ROWID;
INSERT INTO touchpoints_anew (id, contact_id, timestamp, kind, channel, direction, source, medium, campaign, event_id) SELECT id, contact_id, timestamp, kind, channel, direction, source, medium, campaign, event_id FROM touchpoints;
DROP TABLE touchpoints;
ALTER TABLE touchpoints_anew RENAME TO touchpoints;

CREATE TABLE pipeline_transitions_anew (
    id TEXT NOT NULL,
    contact_id TEXT NOT NULL,
    booking_id TEXT,
    pipeline TEXT NOT NULL,
    from_pipeline TEXT,
    from_stage TEXT,
    to_stage TEXT NOT NULL,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    run_id TEXT,
    duration_ms INTEGER,
    PRIMARY KEY (contact_id, id)
) STRICT, WITHOUT ROWID;
INSERT INTO pipeline_transitions_anew (id, contact_id, booking_id, pipeline, from_pipeline, from_stage, to_stage, at, by, run_id, duration_ms) SELECT id, contact_id, booking_id, pipeline, from_pipeline, from_stage, to_stage, at, by, run_id, duration_ms FROM pipeline_transitions;
DROP TABLE pipeline_transitions;
ALTER TABLE pipeline_transitions_anew RENAME TO pipeline_transitions;

CREATE TABLE field_changes_anew (
    id TEXT NOT NULL,
    contact_id TEXT NOT NULL,
    booking_id TEXT,
    field TEXT NOT NULL,
    from_value TEXT,
    to_value TEXT,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    run_id TEXT,
    PRIMARY KEY (contact_id, id)
) STRICT, WITHOUT ROWID;
INSERT INTO field_changes_anew (id, contact_id, booking_id, field, from_value, to_value, at, by, run_id) SELECT id, contact_id, booking_id, field, from_value, to_value, at, by, run_id FROM field_changes;
DROP TABLE field_changes;
ALTER TABLE field_changes_anew RENAME TO field_changes;

-- One tree for each event's row.
CREATE TABLE automation_skips_anew (
    event_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    contact_id TEXT,
    booking_id TEXT,
    at INTEGER NOT NULL,
    skips TEXT NOT NULL,
    PRIMARY KEY (event_id)
) STRICT, WITHOUT ROWID;
INSERT INTO automation_skips_anew (event_id, revision, contact_id, booking_id, at, skips) SELECT event_id, revision, contact_id, booking_id, at, skips FROM automation_skips;
DROP TABLE automation_skips;
ALTER TABLE automation_skips_anew RENAME TO automation_skips;
CREATE INDEX automation_skips_contact ON automation_skips (contact_id, event_id) WHERE contact_id IS NOT NULL;
CREATE INDEX automation_skips_slots ON automation_skips (event_id) WHERE contact_id IS NULL;
