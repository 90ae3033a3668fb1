"""What is read for an awaiter: on a thread that Python knows, beside everything else, and shown as it is allowed by then."""

from __future__ import annotations

import asyncio
import contextvars
import importlib.util
import io
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from operator import length_hint
from typing import Any

import pytest
from conftest import SignIn, World
from test_many import DATA, ROWS

import zt

GOLD = "table:gold.loan_scores"
DENY = """
[[Access_Policies]]
id = "AP-77"
principal = "user:elin"
action = "table.read"
resource = "table:gold.loan_scores"
effect = "deny"
"""

pytestmark = pytest.mark.skipif(importlib.util.find_spec("pyarrow") is None, reason="pyarrow is not installed")


def reader(before: Callable[[int], object], batches: int = 2) -> Any:
    """A lazy reader of batches of one row, before each of which something is done."""
    import pyarrow as pa

    schema = pa.schema({"id": pa.int64(), "y_pred": pa.int64()})

    def made() -> Iterator[Any]:
        for at in range(batches):
            before(at)
            yield pa.record_batch({"id": [at], "y_pred": [0]}, schema)

    return pa.RecordBatchReader.from_batches(schema, made())


GIVEN_UP = """
import asyncio, itertools, sys, time, pyarrow, zt
folder, token, how = sys.argv[1:]
elin = zt.open(folder).authenticate(token)
schema = pyarrow.schema({"id": pyarrow.int64()})
begun = []

def batches():
    for at in itertools.count():  # ends when it is closed
        begun.append(at)
        time.sleep(0.01)
        yield pyarrow.record_batch({"id": [at]}, schema)

class Lazy:
    def __arrow_c_stream__(self, requested_schema=None):
        begun.append(0)
        for _ in range(1500):
            time.sleep(0.001)
        return pyarrow.table({"id": [1]}).__arrow_c_stream__()

class Cells:
    def tolist(self):
        begun.append(0)
        return itertools.repeat(1)

async def main():
    kinds = {"batches": lambda: pyarrow.RecordBatchReader.from_batches(schema, batches()), "lazy": Lazy, "cells": lambda: {"id": Cells()}}
    rows = kinds[how]()
    asked = elin.view_async(rows, "table:gold.loan_scores")
    while not begun:
        await asyncio.sleep(0.01)
    asked.cancel()
    try:
        await asked
    except asyncio.CancelledError:
        print("given up")

asyncio.run(main())
"""


@pytest.mark.parametrize("how", ["batches", "lazy", "cells"])
def test_a_read_that_was_given_up_lets_the_interpreter_end(world: World, how: str) -> None:
    command = [sys.executable, "-c", GIVEN_UP, str(world.folder), world.token("elin"), how]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "given up\n", "")


def test_reads_that_stand_still_keep_nothing_out(sign_in: SignIn) -> None:
    elin, gate, standing = sign_in("elin"), threading.Event(), threading.Semaphore(0)

    def stand(at: int) -> None:
        if at == 0:
            standing.release()
            assert gate.wait(100)
        elin.view({"id": [1]}, GOLD)  # a reader may ask zt itself

    async def main() -> list[Any]:
        asked = [asyncio.ensure_future(elin.view_async(reader(stand), GOLD)) for _ in range(24)]
        try:
            for _ in asked:
                assert await asyncio.to_thread(standing.acquire, timeout=100)
            seen = await asyncio.wait_for(asyncio.to_thread(elin.view, {"id": [2]}, GOLD), 100)
            assert seen == {"id": [2]}
            assert await asyncio.wait_for(elin.view_async({"id": [3]}, GOLD), 100) == {"id": [3]}
            assert await asyncio.wait_for(elin.check_many_async("table.read", [GOLD]), 100) == [True]
            assert not any(one.done() for one in asked)
        finally:
            gate.set()
        return await asyncio.wait_for(asyncio.gather(*asked), 100)

    assert [seen["id"].to_pylist() for seen in asyncio.run(main())] == [[0, 1]] * 24


@pytest.mark.parametrize("is_awaited", [False, True])
def test_a_deny_that_came_during_the_read_counts(own_world: World, is_awaited: bool) -> None:
    tables = own_world.folder / "brindlewick.toml"
    with zt.open(own_world.folder) as rt:
        elin = rt.authenticate(own_world.token("elin"))

        def deny(at: int) -> None:
            if at == 1:
                tables.write_text(tables.read_text() + DENY)
                rt.reload()

        async def ask() -> Any:
            return await elin.view_async(reader(deny), GOLD)

        with pytest.raises(zt.Denied) as raised:
            asyncio.run(ask()) if is_awaited else elin.view(reader(deny), GOLD)
        assert raised.value.decision is not None and raised.value.decision.policies == ("AP-77",)


