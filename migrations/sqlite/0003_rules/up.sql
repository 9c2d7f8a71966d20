-- Every ruleset that was ever in force, with the text of all its files.
CREATE TABLE rulesets (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    hash TEXT NOT NULL,
    files TEXT NOT NULL,
    published_by TEXT NOT NULL,
    note TEXT,
    published_at INTEGER NOT NULL
) STRICT;

-- Single values of the installation, such as ruleset_in_force.
CREATE TABLE system_values (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE automation_runs (
    id TEXT NOT NULL PRIMARY KEY,
    event_id TEXT NOT NULL,
    rule_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome = 'fired' OR outcome = 'skipped' OR outcome = 'failed'),
    contact_id TEXT,
    booking_id TEXT,
    at INTEGER NOT NULL,
    trace TEXT NOT NULL
) STRICT;
CREATE INDEX automation_runs_event ON automation_runs (event_id);
CREATE INDEX automation_runs_fired ON automation_runs (contact_id, rule_id, at) WHERE outcome = 'fired';

-- What is pending of `date` triggers: derived from (rule, record), stored so that it can be found when due.
CREATE TABLE timers (
    rule_id TEXT NOT NULL,
    trigger_index INTEGER NOT NULL,
    subject_id TEXT NOT NULL,
    occurrence TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    contact_id TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    late_ms INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'fired')),
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (rule_id, trigger_index, subject_id, occurrence)
) STRICT, WITHOUT ROWID;
CREATE INDEX timers_due ON timers (due_at) WHERE state = 'pending';
CREATE INDEX timers_contact ON timers (contact_id);
