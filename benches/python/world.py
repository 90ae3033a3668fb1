"""The sample world in a folder of its own, with a vault and tokens of the development issuer.

`ZT_BIN` names the `zt` command: `cargo build --release -p zt-core --bin zt --features cli,testing`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SAMPLE = Path(__file__).parents[2] / "examples" / "world"
VALUE = "what-a-bench-reads"


class World:
    """A folder that `zt.open` takes, and who may sign in there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ["brindlewick.toml", "zt.toml"]:
            shutil.copy(SAMPLE / name, folder)
        shutil.copytree(SAMPLE / "data", folder / "data")
        self._zt("vault", "set", "bureau-api-key", input=VALUE)
        self._zt("vault", "create-key", "scores-kek")

    def token(self, name: str) -> str:
        """Of a person or a workload, good for an hour."""
        return self._zt("dev-token", name)

    def _zt(self, *words: str, input: str = "") -> str:
        program = os.environ.get("ZT_BIN")
        if not program:
            sys.exit("ZT_BIN does not name the `zt` command")
        command = [program, "-C", str(self.folder), *words]
        return subprocess.run(command, input=input, check=True, capture_output=True, text=True).stdout.strip()


@contextmanager
def world() -> Iterator[World]:
    """Gone when it is left."""
    with tempfile.TemporaryDirectory() as folder:
        yield World(Path(folder))
