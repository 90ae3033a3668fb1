"""Plots where people look: drift, and alert rules over time. They need matplotlib (`pip install matplotlib`).

Each function answers a figure of matplotlib; nothing is shown or saved by itself.
"""

from __future__ import annotations

import io
import math
from bisect import bisect_right
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from zt._zt import Evaluation

__all__ = ["drift", "evaluation", "windows"]

FIRED, QUIET, NO_DATA = "#b42318", "#1a7f37", "#8c959f"


def evaluation(found: Evaluation | Mapping[str, Any]) -> Any:
    """Each rule's value, and the threshold of those that fired. What has no data stands as an empty row.

    >>> figure = zt.plot.evaluation(job.log_metrics("car_loan_scorer", {"accuracy": 0.91}, rows=5000))
    >>> [axes.get_title() for axes in figure.axes]
    ['1 fired of 4']
    """
    told = _told(found)
    alerts = {alert["rule"]: alert for alert in told["alerts"]}
    figure, axes = _axes(1 + 0.4 * len(told["states"]))
    for at, state in enumerate(told["states"]):
        fired = state["state"] == "fired"
        value = state.get("value")
        if value is not None:
            axes.barh(at, value, color=FIRED if fired else QUIET, height=0.6)
        if alert := alerts.get(state["rule"]):
            axes.plot([alert["threshold"]] * 2, [at - 0.4, at + 0.4], color="black", linewidth=1.5)
    axes.set_yticks(range(len(told["states"])), [_name(state) for state in told["states"]], parse_math=False)
    axes.set_ylim(len(told["states"]) - 0.5, -0.5)
    axes.set_title(f"{len(alerts)} fired of {len(told['states'])}")
    return figure


def windows(evaluations: Iterable[Evaluation | Mapping[str, Any]], rule: str | None = None) -> Any:
    """How the values of alert rules went from window to window, in the order given; red where a rule fired. `rule` shows
    one alone.

    >>> window = job.log_metrics("car_loan_scorer", {"accuracy": 0.91}, rows=5000)
    >>> zt.plot.windows([window, window], rule="AL-01").axes[0].get_title()
    'AL-01 accuracy'
    """
    told = [_told(one) for one in evaluations]
    rules = {state["rule"]: _name(state) for one in told for state in one["states"]}
    if rule is not None:
        if rule not in rules:
            raise ValueError(f"rule `{rule}` is none of {', '.join(rules) or 'no rules'}")
        rules = {rule: rules[rule]}
    figure, every = _axes(1 + 2 * max(len(rules), 1), rows=max(len(rules), 1))
    for axes, (name, title) in zip(every if len(rules) > 1 else [every], rules.items(), strict=False):
        states: list[dict[str, Any]] = [next((state for state in one["states"] if state["rule"] == name), {}) for one in told]
        values = [math.nan if state.get("value") is None else state["value"] for state in states]
        axes.plot(values, color=NO_DATA, linewidth=1)
        colours = [FIRED if state.get("state") == "fired" else QUIET for state in states]
        axes.scatter(range(len(values)), values, c=colours, zorder=3)
        thresholds = {alert["threshold"] for one in told for alert in one["alerts"] if alert["rule"] == name}
        for threshold in thresholds:
            axes.axhline(threshold, color="black", linewidth=1, linestyle="--")
        axes.set_xticks(range(len(values)), [str(at + 1) for at in range(len(values))])
        axes.set_title(title, parse_math=False)
    return figure


def drift(reference: Iterable[Any], current: Iterable[Any], *, name: str = "", bins: int = 10) -> Any:
    """How a column was when the model was made and how it is now: shares of the reference's deciles, or of each word.

    The population stability index of these shares stands in the title; what counts is the value of the alert rule, which
    zt computes itself (`psi/reference-deciles`). Missing cells (None, NaN) are a bar of their own.

    >>> zt.plot.drift(["a", "a", "b"], ["a", "b", "b"], name="salary_range").axes[0].get_title()
    'salary_range, PSI 0.46'
    """
    before, after = _cells(reference), _cells(current)
    if not before or not after:
        raise ValueError("`reference` and `current` need at least one row each")
    labels, old, new = _shares(before, after, bins)
    floor = 0.5 / max(len(before), len(after))
    pairs = [(max(one, floor), max(other, floor)) for one, other in zip(old, new, strict=True)]
    index = sum((other - one) * math.log(other / one) for one, other in pairs)
    figure, axes = _axes(3)
    places = range(len(labels))
    axes.bar([at - 0.2 for at in places], old, width=0.4, color=NO_DATA, label="reference")
    axes.bar([at + 0.2 for at in places], new, width=0.4, color=QUIET, label="current")
    axes.set_xticks(list(places), labels, rotation=45, ha="right", parse_math=False)
    axes.set_ylabel("share of rows")
    axes.set_title(f"{name}, PSI {index:.2f}" if name else f"PSI {index:.2f}", parse_math=False)
    axes.legend()
    return figure


def _axes(height: float, rows: int = 1) -> tuple[Any, Any]:
    try:
        agg, figures = import_module("matplotlib.backends.backend_agg"), import_module("matplotlib.figure")
    except ImportError as error:
        raise ImportError("plots need matplotlib: pip install matplotlib") from error
    # A notebook knows figures of pyplot alone, which would be kept there; this one shows itself.
    shown = type("Figure", (figures.Figure,), {"_repr_png_": _png})
    figure = shown(figsize=(7, height), layout="constrained")
    agg.FigureCanvasAgg(figure)
    return figure, figure.subplots(rows)


def _png(figure: Any) -> bytes:
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=100)
    return drawn.getvalue()


def _told(found: Evaluation | Mapping[str, Any]) -> Mapping[str, Any]:
    to_dict = getattr(found, "to_dict", None)
    return to_dict() if to_dict else found  # type: ignore[return-value]


def _name(state: Mapping[str, Any]) -> str:
    name = f"{state['rule']} {state['metric']}"
    return f"{name} of {state['column']}" if state.get("column") else name


def _cells(column: Any) -> list[Any]:
    cells = column.to_list() if hasattr(column, "to_list") else column.to_pylist() if hasattr(column, "to_pylist") else list(column)
    return [None if cell is None or cell != cell else cell for cell in cells]  # NaN is not itself


def _shares(before: Sequence[Any], after: Sequence[Any], bins: int) -> tuple[list[str], list[float], list[float]]:
    """Cells are counted by place: two labels may read the same, as deciles that differ in the seventh digit do."""
    known = sorted(cell for cell in before if cell is not None) if _is_numbers(before) and _is_numbers(after) else []
    if known and len(set(known)) > bins:
        cuts = sorted({known[len(known) * at // bins] for at in range(1, bins)})
        labels = [f"< {cuts[0]:.6g}", *(f"≥ {cut:.6g}" for cut in cuts)]

        def place(cell: Any) -> int:
            return bisect_right(cuts, cell)
    else:
        labels = sorted({str(cell) for cell in [*before, *after] if cell is not None})
        places = {label: at for at, label in enumerate(labels)}

        def place(cell: Any) -> int:
            return places[str(cell)]

    missing = len(labels)
    if any(cell is None for cell in [*before, *after]):
        labels.append("missing")

    def share(cells: Sequence[Any]) -> list[float]:
        counts = [0] * len(labels)
        for cell in cells:
            counts[missing if cell is None else place(cell)] += 1
        return [count / len(cells) for count in counts]

    return labels, share(before), share(after)


def _is_numbers(cells: Sequence[Any]) -> bool:
    return all(cell is None or isinstance(cell, int | float) and not isinstance(cell, bool) for cell in cells)
