"""Mistakes that the pages could have. Each has to be found by the case named with it, or that case looks at nothing."""

from dataclasses import dataclass
from pathlib import Path

import cases
import snippets


@dataclass(frozen=True)
class Mistake:
    title: str
    client: str
    case: str
    file: str
    old: str
    new: str

    def has_to_be_found(self, server: cases.Server, shown: dict[str, str], cwd: Path) -> None:
        right = shown[self.file]
        assert self.old in right, f"{self.file} no longer has {self.old!r}: change tests/clients/wrong.py with it"
        where = cwd / "snippets"
        client = next(one for one in snippets.clients(where) if one.name == self.client)
        where.mkdir()
        (cwd / "run").mkdir()
        try:
            snippets.write({**shown, self.file: right.replace(self.old, self.new)}, where, self.file.endswith(".ts"))
            with cases.Story(server, client, cwd / "run") as story:
                dict(cases.for_client(client))[self.case](story)
        except AssertionError:
            return
        raise AssertionError(f"not found by {self.case!r} of {self.client}")


MISTAKES = [
    Mistake(
        "sleeps through a wait", "telethon", "flood wait", "telethon_login.py",
        "flood_sleep_threshold=0", "flood_sleep_threshold=60",
    ),
    Mistake(
        "hides Telegram's own error", "telethon", "Telegram fails", "telethon_login.py",
        "raise_last_call_error=True", "raise_last_call_error=False",
    ),
    Mistake(
        "Pyrogram's own start", "pyrogram", "banned number", "pyrogram_login.py",
        "await log_in(app, account)", "await app.start()",
    ),
    Mistake(
        "released after each login", "telethon", "good login", "telethon_login.py",
        "leave and await client.log_out()", "True",
    ),
    Mistake(
        "never released", "pyrogram", "good login", "pyrogram_login.py",
        "await asyncio.to_thread(pool.release, account)", "pass",
    ),
    Mistake(
        "no report of a failure", "pyrogram", "Telegram fails", "pool.py",
        "await asyncio.to_thread(report, credential, error)", "pass",
    ),
    Mistake(
        "an error in one's own words", "telethon", "banned number", "pool.py",
        '"error": f"{type(error).__name__}: {error}"', '"error": "login failed"',
    ),
    Mistake(
        "no result_id", "telethon", "tries again", "pool.py",
        ', "result_id": str(uuid.uuid4())', ', "result_id": None',
    ),
    Mistake(
        "a key for each account", "telethon", "good login", "pool.py",
        '{"Idempotency-Key": str(uuid.uuid4())}', '{"Idempotency-Key": account_id}',
    ),
    Mistake(
        "a cooling account logs in", "telethon", "flood wait", "pool.py",
        'data.get("account_cooldown_until")', "None",
    ),
    Mistake("every 4xx is tried again", "telethon", "takes no", "pool.py", "in (429, 503)", ">= 400"),
    Mistake("a full pool is not tried again", "telethon", "waits for room", "pool.py", "or number == POOL_FULL", ""),
    Mistake("3006 fails", "telethon", "good login", "pool.py", "if refusal.number != NOT_ALLOCATED:", "if True:"),
    Mistake("api_hash in a log", "telethon", "good login", "telethon_login.py", '"Logged in:"', "client.api_hash"),
    Mistake("a key for each try", "curl", "tries again", "pool.sh", '${3:+-H "$3"}', '${3:+-H "$3$(new_id)"}'),
    Mistake("Retry-After is not kept", "curl", "tries again", "pool.sh", "((pause)) && sleep", "true || sleep"),
    Mistake("a banned account holds on", "curl", "banned number", "pool.sh", "!= account_retired", "!= no_such_action"),
    Mistake("always a success", "curl", "no network", "pool.sh", '--argjson code "$code"', "--argjson code 0"),
    Mistake("a report of success only", "typescript", "flood wait", "login.ts", "await report(credential, { thrown })", ""),
    Mistake(
        "fresh after a failure", "typescript", "Telegram fails", "login.ts",
        "await report(credential, { thrown })",
        "await report(credential, { thrown }); await release(account); await allocate(account)",
    ),
    Mistake("a wrong type", "typescript", "good login", "pool.ts", "Number(data.api_id)", "data.api_id"),
]
