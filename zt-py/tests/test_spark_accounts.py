"""What the driver does with accounts of executors, without a Spark: an observation is a thing with `get`."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import World

import zt
import zt.spark


class Observation:
    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers = list(answers)

    @property
    def get(self) -> dict[str, Any]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture(scope="module")
def own(zt_bin: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[zt.Runtime, World]]:
    world = World(zt_bin, tmp_path_factory.mktemp("accounts"))
    with zt.open(world.folder) as runtime:
        yield runtime, world


@pytest.fixture
def job(own: tuple[zt.Runtime, World]) -> zt.Session:
    return own[0].authenticate(own[1].token("sp-score-201")).claiming(201, 2)


@pytest.fixture
def grant(job: zt.Session) -> Iterator[zt.Grant]:
    grant = job.grant(["model.infer model:car_loan_scorer"])
    yield grant
    zt.spark.forget(grant)


def statement(grant: zt.Grant) -> str:
    executor = grant.executor()
    executor.require("model.infer", "model:car_loan_scorer")
    return executor.statement()


def observed(grant: zt.Grant, *answers: dict[str, Any]) -> None:
    zt.spark._await(grant, zt.spark._Observed(Observation(*answers)))


def log(own: tuple[zt.Runtime, World], grant: zt.Grant) -> list[str]:
    tail = own[0].authenticate(own[1].token("priya")).audit_tail(100)
    return [entry["action"] for entry in tail if entry.get("detail", {}).get("grant") == grant.id]


def test_on_connect_nothing_is_told_before_the_action(job: zt.Session, grant: zt.Grant) -> None:
    observed(grant, {}, {"statements": [statement(grant)]})
    told = zt.spark.merge(job, grant, timeout=0.1)
    assert (told["statements"], told["waiting"]) == (0, 1)
    told = zt.spark.merge(job, grant, timeout=0.1)
    assert (told["statements"], told["waiting"]) == (1, 0)


def test_one_bad_account_keeps_no_other_out(own: tuple[zt.Runtime, World], job: zt.Session, grant: zt.Grant) -> None:
    observed(grant, {"statements": ["x", statement(grant)]})
    observed(grant, {"statements": [statement(grant)]})
    with pytest.raises(zt.Integrity):
        zt.spark.merge(job, grant)
    found = log(own, grant)
    assert (found.count("executor.merged"), found.count("executor.refused")) == (2, 1)
    assert zt.spark.merge(job, grant)["waiting"] == 0


def trailer(told: object) -> str:
    return "zt-error:" + base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=") + "."


@pytest.mark.parametrize(
    "text",
    [
        "zt-error:A.",
        "zt-error:____.",
        trailer([]),
        trailer({}),
        trailer({"kind": "Any", "message": "", "facts": {}}),
        trailer({"kind": "Denied", "message": 1, "facts": {}}),
        trailer({"kind": "Denied", "message": "m", "facts": 1}),
        trailer({"statement": "x"}),
    ],
)
def test_a_forged_trailer_raises_nothing_and_hides_no_error(
    own: tuple[zt.Runtime, World], job: zt.Session, grant: zt.Grant, text: str
) -> None:
    assert zt.spark.errors(RuntimeError(text), job, grant) is None
    with pytest.raises(zt.Denied) as caught:
        grant.require("table.read", "table:gold.loan_scores")
    both = f"{text} {zt.spark.carried(caught.value, grant.executor())}"
    error = zt.spark.errors(RuntimeError(both), job, grant)
    assert isinstance(error, zt.Denied) and error.code == "ZT-1004"
    assert "executor.merged" in log(own, grant)


def test_whatever_a_task_fails_with_its_account_comes(own: tuple[zt.Runtime, World], job: zt.Session, grant: zt.Grant) -> None:
    executor = grant.executor()
    executor.require("model.infer", "model:car_loan_scorer")
    text = zt.spark.carried(ValueError("of somebody else"), executor)
    assert zt.spark.errors(RuntimeError(text), job, grant) is None
    assert log(own, grant).count("executor.act") == 1


def test_what_was_told_is_let_go_and_what_nobody_merges_ends_a_day_after_its_grant(
    job: zt.Session, grant: zt.Grant, monkeypatch: pytest.MonkeyPatch
) -> None:
    observed(grant, {"statements": [statement(grant)]})
    zt.spark.merge(job, grant)
    assert grant.id not in zt.spark._PENDING and grant.id not in zt.spark._ENDS
    observed(grant, {})
    other = job.grant(["model.infer model:car_loan_scorer"], ttl_s=1800)
    monkeypatch.setattr("zt.spark.time.time", lambda: grant.expires_on + 86_399)
    observed(other, {})
    assert grant.id in zt.spark._PENDING
    monkeypatch.setattr("zt.spark.time.time", lambda: grant.expires_on + 86_401)
    observed(other, {})
    assert grant.id not in zt.spark._PENDING and len(zt.spark._PENDING[other.id]) == 2
    zt.spark.forget(other)
    assert other.id not in zt.spark._ENDS


def test_two_merges_at_once_lose_no_count(job: zt.Session, grant: zt.Grant, monkeypatch: pytest.MonkeyPatch) -> None:
    observed(grant, {"statements": [statement(grant)]})
    told = zt.spark._Observed.told

    def meanwhile(self: zt.spark._Observed, timeout: float) -> list[str] | None:
        found = told(self, timeout)
        zt.spark.forget(grant)
        return found

    monkeypatch.setattr(zt.spark._Observed, "told", meanwhile)
    assert zt.spark.merge(job, grant)["statements"] == 1
