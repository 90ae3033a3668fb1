"""The stub, the documentation and the example say what is there."""

from __future__ import annotations

import ast
import doctest
import importlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY, SignIn, World

import zt
from zt import _zt

PACKAGE = Path(zt.__file__).parent
STUB = ast.parse((PACKAGE / "_zt.pyi").read_text())
SUBMODULES = {"databricks": None, "mlflow": None, "plot": "matplotlib"}
"""The modules that are imported by themselves, and what their examples need."""
CLASSES = [value for value in vars(_zt).values() if isinstance(value, type)]


def needs(package: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(importlib.util.find_spec(package) is None, reason=f"{package} is not installed")


def names_of(body: list[ast.stmt]) -> set[str]:
    named = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name for node in body if isinstance(node, named)}


def stub_of(name: str) -> ast.ClassDef:
    return next(node for node in STUB.body if isinstance(node, ast.ClassDef) and node.name == name)


def test_the_stub_has_every_name_of_the_module() -> None:
    public = {name for name in vars(_zt) if not name.startswith("__")}
    only_types = {"Config", "Delivered", "KeyHealth", "Merged", "Obligations", "Rows", "SecretEvent"}
    only_types |= {"Token", "TokenCredential", "Warmed", "ArrowArray", "ArrowStream", "SeekableSource", "Source", "Target"}
    assert public == names_of(STUB.body) - only_types


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_the_stub_has_every_attribute_of_a_class(kind: type) -> None:
    public = {name for name in vars(kind) if not name.startswith("_")}
    stub = names_of(stub_of(kind.__name__).body)
    assert {name for name in stub if not name.startswith("_")} == public
    assert stub <= set(dir(kind))


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_the_stub_has_the_parameters_of_each_method(kind: type) -> None:
    for node in stub_of(kind.__name__).body:
        if not isinstance(node, ast.FunctionDef) or node.decorator_list or node.name.startswith("_"):
            continue
        signature = getattr(kind, node.name).__text_signature__
        parameters = [*node.args.args, *node.args.kwonlyargs]
        for parameter in parameters:
            assert parameter.arg in signature, (kind, node.name, signature)
        assert signature.count(",") == len(parameters) - 1 + bool(node.args.kwonlyargs), signature


def test_the_stub_has_every_keyword_of_open() -> None:
    keywords = [node.target.id for node in stub_of("Config").body if isinstance(node, ast.AnnAssign)]
    assert keywords == list(_zt._config_keys())


def test_everything_public_is_exported_and_documented() -> None:
    assert {kind.__name__ for kind in CLASSES} <= set(zt.__all__)
    for name in zt.__all__:
        assert getattr(zt, name).__doc__, name
    for kind in CLASSES:
        for name, value in vars(kind).items():
            assert name.startswith("_") or value.__doc__, f"{kind.__name__}.{name}"


def test_everything_public_shows_an_example() -> None:
    names = [getattr(zt, name) for name in zt.__all__]
    for module in SUBMODULES:
        imported = importlib.import_module(f"zt.{module}")
        names += [getattr(imported, name) for name in imported.__all__]
    for public in names:
        members = vars(public).values() if isinstance(public, type) else ()
        texts = [public.__doc__, *(getattr(member, "__doc__", "") for member in members)]
        no_more_than_its_fields = isinstance(public, type) and hasattr(public, "_fields")
        assert no_more_than_its_fields or any(">>> " in (text or "") for text in texts), public


def test_classes_call_themselves_by_their_public_name() -> None:
    assert {kind.__module__ for kind in CLASSES} == {"zt"}


def test_the_package_says_that_it_is_typed() -> None:
    assert (PACKAGE / "py.typed").exists()


@needs("mypy")
def test_a_typed_program_passes_mypy_strict(tmp_path: Path) -> None:
    sample = tmp_path / "sample.py"
    sample.write_text(
        """\
import asyncio
import io
import pathlib
import zt


async def read(folder: str, token: str) -> bytes:
    async with await zt.open_async(folder, audit_folder="audit") as rt:
        job = (await rt.authenticate_async(token)).claiming(201, 2)
        with (await job.secret_async("bureau-api-key")).reveal() as view:
            return bytes(view)


def visible(session: zt.Session, names: list[str]) -> list[str]:
    try:
        return session.require("table.read", "table:gold.loan_scores").columns.visible(names)
    except zt.Denied as error:
        assert error.decision is not None
        raise SystemExit(f"{error.code} {error.help} {error.decision.why}") from error


def wait(error: zt.Unavailable) -> float:
    return error.retry_in or 1.0


def keep(job: zt.Session, reader: zt.Session, path: pathlib.Path, table: zt.Table) -> int:
    sealer = job.sealer("loan_scores_delta")
    rows: dict[str, list[object]] = sealer.seal({"id": [1]})
    reader.opener("loan_scores_delta", rows).unseal(rows)["id"].append(2)
    sealer.seal(table).to_pandas()
    sealed = sealer.seal_bytes("a", bytearray(table.num_rows)) + "".join(table.column_names).encode()
    with open(path, "rb") as source, io.BytesIO() as target:
        opener = reader.file_opener("loan_scores_delta", source)
        opener.unseal_bytes("a", sealed).hex()
        return sealer.seal_file(path, target, name="a") + opener.unseal_file(source, str(path), replace=True)


asyncio.run(read("world", "token"))
"""
    )
    for target in (["-p", "zt"], [str(sample)]):
        command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", *target]
        ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout
    sample.write_text('import zt\nzt.open("world", audit_foldr="x").closed\n')
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert "audit_foldr" in ran.stdout and '"closed"' in ran.stdout