def test_a_permit_that_was_held_shows_what_is_allowed_by_then(own_world: World) -> None:
    tables = own_world.folder / "brindlewick.toml"
    rows = {"id": [1], "y_pred": [0], "y_pred_proba": [0.9]}
    with zt.open(own_world.folder) as rt:
        elin = rt.authenticate(own_world.token("elin"))
        permit = elin.require("table.read", GOLD)
        assert permit.apply(rows) == permit.apply(rows) == {"id": [1], "y_pred": [0]}
        plain = tables.read_text()
        tables.write_text(plain + DENY.replace('"deny"', '"restrict"\nmasks = { y_pred = "redact" }'))
        rt.reload()
        assert permit.apply({"id": [1], "y_pred": ["no"]}) == {"id": [1], "y_pred": ["[redacted]"]}
        tables.write_text(plain + DENY)
        rt.reload()
        for use in [lambda: permit.apply(rows), lambda: permit.select("spark", ["id"])]:
            with pytest.raises(zt.Denied) as raised:
                use()
            assert raised.value.decision is not None and raised.value.decision.policies == ("AP-77",)
        told = [entry for entry in rt.authenticate(own_world.token("priya")).audit_tail(50) if entry["resource"] == GOLD]
        assert [entry["outcome"] for entry in told if entry["kind"] == "decision"] == ["allow", "allow", "explicit_deny"]
        tables.write_text(plain)
        rt.reload()
        assert permit.apply(rows) == {"id": [1], "y_pred": [0]}
    with pytest.raises(zt.Cancelled):
        permit.apply(rows)


def test_a_permit_ends_with_its_lease(own_world: World) -> None:
    tables = own_world.folder / "brindlewick.toml"
    with zt.open(own_world.folder) as rt:
        elin = rt.authenticate(own_world.token("elin"))
        from_now = datetime.now(timezone.utc) + timedelta(seconds=5)
        tables.write_text(f'{tables.read_text()}{DENY}valid_from = "{from_now:%Y-%m-%dT%H:%M:%SZ}"\n')
        rt.reload()
        permit = elin.require("table.read", GOLD)
        lease = permit.decision.lease
        assert lease is not None and lease <= from_now
        assert permit.apply({"id": [1]}) == {"id": [1]} or datetime.now(timezone.utc) >= lease
        while datetime.now(timezone.utc) < lease:
            time.sleep(0.05)
        with pytest.raises(zt.Denied):
            permit.apply({"id": [1]})


def test_a_view_stands_once_in_the_log_where_nothing_changed(own_world: World) -> None:
    with zt.open(own_world.folder) as rt:
        rt.authenticate(own_world.token("elin")).view(reader(lambda _: None), GOLD)
        priya = rt.authenticate(own_world.token("priya"))
        views = [entry for entry in priya.audit_tail(50) if (entry["action"], entry["resource"]) == ("table.read", GOLD)]
        assert [entry["kind"] for entry in views] == ["decision"]


def test_the_thread_is_the_readers_own_with_the_context_of_the_caller(sign_in: SignIn) -> None:
    told: contextvars.ContextVar[str] = contextvars.ContextVar("told", default="")
    found: list[tuple[str, str, bool]] = []

    def look(_: int) -> None:
        thread = threading.current_thread()
        found.append((told.get(), thread.name, thread.daemon))

    async def ask() -> Any:
        told.set("of the caller")
        return await sign_in("elin").view_async(reader(look), GOLD)

    assert asyncio.run(ask())["id"].to_pylist() == [0, 1]
    assert found == [("of the caller", "zt-reading", False)] * 2


def test_what_a_column_raises_is_for_the_awaiter(sign_in: SignIn) -> None:
    class Broken:
        def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
            raise StopIteration

    async def ask() -> Any:
        return await sign_in("elin").view_async(Broken(), GOLD)

    with pytest.raises(RuntimeError, match="StopIteration"):
        asyncio.run(asyncio.wait_for(ask(), 100))
    with pytest.raises(RuntimeError, match="no running event loop"):
        sign_in("elin").view_async({"id": [1]}, GOLD)


