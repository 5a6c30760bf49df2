-- The ledger, version 1. Rows are only ever added: triggers refuse to change or delete them.
-- Money is in picodollars; times are in microseconds since 1970 (UTC); days and months are the user's own.

PRAGMA application_id = 0x46525448;

-- A server process. It holds a lock on a file named after `id` for as long as it lives.
CREATE TABLE owners (
    id TEXT NOT NULL PRIMARY KEY,
    pid INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE TABLE owner_ends (
    owner TEXT NOT NULL PRIMARY KEY REFERENCES owners (id),
    at INTEGER NOT NULL
) STRICT;

CREATE TABLE runs (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    parent TEXT REFERENCES runs (id),
    root TEXT NOT NULL,
    session TEXT NOT NULL,
    workspace TEXT NOT NULL,
    action TEXT NOT NULL,
    agent TEXT NOT NULL,
    variant TEXT NOT NULL,
    file TEXT,
    symbol TEXT,
    model TEXT NOT NULL,
    -- What this run and every run under it may cost together.
    budget INTEGER CHECK (budget >= 0),
    -- The estimate that was shown. `point` is its value before history corrected it.
    point INTEGER,
    low INTEGER,
    expected INTEGER,
    high INTEGER,
    input_tokens INTEGER,
    output_tokens INTEGER,
    turns INTEGER,
    owner TEXT NOT NULL REFERENCES owners (id),
    at INTEGER NOT NULL,
    zone TEXT NOT NULL,
    day TEXT NOT NULL,
    month TEXT NOT NULL
) STRICT;
CREATE INDEX runs_by_parent ON runs (parent);
CREATE INDEX runs_by_root ON runs (root);
CREATE INDEX runs_by_place ON runs (workspace, file, symbol);
CREATE INDEX runs_by_owner ON runs (owner);

CREATE TABLE run_ends (
    run TEXT NOT NULL PRIMARY KEY REFERENCES runs (id),
    state TEXT NOT NULL CHECK (state IN ('completed', 'failed', 'cancelled', 'out-of-budget')),
    at INTEGER NOT NULL
) STRICT;

-- One row for each HTTP attempt, written before it is sent.
CREATE TABLE reservations (
    seq INTEGER PRIMARY KEY,
    attempt TEXT NOT NULL UNIQUE,
    run TEXT NOT NULL REFERENCES runs (id),
    root TEXT NOT NULL,
    session TEXT NOT NULL,
    workspace TEXT NOT NULL,
    day TEXT NOT NULL,
    month TEXT NOT NULL,
    turn INTEGER NOT NULL,
    model TEXT NOT NULL,
    price TEXT NOT NULL,
    tokenizer TEXT NOT NULL,
    -- The estimate of the prompt, in o200k tokens; what the calibration compares with the settled prompt.
    predicted INTEGER,
    amount INTEGER NOT NULL CHECK (amount >= 0),
    owner TEXT NOT NULL REFERENCES owners (id),
    at INTEGER NOT NULL,
    zone TEXT NOT NULL,
    seal INTEGER NOT NULL
) STRICT;
CREATE INDEX reservations_by_run ON reservations (run);
CREATE INDEX reservations_by_root ON reservations (root);
CREATE INDEX reservations_by_session ON reservations (session);
CREATE INDEX reservations_by_workspace ON reservations (workspace);
CREATE INDEX reservations_by_day ON reservations (day);
CREATE INDEX reservations_by_month ON reservations (month);
CREATE INDEX reservations_by_owner ON reservations (owner);

-- How an attempt ended. The highest revision holds; a booked attempt gets a second one when its usage turns up.
CREATE TABLE settlements (
    reservation INTEGER NOT NULL REFERENCES reservations (seq),
    revision INTEGER NOT NULL CHECK (revision >= 1),
    state TEXT NOT NULL CHECK (state IN ('settled', 'booked', 'recovered', 'released')),
    -- Empty where usage is not known.
    input INTEGER,
    cache_write_5m INTEGER,
    cache_write_1h INTEGER,
    cache_read INTEGER,
    output INTEGER,
    -- What counted for the attempt before this row, and what counts from this row on.
    held INTEGER NOT NULL CHECK (held >= 0),
    cost INTEGER NOT NULL CHECK (cost >= 0),
    -- The cost is more than what was held: a wrong price or token bound.
    overrun INTEGER NOT NULL CHECK (overrun IN (0, 1)),
    model TEXT,
    price TEXT,
    request TEXT,
    reason TEXT,
    at INTEGER NOT NULL,
    seal INTEGER NOT NULL,
    PRIMARY KEY (reservation, revision)
) STRICT, WITHOUT ROWID;
CREATE INDEX settlements_overrun ON settlements (reservation, revision) WHERE overrun = 1;

-- The user has seen that an attempt cost more than was held for it; spending may go on.
CREATE TABLE acknowledgements (
    reservation INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (reservation, revision),
    FOREIGN KEY (reservation, revision) REFERENCES settlements (reservation, revision)
) STRICT, WITHOUT ROWID;

-- Every attempt as it stands. `charge` is what counts against the limits.
CREATE VIEW attempts AS
SELECT
    reservations.seq,
    reservations.attempt,
    reservations.run,
    reservations.root,
    reservations.session,
    reservations.workspace,
    reservations.day,
    reservations.month,
    reservations.turn,
    COALESCE(settlements.model, reservations.model) AS model,
    COALESCE(settlements.price, reservations.price) AS price,
    reservations.amount AS reserved,
    COALESCE(settlements.state, 'open') AS state,
    COALESCE(settlements.cost, reservations.amount) AS charge,
    settlements.input,
    settlements.cache_write_5m,
    settlements.cache_write_1h,
    settlements.cache_read,
    settlements.output,
    settlements.request,
    settlements.reason,
    reservations.at
FROM reservations
LEFT JOIN settlements
    ON settlements.reservation = reservations.seq
    AND settlements.revision = (
        SELECT MAX(latest.revision) FROM settlements AS latest WHERE latest.reservation = reservations.seq
    );

CREATE TRIGGER runs_stay BEFORE UPDATE ON runs BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER runs_remain BEFORE DELETE ON runs BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER run_ends_stay BEFORE UPDATE ON run_ends BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER run_ends_remain BEFORE DELETE ON run_ends BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER reservations_stay BEFORE UPDATE ON reservations BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER reservations_remain BEFORE DELETE ON reservations BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER settlements_stay BEFORE UPDATE ON settlements BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER settlements_remain BEFORE DELETE ON settlements BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
