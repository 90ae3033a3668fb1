"""How long `import zt` takes in a new interpreter, how large the package is, and how soon Ctrl-C is heard.

Run: `ZT_BIN=… python benches/python/start.py [--quick]`.
"""

from __future__ import annotations

import signal
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import zt
from measure import QUICK, said
from world import world

SAMPLES = 3 if QUICK else 21
IMPORT = "import time; t = time.perf_counter(); import zt; print(time.perf_counter() - t)"
ROWS = 20_000 if QUICK else 3_000_000


def main() -> None:
    """Prints one table."""
    print("## At the start, and at the end\n\n| what | median | worst |\n|---|---:|---:|")
    taken = [float(python(IMPORT)) for _ in range(SAMPLES)]
    print(f"| `import zt` | {said(statistics.median(taken))} | {said(max(taken))} |")
    heard = interrupts()
    print(f"| Ctrl-C during `view` of {ROWS:,} rows | {said(statistics.median(heard))} | {said(max(heard))} |")
    folder = Path(zt.__file__).parent
    size = sum(file.stat().st_size for file in folder.rglob("*") if "__pycache__" not in file.parts)
    print(f"\nInstalled: {size / 1e6:.1f} MB.")


def python(program: str) -> str:
    """What a new interpreter prints."""
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout


def interrupts() -> list[float]:
    """From the signal to the exception."""
    rows = {"id": list(range(ROWS)), "y_pred": [1] * ROWS}
    heard: list[float] = []
    with world() as here, zt.open(here.folder) as rt:
        elin = rt.authenticate(here.token("elin"))
        while len(heard) < SAMPLES:
            sent: list[float] = []

            def interrupt(sent: list[float] = sent) -> None:
                time.sleep(0.02)
                sent.append(time.perf_counter())
                signal.raise_signal(signal.SIGINT)

            thread = threading.Thread(target=interrupt)
            try:
                thread.start()
                elin.view(rows, "table:gold.loan_scores")
                thread.join()
                if QUICK:
                    break
            except KeyboardInterrupt:
                heard.append(time.perf_counter() - sent[0])
            thread.join()
    return heard or [0.0]


if __name__ == "__main__":
    main()
