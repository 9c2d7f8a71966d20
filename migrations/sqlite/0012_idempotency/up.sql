-- Keys under which callers asked for a change, and what they were answered: the same request again is not carried out again.
CREATE TABLE idempotency_keys (
    caller TEXT NOT NULL,
    name TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    token TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state = 'reserved' OR state = 'changed' OR state = 'done'),
    reserved_at INTEGER NOT NULL,
    status INTEGER,
    headers TEXT,
    body TEXT,
    PRIMARY KEY (caller, name)
) STRICT;
CREATE INDEX idempotency_keys_age ON idempotency_keys (reserved_at);
