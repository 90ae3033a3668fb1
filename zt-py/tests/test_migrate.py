"""The console command: what it finds, what it drafts, and that it never prints a value."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from conftest import World

import zt
from zt import _console, _scan

NEEDLE = "w8Qz-planted-9Q7x"  # the needle scan of a whole run wants its own marker in no file
KEY64 = "Zq" * 43 + "=="

PYTHON = f'''\
import os
token = dbutils.secrets.get("bureau", "api-key")
again = dbutils.secrets.get(scope="bureau", key="api-key")
turned = dbutils.secrets.get(key="api-key", scope="bureau")
raw = dbutils.secrets.getBytes(
    "bureau", "cert_pem")
computed = dbutils.secrets.get(SCOPE, f"key-{{env}}")
w.dbutils.secrets.get("adb", "api-key")
password = os.environ["SQL_PASSWORD"]
other = os.environ.get("BUREAU_API_KEY", "")
home = os.environ["HOME"]
blob = "DefaultEndpointsProtocol=https;AccountName=a;AccountKey={KEY64};EndpointSuffix=core.windows.net"
url = "jdbc:sqlserver://db.example:1433;database=x;user=sa;password={NEEDLE}!1;encrypt=true"
pg = "postgresql://maya:{NEEDLE}@db.example/loans"
api_key = "{NEEDLE}"
config = {{"client_secret": "{NEEDLE}", "name": "nothing to see"}}
old = "dapi{'0123456789abcdef' * 2}"
pem = """-----BEGIN RSA PRIVATE KEY-----
{NEEDLE}
"""
key = mssparkutils.credentials.getSecret("kv-brindlewick-prod", "sql-loans-password")
'''

DEFAULTS = f'''\
pw = st.secrets.get("db_password", "{NEEDLE}")
login = Secret('db-login', '{NEEDLE}')
again = secret('db-login', '{NEEDLE}')
k = pulumi.Config().getSecret("dbPassword", "{NEEDLE}")
env = os.getenv("BUREAU_API_KEY", "{NEEDLE}")
token = dbutils.secrets.get("bureau", "dapi{'0123456789abcdef' * 2}")
token = dbutils.secrets.get("bureau", "Kx7Qp2Vn9Rt4Ws6Zy8")
'''
"""The second text is a value here, or looks like one."""

HARMLESS = '''\
password = os.environ
token = get_token()
api_key = "<your key>"
secret_name = "bureau-api-key"
key = "{{secrets}}"
password = "change-me-now"
password = "${DB_PASSWORD}"
token_env = "BUREAU_API_TOKEN"
credential = "/Volumes/ops/credential.json"
key_file = "keys/service.pem"
"password": "example-password"
os.environ["PATH"]
key = "password"
partition_key = "CustomerId"
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    root.mkdir()
    (root / "score.py").write_text(PYTHON)
    cells = [
        {"cell_type": "code", "source": ["x = 1\n", 'dbutils.secrets.get("bureau", "api-key")'], "outputs": []},
        {"cell_type": "code", "source": "print(1)", "outputs": [{"text": [f"AccountKey={NEEDLE}abcdefgh\n"]}]},
        {"cell_type": "code", "source": "y", "outputs": [{"data": {"text/plain": ["ghp_" + "a1B2" * 10]}}]},
    ]
    (root / "train.ipynb").write_text(json.dumps({"cells": cells, "nbformat": 4}))
    (root / "Load.scala").write_text('val p = dbutils.secrets.get(scope = "sql", key = "password")\nsys.env("DB_PASSWORD")\n')
    (root / "q.sql").write_text("SELECT secret('sql', 'password'), try_secret('sql', 'user')\n")
    (root / "r.R").write_text('p <- dbutils.secrets.get(scope = "sql", key = "password")\nSys.getenv("API_TOKEN")\n')
    (root / "job.json").write_text('{"spark_env_vars": {"P": "{{secrets/sql/password}}"}}')
    (root / "job.yml").write_text(f"env:\n  P: '{{{{secrets/sql/password}}}}'\n  db_password: '{NEEDLE}'\n")
    (root / "harmless.py").write_text(HARMLESS)
    (root / "defaults.py").write_text(DEFAULTS)
    (root / "defaults.ipynb").write_text(json.dumps({"cells": [{"source": DEFAULTS, "outputs": []}]}))
    (root / ".git").mkdir()
    (root / ".git" / "config.py").write_text(PYTHON)
    (root / "image.png").write_bytes(b"\x89PNG" + PYTHON.encode())
    return root


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "zt", *arguments], capture_output=True, text=True)


def kinds(report: _scan.Report, name: str) -> list[tuple[int, str, str, str]]:
    return [(one.line, one.kind, one.scope, one.key) for one in report.findings if one.path.endswith(name)]


def test_every_way_to_a_secret_is_found(folder: Path) -> None:
    report = _scan.scan([folder])
    assert kinds(report, "score.py") == [
        (2, "databricks", "bureau", "api-key"),
        (3, "databricks", "bureau", "api-key"),
        (4, "databricks", "bureau", "api-key"),
        (5, "databricks", "bureau", "cert_pem"),
        (7, "databricks", "", ""),
        (8, "databricks", "adb", "api-key"),
        (9, "environment", "", "SQL_PASSWORD"),
        (10, "environment", "", "BUREAU_API_KEY"),
        (12, "connection_string", "", ""),
        (13, "connection_string", "", ""),
        (14, "connection_string", "", ""),
        (15, "hard_coded", "", "api_key"),
        (16, "hard_coded", "", "client_secret"),
        (17, "hard_coded", "", ""),
        (18, "hard_coded", "", ""),
        (21, "key_vault", "kv-brindlewick-prod", "sql-loans-password"),
    ]
    notebook = [(one.cell, one.line, one.kind) for one in report.findings if one.path.endswith("train.ipynb")]
    assert notebook == [(1, 2, "databricks"), (2, 1, "connection_string"), (3, 1, "hard_coded")]
    assert kinds(report, "Load.scala") == [(1, "databricks", "sql", "password"), (2, "environment", "", "DB_PASSWORD")]
    assert kinds(report, "q.sql") == [(1, "databricks", "sql", "password"), (1, "databricks", "sql", "user")]
    assert kinds(report, "r.R") == [(1, "databricks", "sql", "password"), (2, "environment", "", "API_TOKEN")]
    assert kinds(report, "job.json") == [(1, "template", "sql", "password")]
    assert kinds(report, "job.yml") == [(2, "template", "sql", "password"), (3, "hard_coded", "", "db_password")]
    assert report.unread == []


def test_a_default_is_no_name(folder: Path) -> None:
    expected = [
        (1, "databricks", "", ""),
        (3, "databricks", "", ""),
        (4, "key_vault", "", ""),
        (5, "environment", "", "BUREAU_API_KEY"),
        (5, "hard_coded", "", "BUREAU_API_KEY"),
        (6, "databricks", "bureau", "(no plain name)"),
        (6, "hard_coded", "", ""),
        (7, "databricks", "bureau", "(no plain name)"),
    ]
    for name in ("defaults.py", "defaults.ipynb"):
        assert kinds(_scan.scan([folder]), name) == expected
    assert "look whether the second text is a name" in run("migrate", "scan", str(folder / "defaults.py")).stdout


def test_names_in_sql_are_told_where_it_is_sql(tmp_path: Path) -> None:
    source = """spark.sql("SELECT secret('sql', 'user')")\nsecret('sql', 'other')\nx = spark.sql(f\"\"\"\nSELECT SECRET('sql', 'key')\"\"\")\n"""
    (tmp_path / "a.py").write_text(source)
    (tmp_path / "b.ipynb").write_text(json.dumps({"cells": [{"source": ["%sql\n", "SELECT secret('sql', 'user')"]}]}))
    report = _scan.scan([tmp_path])
    assert kinds(report, "a.py") == [(1, "databricks", "sql", "user"), (2, "databricks", "", ""), (4, "databricks", "sql", "key")]
    assert kinds(report, "b.ipynb") == [(2, "databricks", "sql", "user")]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        (".env", "DB_PASSWORD=hunter2prod99"),
        (".env.local", "export API_KEY=hunter2prod99 # of the bureau"),
        ("c.yml", "  - password: hunter2prod99"),
        ("a.properties", "db.password = hunter2prod99"),
        ("a.ini", "password: hunter2prod99 ; old"),
        ("a.conf", 'password="hunter2prod99"'),
    ],
)
def test_values_without_quotes_are_found(tmp_path: Path, name: str, line: str) -> None:
    (tmp_path / name).write_text(f"# settings\nsecret_name = bureau-api-key\npassword = ${{DB_PASSWORD}}\r\n{line}\r\n", newline="")
    assert [(one.line, one.kind) for one in _scan.scan([tmp_path]).findings] == [(4, "hard_coded")]
    assert "hunter2" not in run("migrate", "scan", str(tmp_path)).stdout


