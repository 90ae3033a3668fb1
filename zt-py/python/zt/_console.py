"""The console command `zt` of the Python package. It has `migrate scan` alone; all else is the Rust program's."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = """This is the `zt` of the Python package zt-py. It has one command:

  zt migrate scan PATHS    finds where notebooks and code take secrets from, and drafts rows of Secret_References

All other commands (lint, check, explain, list, plan, vault, audit, doctor …) are those of the Rust program `zt`, which this one
neither holds nor calls: cargo install --path zt-core --features cli. Where both are installed, the one that comes first on PATH
answers; `python -m zt` is always this one.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Answers the exit code: 0 nothing was found, 1 something was, 2 nothing was found but not all could be looked at."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] in {"-h", "--help", "help"}:
        print(HERE, end="")
        return 0 if given else 2
    if given[0] in {"-V", "--version", "version"}:
        from importlib.metadata import version

        print(f"zt-py {version('zt-py')}")
        return 0
    if given[:2] != ["migrate", "scan"]:
        word = " ".join(given[:2]) if given[0] == "migrate" else given[0]
        print(f"zt: `{_plain(word)}` is no command of the Python package\n\n{HERE}", end="", file=sys.stderr)
        return 2
    return _scan(_options().parse_args(given[2:]))


def _options() -> argparse.ArgumentParser:
    text = "Finds dbutils.secrets, {{secrets/…}}, environment variables, connection strings and hard-coded keys. Never prints a value."
    options = argparse.ArgumentParser(prog="zt migrate scan", description=text)
    options.add_argument("paths", nargs="+", metavar="PATH", help="files or folders")
    options.add_argument("--draft", metavar="FILE", help="write the rows of Secret_References there, as TOML; `-` prints them")
    options.add_argument("--replace", action="store_true", help="replace FILE if it exists")
    options.add_argument("--vault", metavar="SCOPE=URL", action="append", default=[], help="the vault behind a scope")
    options.add_argument("--json", action="store_true", help="print the report as JSON")
    return options


def _scan(options: argparse.Namespace) -> int:
    from zt import _scan as scanning

    vaults = dict(pair.split("=", 1) for pair in options.vault if "=" in pair)
    wrong = [pair for pair in options.vault if "=" not in pair]
    wrong += [url for url in vaults.values() if not _is_vault(url)]
    if wrong:
        print("zt: `--vault` is SCOPE=https://NAME.vault.azure.net", file=sys.stderr)
        return 2
    if options.json and options.draft == "-":
        print("zt: `--json` and `--draft -` both print on standard output: give the draft a file", file=sys.stderr)
        return 2
    report = scanning.scan(options.paths)
    if options.json:
        ids = scanning.ids(report)
        findings = [vars(finding) | {"id": ids.get((finding.scope, finding.key))} for finding in report.findings]
        unread = [{"path": path, "why": why} for path, why in report.unread]
        print(json.dumps({"files": report.files, "findings": findings, "scopes": scanning.scopes(report), "unread": unread}, indent=2))
    else:
        print(scanning.told(report))
        if mapping := scanning.scopes(report):
            print(f"\nzt.databricks.Secrets(session, {json.dumps(mapping, indent=4)})")
    if options.draft:
        text = scanning.draft(report, vaults)
        if options.draft == "-":
            print(f"\n{text}", end="")
        else:
            try:
                with Path(options.draft).open("w" if options.replace else "x", encoding="utf-8") as file:
                    file.write(text)
            except OSError as error:
                print(f"zt: cannot write the draft: {error.strerror}", file=sys.stderr)
                return 2
    if report.findings:
        return 1
    return 2 if any(why != scanning.FALLBACK for _, why in report.unread) else 0


def _is_vault(url: str) -> bool:
    import re

    return re.fullmatch(r"https://[a-z0-9.-]+", url) is not None


def _plain(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)
