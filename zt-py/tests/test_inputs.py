"""Wrong input: an exception that says what, never a panic, a crash or a wrong answer."""

from __future__ import annotations

import datetime
import importlib.util
import inspect
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from conftest import SignIn, World

import zt

FACTS = """
[[Attributes]]
namespace = "context"
name = "zone"
type = "text"
provenance = "request"

[[Attributes]]
namespace = "row"
name = "booked"
type = "datetime"
provenance = "store"

[[Access_Policies]]
id = "AP-70"
principal = "user:tomasz"
action = "table.read"
resource = "table:gold.bookings"
effect = "allow"
rows = 'row.booked >= "2026-01-01T00:00:00Z"'
"""


def needs(package: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(importlib.util.find_spec(package) is None, reason=f"{package} is not installed")


class Odd:
    """An object of nothing in particular."""


class Raises:
    """An object that refuses to be looked at."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("do not look")


BAD = [None, 7, -1, 2**80, 1.5, math.nan, math.inf, True, b"x", "", "x", "\ud800", "a\0b", [], [None], {}, {"a": 1}, (), Odd(), Odd, Raises()]
BAD += [datetime.datetime(2026, 1, 1), datetime.date(2026, 1, 1), datetime.timedelta(1), object.__new__, range(3), iter([1]), ...]
EXPECTED = (TypeError, ValueError, OverflowError, LookupError, RuntimeError, AttributeError, zt.Error)

NOT_CALLED = {"close", "close_async", "sign_in", "sign_in_async", "on_behalf_of", "on_behalf_of_async", "workload", "workload_async"}
"""They end the fixtures' runtime, or wait for a person or the machine's identity."""


@pytest.fixture(scope="module")
def objects(zt_bin: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    world = World(zt_bin, tmp_path_factory.mktemp("inputs"))
    tables = world.folder / "brindlewick.toml"
    tables.write_text(tables.read_text() + FACTS)
    with zt.open(world.folder) as rt:
        tomasz = rt.authenticate(world.token("tomasz"))
        job = rt.authenticate(world.token("sp-score-201")).claiming(201, 2)
        permit = tomasz.require("table.read", "table:gold.bookings")
        sealer = job.sealer("loan_scores_delta")
        found: dict[str, Any] = {"Runtime": rt, "Session": tomasz, "Permit": permit, "Sealer": sealer}
        found |= {"RowFilter": permit.row_filter, "Columns": permit.columns, "Secret": job.secret("bureau-api-key")}
        found |= {"SecretHandle": job.secret_handle("bureau-api-key"), "Records": tomasz.list(), "job": job}
        yield found


def methods() -> list[tuple[str, str]]:
    kinds = [zt.Runtime, zt.Session, zt.Permit, zt.Sealer, zt.RowFilter, zt.Columns, zt.Secret, zt.SecretHandle]
    names = [(kind.__name__, name) for kind in kinds for name, value in vars(kind).items() if callable(value)]
    return [(kind, name) for kind, name in names if not name.startswith("_") and name not in NOT_CALLED]


@pytest.mark.parametrize(("kind", "name"), [pytest.param(*one, id=".".join(one)) for one in methods()])
def test_wrong_arguments_raise_what_can_be_caught(objects: dict[str, Any], kind: str, name: str) -> None:
    method = getattr(objects[kind], name)
    parameters = inspect.signature(method).parameters.values()
    required = sum(one.default is one.empty and one.kind is not one.KEYWORD_ONLY for one in parameters)
    optional = [one.name for one in parameters if one.default is not one.empty or one.kind is one.KEYWORD_ONLY]
    calls: list[Callable[[], Any]] = []
    for bad in BAD:
        calls.append(lambda bad=bad: method(*[bad] * max(required, 1)))
        calls += [lambda bad=bad, option=option: method(*["x"] * required, **{option: bad}) for option in optional]
    calls += [lambda pair=pair: method(*(pair * required)[:required]) for pair in itertools.permutations(BAD[:8], 2)]
    calls.append(lambda: method(*["x"] * (len(inspect.signature(method).parameters) + 1)))
    for call in calls:
        try:
            call()
        except EXPECTED:
            pass  # anything else, such as a panic, fails the test


@pytest.mark.parametrize("value", [None, 1.5, math.nan, b"x", datetime.datetime(2026, 1, 1), Odd(), ["x"]], ids=repr)
def test_a_fact_is_a_bool_an_int_or_a_text(objects: dict[str, Any], value: Any) -> None:
    with pytest.raises(TypeError, match="value must be a bool, int or str"):
        objects["Session"].claiming_fact("zone", value)
    assert objects["Session"].claiming_fact("zone", "eu").name == "user:tomasz"


@pytest.mark.parametrize(
    ("metrics", "error", "says"),
    [
        (None, TypeError, "metrics must be a mapping"),
        ([1], TypeError, "metrics must be a mapping"),
        ({"accuracy": None}, TypeError, "real number"),
        ({"accuracy": "0.9"}, TypeError, "real number"),
        ({"accuracy": math.inf}, zt.Invalid, "share from 0 to 1"),
        ({"accuracy": -0.1}, zt.Invalid, "share from 0 to 1"),
        ({1: 0.5}, TypeError, "a metric is named by a str"),
    ],
)
def test_what_is_no_metric_is_refused(job: zt.Session, metrics: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        job.log_metrics("car_loan_scorer", metrics, rows=5000)


def test_a_metric_that_is_no_number_is_no_good_value(job: zt.Session) -> None:
    found = job.log_metrics("car_loan_scorer", {"accuracy": math.nan}, rows=5000)
    (state,) = [state for state in found.to_dict()["states"] if state["rule"] == "AL-01"]
    assert state["state"] == "no_data" and not found.alerts


@needs("pyarrow")
def test_times_without_a_zone_are_utc(objects: dict[str, Any]) -> None:
    import pyarrow as pa

    moments = [datetime.datetime(2025, 12, 31, 23, 59), datetime.datetime(2026, 1, 1), None]
    aware = [moment and moment.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=-1))) for moment in moments]
    view = objects["Session"].view
    naive = view(pa.table({"booked": pa.array(moments, pa.timestamp("us"))}), "table:gold.bookings")
    assert naive["booked"].to_pylist() == [datetime.datetime(2026, 1, 1)]
    zoned = view(pa.table({"booked": pa.array(aware, pa.timestamp("us", "-01:00"))}), "table:gold.bookings")
    assert zoned.num_rows == 2  # an hour later in UTC, so the new year has begun
    days = view(pa.table({"booked": pa.array([datetime.date(2025, 12, 31), datetime.date(2026, 1, 1)])}), "table:gold.bookings")
    assert days.num_rows == 1
    texts = ["2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00", "soon"]  # no moment is no right
    assert view({"booked": texts}, "table:gold.bookings") == {"booked": texts[1:2]}
    with pytest.raises(TypeError, match="row 1 of column `booked` is not a bool"):
        view({"booked": moments}, "table:gold.bookings")
    with pytest.raises(zt.Invalid, match="booked"):
        view(pa.table({"booked": pa.array([[1]])}), "table:gold.bookings")


def names_of(frame: Any) -> list[str]:
    return list(getattr(frame, "column_names", None) or getattr(frame, "columns", frame))


@pytest.mark.parametrize("library", ["dict", "pandas", "polars", "pyarrow"])
def test_frames_without_rows_or_columns_are_answered(sign_in: SignIn, job: zt.Session, library: str) -> None:
    def frame(columns: dict[str, list[Any]]) -> Any:
        if library == "dict":
            return columns
        module = pytest.importorskip(library)
        pytest.importorskip("pyarrow")
        return module.table(columns) if library == "pyarrow" else module.DataFrame(columns)

    seen = sign_in("elin").view(frame({"y_pred": [], "id": [], "salary_range": []}), "table:gold.loan_scores")
    assert names_of(seen) == ["id", "y_pred"]
    assert len(sign_in("elin").view(frame({}), "table:gold.loan_scores")) == 0
    assert len(sign_in("maya").check_many("table.read", [])) == 0
    with pytest.raises(zt.Invalid, match="y_pred_proba"):
        job.sealer("loan_scores_delta").seal(frame({}))
    sealed = job.sealer("loan_scores_delta").seal(frame({"y_pred_proba": [], "salary_range": [], "debt_to_income_ratio": []}))
    assert "_zt_key" in names_of(sealed)


def test_missing_cells_stay_missing(sign_in: SignIn) -> None:
    rows = {"id": [None, 1], "y_pred": [math.nan, 0.5], "scored_at": [None, None]}
    expected = {"id": [None, 1], "y_pred": [None, 0.5], "scored_at": [None, None]}
    assert sign_in("elin").view(rows, "table:gold.loan_scores") == expected