def test_all_that_a_cell_showed_is_read(tmp_path: Path) -> None:
    outputs = [
        {"output_type": "error", "ename": "E", "evalue": "x", "traceback": [f"AccountKey={NEEDLE}abcdefgh"]},
        {"output_type": "error", "ename": "E", "evalue": f"AccountKey={NEEDLE}abcdefgh", "traceback": []},
        {"output_type": "display_data", "data": {"text/html": ["<b>", "ghp_" + "a1B2" * 10], "image/png": "AAAA"}},
    ]
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": [{"source": "x", "outputs": [one]} for one in outputs]}))
    report = _scan.scan([tmp_path])
    assert [(one.cell, one.kind) for one in report.findings] == [(1, "connection_string"), (2, "connection_string"), (3, "hard_coded")]


def test_what_is_no_secret_is_not_told(folder: Path) -> None:
    assert kinds(_scan.scan([folder]), "harmless.py") == []
    assert not [one for one in _scan.scan([folder]).findings if ".git" in one.path or one.path.endswith(".png")]


def test_no_value_is_printed_drafted_or_kept(folder: Path, tmp_path: Path) -> None:
    draft = tmp_path / "draft.toml"
    printed = run("migrate", "scan", str(folder), "--draft", str(draft))
    told, drafted = run("migrate", "scan", str(folder), "--json"), run("migrate", "scan", str(folder), "--draft", "-")
    assert json.loads(told.stdout)["unread"] == []
    for ran in (printed, told, drafted):
        assert (ran.returncode, ran.stderr) == (1, "")
    everything = printed.stdout + told.stdout + drafted.stdout + draft.read_text() + repr(_scan.scan([folder]))
    for value in (NEEDLE, KEY64, "0123456789abcdef", "a1B2a1B2", "Kx7Qp2Vn9Rt4Ws6Zy8"):
        assert value not in everything and value[:8] not in everything
    assert "score.py:12" in printed.stdout and "rotate" in printed.stdout


