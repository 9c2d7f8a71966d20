DROP INDEX sms_messages_unknown;
DROP TABLE sms_holds;
DROP TABLE sms_handovers;
