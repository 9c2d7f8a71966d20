-- Rules that somebody, or the program, has switched off or on again, whatever their file says.
CREATE TABLE rule_overrides (
    rule_id TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL CHECK (state = 'enabled' OR state = 'disabled' OR state = 'paused'),
    by TEXT NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

-- Who changed which rules are in force, when and why. Append-only.
CREATE TABLE rule_history (
    id TEXT NOT NULL PRIMARY KEY,
    action TEXT NOT NULL CHECK (action = 'published' OR action = 'rolled_back' OR action = 'enabled' OR action = 'disabled' OR action = 'paused' OR action = 'recalled'),
    rule_id TEXT,
    revision INTEGER,
    by TEXT NOT NULL,
    reason TEXT,
    at INTEGER NOT NULL
) STRICT;

-- Rules whose silence would be alarming: since when they are watched, and since when they are silent. The row goes when that
-- is over, so that each silence is told once.
CREATE TABLE rule_alarms (
    rule_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('watched', 'silent')),
    raised_at INTEGER NOT NULL,
    PRIMARY KEY (rule_id, kind)
) STRICT;

-- Rules that looked at an event and did nothing, and why: one row for each event. Pruned sooner than runs.
CREATE TABLE automation_skips (
    event_id TEXT NOT NULL PRIMARY KEY,
    revision INTEGER NOT NULL,
    contact_id TEXT,
    booking_id TEXT,
    at INTEGER NOT NULL,
    skips TEXT NOT NULL
) STRICT;
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
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    run_id TEXT
) STRICT;
CREATE INDEX field_changes_contact ON field_changes (contact_id, at);

CREATE INDEX automation_runs_rule ON automation_runs (rule_id, at, outcome);