@needs("pyright")
def test_the_package_passes_pyright(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "zt", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    settings = {"typeCheckingMode": "standard", "include": ["zt"], "pythonVersion": "3.11"}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--project", str(tmp_path), "--outputjson", "--pythonpath", sys.executable]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    if not ran.stdout.startswith("{"):
        pytest.skip("pyright cannot fetch its Node.js here")
    told = json.loads(ran.stdout)
    assert told["summary"]["filesAnalyzed"] > 10
    assert [(one["file"], one["message"]) for one in told["generalDiagnostics"] if one["severity"] == "error"] == []


@needs("pyarrow")
@needs("pandas")
@needs("polars")
def test_the_examples_of_the_documentation_run(
    world: World, rt: zt.Runtime, sign_in: SignIn, job: zt.Session
) -> None:
    known = {"zt": zt, "rt": rt, "job": job, "folder": world.folder, "token": world.token("maya")}
    known |= {name: sign_in(name) for name in ("maya", "elin", "priya", "jonas", "ines")}
    # `module=False`: the classes say that they live in `zt`, but the finder looks for their source and finds none.
    finder, tests = doctest.DocTestFinder(), []
    modules = [name for name, wants in SUBMODULES.items() if wants is None or importlib.util.find_spec(wants)]
    for module in (zt, *(importlib.import_module(f"zt.{name}") for name in modules)):
        tests += finder.find(module, globs=known, module=False if module is zt else None)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for test in tests:
        runner.run(test)
    ran = runner.summarize(verbose=False)
    left_out = SUBMODULES.keys() - modules
    native = (REPOSITORY / "zt-py" / "src").rglob("*.rs")
    prompt = re.compile(r"^\s*(///)?\s*>>> ", re.MULTILINE)
    written = sum(len(prompt.findall(file.read_text())) for file in [*native, *PACKAGE.glob("*.py")] if file.stem not in left_out)
    assert (ran.failed, ran.attempted) == (0, written)


@pytest.mark.parametrize(
    ("name", "prints"),
    [
        pytest.param(
            "sealed_delta.py",
            [
                *("zt2.", "none with a plain salary range", "maya: id, salary_range, debt_to_income_ratio, y_pred | [redacted]"),
                *("elin: [ZT-1001]", "another row: [ZT-6003] row 1 of column `debt_to_income_ratio`"),
                *("another column: [ZT-6003] row 1 of column `debt_to_income_ratio`", "opened from Parquet and from CSV"),
                "intact: True",
            ],
            marks=needs("deltalake"),
        ),
        ("first_steps.py", ["AP-02", "[secret bureau-api-key@"]),
        (
            "job_201.py",
            ["is runnable", "job 202: job has no stages", "AL-04", "zt1.", "[redacted]", "'id', 'y_pred', 'scored_at'"],
        ),
    ],
)
def test_a_notebook_runs_from_top_to_bottom(world: World, name: str, prints: list[str]) -> None:
    environment = os.environ | {"ZT_FOLDER": str(world.folder), "ZT_BIN": world.zt_bin}
    notebook = REPOSITORY / "examples" / "notebook" / name
    assert notebook.read_text().count("# %%") > 5
    ran = subprocess.run([sys.executable, notebook], env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert [text for text in prints if text not in ran.stdout] == []
    assert ("needle" in ran.stdout + ran.stderr) is False


def test_the_lines_of_the_readme_run(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = (REPOSITORY / "README.md").read_text()
    lines = readme.split("```python\n")[1].split("```")[0]
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "world").symlink_to(world.folder)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZT_TOKEN", world.token("sp-score-201"))
    exec(compile(lines, "README.md", "exec"), {})
    assert re.fullmatch(r"\d+ bytes\n", capsys.readouterr().out)
