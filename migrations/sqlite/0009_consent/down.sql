DROP TABLE sms_departures;
DROP INDEX sms_messages_to;
DROP INDEX contacts_guardian;
ALTER TABLE contacts DROP COLUMN sms_consent;