def test_the_draft_loads_beside_the_tables(own_world: World, folder: Path) -> None:
    draft = own_world.folder.parent / "draft.toml"
    vault = "https://kv-brindlewick-prod.vault.azure.net"
    options = [word for scope in ("bureau", "sql", "adb") for word in ("--vault", f"{scope}={vault}")]
    ran = run("migrate", "scan", str(folder), "--draft", str(draft), *options)
    rows = tomllib.loads(draft.read_text())["Secret_References"]
    assert {row["id"]: row["name"] for row in rows} == {
        "bureau-api-key-2": "BUREAU-API-KEY",
        "bureau-api-key": "api-key",
        "adb-api-key": "api-key",
        "api-token": "API-TOKEN",
        "db-password": "DB-PASSWORD",
        "cert-pem": "cert-pem",
        "sql-loans-password": "sql-loans-password",
        "password": "password",
        "sql-password": "SQL-PASSWORD",
        "user": "user",
    }
    by_id = {row["id"]: row["vault"] for row in rows}
    assert by_id["cert-pem"] == by_id["sql-loans-password"] == vault and by_id["api-token"].startswith("https://change-me.")
    assert '"bureau": {' in ran.stdout and '"cert_pem": "cert-pem"' in ran.stdout
    own = {"bureau-api-key", "sql-loans-password"}  # the sample has rows of these names
    text = draft.read_text().replace("https://change-me.vault.azure.net", vault)
    parts = [part for part in text.split("\n\n") if not any(f'id = "{name}"' in part for name in own)]
    tables = own_world.folder / "brindlewick.toml"
    tables.write_text(tables.read_text() + "\n\n".join(parts))
    zt.open(own_world.folder).close()


