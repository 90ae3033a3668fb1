"""Grants in Python: what travels, what does not, and what forks do to it."""

import base64
import copy
import json
import os
import pickle
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import World

import zt

RIGHTS = ["model.infer model:car_loan_scorer", "data.seal output:loan_scores_delta"]
SCORES = {"id": [70000], "y_pred_proba": [0.99], "salary_range": ["20K - 40K"], "debt_to_income_ratio": [None]}


@pytest.fixture(scope="module")
def rsa(zt_bin: str, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world whose key has a public half."""
    world = World(zt_bin, tmp_path_factory.mktemp("rsa"))
    world.command("vault", "create-key", "scores-kek", "--rsa")
    return world


@pytest.fixture(scope="module")
def own(rsa: World) -> Iterator[zt.Runtime]:
    with zt.open(rsa.folder) as runtime:
        yield runtime


@pytest.fixture
def job(own: zt.Runtime, rsa: World) -> zt.Session:
    return own.authenticate(rsa.token("sp-score-201")).claiming(201, 2)


@pytest.fixture
def grant(job: zt.Session) -> zt.Grant:
    return job.grant(RIGHTS)


def test_a_grant_pickles_and_answers_alone(grant: zt.Grant) -> None:
    there = pickle.loads(pickle.dumps(grant))
    assert there == grant and hash(there) == hash(grant) and copy.deepcopy(grant) == grant
    assert len(pickle.dumps(grant)) < 3000
    there.require("model.infer", "model:car_loan_scorer")
    assert there.rights == RIGHTS and there.outputs == ["loan_scores_delta"] and there.kind == "executors"
    assert there.sealed_columns("loan_scores_delta") == ["y_pred_proba", "salary_range", "debt_to_income_ratio"]
    for action, resource in [("table.write", "table:gold.loan_scores"), ("secret.get", "secret:bureau-api-key")]:
        with pytest.raises(zt.Denied) as caught:
            there.require(action, resource)
        assert caught.value.code == "ZT-1004" and "model.infer model:car_loan_scorer" in str(caught.value)


def test_its_repr_shows_the_scope_and_not_the_signature(grant: zt.Grant) -> None:
    shown = repr(grant) + repr(grant.executor())
    assert "sp:sp-score-201, job 201, stage 2, model.infer model:car_loan_scorer" in shown
    assert grant.text.rsplit(".", 1)[1] not in shown


def test_a_forged_grant_is_refused_where_it_is_used(grant: zt.Grant) -> None:
    version, claims, mark = grant.text.split(".")
    told = json.loads(base64.urlsafe_b64decode(claims + "=="))
    told["rights"].append("table.write table:gold.loan_scores")
    wide = base64.urlsafe_b64encode(json.dumps(told, separators=(",", ":")).encode()).decode().rstrip("=")
    forged = zt.Grant.parse(f"{version}.{wide}.{mark}", key=grant.key)
    with pytest.raises(zt.Unauthenticated, match="forged"):
        forged.require("table.write", "table:gold.loan_scores")
    with pytest.raises(zt.Unauthenticated, match="not trusted"):
        zt.Grant.parse(grant.text).require("model.infer", "model:car_loan_scorer")
    with pytest.raises(zt.Unauthenticated, match="not a grant"):
        zt.Grant.parse(grant.text + "A")


def test_a_cluster_can_pin_whose_grants_it_takes(grant: zt.Grant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZT_EXECUTOR_GRANT_KEYS", "A" * 43)
    with pytest.raises(zt.Unauthenticated, match="not trusted"):
        pickle.loads(pickle.dumps(grant)).require("model.infer", "model:car_loan_scorer")
    monkeypatch.setenv("ZT_EXECUTOR_GRANT_KEYS", f"{'A' * 43} {grant.key}")
    pickle.loads(pickle.dumps(grant)).require("model.infer", "model:car_loan_scorer")
    monkeypatch.setenv("ZT_EXECUTOR_GRANT_KEYS", "")
    with pytest.raises(zt.Unauthenticated, match="not trusted"):
        pickle.loads(pickle.dumps(grant)).require("model.infer", "model:car_loan_scorer")
    monkeypatch.setenv("ZT_EXECUTOR_GRANT_KEYS", "zt")
    with pytest.raises(zt.ConfigError):
        pickle.loads(pickle.dumps(grant)).require("model.infer", "model:car_loan_scorer")


def test_whose_grants_prove_stages_and_whose_grants_executors_take_are_two_things(
    zt_bin: str, tmp_path: Path, job: zt.Session, own: zt.Runtime, rsa: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    adf = own.authenticate(rsa.token("mi-adf-brindlewick"))
    stage = adf.grant(subject="sp:sp-score-201", job=201, stage=2)
    monkeypatch.setenv("ZT_EXECUTOR_GRANT_KEYS", job.grant_key)
    other = World(zt_bin, tmp_path)
    with zt.open(other.folder) as runtime, pytest.raises(zt.Unauthenticated, match="not trusted"):
        runtime.authenticate(other.token("sp-score-201")).with_grant(stage)
    monkeypatch.delenv("ZT_EXECUTOR_GRANT_KEYS")
    # Of the orchestrator: an executor of this job has nothing to do with it.
    monkeypatch.setenv("ZT_IDENTITY_GRANT_KEYS", "A" * 43)
    job.grant(RIGHTS).executor().require("model.infer", "model:car_loan_scorer")


def test_an_executor_seals_what_only_a_right_opens(own: zt.Runtime, rsa: World, job: zt.Session, grant: zt.Grant) -> None:
    executor = pickle.loads(pickle.dumps(grant)).executor()
    sealed = executor.sealer("loan_scores_delta").seal(SCORES)
    executor.sealed("loan_scores_delta", 1)
    ines = own.authenticate(rsa.token("ines"))
    assert ines.opener("loan_scores_delta", sealed).unseal(sealed) == SCORES
    statement = executor.statement()
    assert job.merge(grant, [statement]) == {"statements": 1, "acts": 2, "repeated": 0, "incomplete": 0, "retried": 0}
    assert job.merge(grant, [statement]) == {"statements": 0, "acts": 0, "repeated": 1, "incomplete": 0, "retried": 0}
    with pytest.raises(zt.Integrity):
        job.merge(grant, [statement.replace('"rows":1', '"rows":9')])
    with pytest.raises(zt.Unauthenticated):
        ines.merge(grant, [statement])


def test_an_account_says_which_try_of_a_task_it_is_of(job: zt.Session, grant: zt.Grant, own: zt.Runtime, rsa: World) -> None:
    executor = grant.executor(task=(12, 3, 2))
    executor.require("model.infer", "model:car_loan_scorer")
    first = grant.executor(task=(12, 4, 0)).statement()
    told = job.merge(grant, [executor.statement(), first])
    assert told == {"statements": 2, "acts": 1, "repeated": 0, "incomplete": 0, "retried": 1}
    tail = own.authenticate(rsa.token("priya")).audit_tail(20)
    merged = [entry["detail"] for entry in tail if entry["action"] == "executor.merged"][-2:]
    assert [(one["spark_stage"], one["partition"], one["attempt"]) for one in merged] == [("12", "3", "2"), ("12", "4", "0")]
    with pytest.raises((TypeError, OverflowError)):
        grant.executor(task=(1, 2, -1))


def test_what_refuses_a_grant_once_does_not_refuse_it_for_ever(grant: zt.Grant, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = pickle.loads(pickle.dumps(grant))
    monkeypatch.setenv("ZT_EXECUTOR_GRANT_KEYS", "A" * 43)
    for _ in range(2):
        with pytest.raises(zt.Unauthenticated) as caught:
            mine.require("model.infer", "model:car_loan_scorer")
        assert caught.value.help is not None and "ZT_EXECUTOR_GRANT_KEYS" in caught.value.help
    monkeypatch.delenv("ZT_EXECUTOR_GRANT_KEYS")
    mine.require("model.infer", "model:car_loan_scorer")


def test_a_stage_is_proven_by_the_orchestrator_alone(own: zt.Runtime, rsa: World, job: zt.Session) -> None:
    adf = own.authenticate(rsa.token("mi-adf-brindlewick"))
    text = adf.grant(subject="sp:sp-score-201", job=201, stage=2).text
    proven = own.authenticate(rsa.token("sp-score-201")).with_grant(zt.Grant.parse(text))
    assert repr(proven) == "Session(sp:sp-score-201, job 201, stage 2)"
    assert proven.check("table.read", "table:raw.loan_applications")
    assert adf.grant_key == job.grant_key
    for session, asked in [
        (own.authenticate(rsa.token("maya")), {"subject": "sp:sp-score-201", "job": 201}),
        (job, {"subject": "sp:sp-train-202", "job": 201}),
    ]:
        with pytest.raises(zt.Denied):
            session.grant(**asked)
    with pytest.raises(zt.Invalid):
        adf.grant(job=201)
    with pytest.raises(zt.Unauthenticated) as caught:
        own.authenticate(rsa.token("maya")).with_grant(zt.Grant.parse(text))
    assert caught.value.code == "ZT-2010"


@pytest.mark.parametrize("ttl_s", [0, -1, 3601, float("nan"), float("inf"), 1e300])
def test_no_grant_lasts_longer_than_an_hour(job: zt.Session, ttl_s: float) -> None:
    with pytest.raises(zt.Invalid):
        job.grant(RIGHTS, ttl_s=ttl_s)


def test_what_belongs_to_one_process_says_what_to_pass_instead(own: zt.Runtime, job: zt.Session, grant: zt.Grant) -> None:
    for thing, remedy in [(own, "grant"), (job, "grant"), (grant.executor(), "executor()")]:
        with pytest.raises(TypeError, match="belongs to one") as caught:
            pickle.dumps(thing)
        assert remedy in str(caught.value)


def test_two_hundred_forks_sign_verify_and_seal_with_nothing_twice(rsa: World) -> None:
    script = """
        import os, sys, zt
        folder, token, path = sys.argv[1:]
        rt = zt.open(folder)
        job = rt.authenticate(token).claiming(201, 2)
        rights = ["model.infer model:car_loan_scorer", "data.seal output:loan_scores_delta"]
        grant = job.grant(rights)
        rows = {"id": [1], "y_pred_proba": [0.5], "salary_range": ["a"], "debt_to_income_ratio": [0.1]}
        def use(grant):
            grant.require("model.infer", "model:car_loan_scorer")
            executor = grant.executor()
            sealed = executor.sealer("loan_scores_delta").seal(rows)
            return [sealed["_zt_key"][0], sealed["salary_range"][0], executor.statement().split('"chain":"')[1][:32]]
        open(path, "a").write("\\n".join(["parent", *use(grant)]) + "\\n")
        for number in range(200):
            child = os.fork()
            if child == 0:
                found = use(grant)
                if number % 20 == 0:  # a runtime of its own, a key of its own
                    with zt.open(folder) as own:
                        issued = own.authenticate(token).claiming(201, 2).grant(rights)
                        issued.require("model.infer", "model:car_loan_scorer")
                        assert issued.key != grant.key
                        found += [issued.text, issued.key, *use(issued)]
                with open(path, "a") as file:
                    file.write("\\n".join(["child", *found]) + "\\n")
                os._exit(0)
            _, status = os.waitpid(child, 0)
            assert status == 0, (number, status)
        rt.close()
        print("done")
    """
    path = rsa.folder / "found.txt"
    command = [sys.executable, "-c", textwrap.dedent(script), str(rsa.folder), rsa.token("sp-score-201"), str(path)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300, env=os.environ | {"ZT_MODE": "development"})
    assert ran.stdout == "done\n", ran.stderr
    lines = Path(path).read_text().split()
    found = [line for line in lines if line not in ("parent", "child")]
    assert lines.count("child") == 200 and len(found) == 201 * 3 + 10 * 5
    assert len(set(found)) == len(found)
    # The random half of a nonce is no one's twice either: a cell begins with it.
    cells = [cell for cell in found if cell.startswith("zt1.") and len(cell) < 100]
    nonces = {base64.urlsafe_b64decode(cell.removeprefix("zt1.")[:12])[:8] for cell in cells}
    assert len(nonces) == len(cells) == 211
