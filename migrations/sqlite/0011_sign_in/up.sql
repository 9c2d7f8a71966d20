-- Who did what: only ever added to. Each row's hash covers the row and the hash before it.
CREATE TABLE audit_log (
    seq INTEGER NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    ip TEXT,
    action TEXT NOT NULL,
    object_kind TEXT,
    object_id TEXT,
    -- JSON; ids, numbers and fixed words only.
    details TEXT NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;
CREATE INDEX audit_log_actor ON audit_log (actor, seq);
CREATE INDEX audit_log_object ON audit_log (object_id, seq);

-- The end of the chain, in its one row. Whoever adds to the chain locks it.
CREATE TABLE audit_head (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    seq INTEGER NOT NULL,
    hash TEXT NOT NULL
) STRICT;
INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, '');

CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log BEGIN SELECT RAISE(ABORT, 'the audit log is only ever added to'); END;
CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log BEGIN SELECT RAISE(ABORT, 'the audit log is only ever added to'); END;

-- Members of staff who are signed in. A session that ended has no row.
CREATE TABLE staff_sessions (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    token_sha256 TEXT NOT NULL UNIQUE,
    -- password, invitation or link
    began_with TEXT NOT NULL,
    second_factor INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ip TEXT,
    agent TEXT
) STRICT;
CREATE INDEX staff_sessions_user ON staff_sessions (user_id);
CREATE INDEX staff_sessions_expiry ON staff_sessions (expires_at);

-- What a member of staff proves themselves with besides the password, and the tries that failed.
CREATE TABLE staff_proofs (
    user_id TEXT NOT NULL PRIMARY KEY,
    failures INTEGER NOT NULL,
    failed_at INTEGER,
    blocked_until INTEGER,
    -- Hex. Without `totp_since` it is not confirmed yet.
    totp_secret TEXT,
    totp_since INTEGER,
    -- The newest step whose code was used: no code counts twice.
    totp_step INTEGER NOT NULL
) STRICT;

CREATE TABLE staff_recovery_codes (
    code_sha256 TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL
) STRICT;
CREATE INDEX staff_recovery_codes_user ON staff_recovery_codes (user_id);

-- Codes that sign somebody in once.
CREATE TABLE staff_one_time_codes (
    code_sha256 TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    -- invitation or link
    purpose TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX staff_one_time_codes_user ON staff_one_time_codes (user_id);

ALTER TABLE staff_users ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE api_keys ADD COLUMN scopes TEXT NOT NULL DEFAULT '["*"]';
ALTER TABLE api_keys ADD COLUMN created_by TEXT;
