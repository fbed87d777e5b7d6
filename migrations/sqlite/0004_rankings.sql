-- An allocation changes how many accounts a credential has, and so, by `is_open` and `utilisation`, it wrote to the
-- index of every strategy. Now it writes to `balanced` and `round_robin` only, whose order it changes in any case: the
-- others stand on a column that changes when a credential opens or closes, and leave utilisation to a second step
-- (docs/adr/015).

-- The same as is_open, kept by the triggers below.
ALTER TABLE credentials ADD COLUMN ranked BOOLEAN NOT NULL DEFAULT TRUE;
UPDATE credentials SET ranked = FALSE WHERE NOT is_open;

CREATE TRIGGER credentials_ranked_new AFTER INSERT ON credentials WHEN NEW.ranked <> NEW.is_open BEGIN
    UPDATE credentials SET ranked = NEW.is_open WHERE id = NEW.id;
END;
CREATE TRIGGER credentials_ranked AFTER UPDATE OF standing, deleted_at, max_accounts, current_accounts ON credentials
WHEN NEW.ranked <> NEW.is_open BEGIN
    UPDATE credentials SET ranked = NEW.is_open WHERE id = NEW.id;
END;

DROP INDEX credentials_success_rate;
DROP INDEX credentials_least_failures;
DROP INDEX credentials_health;
CREATE INDEX credentials_success_rate ON credentials
    (tenant_id, shelf, priority DESC, success_score DESC, id, cooldown_until) WHERE ranked;
CREATE INDEX credentials_least_failures ON credentials
    (tenant_id, shelf, priority DESC, recent_failures, id, cooldown_until) WHERE ranked;
CREATE INDEX credentials_health ON credentials
    (tenant_id, shelf, priority DESC, health_score DESC, id, cooldown_until) WHERE ranked;

-- Nobody reads them.
DROP INDEX credentials_failing;
DROP INDEX credential_health_age;
