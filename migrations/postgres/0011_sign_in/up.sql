-- Who did what: only ever added to. Each row's hash covers the row and the hash before it.
CREATE TABLE audit_log (
    seq BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    ip TEXT,
    action TEXT NOT NULL,
    object_kind TEXT,
    object_id TEXT,
    -- JSON; ids, numbers and fixed words only.
    details TEXT NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL
);
CREATE INDEX audit_log_actor ON audit_log (actor, seq);
CREATE INDEX audit_log_object ON audit_log (object_id, seq);

-- The end of the chain, in its one row. Whoever adds to the chain locks it.
CREATE TABLE audit_head (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    seq BIGINT NOT NULL,
    hash TEXT NOT NULL
);
INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, '');

CREATE FUNCTION audit_log_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is only ever added to';
END
$$;
CREATE TRIGGER audit_log_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_is_kept();

-- Members of staff who are signed in. A session that ended has no row.
CREATE TABLE staff_sessions (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    token_sha256 TEXT NOT NULL UNIQUE,
    -- password, invitation or link
    began_with TEXT NOT NULL,
    second_factor BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ip TEXT,
    agent TEXT
);
CREATE INDEX staff_sessions_user ON staff_sessions (user_id);
CREATE INDEX staff_sessions_expiry ON staff_sessions (expires_at);

-- What a member of staff proves themselves with besides the password, and the tries that failed.
CREATE TABLE staff_proofs (
    user_id TEXT NOT NULL PRIMARY KEY,
    failures BIGINT NOT NULL,
    failed_at BIGINT,
    blocked_until BIGINT,
    -- Hex. Without `totp_since` it is not confirmed yet.
    totp_secret TEXT,
    totp_since BIGINT,
    -- The newest step whose code was used: no code counts twice.
    totp_step BIGINT NOT NULL
);

CREATE TABLE staff_recovery_codes (
    code_sha256 TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL
);
CREATE INDEX staff_recovery_codes_user ON staff_recovery_codes (user_id);

-- Codes that sign somebody in once.
CREATE TABLE staff_one_time_codes (
    code_sha256 TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    -- invitation or link
    purpose TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX staff_one_time_codes_user ON staff_one_time_codes (user_id);

ALTER TABLE staff_users ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE api_keys ADD COLUMN scopes TEXT NOT NULL DEFAULT '["*"]';
ALTER TABLE api_keys ADD COLUMN created_by TEXT;
