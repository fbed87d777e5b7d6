-- Nothing: PostgreSQL writes to every index of a row that moves, so an index less in a change spares it nothing, and
-- the rankings stay as they are. See ../sqlite and docs/adr/015.
SELECT 1;
