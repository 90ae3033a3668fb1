"""What an auditor does without zt: the programs of the page, on a log that a runtime wrote."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY, World

import zt

PAGE = (REPOSITORY / "docs" / "src" / "audit-log.md").read_text()
PROGRAMS = [part.split("\n```\n")[0] for part in PAGE.split("\n```python\n")[1:]]
needs_cryptography = pytest.mark.skipif(
    importlib.util.find_spec("cryptography") is None, reason="cryptography is not installed"
)


def run(program: str, *arguments: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_page_has_both_programs() -> None:
    assert ["rglob" in program or "glob(" in program for program in PROGRAMS] == [True, False]


def test_the_chain_is_recomputed_without_zt(own_world: World) -> None:
    folder = own_world.folder / ".zt" / "audit"
    ran = run(PROGRAMS[0], folder)
    assert ran.returncode == 0, ran.stderr
    segment = next(folder.glob("*Z-*.jsonl"))
    segment.write_bytes(segment.read_bytes().replace(b'"ok"', b'"no"'))
    ran = run(PROGRAMS[0], folder)
    assert ran.returncode == 1 and "is not what was written" in ran.stderr


@needs_cryptography
def test_a_bundle_is_checked_without_zt(own_world: World, tmp_path: Path) -> None:
    with zt.open(own_world.folder) as runtime:
        session = runtime.authenticate(own_world.token("maya"))
        for number in range(20):
            session.check("table.read", f"table:gold.t{number}")
    key = tmp_path / "audit.pem"
    key.write_text(own_world.command("audit", "key") + "\n")
    newest = own_world.command("audit", "query", "--action", "table.read", "--json").splitlines()
    records = [json.loads(line) for line in newest]
    assert records
    bundle = tmp_path / "bundle.json"
    for record in [*records, {**records[0], "seq": 1}]:
        name = f"{record['writer']}:{record['seq']}"
        bundle.write_text(own_world.command("audit", "prove", name))
        ran = run(PROGRAMS[1], bundle, key)
        assert ran.returncode == 0 and ran.stdout.startswith("proven:"), ran.stderr
        own_world.command("audit", "verify-bundle", str(bundle), "--key", str(key))
    made = json.loads(bundle.read_text())
    assert made["newer"]
    path = made["newer"]["consistency"]
    origin, size, rest = made["checkpoint"].split("\n", 2)
    spoilt = [
        {"record": made["record"].replace("segment", "segmnet")},
        {"seq": made["seq"] + 1},
        {"previous": "11" * 32},
        {"inclusion": made["inclusion"] + ["00" * 32]},
        {"checkpoint": f"{origin}\n{int(size) + 1}\n{rest}"},
        {"newer": {**made["newer"], "consistency": path[:-1]}},
        {"newer": {**made["newer"], "consistency": ["00" * 32, *path[1:]]}},
    ]
    for change in spoilt:
        bundle.write_text(json.dumps({**made, **change}))
        ran = run(PROGRAMS[1], bundle, key)
        assert ran.returncode == 1 and "not proven" in ran.stderr, change
    other = own_world.folder / ".zt" / "audit.key"
    other.unlink()
    own_world.command("vault", "set", "bureau-api-key", input="zt-needle-6f1c9a")
    key.write_text(own_world.command("audit", "key") + "\n")
    bundle.write_text(json.dumps(made))
    ran = run(PROGRAMS[1], bundle, key)
    assert ran.returncode == 1 and "a signature does not fit" in ran.stderr
