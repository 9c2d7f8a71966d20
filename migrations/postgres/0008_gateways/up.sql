-- What a provider said when a text was handed to it. `raw` is emptied after a time.
CREATE TABLE sms_handovers (
    sms_id TEXT NOT NULL PRIMARY KEY,
    provider TEXT NOT NULL,
    handed_at BIGINT NOT NULL,
    answered_at BIGINT,
    provider_status TEXT,
    provider_message_id TEXT,
    price_micros BIGINT,
    currency TEXT,
    billed_parts INTEGER,
    raw TEXT NOT NULL,
    -- Since then nobody knows whether the text was sent.
    unknown_at BIGINT,
    checks BIGINT NOT NULL,
    checked_at BIGINT,
    -- A person was asked.
    asked_at BIGINT
);

-- Providers that take no texts at the moment; no row: all is well.
CREATE TABLE sms_holds (
    provider TEXT NOT NULL PRIMARY KEY,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    since BIGINT NOT NULL,
    retry_at BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    probing BOOLEAN NOT NULL,
    told BOOLEAN NOT NULL
);

CREATE INDEX sms_messages_unknown ON sms_messages (updated_at) WHERE status = 'unknown';
