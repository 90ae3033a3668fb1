"""Job 201 through Python: planned, watched, sealed and opened, with the numbers of examples/world/expected.json."""

from __future__ import annotations

import asyncio
import csv
import json
import re

import pytest
from conftest import SAMPLE, SignIn, World

import zt

EXPECTED = json.loads((SAMPLE / "expected.json").read_text())
OUTPUT = "loan_scores_delta"
SCORES = {
    "id": [70000, 70001],
    "salary_range": ["zt-needle-20K", None],
    "debt_to_income_ratio": [0.703953, 0.282445],
    "y_pred_proba": [1.0, 0.01],
    "y_pred": [True, False],
}


@pytest.fixture(scope="module")
def loans() -> dict[str, list[str | None]]:
    with open(SAMPLE / "data" / "loans.csv", newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    return {name: [row[at] or None for row in rows] for at, name in enumerate(header)}


def test_the_plan_of_job_201_is_the_expected_one(sign_in: SignIn) -> None:
    plan = sign_in("jonas").plan(201)
    runtimes = {f"201/{stage['number']}": stage["runtime"]["name"] for stage in plan.stages}
    assert runtimes == EXPECTED["runtime_of_stage"]
    assert plan and plan.is_runnable and plan.missing == []
    assert plan.to_dict()["job"] == 201
    assert "ir-onprem" in str(plan) and "<td>ir-onprem</td>" in re.sub(" style=\"[^\"]*\"", "", plan._repr_html_())
    assert repr(plan) == "Plan(201, runnable)"


def test_the_plan_of_job_202_says_what_is_missing(sign_in: SignIn) -> None:
    plan = sign_in("jonas").plan(202)
    assert not plan and plan.missing == ["job has no stages"]


def test_who_may_not_plan_is_denied_and_an_unknown_job_is_not_found(sign_in: SignIn) -> None:
    with pytest.raises(zt.Denied):
        sign_in("maya").plan(201)
    with pytest.raises(zt.NotFound, match="jobs are 201, 202"):
        sign_in("jonas").plan(7)


def test_the_expected_alerts_fire_and_no_others(job: zt.Session, loans: dict[str, list[str | None]]) -> None:
    found = job.log_batch("car_loan_scorer", loans)
    fired = {f"window {number}": [] for number in (0, 1)}
    for alert in found.alerts:
        fired[f"window {alert['window']}"].append(alert["rule"])
    assert fired == EXPECTED["alerts"]
    values = {alert["rule"]: alert["value"] for alert in found.alerts}
    window = EXPECTED["windows"][1]
    assert values["AL-01"] == pytest.approx(window["accuracy"], abs=1e-6)
    assert values["AL-02"] == pytest.approx(window["roc_auc"], abs=1e-6)
    assert values["AL-03"] == pytest.approx(window["psi"]["car_value"], abs=1e-6)
    assert values["AL-04"] == pytest.approx(window["null_rate"]["salary_range"], abs=1e-6)
    assert "AL-01" in str(found) and repr(found) == "Evaluation(4 fired)"


def test_reported_values_are_looked_at(job: zt.Session) -> None:
    metrics = {"accuracy": 0.91, ("null_rate", "salary_range"): 0.2}
    found = job.log_metrics("car_loan_scorer", metrics, rows=5000)
    assert [alert["rule"] for alert in found.alerts] == ["AL-01", "AL-04"]
    assert job.log_metrics("car_loan_scorer", metrics, rows=10).alerts == []


def test_seconds_are_counted_for_rules_that_look_at_seconds(sign_in: SignIn) -> None:
    orchestrator = sign_in("mi-adf-brindlewick")
    denied = {"denied_decisions": 9}
    found = orchestrator.log_metrics("job:201", denied, rows=9, over_s=300)
    assert [alert["rule"] for alert in found.alerts] == ["AL-06"]
    assert orchestrator.log_metrics("job:201", denied, rows=9).alerts == []


@pytest.mark.parametrize("metrics", [{1: 0.5}, {("a", "b", "c"): 0.5}])
def test_a_metric_without_a_name_is_refused(job: zt.Session, metrics: dict) -> None:
    with pytest.raises(TypeError):
        job.log_metrics("car_loan_scorer", metrics, rows=5000)


def test_seconds_that_are_none_are_refused(job: zt.Session) -> None:
    for wrong in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError):
            job.log_metrics("car_loan_scorer", {"accuracy": 0.9}, rows=5000, over_s=wrong)


