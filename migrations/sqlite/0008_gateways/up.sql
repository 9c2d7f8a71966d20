-- What a provider said when a text was handed to it. `raw` is emptied after a time.
CREATE TABLE sms_handovers (
    sms_id TEXT NOT NULL PRIMARY KEY,
    provider TEXT NOT NULL,
    handed_at INTEGER NOT NULL,
    answered_at INTEGER,
    provider_status TEXT,
    provider_message_id TEXT,
    price_micros INTEGER,
    currency TEXT,
    billed_parts INTEGER,
    raw TEXT NOT NULL,
    -- Since then nobody knows whether the text was sent.
    unknown_at INTEGER,
    checks INTEGER NOT NULL,
    checked_at INTEGER,
    -- A person was asked.
    asked_at INTEGER
) STRICT;

-- Providers that take no texts at the moment; no row: all is well.
CREATE TABLE sms_holds (
    provider TEXT NOT NULL PRIMARY KEY,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    since INTEGER NOT NULL,
    retry_at INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    probing INTEGER NOT NULL,
    told INTEGER NOT NULL
) STRICT;

CREATE INDEX sms_messages_unknown ON sms_messages (updated_at) WHERE status = 'unknown';
