DROP TABLE consents;
ALTER TABLE contacts DROP COLUMN recall_consent;
ALTER TABLE bookings DROP COLUMN said_datetime;
ALTER TABLE bookings DROP COLUMN said_status;
ALTER TABLE tasks DROP COLUMN completed_by;
ALTER TABLE tasks DROP COLUMN outcome;