def test_a_draft_replaces_nothing_by_itself(folder: Path, tmp_path: Path) -> None:
    draft = tmp_path / "draft.toml"
    draft.write_text("mine")
    ran = run("migrate", "scan", str(folder), "--draft", str(draft))
    assert (ran.returncode, draft.read_text()) == (2, "mine") and "cannot write the draft: File exists" in ran.stderr
    assert run("migrate", "scan", str(folder), "--draft", str(draft), "--replace").returncode == 1
    assert "[[Secret_References]]" in draft.read_text()


def test_names_that_hide_something_are_not_repeated(tmp_path: Path) -> None:
    source = tmp_path / "a\x1b[31m.py"
    source.write_text('dbutils.secrets.get("s\x1b[0m", "k k")\ndbutils.secrets.get("' + "s" * 200 + '", "k")\n')
    ran = run("migrate", "scan", str(tmp_path), "--draft", "-")
    assert "\x1b" not in ran.stdout and "(no plain name)" in ran.stdout and "s" * 200 not in ran.stdout
    assert "[[Secret_References]]" not in ran.stdout


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "bad.ipynb").write_text('{"cells": [3, api_key = "aB3dE5gH7jK9"')
    (tmp_path / "deep.ipynb").write_text('{"cells": ' + "[" * 100_000)
    (tmp_path / "wrong.ipynb").write_text('{"cells": [{"source": 7}]}')
    (tmp_path / "long.py").write_text(" " * (_scan.MOST_BYTES + 1))
    (tmp_path / "latin.py").write_bytes(b'dbutils.secrets.get("a", "b") # \xff\xfe')
    (tmp_path / "link").symlink_to(tmp_path)
    report = _scan.scan([tmp_path, tmp_path / "none"])
    assert [one.key for one in report.findings if one.kind == "databricks"] == ["b"]
    assert {Path(path).name for path, _ in report.unread} == {"bad.ipynb", "deep.ipynb", "wrong.ipynb", "long.py", "none"}
    assert [one.key for one in report.findings if one.kind == "hard_coded"] == ["api_key"]
    assert run("migrate", "scan", str(tmp_path / "none")).returncode == 2
    (tmp_path / "clean").mkdir()
    (tmp_path / "clean" / "a.py").write_text("x = 1\n")
    assert run("migrate", "scan", str(tmp_path / "clean")).returncode == 0
    assert run("migrate", "scan", str(tmp_path / "clean"), str(tmp_path / "none")).returncode == 2
    assert run("migrate", "scan", str(tmp_path / "clean"), str(tmp_path / "wrong.ipynb")).returncode == 0
    assert run("migrate", "scan", str(tmp_path / "clean"), "--json", "--draft", "-").returncode == 2
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run("migrate", "scan", str(empty)).stdout == "0 files read, 0 places\n"


