#!/usr/bin/env python3
"""Runs the clients of docs/clients*.md against a server, and looks from outside at what they did.

    API_POOL_URL=http://… API_POOL_TOKEN=svc_… [PYTHON=venv/bin/python] tests/clients/run.py [WORD]

The server is one made for this test, with at least ten credentials: some get banned. PYTHON has requests, Telethon and
Pyrogram (tests/python/requirements.txt). With a word, only cases that have it in their name run.
"""

import os
import sys

sys.dont_write_bytecode = True  # this folder stays as it is

import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import cases
import snippets
import wrong


def play(server: cases.Server, client: snippets.Client, case: cases.Case, cwd: Path) -> None:
    with cases.Story(server, client, cwd) as story:
        case(story)


def attempt(name: str, case: Callable[[Path], None]) -> str | None:
    """What is wrong, or nothing."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            case(Path(folder))
        except AssertionError as failure:
            return f"{name}: {failure}"
    return None


def at_once(batch: dict[str, Callable[[Path], None]]) -> list[str | None]:
    # They wait more than they work.
    with ThreadPoolExecutor(8) as threads:
        return list(threads.map(attempt, batch.keys(), batch.values()))


def main() -> int:
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    url, token = os.environ.get("API_POOL_URL"), os.environ.get("API_POOL_TOKEN")
    if not url or not token:
        sys.exit("API_POOL_URL and API_POOL_TOKEN name the server")
    if not __debug__:
        sys.exit("without asserts nothing is looked at")
    server = cases.Server(url.rstrip("/"), token)
    shown = snippets.shown()
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        snippets.write(shown, where)
        right = {
            f"{client.name}: {title}": partial(play, server, client, case)
            for client in snippets.clients(where)
            for title, case in cases.for_client(client)
            if word in f"{client.name}: {title}"
        }
        # The proof that the cases look: each of these mistakes in the pages has to be found by one of them.
        mistakes = {
            f"mistake: {mistake.title}": partial(mistake.has_to_be_found, server, shown)
            for mistake in wrong.MISTAKES
            if word in f"mistake: {mistake.title}"
        }
        everything = right | mistakes
        # Those that get a credential banned come after the others, which may hold it.
        last = {name: case for name, case in right.items() if name.endswith(cases.BANS)}
        first = {name: case for name, case in everything.items() if name not in last}
        failures = [one for batch in (first, last) for one in at_once(batch) if one]
    for failure in failures:
        print(f"FAILED {failure}", file=sys.stderr)
    print(f"clients: {len(right)} cases, {len(mistakes)} mistakes, {len(failures)} failures")
    return 1 if failures or not everything else 0


if __name__ == "__main__":
    sys.exit(main())
