"""What a million rows cost from Python: one question for each, and a column sealed, beside `cryptography` cell by cell.

Needs pyarrow, and cryptography for the comparison.
Run: `ZT_BIN=… python benches/python/batch.py [--quick]`.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pyarrow as pa  # type: ignore[import-untyped]

import zt
from measure import QUICK, in_turn, table
from world import world

ROWS = 1_000 if QUICK else 1_000_000
TEXT = "20K - 40K €"


def main() -> None:
    """Checks what is measured, measures it, prints the tables."""
    with world() as here, zt.open(here.folder) as rt:
        maya = rt.authenticate(here.token("maya"))
        job = rt.authenticate(here.token("sp-score-201")).claiming(201, 2)
        print(table(f"{ROWS:,} questions at once", in_turn(questions(maya), calls=1, samples=11)))
        print(table(f"{ROWS:,} cells sealed", in_turn(sealed(job), calls=1, samples=5)))


def questions(session: zt.Session) -> dict[str, Callable[[], object]]:
    """A thousand different resources, as text and as a dictionary."""
    names = [f"table:gold.t_{at % 1_000}" for at in range(ROWS)]
    names[0] = "table:gold.loan_scores"
    text = pa.array(names)
    encoded = text.dictionary_encode()
    one = session.check_many("table.read", text)
    assert one.to_pylist() == session.check_many("table.read", encoded).to_pylist()
    return {
        "zt: `check_many`, text": lambda: session.check_many("table.read", text),
        "zt: `check_many`, dictionary": lambda: session.check_many("table.read", encoded),
    }


def sealed(job: zt.Session) -> dict[str, Callable[[], object]]:
    """Bound to rule, table, column and version by zt; bare AES-256-GCM with random nonces by the other."""
    sealer = job.sealer("loan_scores_delta")
    count = ROWS // 3
    rows = pa.table(
        {
            "salary_range": pa.array([TEXT] * count),
            "debt_to_income_ratio": pa.array([0.703953] * count),
            "y_pred_proba": pa.array([0.99] * count),
        }
    )
    cases: dict[str, Callable[[], object]] = {
        "zt: `sealer.seal`, bytes": lambda: sealer.seal(rows, store="bytes"),
        "zt: `sealer.seal`, text": lambda: sealer.seal(rows),
    }
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError as missing:
        print(f"left out: {missing.name} is not installed\n")
        return cases
    cipher, plain = AESGCM(AESGCM.generate_key(256)), [TEXT.encode(), b"0.703953", b"0.99"] * count

    def each() -> list[bytes]:
        cells = []
        for cell in plain:
            nonce = os.urandom(12)
            cells.append(nonce + cipher.encrypt(nonce, cell, b"salary_range"))
        return cells

    return cases | {"cryptography: AESGCM for each cell": each}


if __name__ == "__main__":
    main()
