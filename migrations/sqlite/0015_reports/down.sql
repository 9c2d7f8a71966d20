DROP INDEX event_log_waitlist;
DROP INDEX tasks_closed_due;
DROP TABLE reports;
