"""Frames of Arrow are sealed and opened as what they are, whatever library they are of."""

from __future__ import annotations

import datetime
import decimal
from typing import Any

import pytest
from conftest import SignIn, World

import zt

pa = pytest.importorskip("pyarrow")

OUTPUT = "loan_scores_delta"
SEALED = ("y_pred_proba", "salary_range", "debt_to_income_ratio")

# Maya may open some columns, one of them masked, and few rows at once; cells are bound to their rows.
RIGHTS = """
[[Access_Policies]]
id = "AP-97"
principal = "role:data_scientist"
action = "data.open"
resource = "output:loan_scores_delta"
effect = "allow"
columns = ["id", "salary_range", "debt_to_income_ratio"]
masks = { salary_range = "redact" }
[[Access_Policies]]
id = "AP-98"
principal = "role:data_scientist"
action = "data.open"
resource = "output:**"
effect = "restrict"
obligations = { max_rows = 3 }
"""


def scores(rows: int = 3, **columns: Any) -> Any:
    return pa.table(
        {
            "id": pa.array(range(rows), pa.int32()),
            "y_pred_proba": pa.array([row / 8 if row % 3 else None for row in range(rows)]),
            "salary_range": pa.array(["zt-needle-20K" if row % 2 else None for row in range(rows)]),
            "debt_to_income_ratio": pa.array([0.5] * rows, pa.float32()),
        }
        | columns
    )


def seal_and_open(job: zt.Session, reader: zt.Session, frame: Any) -> tuple[Any, Any]:
    sealed = job.sealer(OUTPUT).seal(frame)
    return sealed, reader.opener(OUTPUT, sealed).unseal(sealed)


def test_a_table_of_pyarrow_comes_back_as_it_was(job: zt.Session, sign_in: SignIn) -> None:
    table = scores()
    sealed, opened = seal_and_open(job, sign_in("ines"), table)
    assert type(sealed) is pa.Table and "needle" not in str(sealed.to_pydict())
    assert [str(sealed.schema.field(name).type) for name in SEALED] == ["string"] * 3
    assert sealed.column_names[-1] == "_zt_key" and sealed["id"] == table["id"]
    assert type(opened) is pa.Table and opened.equals(table) and opened.schema == table.schema


def test_batches_and_readers_are_tables_of_pyarrow(job: zt.Session, sign_in: SignIn) -> None:
    table = scores()
    for frame in (table.to_batches()[0], table.to_reader()):
        _, opened = seal_and_open(job, sign_in("ines"), frame)
        assert opened.equals(table)


def test_polars_comes_back_as_polars(job: zt.Session, sign_in: SignIn) -> None:
    pl = pytest.importorskip("polars")
    frame = pl.from_arrow(scores())
    frame = pl.concat([frame, frame.with_columns(id=pl.col("id") + 3)], rechunk=False)
    sealed, opened = seal_and_open(job, sign_in("ines"), frame)
    assert type(sealed) is pl.DataFrame and type(opened) is pl.DataFrame
    assert sealed.schema["salary_range"] == pl.String and "needle" not in str(sealed.to_dict(as_series=False))
    assert opened.equals(frame) and opened.schema == frame.schema
    shuffled = sealed.sample(fraction=1.0, shuffle=True, seed=1)
    assert sign_in("ines").opener(OUTPUT, shuffled).unseal(shuffled).sort("id").equals(frame)


