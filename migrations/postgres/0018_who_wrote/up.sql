-- Who of staff wrote a text: `staff:ID`, `key:NAME`. NULL: a rule made it, the program itself, or a person sent it to us.
ALTER TABLE sms_messages ADD COLUMN sent_by TEXT;
