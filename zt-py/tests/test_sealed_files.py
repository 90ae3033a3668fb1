"""Files and bytes, sealed and opened: whole, or not at all."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import sqlite3
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import SignIn, World

import zt

OUTPUT = "loan_scores_delta"
CONTENT = bytes(range(251)) * 1500  # six segments


@pytest.fixture
def sealer(job: zt.Session) -> zt.Sealer:
    return job.sealer(OUTPUT)


@pytest.fixture
def sealed(sealer: zt.Sealer, tmp_path: Path) -> Path:
    """A sealed file, and nothing beside it."""
    target = tmp_path / "model.onnx.zt"
    assert sealer.seal_file(io.BytesIO(CONTENT), target, name="model.onnx") == len(CONTENT)
    return target


def test_bytes_open_under_their_name_alone(sealer: zt.Sealer, sign_in: SignIn) -> None:
    for content in (b"", b"x", CONTENT, bytearray(b"weights"), memoryview(b"weights")):
        sealed = sealer.seal_bytes("model.onnx", content)
        assert type(sealed) is bytes and (len(content) < 5 or bytes(content) not in sealed)
        opener = sign_in("ines").file_opener(OUTPUT, sealed)
        assert opener.unseal_bytes("model.onnx", sealed) == content
        with pytest.raises(zt.Integrity, match="was sealed as `model.onnx`"):
            opener.unseal_bytes("other.onnx", sealed)
        for wrong in (sealed[:-1], sealed + b"x", sealed[:-1] + bytes([sealed[-1] ^ 1])):
            with pytest.raises(zt.Integrity):
                opener.unseal_bytes("model.onnx", wrong)


def test_who_may_not_open_is_denied(sealer: zt.Sealer, sign_in: SignIn) -> None:
    sealed = sealer.seal_bytes("model.onnx", b"weights")
    with pytest.raises(zt.Denied):
        sign_in("maya").file_opener(OUTPUT, sealed)


def test_a_right_to_some_columns_opens_no_file(own_world: World) -> None:
    row = '[[Access_Policies]]\nid = "AP-98"\nprincipal = "role:data_scientist"\naction = "data.open"\n'
    row += 'resource = "output:loan_scores_delta"\neffect = "allow"\ncolumns = ["id"]\n'
    with open(own_world.folder / "brindlewick.toml", "a", encoding="utf-8") as tables:
        tables.write(row)
    with zt.open(own_world.folder) as rt:
        job = rt.authenticate(own_world.token("sp-score-201")).claiming(201, 2)
        sealed = job.sealer(OUTPUT).seal_bytes("model.onnx", b"weights")
        with pytest.raises(zt.Denied, match="a file is opened whole"):
            rt.authenticate(own_world.token("maya")).file_opener(OUTPUT, sealed)


@pytest.mark.parametrize("form", [str, Path])
def test_a_file_comes_back(sealer: zt.Sealer, sign_in: SignIn, tmp_path: Path, form: Callable[[Path], Any]) -> None:
    plain, sealed, opened = (tmp_path / name for name in ("a/model.onnx", "model.zt", "b/model.onnx"))
    plain.parent.mkdir()
    opened.parent.mkdir()
    plain.write_bytes(CONTENT)
    assert sealer.seal_file(form(plain), form(sealed)) == len(CONTENT)
    opener = sign_in("ines").file_opener(OUTPUT, form(sealed))
    # Its name is that of the plain file.
    assert opener.unseal_file(form(sealed), form(opened)) == len(CONTENT)
    assert opened.read_bytes() == CONTENT
    assert stat.S_IMODE(opened.stat().st_mode) == 0o600 == stat.S_IMODE(sealed.stat().st_mode)
    with pytest.raises(zt.Integrity, match="was sealed as `model.onnx`"):
        opener.unseal_file(sealed, tmp_path / "else.onnx")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "model.zt"]


def test_a_file_that_is_there_is_replaced_on_demand_alone(sealed: Path, sign_in: SignIn) -> None:
    opener, target = sign_in("ines").file_opener(OUTPUT, sealed), sealed.with_name("model.onnx")
    target.write_bytes(b"before")
    with pytest.raises(zt.Invalid, match="exists already.*replace=True"):
        opener.unseal_file(sealed, target)
    assert target.read_bytes() == b"before"
    opener.unseal_file(sealed, target, replace=True)
    assert target.read_bytes() == CONTENT


def test_a_failure_leaves_nothing_and_replaces_nothing(sealed: Path, sign_in: SignIn) -> None:
    opener, target = sign_in("ines").file_opener(OUTPUT, sealed), sealed.with_name("model.onnx")
    target.write_bytes(b"before")
    whole = bytearray(sealed.read_bytes())
    whole[-20] ^= 1  # in the last segment: the others are released before
    sealed.write_bytes(whole)
    with pytest.raises(zt.Integrity, match="last segment of the file, 6,") as raised:
        opener.unseal_file(sealed, target, replace=True)
    assert raised.value.code == "ZT-6003"
    assert target.read_bytes() == b"before"
    assert sorted(path.name for path in sealed.parent.iterdir()) == ["model.onnx", "model.onnx.zt"]


def test_places_that_cannot_be_are_named(sealed: Path, sealer: zt.Sealer, sign_in: SignIn, tmp_path: Path) -> None:
    opener = sign_in("ines").file_opener(OUTPUT, sealed)
    with pytest.raises(zt.NotFound, match="cannot read `.*nowhere`"):
        sealer.seal_file(tmp_path / "nowhere", tmp_path / "x")
    with pytest.raises(zt.Invalid, match="cannot write `.*nowhere/model.onnx`"):
        opener.unseal_file(sealed, tmp_path / "nowhere" / "model.onnx")
    with pytest.raises(zt.Invalid, match="the file cannot be read"):
        sealer.seal_file(tmp_path, tmp_path / "x")
    with pytest.raises(zt.Invalid, match="no name in UTF-8.*name="):
        sealer.seal_file(io.BytesIO(b""), tmp_path / "x")
    with pytest.raises(zt.Invalid, match="no name in UTF-8.*name="):
        opener.unseal_file(sealed, io.BytesIO())
    with pytest.raises(zt.Integrity, match="not a sealed file"):
        sign_in("ines").file_opener(OUTPUT, io.BytesIO(b"something else"))
    for wrong in (7, b"model.onnx"):
        with pytest.raises(TypeError, match="expected a path"):
            sealer.seal_file(wrong, tmp_path / "x")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="path of a sealed file, or its bytes"):
        sign_in("ines").file_opener(OUTPUT, 7)  # type: ignore[arg-type]
    for wrong in ("weights", 7, None):
        with pytest.raises(TypeError, match="`data` must be bytes"):
            sealer.seal_bytes("model.onnx", wrong)  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx.zt"]


class Slow(io.RawIOBase):
    """Takes and gives a few bytes at a time, as pipes do."""

    def __init__(self, content: bytes = b"") -> None:
        self.inner = io.BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        return self.inner.read(min(size, 1000))

    def write(self, data: Any) -> int:
        return self.inner.write(data[:1000])


def test_file_objects_are_read_and_written(sealer: zt.Sealer, sign_in: SignIn) -> None:
    sealed, plain = Slow(), Slow()
    assert sealer.seal_file(Slow(CONTENT), sealed, name="model.onnx") == len(CONTENT)
    source = io.BytesIO(b"before" + sealed.inner.getvalue())
    source.seek(6)
    opener = sign_in("ines").file_opener(OUTPUT, source)
    assert source.tell() == 6
    assert opener.unseal_file(source, plain, name="model.onnx") == len(CONTENT)
    assert plain.inner.getvalue() == CONTENT


class Raising(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        raise ConnectionResetError("gone")

    def write(self, data: Any) -> int:
        raise ConnectionResetError("gone")


class TooMuch(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        return bytes((size or 0) + 1)

    def write(self, data: Any) -> int:
        return len(data) + 1


def test_what_a_file_object_raises_is_raised(sealer: zt.Sealer, tmp_path: Path) -> None:
    target = tmp_path / "x"
    with pytest.raises(ConnectionResetError, match="gone"):
        sealer.seal_file(Raising(), target, name="a")
    with pytest.raises(ConnectionResetError, match="gone"):
        sealer.seal_file(io.BytesIO(b"x"), Raising(), name="a")
    with pytest.raises(TypeError, match="binary mode"):
        sealer.seal_file(io.StringIO("text"), target, name="a")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="more bytes than it is asked for"):
        sealer.seal_file(TooMuch(), target, name="a")
    with pytest.raises(ValueError, match="more than it was given"):
        sealer.seal_file(io.BytesIO(b"x"), TooMuch(), name="a")
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_ends_a_file_and_leaves_nothing(sealer: zt.Sealer, tmp_path: Path) -> None:
    pipe, target = tmp_path / "pipe", tmp_path / "sealed.zt"
    os.mkfifo(pipe)

    def write() -> None:
        with open(pipe, "wb", buffering=0) as file:  # opens once the other end is
            os.kill(os.getpid(), signal.SIGINT)
            try:
                file.write(CONTENT)
            except BrokenPipeError:
                pass  # nobody reads any more

    writer = threading.Thread(target=write)
    writer.start()
    with pytest.raises(KeyboardInterrupt):
        sealer.seal_file(pipe, target, name="pipe")
    writer.join()
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_an_opener_is_awaited(sealed: Path, sign_in: SignIn) -> None:
    async def main() -> bytes:
        opener = await sign_in("ines").file_opener_async(OUTPUT, str(sealed))
        with pytest.raises(zt.Denied):
            await sign_in("maya").file_opener_async(OUTPUT, sealed.read_bytes())
        return opener.unseal_bytes("model.onnx", sealed.read_bytes())

    assert asyncio.run(main()) == CONTENT


def test_the_log_is_kept_in_sqlite_too(own_world: World) -> None:
    database = own_world.folder / "audit.db"
    with zt.open(own_world.folder, audit_sqlite_sink=database) as rt:
        rt.authenticate(own_world.token("maya")).check("model.infer", "model:car_loan_scorer")
    with sqlite3.connect(database) as opened:
        tables = [name for (name,) in opened.execute("select name from sqlite_master where type = 'table'")]
        dump = "\n".join(opened.iterdump())
    assert tables and "model.infer" in dump
