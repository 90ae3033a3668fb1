"""Measures everything that Python has here, one program after the other: `ZT_BIN=… python benches/python/run.py [--quick]`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAMS = ["calls.py", "batch.py", "start.py", "identity.py"]


def main() -> int:
    """Goes on after one that fails, and says so at the end."""
    failed = []
    for name in PROGRAMS:
        ran = subprocess.run([sys.executable, Path(__file__).with_name(name), *sys.argv[1:]], check=False)
        failed += [name] if ran.returncode else []
    if failed:
        print("failed: " + ", ".join(failed), file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