def test_pandas_comes_back_as_pandas_with_its_index(job: zt.Session, sign_in: SignIn) -> None:
    pd = pytest.importorskip("pandas")
    frame = scores().to_pandas()
    frame["label"] = pd.array([1, None, 3], dtype="Int64")
    frame["y_pred_proba"] = pd.array([1, 2, 3], dtype="Int64")
    frame.index = pd.Index(["c", "a", "b"], name="loan")
    sealed, opened = seal_and_open(job, sign_in("ines"), frame)
    assert type(sealed) is pd.DataFrame and "needle" not in sealed.to_csv()
    assert sealed["y_pred_proba"].str.startswith("zt1.").all() and str(sealed["label"].dtype) == "Int64"
    assert list(sealed.index) == ["c", "a", "b"] and sealed.index.name == "loan"
    assert type(opened) is pd.DataFrame
    # Of a sealed column the type of Arrow comes back; that pandas had an own one is not sealed.
    pd.testing.assert_frame_equal(opened, frame.astype({"y_pred_proba": "int64"}))
    assert not sign_in("ines").opener(OUTPUT, sealed.sort_index()).unseal(sealed.sort_index())["id"].tolist() == [0, 1, 2]


def test_pandas_without_pyarrow_is_read_by_its_items(
    job: zt.Session, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(scores().to_pydict())

    def missing(*_: object) -> None:
        raise ImportError("Missing optional dependency 'pyarrow'")

    monkeypatch.setattr(pd.DataFrame, "__arrow_c_stream__", missing)
    sealed, opened = seal_and_open(job, sign_in("ines"), frame)
    assert type(sealed) is pd.DataFrame and "needle" not in sealed.to_csv()
    pd.testing.assert_frame_equal(opened, frame)


def test_a_mixed_column_of_pandas_is_named_and_not_repeated(job: zt.Session) -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"id": [1, 2], "salary_range": [1, "zt-needle-20K"]})
    with pytest.raises(TypeError, match="column `salary_range` does not become Arrow") as raised:
        job.sealer(OUTPUT).seal(frame)
    shown = f"{raised.value!r} {raised.value.__context__!r} {raised.value.__cause__!r}"
    assert "needle" not in shown
    frame.columns = ["id", "id"]
    with pytest.raises(TypeError, match="name of its own"):
        job.sealer(OUTPUT).seal(frame[["id"]].astype(str))


class Producer:
    """Of a library that zt does not know."""

    def __init__(self, table: Any) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        return self.table.__arrow_c_stream__(requested_schema)


class BatchProducer:
    def __init__(self, batch: Any) -> None:
        self.batch = batch

    def __arrow_c_array__(self, requested_schema: object = None) -> Any:
        return self.batch.__arrow_c_array__(requested_schema)


def test_an_unknown_library_gets_a_table_that_all_can_read(job: zt.Session, sign_in: SignIn) -> None:
    table = scores()
    sealed, opened = seal_and_open(job, sign_in("ines"), Producer(table))
    assert type(sealed) is zt.Table and type(opened) is zt.Table
    assert opened.column_names == table.column_names and opened.num_rows == len(opened) == 3
    assert repr(opened) == "Table(3 rows: id, y_pred_proba, salary_range, debt_to_income_ratio)"
    # As often as it is asked, also with a wish for a schema.
    assert pa.table(opened).equals(table) and pa.table(opened, schema=table.schema).equals(table)
    _, opened = seal_and_open(job, sign_in("ines"), BatchProducer(table.to_batches()[0]))
    assert pa.table(opened).equals(table)
    pl = pytest.importorskip("polars")
    assert pl.DataFrame(opened).equals(pl.from_arrow(table))


HARD = {
    "null": pa.nulls(3),
    "list": pa.array([[1, None], [], None], pa.list_(pa.int16())),
    "deep": pa.array([{"a": [{"b": "x"}]}, None, {"a": None}]),
    "map": pa.array([[("k", 1)], [], None], pa.map_(pa.string(), pa.int64())),
    "dictionary": pa.array(["x", None, "x"]).dictionary_encode(),
    "decimal": pa.array([decimal.Decimal("-1.50"), None, decimal.Decimal("0.01")], pa.decimal128(12, 2)),
    "moment": pa.array([datetime.datetime(2019, 3, 31, 2, 30), None, None], pa.timestamp("us", "Europe/Berlin")),
    "day": pa.array([datetime.date(2019, 3, 31), None, None]),
    "bytes": pa.array([b"\x00\xff", b"", None], pa.large_binary()),
    "view": pa.array(["short", "long enough to lie elsewhere", None], pa.string_view()),
    "sliced": pa.array([True, False, None, True])[1:],
}


