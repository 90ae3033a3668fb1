"""What objects show in a notebook: tables without scripts and style sheets, in which every text is escaped, and none of
whose texts is set as a formula: Jupyter would set what stands between two `$`."""

from __future__ import annotations

from html import escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from zt._explanation import Explanation
    from zt._records import Records
    from zt._status import Status

MOST_ROWS = 50
"""A longer table is cut, and says so."""

PLAIN = ' class="tex2jax_ignore mathjax_ignore"'
"""MathJax 2 and 3 leave such an element alone."""

LEFT = ' style="text-align:left;vertical-align:top"'
GOOD, BAD, WARN = "#1a7f37", "#b42318", "#9a6700"


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[object]], foot: str = "") -> str:
    """A table; a cell that is `Markup` stands as it is, all others are text."""
    parts = [f"<table{PLAIN}><caption>{escape(caption)}</caption>"]
    if head:
        parts.append("<thead><tr>" + "".join(f"<th{LEFT}>{escape(name)}</th>" for name in head) + "</tr></thead>")
    parts.append("<tbody>")
    parts += ["<tr>" + "".join(f"<td{LEFT}>{_cell(cell)}</td>" for cell in row) + "</tr>" for row in rows]
    parts.append("</tbody></table>")
    if foot:
        parts.append(f"<p{PLAIN}>{escape(foot)}</p>")
    return "".join(parts)


class Markup(str):
    """HTML that this module made."""


def coloured(word: object, colour: str) -> Markup:
    """A word in a colour."""
    return Markup(f'<b style="color:{colour}">{escape(text(word))}</b>')


def text(value: object) -> str:
    """A value as a person reads it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict):
        return ", ".join(f"{name}={text(cell)}" for name, cell in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(text(cell) for cell in value)
    return str(value)


def records(rows: Records) -> str:
    """`zt.Records`."""
    names = rows.column_names
    shown = [[_judged(name, row.get(name)) for name in names] for row in rows[:MOST_ROWS]]
    foot = f"{len(rows) - MOST_ROWS} more" if len(rows) > MOST_ROWS else ""
    return table(f"{rows.caption}: {len(rows)}", names, shown, foot)


def plan(told: dict[str, Any]) -> str:
    """`zt.Plan.to_dict()`, with `missing` as sentences: what would be refused stands in red."""
    state = coloured("runnable", GOOD) if told["runnable"] else coloured("not runnable", BAD)
    head = table(
        f"job {told['job']} {told['name'] or ''}",
        [],
        [
            ["state", state],
            *([["missing", coloured(reason, BAD)] for reason in told["missing"]]),
            ["priority", told["priority"]],
            ["runs as", told["run_as"]],
            ["cluster", (told["cluster"] or {}).get("name")],
        ],
    )
    rows = []
    for stage in told["stages"]:
        needs = [f"{need['action']} {need['resource']}" for need in stage["needs"]]
        secrets = [secret["reference"] for secret in stage["secrets"]]
        runtime = stage["runtime"]["name"] if stage["runtime"] else None
        refused = [need for need in [*stage["needs"], *stage["secrets"]] if need["decision"] != "allow"]
        state = coloured(f"{len(refused)} refused", BAD) if refused else coloured("allowed", GOOD)
        hosts = [endpoint["host"] for endpoint in stage["endpoints"]]
        rows.append([stage["number"], stage["type"], stage["runs_as"], runtime, state, _lines(needs), _lines(secrets), _lines(hosts)])
    names = ["stage", "type", "runs as", "runtime", "rights", "needs", "secrets", "hosts"]
    return head + table("stages", names, rows)


def evaluation(told: dict[str, Any]) -> str:
    """`zt.Evaluation.to_dict()`."""
    fired = {alert["rule"]: alert for alert in told["alerts"]}
    rows = []
    for state in told["states"]:
        alert = fired.get(state["rule"], {})
        metric = f"{state['metric']} of {state['column']}" if state.get("column") else state["metric"]
        threshold = f"{alert['fires']} {text(alert['threshold'])}" if alert else ""
        word = _judged("state", state["state"])
        rows.append([state["rule"], metric, word, state.get("value"), threshold, state.get("rows"), state.get("reason")])
    names = ["rule", "metric", "state", "value", "fires", "rows", "reason"]
    return table(f"alert rules: {len(fired)} fired of {len(rows)}", names, rows)


def explanation(told: Explanation) -> str:
    """`zt.Explanation`."""
    misses = [Markup(escape(f"{miss['policy']}: {_unmet(miss)}")) for miss in told["near_misses"]]
    rows: list[list[object]] = [
        ["decision", _judged("kind", told["kind"])],
        ["caller", told["caller"]],
        ["action", told["action"]],
        ["resource", told["resource"]],
        ["by", told["policies"]],
        ["why", told["why"]],
        ["stated", told["facts"]],
        ["holds", told["holds"]],
        ["unknown", told["unknown"]],
        ["near misses", Markup("<br>".join(misses))],
        ["sign in with", told["step_up"]],
    ]
    head = table("explanation", [], [row for row in rows if row[1] or row[0] == "decision"])
    return head + f"<pre{PLAIN}>{escape(told.text)}</pre>"


def status(told: Status) -> str:
    """`zt.Status`: one card."""
    colours = {"works": GOOD, "limited": WARN, "fails": BAD, "not used yet": WARN}
    rows = [[part["part"], coloured(part["state"], colours[part["state"]]), part["detail"], part["fix"]] for part in told.parts]
    return table(f"zt, process {told['process']}, {told['mode']}", ["part", "state", "detail", "what to do"], rows)


def _unmet(miss: dict[str, Any]) -> str:
    return "; ".join(
        f"{unmet['fact']} is {unmet.get('is')}, needs {unmet.get('needs')}" if "fact" in unmet else text(unmet)
        for unmet in miss["unmet"]
    )


def _lines(words: list[str]) -> Markup:
    return Markup("<br>".join(escape(word) for word in words))


def _judged(name: str, value: object) -> object:
    """The words that people look for, in colour."""
    if name in {"outcome", "kind", "decision", "state"} and isinstance(value, str):
        if value in {"explicit_deny", "default_deny", "refused", "failed", "fired"}:
            return coloured(value, BAD)
        if value in {"allow", "ok", "resolved"}:
            return coloured(value, GOOD)
        if value == "no_data":
            return coloured(value, WARN)
    return value


def _cell(cell: object) -> str:
    return cell if isinstance(cell, Markup) else escape(text(cell))
