-- Since then the provider is asked about the receipt that never came.
ALTER TABLE sms_handovers ADD COLUMN receipt_asked_at INTEGER;
-- The price is ours, not the provider's.
ALTER TABLE sms_handovers ADD COLUMN price_is_estimate INTEGER NOT NULL DEFAULT 0;
CREATE INDEX sms_messages_accepted ON sms_messages (accepted_at) WHERE status = 'accepted';