@pytest.mark.parametrize("kind", HARD)
def test_every_type_comes_back_exactly(job: zt.Session, sign_in: SignIn, kind: str) -> None:
    table = scores(y_pred_proba=HARD[kind])
    _, opened = seal_and_open(job, sign_in("ines"), table)
    assert opened.schema.field("y_pred_proba").type == table.schema.field("y_pred_proba").type
    assert opened.to_pydict() == table.to_pydict()


def test_chunks_are_one_table_though_their_dictionaries_differ(job: zt.Session, sign_in: SignIn) -> None:
    parts = []
    for first in (0, 100):
        words = pa.array([f"w{number}" for number in range(first, first + 100)])
        codes = pa.DictionaryArray.from_arrays(pa.array(range(100), pa.int8()), words)
        parts.append(scores(100, salary_range=codes, id=pa.array(range(first, first + 100))))
    table = pa.concat_tables(parts)
    with pytest.raises(zt.Invalid, match="column `salary_range` does not fit in one piece"):
        job.sealer(OUTPUT).seal(table)
    table = pa.concat_tables([parts[0], parts[1].slice(0, 20)])
    assert table["salary_range"].num_chunks == 2
    _, opened = seal_and_open(job, sign_in("ines"), table)
    assert opened.to_pydict() == table.to_pydict()


def test_a_table_without_rows_keeps_its_columns(job: zt.Session, sign_in: SignIn) -> None:
    for table in (scores(0), scores().schema.empty_table()):
        sealed = job.sealer(OUTPUT).seal(table)
        assert sealed.num_rows == 0 and sealed.column_names == [*table.column_names, "_zt_key"]
        opened = sign_in("ines").opener(OUTPUT, sealed).unseal(sealed)
        assert opened.num_rows == 0 and opened.column_names == table.column_names


INVALID_TEXT = pa.StringArray.from_buffers(2, pa.py_buffer(b"\0\0\0\0\2\0\0\0\4\0\0\0"), pa.py_buffer(b"ok\xff\xfe"))


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (pa.table({}), "seals column `y_pred_proba`"),
        (pa.chunked_array([[1]]), "a single column"),
        (pa.array([{"id": 1}, None]), "a row of the table is missing as a whole"),
        (scores(2, salary_range=INVALID_TEXT), "column `salary_range` holds something that is no Utf8"),
        (scores().rename_columns(["id", "ID", "salary_range", "y_pred_proba"]), "case does not tell them apart"),
    ],
    ids=["no columns", "no table", "no row", "no text", "names"],
)
def test_what_is_no_table_is_refused(job: zt.Session, frame: Any, says: str) -> None:
    with pytest.raises(zt.Invalid, match=says):
        job.sealer(OUTPUT).seal(frame)


def test_a_type_that_cannot_be_sealed_is_named_with_its_column(job: zt.Session) -> None:
    codes = pa.RunEndEncodedArray.from_arrays(pa.array([3], pa.int32()), pa.array(["x"]))
    with pytest.raises(zt.Invalid, match="salary_range"):
        job.sealer(OUTPUT).seal(scores(salary_range=codes))


def test_an_exception_of_the_producer_is_raised(job: zt.Session) -> None:
    class Broken:
        def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
            raise LookupError("gone")

    class Wrong:
        def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
            return scores().schema.__arrow_c_schema__()

    class Used:
        def __init__(self) -> None:
            self.capsule = scores().__arrow_c_stream__()
            pa.RecordBatchReader._import_from_c_capsule(self.capsule)

        def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
            return self.capsule

    with pytest.raises(LookupError, match="gone"):
        job.sealer(OUTPUT).seal(Broken())
    with pytest.raises(ValueError, match="incorrect name"):
        job.sealer(OUTPUT).seal(Wrong())
    with pytest.raises(zt.Invalid, match="read already"):
        job.sealer(OUTPUT).seal(Used())


