-- Rules that somebody, or the program, has switched off or on again, whatever their file says.
CREATE TABLE rule_overrides (
    rule_id TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('enabled', 'disabled', 'paused')),
    by TEXT NOT NULL,
    reason TEXT NOT NULL,
    at BIGINT NOT NULL
);

-- Who changed which rules are in force, when and why. Append-only.
CREATE TABLE rule_history (
    id TEXT NOT NULL PRIMARY KEY,
    action TEXT NOT NULL CHECK (action IN ('published', 'rolled_back', 'enabled', 'disabled', 'paused', 'recalled')),
    rule_id TEXT,
    revision BIGINT,
    by TEXT NOT NULL,
    reason TEXT,
    at BIGINT NOT NULL
);

-- Rules whose silence would be alarming: since when they are watched, and since when they are silent. The row goes when that
-- is over, so that each silence is told once.
CREATE TABLE rule_alarms (
    rule_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('watched', 'silent')),
    raised_at BIGINT NOT NULL,
    PRIMARY KEY (rule_id, kind)
);

-- Rules that looked at an event and did nothing, and why: one row for each event. Pruned sooner than runs.
CREATE TABLE automation_skips (
    event_id TEXT NOT NULL PRIMARY KEY,
    revision BIGINT NOT NULL,
    contact_id TEXT,
    booking_id TEXT,
    at BIGINT NOT NULL,
    skips TEXT NOT NULL
);
CREATE INDEX automation_skips_contact ON automation_skips (contact_id, event_id) WHERE contact_id IS NOT NULL;
CREATE INDEX automation_skips_slots ON automation_skips (event_id) WHERE contact_id IS NULL;

-- What rules have set, from what to what.
CREATE TABLE field_changes (
    id TEXT NOT NULL PRIMARY KEY,
    contact_id TEXT NOT NULL,
    booking_id TEXT,
    field TEXT NOT NULL,
    from_value TEXT,
    to_value TEXT,
    at BIGINT NOT NULL,
    by TEXT NOT NULL,
    run_id TEXT
);
CREATE INDEX field_changes_contact ON field_changes (contact_id, at);

CREATE INDEX automation_runs_rule ON automation_runs (rule_id, at, outcome);
