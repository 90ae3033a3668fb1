"""Takes samples of cases in turn, so that a busy machine is busy for all of them, and prints Markdown as the Rust benches do."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

#: Only shows that everything runs: its numbers mean nothing.
QUICK = "--quick" in sys.argv


def in_turn(cases: dict[str, Callable[[], object]], *, calls: int, samples: int = 31) -> dict[str, list[float]]:
    """Seconds of one call, for each sample of each case. A case with `of_calls` does so many at a time."""
    times: dict[str, list[float]] = {name: [] for name in cases}
    for run in cases.values():
        run()
    for _ in range(3 if QUICK else samples):
        for name, run in cases.items():
            of_calls: int = getattr(run, "of_calls", 1)
            count = max(1, (min(calls, 3) if QUICK else calls) // of_calls)
            began = time.perf_counter()
            for _ in range(count):
                run()
            times[name].append((time.perf_counter() - began) / (count * of_calls))
    return times


def table(title: str, times: dict[str, list[float]]) -> str:
    """One table; the ratio is how many times the first line's median each line takes."""
    lines = [f"## {title}", "", "| what | median | least | ratio |", "|---|---:|---:|---:|"]
    first = statistics.median(next(iter(times.values())))
    for name, taken in times.items():
        median = statistics.median(taken)
        lines.append(f"| {name} | {said(median)} | {said(min(taken))} | {median / first:.2f} |")
    return "\n".join(lines) + "\n"


def said(seconds: float) -> str:
    """A time with three digits: `1.24 ms`."""
    for size, unit in [(1e-6, "ns"), (1e-3, "µs"), (1.0, "ms")]:
        if seconds < size:
            value = seconds / size * 1e3
            return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f} {unit}"
    return f"{seconds:.2f} s"