def test_cells_may_be_stored_as_bytes(job: zt.Session, sign_in: SignIn) -> None:
    sealer, table = job.sealer(OUTPUT), scores()
    sealed = sealer.seal(table, store="bytes")
    assert [sealed.schema.field(name).type for name in SEALED] == [pa.binary()] * 3
    assert sealed.nbytes < sealer.seal(table, store="text").nbytes
    assert sign_in("ines").opener(OUTPUT, sealed).unseal(sealed).equals(table)
    with pytest.raises(zt.Invalid, match="rows of lists are sealed as text"):
        sealer.seal(table.to_pydict(), store="bytes")  # type: ignore[call-overload]
    with pytest.raises(zt.Invalid, match='"text" or "bytes"'):
        sealer.seal(table, store="csv")  # type: ignore[call-overload]


def test_what_can_be_read_once_makes_no_opener(job: zt.Session, sign_in: SignIn) -> None:
    sealed = job.sealer(OUTPUT).seal(scores())
    with pytest.raises(TypeError, match="make it a table first"):
        sign_in("ines").opener(OUTPUT, sealed.to_reader())
    opened = sign_in("ines").opener(OUTPUT, sealed).unseal(sealed.to_reader())
    assert opened.equals(scores())


def test_rights_on_columns_masks_and_rows_hold(own_world: World) -> None:
    tables = own_world.folder / "brindlewick.toml"
    rule = 'key = "scores-kek"\n'
    assert tables.read_text().count(rule) == 1
    tables.write_text(tables.read_text().replace(rule, rule + 'row_key = ["id"]\n') + RIGHTS)
    with zt.open(own_world.folder) as rt:
        job = rt.authenticate(own_world.token("sp-score-201")).claiming(201, 2)
        maya = rt.authenticate(own_world.token("maya"))
        sealed, opened = seal_and_open(job, maya, scores())
        assert opened.column_names == ["id", "salary_range", "debt_to_income_ratio"]
        assert opened["salary_range"].to_pylist() == [None, "[redacted]", None]
        assert opened["debt_to_income_ratio"].equals(scores()["debt_to_income_ratio"])

        # Four rows in two chunks are four rows.
        more = job.sealer(OUTPUT).seal(scores(4))
        chunks = pa.concat_tables([more.slice(0, 2), more.slice(2)])
        with pytest.raises(zt.Denied, match="3"):
            maya.opener(OUTPUT, chunks).unseal(chunks)

        opener = maya.opener(OUTPUT, sealed)
        cells = sealed["debt_to_income_ratio"].to_pylist()
        swapped = pa.array([cells[1], cells[0], cells[2]])
        moved = sealed.set_column(3, "debt_to_income_ratio", swapped)
        with pytest.raises(zt.Integrity, match="row 1 of column `debt_to_income_ratio`"):
            opener.unseal(moved)
        other = sealed.set_column(3, "debt_to_income_ratio", sealed["y_pred_proba"])
        with pytest.raises(zt.Integrity, match="row 1 of column `debt_to_income_ratio`"):
            opener.unseal(other)


def test_what_arrow_seals_opens_as_lists_and_the_other_way(job: zt.Session, sign_in: SignIn) -> None:
    table = scores(debt_to_income_ratio=pa.array([0.5, None, 1.5]))
    sealed = job.sealer(OUTPUT).seal(table).to_pydict()
    assert sign_in("ines").opener(OUTPUT, sealed).unseal(sealed) == table.to_pydict()
    sealed = pa.table(job.sealer(OUTPUT).seal(table.to_pydict()))
    assert sign_in("ines").opener(OUTPUT, sealed).unseal(sealed).to_pydict() == table.to_pydict()
