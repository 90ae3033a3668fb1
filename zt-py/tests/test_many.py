"""Many resources at once, lists of rights, and what is shown of a frame."""

from __future__ import annotations

import asyncio
import importlib.util
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import SignIn, World

import zt

GOLD, RAW = "table:gold.loan_scores", "table:raw.loan_applications"

ROWS = """
[[Attributes]]
namespace = "row"
name = "region"
type = "text"
provenance = "store"

[[Access_Policies]]
id = "AP-70"
principal = "user:tomasz"
action = "table.read"
resource = "table:gold.regions"
effect = "allow"
columns = ["id", "iban", "region"]
masks = { iban = "last_4" }
rows = "row.region == \\"eu\\""

[[Access_Policies]]
id = "AP-71"
principal = "user:tomasz"
action = "table.read"
resource = "table:gold.regions"
effect = "restrict"
obligations = { max_rows = 3 }
"""

DATA = {
    "id": [1, 2, 3],
    "iban": ["DE001234", "DE005678", "DE009999"],
    "region": ["eu", "us", "eu"],
    "salary": [1.0, 2.0, 3.0],
}


def needs(package: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(importlib.util.find_spec(package) is None, reason=f"{package} is not installed")


@pytest.fixture(scope="module")
def rows(zt_bin: str, tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(zt_bin, tmp_path_factory.mktemp("rows"))
    tables = world.folder / "brindlewick.toml"
    tables.write_text(tables.read_text() + ROWS)
    return world


@pytest.fixture(scope="module")
def tomasz(rows: World) -> Iterator[zt.Session]:
    world = rows
    with zt.open(world.folder) as rt:
        yield rt.authenticate(world.token("tomasz"))


def test_a_list_is_answered_as_one_by_one(sign_in: SignIn) -> None:
    maya = sign_in("maya")
    asked = [GOLD, RAW, "table:other.x", GOLD]
    assert maya.check_many("table.read", asked) == [bool(maya.check("table.read", one)) for one in asked]
    assert maya.check_many("table.read", []) == []
    assert maya.check_many("table.read", iter(asked)) == [True, False, False, True]


def test_a_list_stands_once_in_the_log(sign_in: SignIn) -> None:
    sign_in("elin").check_many("table.read", [GOLD, RAW, GOLD])
    entry = [entry for entry in sign_in("priya").audit_tail(5) if entry["action"] == "policy.check_many"][-1]
    assert (entry["caller"], entry["detail"]["rows"], entry["detail"]["distinct"]) == ("user:elin", "3", "2")
    assert entry["detail"]["denied"] == "1" and len(entry["detail"]["sha256"]) == 64


def test_what_is_asked_in_asyncio_is_read_beside_the_loop(sign_in: SignIn) -> None:
    readers: list[int] = []

    def resources() -> Iterator[str]:
        readers.append(threading.get_ident())
        yield GOLD

    def broken() -> Iterator[str]:
        yield GOLD
        raise RuntimeError("of the column")

    async def ask() -> Any:
        maya = sign_in("maya")
        later = maya.check_many_async("table.read", broken())
        with pytest.raises(RuntimeError, match="of the column"):
            await later
        return await maya.check_many_async("table.read", resources())

    assert asyncio.run(ask()) == [True] and readers != [threading.get_ident()]


def test_a_list_is_answered_in_asyncio(sign_in: SignIn) -> None:
    async def ask() -> Any:
        return await sign_in("maya").check_many_async("table.read", [GOLD, RAW])

    assert asyncio.run(ask()) == [True, False]


@pytest.mark.parametrize(
    ("resources", "says"),
    [
        (GOLD, "resources must be several, not one str"),
        (b"table:x", "resources must be several, not one str"),
        (None, "expected several resources, as a list of str"),
        (7, "expected several resources, as a list of str"),
        ([GOLD, None], "resource 2 is not a str"),
        ([GOLD, float("nan")], "resource 2 is not a str"),
        ([1], "resource 1 is not a str"),
    ],
)
def test_what_are_no_resources_is_a_type_error(sign_in: SignIn, resources: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        sign_in("maya").check_many("table.read", resources)


def test_a_wrong_resource_is_named_by_its_row(sign_in: SignIn) -> None:
    maya = sign_in("maya")
    with pytest.raises(zt.Invalid, match=r"row 2: expected `kind:path`.*nonsense"):
        maya.check_many("table.read", [GOLD, "nonsense"])
    with pytest.raises(zt.Invalid, match="row 1: `table.read` does not take a job"):
        maya.check_many("table.read", ["job:201"])
    with pytest.raises(zt.Invalid, match="table.raed"):
        maya.check_many("table.raed", [GOLD])


@needs("pyarrow")
def test_columns_of_pyarrow_are_answered_by_one(sign_in: SignIn) -> None:
    import pyarrow as pa

    maya, cells = sign_in("maya"), [GOLD, None, RAW]
    columns = [
        pa.array(cells),
        pa.array(cells, pa.large_string()),
        pa.array(cells, pa.string_view()),
        pa.array(cells).dictionary_encode(),
        pa.chunked_array([cells[:1], cells[1:]]),
        pa.chunked_array([pa.array(cells[:1]).dictionary_encode(), pa.array(cells[1:]).dictionary_encode()]),
        pa.table({"resource": cells}),
    ]
    for column in columns:
        answers = maya.check_many("table.read", column)
        assert isinstance(answers, pa.BooleanArray) and answers.to_pylist() == [True, None, False]
    assert maya.check_many("table.read", pa.array([], pa.string())).to_pylist() == []
    assert maya.check_many("table.read", pa.chunked_array([], pa.string())).to_pylist() == []
    assert maya.check_many("table.read", pa.array([None, None])).to_pylist() == [None, None]
    with pytest.raises(zt.Invalid, match="expected a column of text, plain or dictionary encoded, not Int64"):
        maya.check_many("table.read", pa.array([1]))
    with pytest.raises(zt.Invalid, match="one column was expected, and this is a table of 2"):
        maya.check_many("table.read", pa.table({"a": [GOLD], "b": [GOLD]}))


@needs("pyarrow")
def test_a_column_of_an_unknown_library_is_answered_by_answers(sign_in: SignIn) -> None:
    import pyarrow as pa

    class Column:
        def __arrow_c_array__(self, requested_schema: Any = None) -> Any:
            return pa.array([GOLD, None, RAW]).__arrow_c_array__()

    answers = sign_in("maya").check_many("table.read", Column())
    assert isinstance(answers, zt.Answers)
    assert list(answers) == answers.to_list() == [True, None, False]
    assert (len(answers), answers.num_allowed, answers[-1], repr(answers)) == (3, 1, False, "Answers(3 rows, 1 allowed)")
    assert pa.array(answers).to_pylist() == pa.array(answers).to_pylist() == [True, None, False]
    for at in (3, -4):
        with pytest.raises(IndexError):
            answers[at]


@needs("polars")
def test_columns_of_polars_are_answered_by_one(sign_in: SignIn) -> None:
    import polars as pl

    maya = sign_in("maya")
    answers = maya.check_many("table.read", pl.Series("table", [GOLD, None, RAW]))
    assert isinstance(answers, pl.Series) and (answers.name, answers.to_list()) == ("table", [True, None, False])
    words = pl.Series([GOLD, RAW, GOLD], dtype=pl.Categorical)
    assert maya.check_many("table.read", words).to_list() == [True, False, True]
    assert maya.check_many("table.read", pl.Series([])).to_list() == []
    assert maya.check_many("table.read", pl.Series([None])).to_list() == [None]
    frame = pl.DataFrame({"table": [GOLD, RAW]})
    assert frame.filter(maya.check_many("table.read", frame["table"])).height == 1


@needs("pandas")
def test_columns_of_pandas_keep_their_index(sign_in: SignIn) -> None:
    import pandas as pd

    maya = sign_in("maya")
    answers = maya.check_many("table.read", pd.Series([GOLD, RAW], index=[7, 8], name="table"))
    assert isinstance(answers, pd.Series) and answers.to_dict() == {7: True, 8: False}
    assert (answers.name, answers.dtype) == ("table", "bool")
    missing = maya.check_many("table.read", pd.Series([GOLD, None]))
    assert missing.dtype == "boolean" and missing.isna().tolist() == [False, True]
    frame = pd.DataFrame({"table": [GOLD, RAW]})
    assert len(frame[maya.check_many("table.read", frame["table"])]) == 1
    # A frame of one column, after a filter: its index is no column.
    for index in ([7, 8], ["a", "b"], pd.MultiIndex.from_tuples([(1, 2), (3, 4)])):
        answers = maya.check_many("table.read", frame.set_axis(index))
        assert list(answers) == [True, False] and answers.index.equals(frame.set_axis(index).index)
    assert list(frame.index) == [0, 1]


@needs("pyarrow")
def test_other_threads_run_while_many_are_checked(sign_in: SignIn) -> None:
    import pyarrow as pa

    column = pa.array([f"table:some.table_{at}" for at in range(200_000)])
    ticks, stop = [0], threading.Event()

    def tick() -> None:
        while not stop.wait(0.0005):
            ticks[0] += 1

    thread = threading.Thread(target=tick)
    thread.start()
    before = ticks[0]
    answers = sign_in("maya").check_many("table.read", column)
    during = ticks[0] - before
    stop.set()
    thread.join()
    assert len(answers) == 200_000 and during > 20  # a call that holds the interpreter lets one through, at its end


@needs("pyarrow")
def test_many_answers_have_no_truth(sign_in: SignIn) -> None:
    import pyarrow as pa

    class Column:
        def __init__(self, *cells: str) -> None:
            self.cells = pa.array(cells, pa.string())

        def __arrow_c_array__(self, requested_schema: Any = None) -> Any:
            return self.cells.__arrow_c_array__()

    for cells in ((), (RAW,), (GOLD,), (GOLD, RAW)):
        with pytest.raises(TypeError, match="neither yes nor no"):
            bool(sign_in("maya").check_many("table.read", Column(*cells)))


@needs("pyarrow")
def test_a_row_that_is_missing_as_a_whole_is_refused(sign_in: SignIn) -> None:
    import pyarrow as pa

    column = pa.StructArray.from_arrays([pa.array([GOLD, GOLD])], names=["a"], mask=pa.array([False, True]))
    with pytest.raises(zt.Invalid, match="missing as a whole"):
        sign_in("maya").check_many("table.read", column)
    whole = pa.StructArray.from_arrays([pa.array([GOLD, None])], names=["a"])
    assert sign_in("maya").check_many("table.read", whole).to_pylist() == [True, None]


def test_a_caller_lists_its_own_rights(sign_in: SignIn) -> None:
    maya = sign_in("maya")
    cells = maya.list()
    assert {(cell["action"], cell["resource"]) for cell in cells} == {("model.infer", "model:car_loan_scorer"), ("table.read", GOLD)}
    assert cells.next is None and isinstance(cells, zt.Records)
    first = maya.list(limit=1)
    rest = maya.list(after=first.next)
    assert first.next is not None and [*first, *rest] == list(cells)


def test_rights_are_listed_in_asyncio(sign_in: SignIn) -> None:
    async def ask() -> tuple[zt.Records, zt.Records]:
        priya = sign_in("priya")
        return await priya.list_async("audit.read"), await priya.list_everybody_async(GOLD, "table.read")

    own, everybody = asyncio.run(ask())
    assert [cell["resource"] for cell in own] == ["audit:log"] and len(everybody) == 3


def test_who_lists_others_needs_the_right(sign_in: SignIn) -> None:
    who = {cell["principal"] for cell in sign_in("priya").list_everybody(GOLD, "table.read")}
    assert {"group:grp-data-science", "group:grp-credit-analysts"} <= who
    for ask in (
        lambda maya: maya.list_everybody(GOLD),
        lambda maya: maya.list("table.read", GOLD, with_denied=True),
        lambda maya: maya.list("table.read", GOLD, in_stages=True),
    ):
        with pytest.raises(zt.Denied):
            ask(sign_in("maya"))
    with pytest.raises(zt.Invalid, match="needs a resource"):
        sign_in("maya").list(with_denied=True)
    with pytest.raises(zt.Invalid, match="resource `nonsense`"):
        sign_in("maya").list("table.read", "nonsense")
    for limit in (-1, 1.5, None, "9"):
        with pytest.raises((TypeError, OverflowError)):
            sign_in("maya").list(limit=limit)  # type: ignore[arg-type]


def test_rows_and_columns_and_masks_are_one_view(tomasz: zt.Session) -> None:
    shown = {"id": [1, 3], "iban": ["****1234", "****9999"], "region": ["eu", "eu"]}
    assert tomasz.view(DATA, "table:gold.regions") == shown
    assert tomasz.require("table.read", "table:gold.regions").apply(DATA) == shown

    async def ask() -> Any:
        return await tomasz.view_async(DATA, "table:gold.regions")

    assert asyncio.run(ask()) == shown


@needs("pyarrow")
def test_a_view_is_of_the_kind_that_was_asked(tomasz: zt.Session) -> None:
    import pyarrow as pa

    shown = tomasz.view(DATA, "table:gold.regions")
    table = pa.table(DATA)
    for rows in (table, pa.Table.from_batches(table.to_batches() * 1), table.to_reader()):
        seen = tomasz.view(rows, "table:gold.regions")
        assert isinstance(seen, pa.Table) and seen.to_pydict() == shown
    words = table.set_column(2, "region", table["region"].dictionary_encode())
    seen = tomasz.view(words, "table:gold.regions")
    assert seen["region"].combine_chunks().dictionary.to_pylist() == ["eu"]  # not what hidden rows hold
    empty = tomasz.view(table.slice(0, 0), "table:gold.regions")
    assert (empty.num_rows, empty.column_names) == (0, ["id", "iban", "region"])

    class Frame:
        def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
            return table.__arrow_c_stream__()

    assert repr(tomasz.view(Frame(), "table:gold.regions")) == "Table(2 rows: id, iban, region)"


@needs("polars")
def test_a_view_of_polars(tomasz: zt.Session) -> None:
    import polars as pl

    seen = tomasz.view(pl.DataFrame(DATA), "table:gold.regions")
    assert isinstance(seen, pl.DataFrame) and seen.to_dict(as_series=False) == tomasz.view(DATA, "table:gold.regions")
    # What polars knows no type of, at any depth.
    nested = [{"a": None, "b": [None]}] * 3
    frame = pl.DataFrame(DATA | {"none": [None] * 3, "list": [[None], [], None], "nested": nested})
    assert tomasz.view(frame, "table:gold.regions").equals(seen)
    assert tomasz.view(frame.select("list", "nested", "id", "region"), "table:gold.regions").columns == ["id", "region"]


@needs("pandas")
@needs("pyarrow")
def test_a_view_of_pandas_hides_an_index_that_is_no_visible_column(tomasz: zt.Session) -> None:
    import pandas as pd

    shown = tomasz.view(DATA, "table:gold.regions")
    frame = pd.DataFrame(DATA)
    for rows in (frame, frame.set_index(pd.Index(["x", "y", "z"], name="customer")), frame.set_index(pd.Index(["x", "y", "z"]))):
        seen = tomasz.view(rows, "table:gold.regions")
        assert isinstance(seen, pd.DataFrame) and seen.to_dict("list") == shown and list(seen.index) == [0, 1]
    by_id = tomasz.view(frame.assign(id=[4, 8, 9]).set_index("id"), "table:gold.regions")
    assert by_id.index.name == "id" and list(by_id.index) == [4, 9]
    assert list(tomasz.view(frame.iloc[:0], "table:gold.regions").columns) == ["id", "iban", "region"]


def test_a_view_that_is_too_large_is_refused_whole(tomasz: zt.Session) -> None:
    crowd = {name: cells * 2 for name, cells in DATA.items()}
    frames: list[Any] = [crowd]
    if importlib.util.find_spec("pyarrow"):
        import pyarrow as pa

        frames.append(pa.table(crowd))
    for rows in frames:
        with pytest.raises(zt.Denied, match=r"4 rows, and at most 3 may be shown at once \(AP-71\)") as raised:
            tomasz.view(rows, "table:gold.regions")
        assert raised.value.decision is not None


def test_a_view_that_is_denied_reads_nothing(sign_in: SignIn) -> None:
    pulled: list[int] = []

    def cells() -> Iterator[int]:
        pulled.append(1)
        yield 1

    with pytest.raises(zt.Denied) as raised:
        sign_in("maya").view({"id": cells()}, RAW)
    assert pulled == [] and sign_in("maya").view({"id": cells()}, GOLD) == {"id": [1]} and pulled == [1]
    assert raised.value.decision is not None and raised.value.decision.policies == ("AP-02",)
    for rows in (None, 7, [1], "text", {"id": "text"}):
        with pytest.raises(TypeError):
            sign_in("maya").view(rows, GOLD)
    with pytest.raises(TypeError):
        sign_in("maya").view(DATA, None)  # type: ignore[arg-type]


@needs("pyarrow")
def test_the_policy_is_asked_before_a_reader_is_pulled(sign_in: SignIn) -> None:
    import pyarrow as pa

    pulled: list[int] = []
    schema = pa.schema({"id": pa.int64()})

    def batches(*, ends: bool) -> Iterator[Any]:
        pulled.append(1)
        yield pa.record_batch({"id": [1]}, schema)
        if not ends:
            raise ValueError("invalid value 'SALARY90000'")

    def reader(*, ends: bool = False) -> Any:
        return pa.RecordBatchReader.from_batches(schema, batches(ends=ends))

    async def ask(who: str, rows: Any, resource: str) -> Any:
        return await sign_in(who).view_async(rows, resource)

    for call in (lambda: sign_in("maya").view(reader(), RAW), lambda: asyncio.run(ask("maya", reader(), RAW))):
        with pytest.raises(zt.Denied):
            call()
        assert pulled == []
    for call in (lambda: sign_in("elin").view(reader(), GOLD), lambda: asyncio.run(ask("elin", reader(), GOLD))):
        with pytest.raises(zt.Invalid, match="failed in the midst of it") as raised:
            call()
        told = [str(raised.value), repr(vars(raised.value)), *getattr(raised.value, "__notes__", [])]
        assert not [text for text in told if "SALARY" in text]
    assert len(pulled) == 2
    assert asyncio.run(ask("elin", reader(ends=True), GOLD)).to_pydict() == {"id": [1]}


def test_rows_that_are_none_are_told_to_who_awaits(sign_in: SignIn) -> None:
    async def ask() -> Any:
        return await sign_in("elin").view_async({"id": [object()]}, GOLD)

    with pytest.raises(TypeError, match="row 1 of column `id`"):
        asyncio.run(ask())


WORDS = ["eu", "us"]


@needs("polars")
@needs("pyarrow")
def test_an_enumeration_tells_nothing_of_hidden_rows(tomasz: zt.Session) -> None:
    import polars as pl

    frame = pl.DataFrame(DATA).with_columns(pl.col("region").cast(pl.Enum(WORDS)))
    seen = tomasz.view(frame, "table:gold.regions")
    assert seen["region"].to_list() == ["eu", "eu"] and "us" not in str(seen["region"].dtype)
    listed = pl.DataFrame(DATA).with_columns(pl.concat_list(pl.col("region").cast(pl.Enum(WORDS))).alias("id"))
    assert "us" in str(listed.schema["id"])
    seen = tomasz.view(listed, "table:gold.regions")
    assert seen["id"].to_list() == [["eu"], ["eu"]] and "us" not in str(seen.schema["id"])


@needs("pandas")
@needs("pyarrow")
def test_notes_of_a_schema_stay_behind_with_what_is_hidden(tomasz: zt.Session, sign_in: SignIn) -> None:
    import pandas as pd
    import pyarrow as pa

    table = pa.table(DATA).replace_schema_metadata({"huggingface": "names of salaries"})
    assert tomasz.view(table, "table:gold.regions").schema.metadata is None
    assert tomasz.view(table.select(["id", "iban", "region"]), "table:gold.regions").schema.metadata is None
    whole = pa.table({"id": [1], "y_pred": [0]}).replace_schema_metadata({"note": "of all that is shown"})
    assert sign_in("elin").view(whole, GOLD).schema.metadata == {b"note": b"of all that is shown"}
    frame = pd.DataFrame(DATA)
    frame.attrs = {"salary_by_id": {"2": 2.0}}
    assert pa.Table.from_pandas(frame).to_pandas().attrs == frame.attrs
    frame["region"] = frame["region"].astype("category")
    seen = tomasz.view(frame, "table:gold.regions")
    assert seen.attrs == {} and list(seen["region"].cat.categories) == ["eu"]
    assert b"num_categories" not in tomasz.view(pa.Table.from_pandas(frame), "table:gold.regions").schema.metadata[b"pandas"]


SIGNALS = """
import signal, sys, zt
folder, token = sys.argv[1:]
permit = zt.open(folder).authenticate(token).require("table.read", "table:gold.regions")
heard = []
signal.signal(signal.SIGALRM, lambda *_: heard.append(1))

def times(call):
    heard.clear()
    signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
    try:
        call()
    except zt.Denied:
        pass
    finally:
        count = len(heard)
        signal.setitimer(signal.ITIMER_REAL, 0)
    return count

def most(rows_of):
    count, size = 0, 1 << 15
    while count < 4 and size < 1 << 23:
        rows = rows_of(size)
        count = times(lambda: permit.apply(rows))
        size *= 2
    return count
"""


@needs("pyarrow")
@pytest.mark.parametrize(
    "made",
    [
        'pyarrow.table({"id": pyarrow.array(range(size)), "iban": ["DE001234"] * size, "region": ["us", "eu"] * (size // 2)})',
        '{"id": list(range(size)), "region": ["us"] * size, "x": ["a"] * size, "y": ["a"] * size, "z": ["a"] * size}',
    ],
)
def test_signals_are_heard_while_a_permit_is_applied(rows: World, made: str) -> None:
    # What hears none lets one through, as it returns to Python.
    script = SIGNALS + f"import pyarrow\nprint(most(lambda size: {made}) >= 4)"
    command = [sys.executable, "-c", script, str(rows.folder), rows.token("tomasz")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert ran.stdout == "True\n", ran.stderr


def test_a_view_without_the_column_that_the_policy_looks_at_is_refused(tomasz: zt.Session) -> None:
    with pytest.raises(zt.Invalid, match="region"):
        tomasz.view({"id": [1]}, "table:gold.regions")


def test_what_may_be_seen_is_told_to_engines(tomasz: zt.Session) -> None:
    permit = tomasz.require("table.read", "table:gold.regions")
    rows = permit.row_filter
    assert (rows.is_all, str(rows)) == (False, 'row.region == "eu"')
    assert rows.to_dict() == {"column": "region", "type": "text", "test": "==", "wanted": True, "value": "eu"}
    assert "`region`" in rows.to_sql() == rows.to_sql("spark") and "[region]" in rows.to_sql("tsql")
    selection = permit.select("spark", list(DATA))
    assert len(selection.columns) == 3 and "'****'" in selection.columns[1] and selection.filter == rows.to_sql()
    assert "iban" in repr(selection)
    for call in (lambda: rows.to_sql("oracle"), lambda: permit.select("oracle", ["id"])):  # type: ignore[arg-type]
        with pytest.raises(zt.Invalid, match="one of spark, tsql, datafusion"):
            call()
    with pytest.raises(TypeError):
        permit.select("spark", "id")


@needs("pyarrow")
def test_what_a_column_claims_to_be_is_looked_at(sign_in: SignIn) -> None:
    import pyarrow as pa

    maya = sign_in("maya")

    def text(offsets: list[int], data: bytes) -> Any:
        ends = pa.array(offsets, pa.int32()).buffers()[1]
        return pa.Array.from_buffers(pa.string(), len(offsets) - 1, [None, ends, pa.py_buffer(data)])

    size, path = len(GOLD), "table:gold.ö".encode()
    assert maya.check_many("table.read", text([0, size, size * 2], GOLD.encode() * 2)).to_pylist() == [True, True]
    assert maya.check_many("table.read", text([0, size, size + len(path)], GOLD.encode() + path)).to_pylist() == [True, False]
    keys = pa.array([0, 1, 0, None], pa.int8())
    whole = pa.DictionaryArray.from_arrays(keys, pa.array([GOLD, RAW]))
    assert maya.check_many("table.read", whole).to_pylist() == [True, False, True, None]
    beyond = pa.DictionaryArray.from_arrays(pa.array([0, 2], pa.int8()), pa.array([GOLD, RAW]), safe=False)
    below = pa.DictionaryArray.from_arrays(pa.array([0, -1], pa.int8()), pa.array([GOLD, RAW]), safe=False)
    for bad in [
        text([0, size, 5, size], GOLD.encode()),
        text([0, len(path) - 1, len(path)], path),
        text([0, size], b"\xff" * size),
        beyond,
        below,
        pa.DictionaryArray.from_arrays(keys, text([0, 3, 6], b"\xff" * 6)),
    ]:
        with pytest.raises(zt.Invalid, match="holds something that its type is not"):
            maya.check_many("table.read", bad)
