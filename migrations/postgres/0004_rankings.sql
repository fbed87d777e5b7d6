-- The rankings stay as they are: PostgreSQL writes to every index of a row that moves, so an index less in a change spares it
-- nothing. See ../sqlite and docs/adr/015.

-- Nobody reads them.
DROP INDEX credentials_failing;
DROP INDEX credential_health_age;
