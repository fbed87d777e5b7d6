"""The blocks of docs/clients*.md as files, and programs that use them."""

import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
PYTHON = os.environ.get("PYTHON") or sys.executable
SHOWN_FILES = {"pool.sh", "pool.py", "telethon_login.py", "pyrogram_login.py", "pool.ts", "login.ts"}

# Programs that only release, for the clients whose login script doesn't.
RELEASE_PY = "import sys\n\nimport pool\n\npool.release(sys.argv[1])\n"
RELEASE_TS = "import { release } from './pool.js'\nawait release(process.argv[2] ?? '')\n"


@dataclass(frozen=True)
class Client:
    """One of the documented ways to log in."""

    name: str
    login: list[str]
    log_out: list[str]
    release: list[str]
    # The files it is made of, and whether it keeps a session between two runs.
    files: tuple[str, ...]
    has_session: bool


def clients(folder: Path) -> list[Client]:
    def library(name: str) -> Client:
        login = [PYTHON, str(HERE / "telegram.py"), str(folder / f"{name}_login.py"), "ACCOUNT"]
        release = [PYTHON, str(folder / "release.py"), "ACCOUNT"]
        return Client(name, login, [*login, "logout"], release, ("pool.py", f"{name}_login.py"), True)

    shell = ["bash", str(folder / "pool.sh")]
    shell_login = [*shell, "run", "ACCOUNT", str(HERE / "telegram.sh")]
    shell_release = [*shell, "release", "ACCOUNT"]
    node = ["node", str(folder / "js/login.js"), "ACCOUNT"]
    node_release = ["node", str(folder / "js/release.js"), "ACCOUNT"]
    return [
        library("telethon"),
        library("pyrogram"),
        Client("curl", shell_login, shell_release, shell_release, ("pool.sh",), False),
        Client("typescript", node, [*node, "logout"], node_release, ("pool.ts", "login.ts"), False),
    ]


def shown() -> dict[str, str]:
    """Every block with a file name, by that name."""
    files: dict[str, str] = {}
    for page in sorted((REPOSITORY / "docs").glob("clients*.md")):
        for name, text in re.findall(r"^```\w+ file=(\S+)\n(.*?)^```$", page.read_text(), re.M | re.S):
            if name in files:
                raise SystemExit(f"{page.name}: {name} is there twice")
            files[name] = text
    if files.keys() != SHOWN_FILES:
        raise SystemExit(f"docs/clients*.md show {sorted(files)}, expected {sorted(SHOWN_FILES)}")
    return files


def write(files: dict[str, str], folder: Path, with_typescript: bool = True) -> None:
    """Writes the files, and compiles those in TypeScript as strictly as tsc can."""
    for name, text in {**files, "release.py": RELEASE_PY, "release.ts": RELEASE_TS}.items():
        (folder / name).write_text(text)
    if not with_typescript:
        return
    (folder / "telegram.ts").write_text((HERE / "telegram.ts").read_text())
    (folder / "package.json").write_text('{"type": "module"}')
    modules = REPOSITORY / "web/node_modules"
    options = "--strict --noUncheckedIndexedAccess --noUnusedLocals --noUnusedParameters --exactOptionalPropertyTypes"
    target = "--target es2022 --module nodenext --types node --outDir js"
    tsc = ["node", str(modules / "typescript/bin/tsc"), *options.split(), *target.split(), "--rootDir", "."]
    sources = ["login.ts", "release.ts", "telegram.ts", "pool.ts"]
    done = subprocess.run([*tsc, "--typeRoots", str(modules / "@types"), *sources], cwd=folder, capture_output=True)
    if done.returncode:
        raise AssertionError(f"tsc: {done.stdout.decode()}")


@dataclass(frozen=True)
class Run:
    code: int
    output: str
    seconds: float


def run(command: list[str], account: str, says: str, pool_url: str, token: str, cwd: Path) -> Run:
    """Runs a client's command in a folder of its own, with what Telegram says."""
    env = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    env |= {"API_POOL_URL": pool_url, "API_POOL_TOKEN": token, "TELEGRAM_SAYS": says}
    command = [account if part == "ACCOUNT" else part for part in command]
    began = time.monotonic()
    with tempfile.TemporaryFile() as output:
        # A session of its own has no terminal, so that passwords are read from here too.
        done = subprocess.Popen(
            command, cwd=cwd, env=env, stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True
        )
        try:
            done.communicate(b"12345\nsecret\n", timeout=150)
        except subprocess.TimeoutExpired:
            done.kill()
            done.wait()
            raise AssertionError("still runs after 150 s") from None
        output.seek(0)
        return Run(done.returncode, output.read().decode(errors="replace"), time.monotonic() - began)
