ALTER TABLE sms_messages DROP COLUMN sent_by;