def test_what_is_awaited_reads_no_rows_on_the_thread_of_the_loop(job: zt.Session, sign_in: SignIn) -> None:
    import pyarrow as pa

    found: set[tuple[str, str]] = set()

    def look(at: object) -> None:
        found.add((type(at).__name__, threading.current_thread().name))

    class Frame:
        def __init__(self, table: Any) -> None:
            self.table = table

        def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
            look(self)
            return self.table.__arrow_c_stream__()

    class Cells(list[Any]):
        def __iter__(self) -> Iterator[Any]:
            look(self)
            return super().__iter__()

    class File(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            look(self)
            return super().read(size)

    rows = pa.table({"salary_range": ["20K"], "debt_to_income_ratio": [0.7], "y_pred_proba": [0.9]})
    sealer, ines = job.sealer("loan_scores_delta"), sign_in("ines")
    sealed, file = sealer.seal(rows), sealer.seal_bytes("model.onnx", b"weights")

    async def ask() -> None:
        opener = await ines.opener_async("loan_scores_delta", Frame(sealed))
        assert opener.unseal(sealed) == rows
        opener = await ines.file_opener_async("loan_scores_delta", File(file))
        assert opener.unseal_bytes("model.onnx", file) == b"weights"
        with pytest.raises(zt.Invalid, match="no column is called"):
            await job.log_batch_async("car_loan_scorer", {"y_pred": Cells([1])})
        with pytest.raises(zt.Denied):
            await sign_in("maya").opener_async("loan_scores_delta", Frame(sealed))
        with pytest.raises(TypeError, match="can be read once"):
            await ines.opener_async("loan_scores_delta", reader(lambda _: None))

    asyncio.run(ask())
    assert found == {(kind, "zt-reading") for kind in ["Frame", "Cells", "File"]}


def test_a_loop_runs_on_while_lists_are_read(sign_in: SignIn) -> None:
    class Cells:
        def __init__(self, size: int) -> None:
            self.size, self.left = size, iter(range(size))

        def tolist(self) -> Iterator[int]:
            return self.left

    async def main() -> set[int]:
        cells, seen = Cells(1 << 15), set[int]()

        async def look() -> None:
            while True:
                await asyncio.sleep(0.001)
                left = length_hint(cells.left)
                if 0 < left < cells.size:  # in the midst of the cells, between which no code of Python runs
                    seen.add(left)

        looking = asyncio.ensure_future(look())
        while len(seen) < 2 and cells.size < 1 << 23:  # as long as a machine needs
            cells = Cells(cells.size * 2)
            await sign_in("elin").view_async({"id": cells}, GOLD)
        looking.cancel()
        return seen

    assert len(asyncio.run(main())) >= 2


def test_types_in_errors_tell_nothing_of_hidden_rows(zt_bin: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    import pyarrow as pa

    world = World(zt_bin, tmp_path_factory.mktemp("types"))
    tables = world.folder / "brindlewick.toml"
    tables.write_text(tables.read_text() + ROWS)
    note = {"_PL_ENUM_VALUES2": "2;eu2;us10;HIDDENWORD", "ARROW:extension:metadata": "HIDDENWORD"}
    words = pa.field("e", pa.string(), metadata=note)
    listed = pa.array([["eu"], ["us"], ["eu"]], pa.list_(words))
    ends = pa.RunEndEncodedArray.from_arrays(pa.array([3], pa.int32()), pa.array(["x"]))
    nested = pa.StructArray.from_arrays([pa.array(["a", "b", "c"]), ends], fields=[words, pa.field("r", ends.type)])
    bad = pa.Array.from_buffers(pa.string(), 3, [None, pa.py_buffer(bytes([0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0])), pa.py_buffer(b"\xff\xfe\xfd")])
    broken = pa.StructArray.from_arrays([bad], fields=[words])
    with zt.open(world.folder) as rt:
        tomasz = rt.authenticate(world.token("tomasz"))
        shown = dict(DATA)
        for name, column, says in [("region", listed, "no value is a text"), ("id", nested, "cannot be shown in part"), ("id", broken, "holds something")]:
            with pytest.raises(zt.Invalid, match=says) as raised:
                tomasz.view(pa.table({**shown, name: column}), "table:gold.regions")
            told = [str(raised.value), repr(raised.value), *getattr(raised.value, "__notes__", [])]
            assert "HIDDENWORD" not in " ".join(told), told
        with pytest.raises(zt.Invalid, match="expected a column of text") as raised:
            tomasz.check_many("table.read", listed)
        assert "HIDDENWORD" not in str(raised.value)