@pytest.mark.parametrize("text", ["{}", '{"worksheets": [{"cells": []}], "nbformat": 3}', "[]", '{"cells": [{"outputs": [[]]}]}'])
def test_a_notebook_of_another_form_ends_no_scan(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.ipynb").write_text(text)
    (tmp_path / "b.py").write_text('dbutils.secrets.get("a", "b")\n')
    report = _scan.scan([tmp_path])
    assert (report.files, [one.key for one in report.findings]) == (2, ["b"])
    assert report.unread == [(str(tmp_path / "a.ipynb"), _scan.FALLBACK)]


def test_a_folder_that_cannot_be_listed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.py").write_text("x = 1\n")
    listed, looked = os.scandir, os.stat

    def closed(original: Any, name: str) -> Any:
        def call(path: Any, *rest: Any, **options: Any) -> Any:
            if isinstance(path, str | os.PathLike) and Path(path).name == name:
                raise PermissionError(13, "Permission denied", str(path))
            return original(path, *rest, **options)

        return call

    assert _console.main(["migrate", "scan", str(tmp_path)]) == 0
    monkeypatch.setattr(os, "scandir", closed(listed, "sub"))  # whom modes do not bind runs the tests too
    assert _scan.scan([tmp_path]).unread == [(str(tmp_path / "sub"), "PermissionError")]
    assert _console.main(["migrate", "scan", str(tmp_path)]) == 2
    monkeypatch.setattr(os, "stat", closed(looked, "x"))
    assert _scan.scan([tmp_path / "sub" / "x"]).unread == [(str(tmp_path / "sub" / "x"), "PermissionError")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-32"])
def test_text_in_another_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    (tmp_path / ".env").write_bytes("DB_PASSWORD=aB3dE5gH7jK9\n".encode(encoding))
    report = _scan.scan([tmp_path])
    assert ([one.key for one in report.findings], report.unread) == (["DB_PASSWORD"], [])


def test_what_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.ps1").write_bytes("$password = 'aB3dE5gH7jK9'".encode("utf-16-le"))
    report = _scan.scan([tmp_path])
    assert (report.files, [path for path, _ in report.unread]) == (0, [str(tmp_path / "a.ps1")])


HOSTILE = [
    *("eyJ-", "a.b-", "jdbc:", "sk-a-", "Password=abc;", 'key="a" ', "secrets.get(", "a://a:", "{{secrets/", "xoxb-"),
    *("Password=", "@Microsoft.KeyVault(", "jdbc:x?pwd=", "password=a\t", "os.getenv('KEY',", "secret('a',", "ab://", "dbutils.", "%sql\n"),
]


@pytest.mark.parametrize("part", HOSTILE)
def test_hostile_text_is_read_to_its_end(tmp_path: Path, part: str) -> None:
    (tmp_path / "long.yml").write_text(part * (1_000_000 // len(part)))
    script = "import resource, sys; resource.setrlimit(resource.RLIMIT_CPU, (120, 120)); from zt import _scan; print(_scan.scan(sys.argv[1:]).files)"
    ran = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True)
    assert ran.stdout == "1\n", ran.stderr  # what grows with the square would need many minutes


def test_the_command_says_what_it_has() -> None:
    assert "It has one command" in run("--help").stdout
    assert run().returncode == 2
    other = run("lint")
    assert other.returncode == 2 and "`lint` is no command of the Python package" in other.stderr
    assert "Rust program" in other.stderr and other.stdout == ""
    assert run("migrate", "now").returncode == 2
    assert run("migrate", "scan").returncode == 2
    assert run("--version").stdout.startswith("zt-py ")
    assert run("migrate", "scan", ".", "--vault", "x").returncode == 2
    assert run("migrate", "scan", ".", "--vault", "x=ftp://y").returncode == 2
    (command,) = entry_points(group="console_scripts", name="zt")
    assert command.load() is _console.main
