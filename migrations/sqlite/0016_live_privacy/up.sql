-- People whose personal data were destroyed: when, by whom and why. Nothing here says who they were.
CREATE TABLE erasures (
    contact_id TEXT NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    reason TEXT NOT NULL,
    -- JSON: how many rows of which kind.
    counts TEXT NOT NULL
) STRICT;
