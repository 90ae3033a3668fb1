"""A world of its own for the tests: the sample tables, a vault with one secret, and tokens of the development issuer."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import zt

REPOSITORY = Path(__file__).parents[2]
SAMPLE = REPOSITORY / "examples" / "world"
NEEDLE = "zt-needle-6f1c9a"

AUDITOR = """
[[Access_Policies]]
id = "AP-99"
principal = "role:security_admin"
action = "audit.read"
resource = "audit:log"
effect = "allow"
"""

# Shells start what runs in their background with SIGINT ignored, and Python then leaves it so, here and in its children.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def zt_bin() -> str:
    """The `zt` command: from ZT_BIN, else built."""
    if found := os.environ.get("ZT_BIN"):
        return found
    command = ["cargo", "build", "-p", "zt-core", "--features", "cli,testing", "--bin", "zt"]
    command += ["--message-format", "json-render-diagnostics"]
    built = subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True)
    messages = [json.loads(line) for line in built.stdout.splitlines() if line.startswith("{")]
    return [message["executable"] for message in messages if message.get("executable")][-1]


class World:
    """A folder that `zt.open` takes, and who may sign in there."""

    def __init__(self, zt_bin: str, folder: Path) -> None:
        self.zt_bin = zt_bin
        self.folder = folder
        tables = (SAMPLE / "brindlewick.toml").read_text()
        # The row is part of the sample, or not yet.
        if "audit.read" not in tables:
            tables += AUDITOR
        (folder / "brindlewick.toml").write_text(tables)
        shutil.copy(SAMPLE / "zt.toml", folder)
        shutil.copytree(SAMPLE / "data", folder / "data")
        self.command("dev-token", "maya")  # makes the issuer's keys and `.zt`
        self.command("vault", "set", "bureau-api-key", input=NEEDLE)
        self.command("vault", "create-key", "scores-kek")

    def command(self, *words: str, input: str | None = None) -> str:
        command = [self.zt_bin, "-C", str(self.folder), *words]
        ran = subprocess.run(command, input=input or "", check=True, capture_output=True, text=True)
        return ran.stdout.strip()

    def token(self, name: str, *options: str) -> str:
        return self.command("dev-token", name, *options)


@pytest.fixture(scope="session")
def world(zt_bin: str, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Shared; tests read it."""
    return World(zt_bin, tmp_path_factory.mktemp("world"))


@pytest.fixture
def own_world(zt_bin: str, tmp_path: Path) -> World:
    """For a test that changes it."""
    return World(zt_bin, tmp_path)


@pytest.fixture(scope="session")
def rt(world: World) -> Iterator[zt.Runtime]:
    with zt.open(world.folder) as runtime:
        yield runtime


SignIn = Callable[[str], zt.Session]


@pytest.fixture(scope="session")
def sign_in(world: World, rt: zt.Runtime) -> SignIn:
    sessions: dict[str, zt.Session] = {}

    def sign_in(name: str) -> zt.Session:
        if name not in sessions:
            sessions[name] = rt.authenticate(world.token(name))
        return sessions[name]

    return sign_in


@pytest.fixture
def job(sign_in: SignIn) -> zt.Session:
    """The workload that may read the secret."""
    return sign_in("sp-score-201").claiming(201, 2)


@pytest.fixture
def secret(job: zt.Session) -> zt.Secret:
    return job.secret("bureau-api-key")
