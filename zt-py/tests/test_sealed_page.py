"""The program of the page "Sealed data" opens the vectors, with another library than zt's."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VECTORS = ["sealed_v1.json", "sealed_v2.json", "sealed_arrow.json", "sealed_files.json"]


def test_the_program_of_the_page_opens_every_vector(tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    page = (ROOT / "docs/src/sealed-data.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    script = tmp_path / "open_sealed.py"
    script.write_text(program, encoding="utf-8")
    folder = ROOT / "zt-core/tests/vectors"
    paths = [str(folder / name) for name in VECTORS]
    command = [sys.executable, str(script), *paths]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("opens") == len(VECTORS)
    # A changed vector does not open: the program looks.
    changed = tmp_path / "changed.json"
    vectors = json.loads((folder / VECTORS[0]).read_text(encoding="utf-8"))
    assert vectors["kek"].startswith("00")
    vectors["kek"] = "01" + vectors["kek"][2:]
    changed.write_text(json.dumps(vectors), encoding="utf-8")
    ran = subprocess.run([*command[:2], str(changed)], capture_output=True, text=True, check=False, timeout=60)
    # It holds what begins as secrets of tests do, and that may stand in no file that tests leave behind.
    changed.unlink()
    assert ran.returncode != 0
