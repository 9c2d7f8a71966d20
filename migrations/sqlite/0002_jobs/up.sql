CREATE TABLE workers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    node TEXT NOT NULL,
    pid INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    heartbeat_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    dead_at INTEGER
) STRICT;
CREATE INDEX workers_alive ON workers (expires_at) WHERE dead_at IS NULL;

-- The live jobs only: what is finished moves to job_history, so that the indexes here stay small.
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state = 'ready' OR state = 'lane_blocked' OR state = 'running' OR state = 'dead'),
    priority INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 3),
    run_at INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    max_attempts INTEGER NOT NULL,
    rescues INTEGER NOT NULL,
    lease_token INTEGER NOT NULL,
    worker_id INTEGER,
    deadline_at INTEGER,
    timeout_ms INTEGER NOT NULL,
    cancel_at INTEGER,
    lane_key TEXT,
    unique_key TEXT,
    event_id TEXT,
    parent_id INTEGER,
    payload TEXT NOT NULL,
    last_error TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK ((state = 'running') = (worker_id IS NOT NULL))
) STRICT;
CREATE INDEX jobs_ready ON jobs (queue, priority, run_at, id) WHERE state = 'ready';
CREATE INDEX jobs_running ON jobs (worker_id, deadline_at) WHERE state = 'running';
CREATE UNIQUE INDEX jobs_unique ON jobs (unique_key) WHERE unique_key IS NOT NULL;
CREATE UNIQUE INDEX jobs_lane ON jobs (lane_key) WHERE lane_key IS NOT NULL AND state IN ('ready', 'running');
CREATE INDEX jobs_lane_wait ON jobs (lane_key, id) WHERE state = 'lane_blocked';
CREATE INDEX jobs_dead ON jobs (updated_at) WHERE state = 'dead';

CREATE TABLE job_history (
    id INTEGER NOT NULL PRIMARY KEY,
    queue TEXT NOT NULL,
    kind TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome = 'done' OR outcome = 'cancelled' OR outcome = 'discarded'),
    attempts INTEGER NOT NULL,
    rescues INTEGER NOT NULL,
    event_id TEXT,
    created_at INTEGER NOT NULL,
    finished_at INTEGER NOT NULL
) STRICT;
CREATE INDEX job_history_finished ON job_history (finished_at);

-- One row for each attempt that did not simply succeed, and for every success after a failure.
CREATE TABLE job_attempts (
    job_id INTEGER NOT NULL,
    lease_token INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER NOT NULL,
    worker_id INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    error TEXT,
    PRIMARY KEY (job_id, lease_token)
) STRICT, WITHOUT ROWID;

CREATE TABLE queues (
    name TEXT NOT NULL PRIMARY KEY,
    paused_at INTEGER
) STRICT;

CREATE TABLE schedules (
    name TEXT NOT NULL PRIMARY KEY,
    expr TEXT NOT NULL,
    tz TEXT NOT NULL,
    misfire TEXT NOT NULL CHECK (misfire = 'skip' OR misfire = 'once' OR misfire = 'all'),
    queue TEXT NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    next_at INTEGER NOT NULL,
    last_at INTEGER,
    paused_at INTEGER,
    version INTEGER NOT NULL
) STRICT;
CREATE INDEX schedules_next ON schedules (next_at) WHERE paused_at IS NULL;

CREATE TABLE schedule_fires (
    name TEXT NOT NULL,
    slot INTEGER NOT NULL,
    job_id INTEGER,
    fired_at INTEGER NOT NULL,
    PRIMARY KEY (name, slot)
) STRICT, WITHOUT ROWID;

-- Leaderless maintenance: whoever moves next_at does the work.
CREATE TABLE duties (
    name TEXT NOT NULL PRIMARY KEY,
    next_at INTEGER NOT NULL
) STRICT;

CREATE TABLE rate_buckets (
    name TEXT NOT NULL PRIMARY KEY,
    tokens_milli INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
