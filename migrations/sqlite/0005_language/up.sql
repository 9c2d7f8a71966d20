-- Tags of contacts, as a JSON list of texts.
ALTER TABLE contacts ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';

-- The run whose wait this one ended.
ALTER TABLE automation_runs ADD COLUMN resumes TEXT;

-- Runs that wait, stand in line, or did. `memory` is emptied when they end.
CREATE TABLE waiting_runs (
    id TEXT NOT NULL PRIMARY KEY,
    run_id TEXT NOT NULL,
    first_run_id TEXT NOT NULL,
    rule_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    contact_id TEXT NOT NULL,
    booking_id TEXT,
    event_id TEXT NOT NULL,
    position TEXT NOT NULL,
    memory TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    event_name TEXT,
    state TEXT NOT NULL CHECK (state = 'waiting' OR state = 'due' OR state = 'queued' OR state = 'resumed' OR state = 'ended'),
    reason TEXT,
    resumed_by TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX waiting_runs_due ON waiting_runs (due_at) WHERE state = 'waiting';
CREATE INDEX waiting_runs_alive ON waiting_runs (contact_id) WHERE state IN ('waiting', 'due', 'queued');
CREATE INDEX waiting_runs_run ON waiting_runs (run_id);
CREATE INDEX waiting_runs_over ON waiting_runs (updated_at) WHERE state IN ('resumed', 'ended');

-- Tasks whose passing due time has been told to the rules.
CREATE TABLE overdue_tasks (
    task_id TEXT NOT NULL,
    due_datetime INTEGER NOT NULL,
    told_at INTEGER NOT NULL,
    PRIMARY KEY (task_id, due_datetime)
) STRICT, WITHOUT ROWID;
CREATE INDEX overdue_tasks_told ON overdue_tasks (told_at);
