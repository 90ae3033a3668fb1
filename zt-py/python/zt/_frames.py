"""Frames of other libraries: an answer is of the family of what was asked about. Nothing is imported before it is needed."""

from __future__ import annotations

import sys
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def like(asked: object, answer: Any) -> Any:
    """The answer, a dict of lists or a `zt.Table`, as a frame of the library that `asked` is of."""
    make = _MAKERS.get(_family(asked))
    return make(answer) if make else answer


def answers_like(asked: object, answers: Any) -> Any:
    """Answers, a list of bool and None or `zt.Answers`, as a column of the library that `asked` is of."""
    make = _COLUMN_MAKERS.get(_family(asked))
    return make(asked, answers) if make else answers


def readable(asked: Any) -> Any:
    """The same, without columns of polars' type Null, which polars hands over in a way that is no Arrow: they become text, also
    within lists and structs."""
    if _family(asked) != "polars":
        return asked
    polars = sys.modules["polars"]
    if hasattr(asked, "collect_schema"):
        kinds = asked.collect_schema().items()
        texts = {name: text for name, kind in kinds if (text := _without_null(polars, kind)) != kind}
        return asked.with_columns(polars.col(name).cast(text) for name, text in texts.items()) if texts else asked
    kind = getattr(asked, "dtype", None)
    text = kind and _without_null(polars, kind)
    return asked.cast(text) if text != kind else asked


def one_column(asked: Any) -> Any:
    """A column, or a table of one, as `readable`: the index of pandas would be a column of its own."""
    if _family(asked) == "pandas" and hasattr(asked, "columns"):
        return asked.reset_index(drop=True)
    return readable(asked)


def _without_null(polars: Any, kind: Any) -> Any:
    if kind == polars.Null:
        return polars.String()
    if isinstance(kind, polars.Struct):
        return polars.Struct([polars.Field(field.name, _without_null(polars, field.dtype)) for field in kind.fields])
    if isinstance(kind, polars.List):
        return polars.List(_without_null(polars, kind.inner))
    if isinstance(kind, polars.Array):
        return polars.Array(_without_null(polars, kind.inner), kind.size)
    return kind


def refused(frame: Any, raised: Exception) -> None:
    """Returns if the frame, which does not become Arrow, may be read by its `items()`; else raises why not.

    What pyarrow says of a column that pandas cannot hand over repeats a cell of it.
    """
    if _family(frame) != "pandas":
        raise raised
    if isinstance(raised, ImportError):  # pyarrow is not there
        return
    for name, column in frame.items():
        if not _becomes_arrow(column):
            message = f"column `{name}` does not become Arrow: its cells must be of one type, and it is {column.dtype}"
            raise TypeError(message)
    raise TypeError("the frame does not become Arrow: each column needs a name of its own, a text")


def _becomes_arrow(column: Any) -> bool:
    try:
        import_module("pyarrow").Array.from_pandas(column)
    except Exception:
        return False
    return True


def _family(frame: object) -> str:
    roots = (base.__module__.partition(".")[0] for base in type(frame).__mro__)
    return next((root for root in roots if root in _MAKERS), "")


def _pandas(answer: Any) -> Any:
    if isinstance(answer, dict):
        return sys.modules["pandas"].DataFrame(answer)
    return import_module("pyarrow").table(answer).to_pandas()


def _pandas_column(asked: Any, answers: Any) -> Any:
    pandas, answers = sys.modules["pandas"], list(answers)
    kind = "bool" if None not in answers else "boolean"
    names = {"index": asked.index, "name": getattr(asked, "name", None)} if hasattr(asked, "index") else {}
    return pandas.Series(answers, dtype=kind, **names)


def _polars_column(asked: Any, answers: Any) -> Any:
    name = getattr(asked, "name", None) or ""
    return sys.modules["polars"].Series(name, sys.modules["polars"].Series(answers))


_COLUMN_MAKERS: dict[str, Callable[[Any, Any], Any]] = {
    "pandas": _pandas_column,
    "polars": _polars_column,
    "pyarrow": lambda asked, answers: sys.modules["pyarrow"].array(answers),
}

_MAKERS: dict[str, Callable[[Any], Any]] = {
    "pandas": _pandas,
    "polars": lambda answer: sys.modules["polars"].DataFrame(answer),
    "pyarrow": lambda answer: sys.modules["pyarrow"].table(answer),
}
