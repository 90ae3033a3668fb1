"""Sealed files and bytes, and rows of Arrow: what goes in comes out, and what was changed does not."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import pytest
from conftest import SignIn

import zt

OUTPUT = "loan_scores_delta"
# Not as secrets of tests begin: the plain file lies on the disk.
PLAIN = b"a model of 300,000 bytes " * 12_000


@pytest.fixture
def sealed(job: zt.Session) -> bytes:
    return job.sealer(OUTPUT).seal_bytes("model.bin", PLAIN)


def test_bytes_open_under_their_name_alone(sign_in: SignIn, sealed: bytes) -> None:
    assert b"a model" not in sealed and len(sealed) > len(PLAIN)
    opener = sign_in("ines").file_opener(OUTPUT, sealed)
    assert opener.unseal_bytes("model.bin", sealed) == PLAIN
    assert opener.unseal_bytes("model.bin", bytearray(sealed)) == PLAIN
    assert opener.unseal_bytes("model.bin", memoryview(sealed)) == PLAIN
    with pytest.raises(zt.Integrity):
        opener.unseal_bytes("other.bin", sealed)


def test_an_empty_file_is_a_file(job: zt.Session, sign_in: SignIn) -> None:
    sealed = job.sealer(OUTPUT).seal_bytes("empty", b"")
    assert sign_in("ines").file_opener(OUTPUT, sealed).unseal_bytes("empty", sealed) == b""


@pytest.mark.parametrize("cut", [1, 16, 70_000])
def test_what_was_cut_or_changed_or_lengthened_does_not_open(sign_in: SignIn, sealed: bytes, cut: int) -> None:
    opener = sign_in("ines").file_opener(OUTPUT, sealed)
    changed = bytearray(sealed)
    changed[-cut] ^= 1
    for wrong in (sealed[:-cut], bytes(changed), sealed + b"\0" * cut):
        with pytest.raises(zt.Integrity) as raised:
            opener.unseal_bytes("model.bin", wrong)
        assert "a model" not in str(raised.value)


def test_who_may_not_open_is_refused(sign_in: SignIn, sealed: bytes) -> None:
    with pytest.raises(zt.Denied):
        sign_in("maya").file_opener(OUTPUT, sealed)


def test_asyncio_opens_too(sign_in: SignIn, sealed: bytes) -> None:
    opener = asyncio.run(_opener(sign_in("ines"), sealed))
    assert opener.unseal_bytes("model.bin", sealed) == PLAIN


async def _opener(session: zt.Session, sealed: bytes) -> zt.Opener:
    return await session.file_opener_async(OUTPUT, sealed)


def test_a_file_is_there_whole_or_not_at_all(job: zt.Session, sign_in: SignIn, tmp_path: Path) -> None:
    source, target, again = tmp_path / "model.bin", tmp_path / "model.bin.zt", tmp_path / "again"
    source.write_bytes(PLAIN)
    sealer = job.sealer(OUTPUT)
    assert sealer.seal_file(source, str(target)) == len(PLAIN)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with pytest.raises(zt.Invalid, match="exists already"):
        sealer.seal_file(source, target)
    assert sealer.seal_file(source, target, replace=True) == len(PLAIN)

    opener = sign_in("ines").file_opener(OUTPUT, target)
    assert opener.unseal_file(target, again, name="model.bin") == len(PLAIN)
    assert again.read_bytes() == PLAIN and stat.S_IMODE(again.stat().st_mode) == 0o600
    with pytest.raises(zt.Integrity):
        opener.unseal_file(target, tmp_path / "renamed")
    cut = tmp_path / "cut"
    cut.write_bytes(target.read_bytes()[:-1])
    with pytest.raises(zt.Integrity):
        opener.unseal_file(cut, tmp_path / "half", name="model.bin")
    assert sorted(os.listdir(tmp_path)) == ["again", "cut", "model.bin", "model.bin.zt"]


def test_what_is_no_sealed_file_says_so(job: zt.Session, sign_in: SignIn, tmp_path: Path) -> None:
    ines = sign_in("ines")
    for wrong in (b"", b"PK\3\4", os.urandom(500)):
        with pytest.raises(zt.Integrity):
            ines.file_opener(OUTPUT, wrong)
    with pytest.raises(zt.NotFound, match="nowhere"):
        ines.file_opener(OUTPUT, tmp_path / "nowhere")
    for no_file in (None, 7, ["a"]):
        with pytest.raises(TypeError, match="path of a sealed file, or its bytes"):
            ines.file_opener(OUTPUT, no_file)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="`data` must be bytes"):
            job.sealer(OUTPUT).seal_bytes("a", no_file)  # type: ignore[arg-type]


def test_tables_of_arrow_are_rows(job: zt.Session, sign_in: SignIn) -> None:
    pa = pytest.importorskip("pyarrow")
    scores = {
        "id": [70000, 70001, 70002],
        "salary_range": ["20K-30K", None, ""],
        "debt_to_income_ratio": [0.703953, 0.282445, None],
        "y_pred_proba": [1.0, 0.01, 0.5],
        "y_pred": [True, False, None],
    }
    table = pa.table(scores)
    chunked = pa.concat_tables([table.slice(0, 1), table.slice(1)])
    sealed = pa.table(job.sealer(OUTPUT).seal(chunked))
    assert "20K" not in str(sealed.to_pydict())
    assert sign_in("ines").opener(OUTPUT, sealed).unseal(sealed) == scores
    (batch,) = table.to_batches()
    again = job.sealer(OUTPUT).seal(batch)
    assert sign_in("ines").opener(OUTPUT, again).unseal(again) == scores


def test_frames_of_polars_are_rows(job: zt.Session, sign_in: SignIn) -> None:
    pl = pytest.importorskip("polars")
    scores = {"id": [1, 2], "salary_range": ["a", None], "debt_to_income_ratio": [0.5, None]}
    scores |= {"y_pred_proba": [0.25, 1.0], "y_pred": [True, None]}
    sealed = pl.DataFrame(job.sealer(OUTPUT).seal(pl.DataFrame(scores)))
    assert sign_in("ines").opener(OUTPUT, sealed).unseal(sealed) == scores
