-- Reports as they were computed. One row for each period and way of counting that was asked for, replaced when it is counted
-- anew; and one that the schedule made, which stays as it was.
CREATE TABLE reports (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind = 'weekly' OR kind = 'monthly'),
    period_start INTEGER NOT NULL,
    zone TEXT NOT NULL,
    params_hash TEXT NOT NULL,
    origin TEXT NOT NULL CHECK (origin = 'request' OR origin = 'schedule'),
    json TEXT NOT NULL,
    generated_at INTEGER NOT NULL,
    -- What the period's records were like; another mark means that they have changed since.
    mark TEXT NOT NULL,
    stale INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX reports_of_period ON reports (kind, period_start, zone, params_hash, origin);
CREATE INDEX reports_newest ON reports (period_start, id);

-- Tasks that are over, by when they were due. Written when a task is closed.
CREATE INDEX tasks_closed_due ON tasks (due_datetime) WHERE status IN ('done', 'cancelled');

-- Who came on the waiting list is rare among events.
CREATE INDEX event_log_waitlist ON event_log (timestamp) WHERE event_type = 'waitlist_joined';
