"""The tutorial: what is committed as a notebook is what its source says, and a kernel runs it from top to bottom."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from typing import Any

import pytest
from conftest import NEEDLE, REPOSITORY, World

FOLDER = REPOSITORY / "examples" / "notebook"
NEEDED = ("nbclient", "ipykernel", "pandas", "pyarrow", "matplotlib")


def notebook_of(source: str) -> dict[str, Any]:
    """A notebook of a program in the percent format."""
    cells = []
    for at, part in enumerate(source.split("# %%")[1:], start=1):
        kind, _, text = part.partition("\n")
        is_markdown = kind.strip() == "[markdown]"
        lines = text.strip().splitlines(keepends=True)
        if is_markdown:
            lines = [line.removeprefix("#").removeprefix(" ") for line in lines]
        cell: dict[str, Any] = {"cell_type": "markdown" if is_markdown else "code", "id": f"cell-{at}", "metadata": {}, "source": lines}
        if not is_markdown:
            cell |= {"execution_count": None, "outputs": []}
        cells.append(cell)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def test_the_notebook_is_its_source() -> None:
    expected = json.dumps(notebook_of((FOLDER / "tutorial.py").read_text()), indent=1) + "\n"
    notebook = FOLDER / "tutorial.ipynb"
    if os.environ.get("ZT_WRITE_NOTEBOOK"):
        notebook.write_text(expected)
    assert notebook.read_text() == expected, "write it anew: ZT_WRITE_NOTEBOOK=1 pytest tests/test_tutorial.py"


@pytest.mark.skipif(any(importlib.util.find_spec(name) is None for name in NEEDED), reason=f"needs {', '.join(NEEDED)}")
def test_a_kernel_runs_the_tutorial(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import nbclient
    import nbformat

    monkeypatch.setenv("ZT_FOLDER", str(world.folder))
    monkeypatch.setenv("ZT_BIN", world.zt_bin)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    notebook = nbformat.read(FOLDER / "tutorial.ipynb", as_version=4)
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    shown = json.dumps([cell.get("outputs", []) for cell in notebook.cells])
    pictures = shown.count("image/png")
    for cell in notebook.cells:  # a picture is no text, and may hold any letters
        for output in cell.get("outputs", []):
            output.get("data", {}).pop("image/png", None)
    shown = json.dumps([cell.get("outputs", []) for cell in notebook.cells])
    for text in (
        *("metadata", "AP-02", "[secret bureau-api-key@", "AP-07: stage is 1, needs 2", "ExposedSecretWarning"),
        *("[exposed ExposedSecret]", "job has no stages", "[redacted]", "zt2." if "zt2." in shown else "zt1.", "alert rules: "),
        *("user:elin ['id', 'y_pred', 'scored_at']", "CASE WHEN", "True intact: True"),
    ):
        assert text in shown, text
    assert pictures == 2 and "<script" not in shown
    assert "stderr" not in shown, shown[shown.index("stderr") :][:500]
    assert (NEEDLE[3:] in shown) is False