def test_what_the_job_seals_ines_opens_and_maya_does_not(job: zt.Session, sign_in: SignIn) -> None:
    sealed = job.sealer(OUTPUT).seal(SCORES)
    assert "needle" not in str(sealed)
    assert sealed["id"] == SCORES["id"] and sealed["y_pred"] == SCORES["y_pred"]
    assert sign_in("ines").opener(OUTPUT, sealed).unseal(sealed) == SCORES
    with pytest.raises(zt.Denied):
        sign_in("maya").opener(OUTPUT, sealed)
    with pytest.raises(zt.Denied):
        sign_in("maya").sealer(OUTPUT)


def test_a_renamed_column_is_not_stored_plain(job: zt.Session) -> None:
    renamed = {"salary": SCORES["salary_range"]} | {name: cells for name, cells in SCORES.items() if name != "salary_range"}
    with pytest.raises(zt.Invalid, match="salary_range"):
        job.sealer(OUTPUT).seal(renamed)


def test_damage_is_named_by_row_and_column_and_never_repeated(job: zt.Session, sign_in: SignIn) -> None:
    sealed = job.sealer(OUTPUT).seal(SCORES)
    opener = sign_in("ines").opener(OUTPUT, sealed)
    swapped = sealed | {"salary_range": sealed["y_pred_proba"], "y_pred_proba": sealed["salary_range"]}
    with pytest.raises(zt.Integrity, match="row 1 of column `salary_range`") as raised:
        opener.unseal(swapped)
    assert raised.value.code == "ZT-6003" and "needle" not in str(raised.value)
    with pytest.raises(zt.Integrity):
        sign_in("ines").opener(OUTPUT, sealed | {"_zt_key": ["zt1.AAAA", None]})


def test_all_of_it_works_awaited(job: zt.Session, sign_in: SignIn, loans: dict[str, list[str | None]]) -> None:
    async def story() -> None:
        plan = await sign_in("jonas").plan_async(201)
        assert plan.is_runnable
        sealer = await job.sealer_async(OUTPUT)
        sealed = sealer.seal(SCORES)
        opener = await sign_in("ines").opener_async(OUTPUT, sealed)
        assert opener.unseal(sealed) == SCORES
        found = await job.log_batch_async("car_loan_scorer", loans)
        assert len(found.alerts) == 4
        reported = await job.log_metrics_async("car_loan_scorer", {"accuracy": 0.99}, rows=5000)
        assert reported.alerts == []
        with pytest.raises(zt.Denied):
            await sign_in("maya").sealer_async(OUTPUT)

    asyncio.run(story())


def test_the_alerts_stand_in_their_file_and_in_the_log(own_world: World, loans: dict[str, list[str | None]]) -> None:
    with zt.open(own_world.folder) as rt:
        job = rt.authenticate(own_world.token("sp-score-201")).claiming(201, 2)
        job.log_batch("car_loan_scorer", loans)
    lines = (own_world.folder / ".zt" / "alerts.jsonl").read_text().splitlines()
    assert [json.loads(line)["rule"] for line in lines] == EXPECTED["alerts"]["window 1"]
    assert "fired" in own_world.command("audit", "tail", "--json")


def test_a_changed_record_is_found(own_world: World) -> None:
    with zt.open(own_world.folder) as rt:
        rt.authenticate(own_world.token("maya")).check("table.read", "table:raw.loan_applications")
    audit = own_world.folder / ".zt" / "audit"
    found = zt.verify_audit(audit)
    assert found["is_intact"] and found["records"] > 2 and found["findings"] == []
    segment = next(file for file in audit.glob("*.jsonl") if b"explicit_deny" in file.read_bytes())
    segment.write_bytes(segment.read_bytes().replace(b"explicit_deny", b"explicit_dony"))
    found = zt.verify_audit(str(audit))
    assert not found["is_intact"] and found["findings"][0]["file"] == segment.name
    with pytest.raises(zt.Unavailable):
        zt.verify_audit(own_world.folder / "nowhere")
