"""Finds where notebooks and code take secrets from, and drafts the rows of Secret_References that take their place.

In: paths. Out: findings with file, line, kind and names. Never: a value, nor a part of one, nor its length; a name is told where
the source itself uses it as a name.
"""

from __future__ import annotations

import codecs
import json
import os
import re
from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

UNTOLD = "whose texts are not told"
ENDINGS = frozenset(
    ".py .ipynb .scala .sql .r .rmd .json .yml .yaml .sh .toml .conf .cfg .ini .properties .env .tf .tfvars .bicep .ps1 .txt .md".split()
)
"""Files that are read; case does not count."""
SKIPPED = frozenset(".git .hg .svn node_modules __pycache__ .venv venv .tox .mypy_cache .ipynb_checkpoints target dist build".split())
"""Folders that are not entered."""
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""What a file begins with that is not in UTF-8, as Windows PowerShell writes them; UTF-32 begins as UTF-16 does."""
MOST_BYTES = 8 << 20
"""A longer file is not read, and told."""


@dataclass(frozen=True)
class Finding:
    """One place where a secret is taken, or stands."""

    path: str
    line: int
    kind: str
    """`databricks`, `template`, `key_vault`, `environment`, `connection_string` or `hard_coded`."""
    what: str
    """What it is, in words."""
    scope: str = ""
    key: str = ""
    cell: int | None = None

    @property
    def place(self) -> str:
        """Where it is, as editors open it."""
        cell = f", cell {self.cell}" if self.cell is not None else ""
        return f"{self.path}:{self.line}{cell}"


@dataclass
class Report:
    """What was found, and what could not be looked at."""

    findings: list[Finding] = field(default_factory=list)
    files: int = 0
    unread: list[tuple[str, str]] = field(default_factory=list)


DATABRICKS = re.compile(r"""\b(dbutils\s*\.\s*)?\bsecrets\s*\.\s*(?:get|getBytes|get_secret)\s*\(""", re.IGNORECASE)
"""Behind `dbutils` both texts are names; elsewhere the second may be a default, and so a value."""
BOTH = re.compile(r"\s*(scope\s*=\s*)?[\"']([^\"'\n]*)[\"']\s*,\s*(key\s*=\s*)?[\"']([^\"'\n]*)[\"']")
TURNED = re.compile(r"\s*key\s*=\s*[\"']([^\"'\n]*)[\"']\s*,\s*scope\s*=\s*[\"']([^\"'\n]*)[\"']")
SQL = re.compile(r"""(?<![\w.])(?:(?:try_)?secret|(?:TRY_)?SECRET)\s*\(\s*'([^'\n]*)'\s*,\s*'([^'\n]*)'\s*\)""")
IN_SQL = re.compile(r"""\bsql\s*\(\s*[A-Za-z]{0,2}"(?:"")?[^"]*\Z""")
"""The call of `spark.sql` that a place is in, if the text ends there."""
SQL_CELL = re.compile(r"\s*%sql\b")
TEMPLATE = re.compile(r"\{\{\s*secrets/([^/{}\s]+)/([^/{}\s]+)\s*\}\}")
KEY_VAULT = re.compile(
    r"""(\b(?:(?:mssparkutils|notebookutils)\s*\.\s*credentials|TokenLibrary)\s*\.\s*)?"""
    r"""\b(?:getSecret|getSecretWithLS)\s*\(\s*["']([^"'\n]*)["']\s*,\s*["']([^"'\n]*)["']"""
)
AZURE = re.compile(r"""@Microsoft\.KeyVault\([^)\n]{0,500}?(?:SecretUri=https://([a-z0-9-]+)\.vault\.azure\.net/secrets/([A-Za-z0-9-]+))""", re.IGNORECASE)
ENVIRONMENT = re.compile(
    r"""(?:\bos\.environ(?:\.get\s*\(|\[)|\bos\.getenv\s*\(|\bgetenv\s*\(|\bSys\.getenv\s*\(|\bsys\.env(?:\.get)?\s*\(|\bsys\.env\.getOrElse\s*\()"""
    r"""\s*["']([A-Za-z_][A-Za-z0-9_]*)["']"""
)
DEFAULT = re.compile(r"""\s*,\s*(?:default\s*=\s*)?["']([^"'\n]{6,})["']""")
"""What stands where the variable is missing."""
SECRET_WORD = re.compile(
    r"(?:secret|passwd|password|pwd|passphrase|token|api_?key|access_?key|account_?key|private_?key|client_?key|credential|"
    r"connection_?string|conn_?str|sas(?:_|$)|(?:^|_)pass$|(?:^|_)pat$)",
    re.IGNORECASE,
)
KEY_WORD = re.compile(r"(?:^|_)key$", re.IGNORECASE)
"""Often the key of a table: only what looks random beside it is told."""
RANDOM = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[^\s]{16,}")
CONNECTION = (
    (re.compile(r"\b(?:AccountKey|SharedAccessKey)\s*=\s*([^;\s\"'{}<>$]{16,})"), "an account key in a connection string"),
    (re.compile(r"\bjdbc:[^\s\"']{0,500}?[?;&](?:password|pwd)=([^;&\s\"'{}<>$]{3,200})", re.IGNORECASE), "a password in a JDBC URL"),
    (re.compile(r"\b(?:Password|Pwd)\s*=\s*([^;\s\"'{}<>$&]{3,200})\s*;", re.IGNORECASE), "a password in a connection string"),
    (re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"'{}<>$]{1,200}:([^\s/@\"'{}<>$]{3,200})@"), "a password in a URL"),
    (re.compile(r"[?&]sig=([A-Za-z0-9%+/]{20,})"), "a shared access signature"),
)
HARD_CODED = (
    (re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"), "a private key"),
    (re.compile(r"\bdapi[0-9a-f]{32}\b"), "a token of Databricks"),
    (re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_[A-Za-z0-9_]{40,}\b"), "a token of GitHub"),
    (re.compile(r"\bAKIA[0-9A-Z]{16}\b"), "an access key of AWS"),
    (re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,200}"), "a token of Slack"),
    (re.compile(r"\bsk-[A-Za-z0-9_-]{20,200}"), "an API key of a model service"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{10,400}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,1000}"), "a signed token (JWT)"),
    (re.compile(r"(?<![A-Za-z0-9_~.-])[A-Za-z0-9_~.-]{3}[78]Q~[A-Za-z0-9_~.-]{31,34}(?![A-Za-z0-9_~.-])"), "a client secret of Entra ID"),
    (re.compile(r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{86}==(?![A-Za-z0-9+/=])"), "a key of 64 bytes, as storage accounts have"),
)
ASSIGNED = re.compile(r"""(?<![A-Za-z0-9_])["']?([A-Za-z_][A-Za-z0-9_.-]{0,80})["']?\s*(?:=|:|<-)\s*[rbuf]{0,2}(["'])([^"'\n]{6,})\2""", re.IGNORECASE)
UNQUOTED = re.compile(
    r"""^[ \t]*(?:-[ \t]+)?(?:export[ \t]+)?["']?([A-Za-z_][A-Za-z0-9_.-]{0,80})["']?[ \t]*[=:][ \t]*([^\s"'#;,()]{6,200})[ \t]*\r?(?:[#;][^\n]*)?$""",
    re.MULTILINE,
)
PLAIN_ENDINGS = frozenset(".env .ini .cfg .conf .properties .yml .yaml .toml".split())
"""Files whose values need no quotes."""
PLACEHOLDER = re.compile(r"[{}<>$]|^\*+$|^x+$|change|example|placeholder|redacted|your[-_ ]|dummy|^\s*$", re.IGNORECASE)
PATH = re.compile(r"^(?:/|\.{1,2}/|~/|[a-z][a-z0-9+.-]*:/)|^[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*\.[A-Za-z]{1,5}$")
NAME = re.compile(r"[A-Za-z0-9_.@-]{1,128}")
FALLBACK = "no notebook in JSON; read as text"


def scan(paths: Iterable[str | os.PathLike[str]]) -> Report:
    """Looks at files, and at all files of folders whose ending is known. Links to folders are not followed."""
    report = Report()
    for path in paths:
        root = Path(path)
        try:
            root.stat()
        except (FileNotFoundError, NotADirectoryError):
            report.unread.append((str(root), "there is no such file or folder"))
            continue
        except OSError as error:
            report.unread.append((str(root), type(error).__name__))
            continue
        for file in sorted(_files(root, report)):
            _read(file, report)
    report.findings = sorted(set(report.findings), key=lambda one: (one.path, one.cell or 0, one.line, one.kind, one.what, one.scope, one.key))
    return report


def _files(root: Path, report: Report) -> Iterator[Path]:
    if not root.is_dir():
        yield root
        return

    def unread(error: OSError) -> None:
        report.unread.append((str(error.filename), type(error).__name__))

    for folder, folders, files in os.walk(root, onerror=unread):
        folders[:] = [name for name in folders if name not in SKIPPED]
        yield from (Path(folder, name) for name in files if Path(name).suffix.lower() in ENDINGS or name.startswith(".env"))


def _read(file: Path, report: Report) -> None:
    try:
        if not file.is_file():
            return
        if file.stat().st_size > MOST_BYTES:
            report.unread.append((str(file), f"longer than {MOST_BYTES >> 20} MiB"))
            return
        text = _text(file.read_bytes())
    except OSError as error:
        report.unread.append((str(file), type(error).__name__))
        return
    if text is None:
        report.unread.append((str(file), "no text, or in an encoding that it does not name"))
        return
    report.files += 1
    path = str(file)
    if file.suffix.lower() == ".ipynb":
        try:
            cells = _cells(json.loads(text))
        except (ValueError, TypeError, AttributeError, LookupError, RecursionError):
            report.unread.append((path, FALLBACK))
        else:
            for at, (source, outputs) in enumerate(cells, start=1):
                report.findings += _in_text(path, source, at)
                report.findings += [one for one in _in_text(path, outputs, at) if one.kind in {"hard_coded", "connection_string"}]
            return
    report.findings += _in_text(path, text, None)


def _text(data: bytes) -> str | None:
    """The text, by its mark of byte order, else of UTF-8; None where NULs tell that it is neither."""
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    return None if b"\0" in data else data.decode("utf-8", "replace")


def _cells(notebook: dict[str, object]) -> list[tuple[str, str]]:
    """The source of each cell, and the text that it printed: values are found there too."""
    found = []
    for cell in notebook["cells"]:  # type: ignore[attr-defined]
        source = cell.get("source", "")
        source = source if isinstance(source, str) else "".join(source)
        outputs = [text for output in cell.get("outputs", []) for text in _printed(output)]
        found.append((source, "\n".join(text if isinstance(text, str) else "".join(text) for text in outputs if text)))
    return found


def _printed(output: dict[str, Any]) -> Iterator[str | list[str]]:
    yield from (output.get(name, "") for name in ("text", "evalue"))
    yield "\n".join(output.get("traceback", []))
    yield from (text for kind, text in output.get("data", {}).items() if kind.startswith("text/"))


def _in_text(path: str, text: str, cell: int | None) -> list[Finding]:
    starts = [0]
    starts += [match.end() for match in re.finditer("\n", text)]

    def at(kind: str, what: str, place: int, scope: str = "", key: str = "") -> Finding:
        return Finding(path, bisect_right(starts, place), kind, what, _name(scope), _name(key), cell)

    ending = Path(path).suffix.lower()
    is_sql = ending == ".sql" or SQL_CELL.match(text) is not None
    is_plain = ending in PLAIN_ENDINGS or Path(path).name.startswith(".env")
    return [*_references(text, at, is_sql), *_environment(text, at), *_values(text, at, is_plain)]


def _references(text: str, at: Callable[..., Finding], is_sql: bool) -> Iterator[Finding]:
    for match in DATABRICKS.finditer(text):
        both, turned = BOTH.match(text, match.end()), TURNED.match(text, match.end())
        if turned:
            yield at("databricks", "a call of dbutils.secrets", match.start(), turned[2], turned[1])
        elif both and (match[1] or both[1] and both[3]):
            yield at("databricks", "a call of dbutils.secrets", match.start(), both[2], both[4])
        elif both:
            yield at("databricks", f"a call of secrets.get {UNTOLD}", match.start())
        else:
            yield at("databricks", "a call of dbutils.secrets whose scope or key is computed", match.start())
    for match in SQL.finditer(text):
        if is_sql or IN_SQL.search(text[max(0, match.start() - 1000) : match.start()]):
            yield at("databricks", "secret() of SQL", match.start(), match[1], match[2])
        else:
            yield at("databricks", f"a call of secret() {UNTOLD}", match.start())
    for match in TEMPLATE.finditer(text):
        yield at("template", "a reference in a cluster, job or endpoint", match.start(), match[1], match[2])
    for match in KEY_VAULT.finditer(text):
        if match[1]:
            yield at("key_vault", "a read of Key Vault", match.start(), _vault(match[2]), match[3])
        else:
            yield at("key_vault", f"a call of getSecret {UNTOLD}", match.start())
    for match in AZURE.finditer(text):
        yield at("key_vault", "a read of Key Vault", match.start(), _vault(match[1]), match[2])


def _environment(text: str, at: Callable[..., Finding]) -> Iterator[Finding]:
    for match in ENVIRONMENT.finditer(text):
        if SECRET_WORD.search(match[1]) or KEY_WORD.search(match[1]):
            yield at("environment", "an environment variable", match.start(), "", match[1])
            default = DEFAULT.match(text, match.end())
            if default and _looks_secret(default[1]):
                yield at("hard_coded", "a value in the place of an environment variable", match.start(), "", match[1])


def _values(text: str, at: Callable[..., Finding], is_plain: bool) -> Iterator[Finding]:
    taken = bytearray(len(text))
    for patterns, kind in ((CONNECTION, "connection_string"), (HARD_CODED, "hard_coded")):
        for pattern, what in patterns:
            for match in pattern.finditer(text):
                is_value = kind == "hard_coded" or not PLACEHOLDER.search(match[1])
                if is_value and 1 not in taken[match.start() : match.end()]:
                    taken[match.start() : match.end()] = b"\1" * (match.end() - match.start())
                    yield at(kind, what, match.start())
    named = [(match, match[3]) for match in ASSIGNED.finditer(text)]
    named += [(match, match[2]) for match in UNQUOTED.finditer(text)] if is_plain else []
    for match, value in named:
        is_named = SECRET_WORD.search(match[1]) or KEY_WORD.search(match[1]) and RANDOM.fullmatch(value)
        if is_named and _looks_secret(value) and 1 not in taken[match.start() : match.end()]:
            yield at("hard_coded", "a value beside a name of secrets", match.start(1), "", match[1])


def _looks_secret(value: str) -> bool:
    """Not a placeholder, a sentence, a name of an environment variable or a path."""
    if PLACEHOLDER.search(value) or PATH.search(value) or " " in value.strip():
        return False
    return not re.fullmatch(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[a-z]+(?:[-_.][a-z]+)+|None|null|true|false", value)


def _name(text: str) -> str:
    """A name that may be printed; what is none may be a value, or hide something from a terminal."""
    is_plain = NAME.fullmatch(text) and not _looks_random(text) and not any(pattern.search(text) for pattern, _ in HARD_CODED)
    return text if not text or is_plain else "(no plain name)"


def _looks_random(text: str) -> bool:
    """A long word of small letters, capitals and digits: who names a secret writes words."""
    return any(all(re.search(kind, word) for kind in ("[a-z]", "[A-Z]", "[0-9]")) for word in re.findall("[A-Za-z0-9]{16,}", text))


def _vault(text: str) -> str:
    match = re.fullmatch(r"(?:https://)?([a-z0-9-]+)(?:\.vault\.azure\.net)?/?", text, re.IGNORECASE)
    return match[1].lower() if match else text


def wanted(report: Report) -> dict[tuple[str, str], list[Finding]]:
    """The places of each scope and key that need a row; environment variables have no scope."""
    places: dict[tuple[str, str], list[Finding]] = {}
    for finding in report.findings:
        if finding.kind in {"databricks", "template", "key_vault", "environment"} and finding.key and "(" not in finding.scope + finding.key:
            places.setdefault((finding.scope, finding.key), []).append(finding)
    return places


def ids(report: Report) -> dict[tuple[str, str], str]:
    """The row's id for each scope and key: the key as Key Vault can spell it, with the scope before it where two would be one."""
    keys: dict[str, list[tuple[str, str]]] = {}
    for scope, key in sorted(wanted(report), key=lambda one: (not one[0], one)):
        keys.setdefault(_slug(key), []).append((scope, key))
    found: dict[tuple[str, str], str] = {}
    taken: set[str] = set()
    for slug, owners in keys.items():
        for scope, key in owners:
            name = slug if len(owners) == 1 or not scope else f"{_slug(scope)}-{slug}"
            unique, at = name, 2
            while unique in taken:
                unique, at = f"{name}-{at}", at + 1
            taken.add(unique)
            found[scope, key] = unique
    return found


def _slug(text: str) -> str:
    return re.sub("-+", "-", re.sub(r"[^a-z0-9]", "-", text.lower())).strip("-") or "secret"


def draft(report: Report, vaults: dict[str, str]) -> str:
    """Rows of Secret_References in TOML. `vaults` has the vault's URL of a scope; the others get one to change."""
    lines = [
        "# Drafted by `zt migrate scan`: names only. Look at each `vault` and `name`, add a row of Network_Rules for each vault's",
        "# host and the rows of Access_Policies that say who may `secret.get` each id; then `zt lint`.",
    ]
    places, names = wanted(report), ids(report)
    for (scope, key), found in sorted(places.items()):
        known = vaults.get(scope)
        if known is None and all(one.kind == "key_vault" for one in found) and re.fullmatch("[a-z0-9-]{3,24}", scope):
            known = f"https://{scope}.vault.azure.net"
        name = re.sub(r"[^A-Za-z0-9-]", "-", key)
        lines += ["", "[[Secret_References]]", f'id = "{names[scope, key]}"']
        lines.append(f'vault = "{known or "https://change-me.vault.azure.net"}"' + ("" if known else f"  # the vault behind {_origin(scope)}"))
        lines.append(f'name = "{name}"' + ("" if name == key else f"  # it is called `{key}` there now"))
        lines.append("ttl_s = 900")
        lines += [f"# {_printable(one.place)}" for one in found[:5]]
        if len(found) > 5:
            lines.append(f"# and {len(found) - 5} more")
    return "\n".join(lines) + "\n"


def scopes(report: Report) -> dict[str, dict[str, str]]:
    """The mapping for `zt.databricks.Secrets`."""
    found: dict[str, dict[str, str]] = {}
    places = wanted(report)
    for (scope, key), name in sorted(ids(report).items()):
        if scope and any(one.kind in {"databricks", "template"} for one in places[scope, key]):
            found.setdefault(scope, {})[key] = name
    return found


def told(report: Report) -> str:
    """The report for people."""
    names, lines = ids(report), []
    for finding in report.findings:
        lines.append(f"{_printable(finding.place)}: {finding.what}{_called(finding)}")
        lines.append(f"    {_advice(finding, names.get((finding.scope, finding.key)))}")
    counts = {kind: sum(one.kind == kind for one in report.findings) for kind in ADVICE}
    summary = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in counts.items() if count)
    lines.append(f"{report.files} files read, {len(report.findings)} places{': ' + summary if summary else ''}")
    lines += [f"not read: {_printable(path)}: {why}" for path, why in report.unread]
    return "\n".join(lines)


ADVICE = {
    "databricks": 'with session.secret("{id}").reveal() as view: …   or, for now, zt.databricks.Secrets',
    "template": 'give the job the name `{id}` instead, and read it there with session.secret("{id}")',
    "key_vault": 'with session.secret("{id}").reveal() as view: …',
    "environment": 'with session.secret("{id}").reveal() as view: …   and take the variable out of the cluster',
    "connection_string": "rotate it, store it in a vault under a new row, and build the string inside `reveal()`; or use Entra ID",
    "hard_coded": "rotate it now: whoever can read the file or its history has it; then store the new one in a vault",
}
"""What to do about each kind."""


def _advice(finding: Finding, name: str | None) -> str:
    if finding.what.endswith(UNTOLD):
        return "look whether the second text is a name or a default: a default is a value that stands in the open"
    if "computed" in finding.what:
        return "write the names out, or build a reference's id in the same way: session.secret(id)"
    return ADVICE[finding.kind].replace("{id}", name or "…")


def _called(finding: Finding) -> str:
    if not finding.key:
        return ""
    return f", {finding.scope}/{finding.key}" if finding.scope else f", {finding.key}"


def _origin(scope: str) -> str:
    return f"scope `{scope}`" if scope else "what sets this variable"


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)
