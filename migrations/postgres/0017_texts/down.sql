DROP INDEX sms_messages_accepted;
ALTER TABLE sms_handovers DROP COLUMN price_is_estimate;
ALTER TABLE sms_handovers DROP COLUMN receipt_asked_at;
