"""Rows: what a permit shows of them, and what is refused without repeating a cell."""

from __future__ import annotations

import math

import pytest
from conftest import SignIn

import zt

SCORES = {
    "id": [70000, 70001],
    "salary_range": ["20K - 40K €", None],
    "debt_to_income_ratio": [0.703953, 0.282445],
    "y_pred_proba": [1, 0.01],
    "y_pred": [True, False],
    "scored_at": ["2019-03-31", "2019-03-31"],
}


def test_elins_view_has_exactly_three_columns(sign_in: SignIn) -> None:
    view = sign_in("elin").require("table.read", "table:gold.loan_scores").apply(SCORES)
    assert view == {name: SCORES[name] for name in ("id", "y_pred", "scored_at")}
    assert list(view) == ["id", "y_pred", "scored_at"]


def test_a_masked_column_is_visible_and_its_values_are_not(sign_in: SignIn) -> None:
    jonas = sign_in("jonas")
    permit = jonas.require("table.read", "table:gold.loan_scores")
    assert permit.masks == {"salary_range": "redact"} == permit.decision.masks
    assert permit.apply(SCORES)["salary_range"] == ["[redacted]", None]


class Frame:
    """As pandas has it: no mapping, but `items()`; columns with `tolist()`; NaN for what is missing."""

    class Series:
        def __init__(self, *cells: object) -> None:
            self.cells = cells

        def tolist(self) -> list[object]:
            return list(self.cells)

    def items(self) -> list[tuple[str, Series]]:
        return [("id", self.Series(1, 2)), ("y_pred", self.Series(math.nan, 1.0)), ("scored_at", self.Series("a", math.nan))]


def test_a_dataframe_is_taken_and_nan_is_missing(sign_in: SignIn) -> None:
    view = sign_in("elin").require("table.read", "table:gold.loan_scores").apply(Frame())
    assert view == {"id": [1, 2], "y_pred": [None, 1.0], "scored_at": ["a", None]}


def test_every_type_comes_back(sign_in: SignIn) -> None:
    data = {"id": [b"\x00\xff", None], "y_pred": [2**63 - 1, None], "scored_at": [None, None]}
    assert sign_in("elin").require("table.read", "table:gold.loan_scores").apply(data) == data


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"id": "zt-needle-text"}, "column `id` must be a sequence of cells, not one str"),
        ({"id": [1, "zt-needle-cell"]}, "row 2 of column `id` has another type than those before"),
        ({"id": [object()]}, "row 1 of column `id` is not a bool, int, float, str, bytes or None"),
        ({"id": [2**64]}, "row 1 of column `id` does not fit its column"),
        ({1: [1]}, "the name of a column must be a str"),
        ([1, 2], "expected a mapping of column names to sequences, a DataFrame or a table of Arrow"),
    ],
)
def test_what_is_no_table_is_refused_and_not_repeated(sign_in: SignIn, data: object, says: str) -> None:
    permit = sign_in("elin").require("table.read", "table:gold.loan_scores")
    with pytest.raises(TypeError) as raised:
        permit.apply(data)  # type: ignore[arg-type]
    assert str(raised.value) == says


def test_columns_of_different_length_are_invalid(sign_in: SignIn) -> None:
    permit = sign_in("elin").require("table.read", "table:gold.loan_scores")
    with pytest.raises(zt.Invalid, match="column `y_pred` has 1 rows"):
        permit.apply({"id": [1, 2], "y_pred": [1]})
    with pytest.raises(zt.Invalid, match="case does not tell them apart"):
        permit.apply({"id": [1], "ID": [1]})
