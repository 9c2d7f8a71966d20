DROP INDEX tasks_closed_due;
DROP TABLE reports;
