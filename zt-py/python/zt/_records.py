"""Records of the core as a list that shows as a table."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

FIRST = ("at", "rule", "state", "caller", "principal", "kind", "action", "resource", "outcome", "decision", "policies", "why")
"""The columns that people look at first; the others follow as they come."""


class Records(list["dict[str, Any]"]):
    """A list of dicts that a notebook shows as a table: the tail of the audit log, alerts, who may do what.

    `to_pandas()`, `to_polars()` and `to_arrow()` make a frame of it, where that library is installed; nested values become
    JSON there, times stay text. Slices are lists of plain Python.

    >>> cells = priya.list_everybody("table:gold.loan_scores", "table.read")
    >>> cells.column_names[:3], cells.next
    (['principal', 'action', 'resource'], None)
    """

    next: str | None = None
    """Where the next page begins, for `after=`; None where there is none."""

    def __init__(self, rows: Iterable[dict[str, Any]] = (), caption: str = "records") -> None:
        super().__init__(rows)
        self.caption = caption
        """What a notebook writes above the table."""

    @property
    def column_names(self) -> list[str]:
        """Every key of every row; those that people look at first stand first."""
        names = dict.fromkeys(name for row in self for name in row)
        return [name for name in FIRST if name in names] + [name for name in names if name not in FIRST]

    def to_columns(self) -> dict[str, list[Any]]:
        """A dict of lists with cells that every library of frames takes: numbers, bools, text, None; the rest as JSON."""
        return {name: _column([row.get(name) for row in self]) for name in self.column_names}

    def to_arrow(self) -> Any:
        """A `pyarrow.Table`. Raises ImportError where pyarrow is not installed.

        >>> priya.audit_tail(5).to_arrow().num_rows
        5
        """
        from importlib import import_module

        return import_module("pyarrow").table(self.to_columns())

    def to_pandas(self) -> Any:
        """A `pandas.DataFrame`. Raises ImportError where pandas is not installed.

        >>> list(priya.audit_tail(5).to_pandas().columns)[:2]
        ['at', 'caller']
        """
        from importlib import import_module

        return import_module("pandas").DataFrame(self.to_columns())

    def to_polars(self) -> Any:
        """A `polars.DataFrame`. Raises ImportError where polars is not installed.

        >>> priya.audit_tail(5).to_polars().height
        5
        """
        from importlib import import_module

        return import_module("polars").DataFrame(self.to_columns(), strict=False)

    def _repr_html_(self) -> str:
        from zt import _html  # only a notebook needs it

        return _html.records(self)


def _column(cells: list[Any]) -> list[Any]:
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds <= {int, float}:
        return [None if cell is None else float(cell) for cell in cells] if len(kinds) > 1 else cells
    if len(kinds) <= 1 and kinds <= {str, bool}:
        return cells
    return [None if cell is None else cell if isinstance(cell, str) else _json(cell) for cell in cells]


def _json(cell: Any) -> str:
    import json

    return json.dumps(cell, ensure_ascii=False)
