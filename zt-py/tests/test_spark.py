"""zt on a real Spark: two executors of their own, whose workers Spark forks. One session for all of it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY, World

import zt
import zt.spark

pytestmark = [
    pytest.mark.spark,
    pytest.mark.skipif(importlib.util.find_spec("pyspark") is None, reason="pyspark is not installed"),
    pytest.mark.skipif(importlib.util.find_spec("pyarrow") is None, reason="pyarrow is not installed"),
    pytest.mark.skipif(shutil.which("java") is None, reason="there is no Java"),
]

RIGHTS = [
    "table.read table:raw.loan_applications",
    "model.infer model:car_loan_scorer",
    "data.seal output:loan_scores_delta",
]
Log = Callable[[], list[dict[str, Any]]]
SCORES = "id long, y_pred_proba double, salary_range string, debt_to_income_ratio double"


@pytest.fixture(scope="session")
def rsa(zt_bin: str, tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(zt_bin, tmp_path_factory.mktemp("spark-world"))
    world.command("vault", "create-key", "scores-kek", "--rsa")
    return world


def environment(folder: Path) -> dict[str, str]:
    java = Path(shutil.which("java") or "").resolve().parent.parent
    python = {"PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable}
    return {"JAVA_HOME": str(java), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_DIRS": str(folder), **python}


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from pyspark.sql import SparkSession

    folder = tmp_path_factory.mktemp("spark")
    os.environ.update(environment(folder))
    # The daemon that forks the workers has zt already: what it made must not be theirs.
    (folder / "zt_daemon.py").write_text("import zt\nimport pyspark.daemon\nif __name__ == '__main__':\n    pyspark.daemon.manager()\n")
    builder = SparkSession.builder.master(os.environ.get("ZT_SPARK_MASTER", "local-cluster[2,1,1024]"))
    settings = {
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.default.parallelism": "2",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.executor.memory": "1g",
        "spark.local.dir": str(folder),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.python.daemon.module": "zt_daemon",
        "spark.executorEnv.PYTHONPATH": str(folder),
        "spark.task.maxFailures": "2",
    }
    os.environ["PYTHONPATH"] = str(folder)
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def own(rsa: World) -> Iterator[zt.Runtime]:
    with zt.open(rsa.folder) as runtime:
        yield runtime


@pytest.fixture
def job(own: zt.Runtime, rsa: World) -> zt.Session:
    return own.authenticate(rsa.token("sp-score-201")).claiming(201, 2)


@pytest.fixture
def grant(job: zt.Session) -> Iterator[zt.Grant]:
    grant = job.grant(RIGHTS)
    yield grant
    zt.spark.forget(grant)


@pytest.fixture
def log(own: zt.Runtime, rsa: World) -> Log:
    priya = own.authenticate(rsa.token("priya"))
    return lambda: priya.audit_tail(60)


@pytest.fixture
def scores(spark: Any) -> Any:
    rows = [(number, number / 100, "20K - 40K" if number % 3 else None, 0.5) for number in range(100)]
    return spark.createDataFrame(rows, SCORES).repartition(2)


def test_executors_seal_and_the_risk_officer_opens(
    own: zt.Runtime, rsa: World, job: zt.Session, grant: zt.Grant, scores: Any, log: Log
) -> None:
    sealed = zt.spark.seal(scores, grant).toArrow()
    assert sealed.column_names == ["id", "y_pred_proba", "salary_range", "debt_to_income_ratio", "_zt_key"]
    assert all(cell.startswith("zt1.") for cell in sealed["salary_range"].to_pylist())
    assert len(set(sealed["_zt_key"].to_pylist())) == 2  # one data key for each partition
    ines = own.authenticate(rsa.token("ines"))
    opened = ines.opener("loan_scores_delta", sealed).unseal(sealed).sort_by("id")
    assert opened.to_pylist() == scores.toArrow().sort_by("id").to_pylist()
    assert zt.spark.merge(job, grant) == {"statements": 2, "acts": 4, "repeated": 0, "incomplete": 0, "retried": 0, "waiting": 0}
    merged = [entry for entry in log() if entry["action"] == "executor.merged"]
    assert {entry["detail"]["grant"] for entry in merged} == {grant.id}
    # Two executors, each a process of its own, and none of them the driver.
    processes = {entry["detail"]["process"] for entry in merged}
    assert str(os.getpid()) not in processes
    rows = [int(entry["detail"]["rows"]) for entry in log() if "rows" in entry.get("detail", {})]
    assert sum(rows) == 100
    assert zt.verify_audit(rsa.folder / ".zt" / "audit")["is_intact"]


def test_a_function_of_arrow_runs_in_the_hands_of_an_executor(job: zt.Session, grant: zt.Grant, scores: Any) -> None:
    def double(rows: Any, executor: zt.Executor) -> Any:
        import pyarrow.compute as pc

        executor.require("table.read", "table:raw.loan_applications")
        return rows.select(["id"]).append_column("twice", pc.multiply(rows["y_pred_proba"], 2.0))

    mapped = zt.spark.map(scores, double, grant, "id long, twice double", require=["model.infer model:car_loan_scorer"])
    rows = mapped.toArrow().sort_by("id").to_pylist()
    assert rows[50] == {"id": 50, "twice": 1.0} and len(rows) == 100
    told = zt.spark.merge(job, grant)
    assert (told["statements"], told["waiting"]) == (2, 0)


def test_map_and_seal_in_one_action_tell_of_both(job: zt.Session, grant: zt.Grant, scores: Any) -> None:
    mapped = zt.spark.map(scores, lambda rows, executor: rows, grant, SCORES, require=["model.infer model:car_loan_scorer"])
    assert zt.spark.seal(mapped, grant, ["debt_to_income_ratio", "salary_range", "y_pred_proba"]).count() == 100
    told = zt.spark.merge(job, grant)
    assert (told["statements"], told["acts"], told["waiting"]) == (4, 6, 0)


def test_an_overstep_fails_the_task_and_comes_back_as_our_own_error(
    job: zt.Session, grant: zt.Grant, scores: Any, log: Log
) -> None:
    def overstep(rows: Any, executor: zt.Executor) -> Any:
        executor.require("secret.get", "secret:bureau-api-key")
        return rows

    with pytest.raises(Exception) as caught:
        zt.spark.map(scores, overstep, grant, SCORES).toArrow()
    assert "[ZT-1004]" in str(caught.value)
    error = zt.spark.errors(caught.value, job, grant)
    assert isinstance(error, zt.Denied) and error.code == "ZT-1004" and error.__cause__ is caught.value
    assert "secret.get" in error.message and error.help is not None
    refused = [entry for entry in log() if entry.get("detail", {}).get("asked") == "secret.get"]
    assert refused[-1]["outcome"] == "refused" and refused[-1]["detail"]["grant"] == grant.id
    assert zt.spark.errors(ValueError("of somebody else")) is None


def test_a_forged_or_foreign_grant_does_nothing_on_an_executor(job: zt.Session, grant: zt.Grant, scores: Any) -> None:
    forged = zt.Grant.parse(grant.text[:-4] + ("AAAA" if grant.text[-4:-1] != "AAA" else "BBBA"), key=grant.key)
    with pytest.raises(Exception) as caught:
        zt.spark.seal(scores, forged).toArrow()
    error = zt.spark.errors(caught.value)
    assert isinstance(error, zt.Unauthenticated) and error.code == "ZT-2007"
    zt.spark.forget(forged)


def test_what_must_stay_on_the_driver_says_so(own: zt.Runtime, job: zt.Session, scores: Any) -> None:
    for thing in (own, job, job.grant(RIGHTS).executor()):

        def leak(batches: Any, thing: Any = thing) -> Any:
            str(thing)
            yield from batches

        with pytest.raises(Exception, match="belongs to one"):
            scores.mapInArrow(leak, scores.schema).count()


def test_rows_whose_resource_is_not_granted_are_left_out(
    own: zt.Runtime, job: zt.Session, grant: zt.Grant, spark: Any
) -> None:
    names = ["table:raw.loan_applications", "table:gold.loan_scores", "no resource", None]
    rows = spark.createDataFrame([(number, names[number % 4]) for number in range(40)], "id int, resource string")
    kept = zt.spark.filter(rows, grant, "resource").toArrow()
    assert kept.num_rows == 10 and set(kept["resource"].to_pylist()) == {"table:raw.loan_applications"}
    told = zt.spark.merge(job, grant)
    assert (told["waiting"], told["incomplete"]) == (0, 0)


def test_a_partition_that_yields_no_row_tells_of_its_refusals(
    job: zt.Session, grant: zt.Grant, spark: Any, log: Log
) -> None:
    rows = spark.createDataFrame([("table:gold.probe_of_nothing",)] * 4, "resource string").repartition(2)
    assert zt.spark.filter(rows, grant, "resource").count() == 0
    told = zt.spark.merge(job, grant)
    assert told["acts"] >= 1 and told["incomplete"] == told["waiting"] == 0
    assert any(entry["resource"] == "table:gold.probe_of_nothing" and entry["outcome"] == "refused" for entry in log())


def test_a_task_that_spark_tries_again_says_so(job: zt.Session, grant: zt.Grant, spark: Any, log: Log) -> None:
    def fail_once(rows: Any, executor: zt.Executor) -> Any:
        from pyspark import TaskContext

        executor.require("table.read", "table:raw.loan_applications")
        if TaskContext.get().attemptNumber() == 0:
            raise ValueError("of the first try")
        return rows

    rows = spark.range(0, 100, numPartitions=2)
    assert zt.spark.map(rows, fail_once, grant, "id long").count() == 100
    told = zt.spark.merge(job, grant)
    assert (told["statements"], told["retried"], told["incomplete"], told["waiting"]) == (2, 2, 0, 0)
    details = [entry["detail"] for entry in log() if entry["action"] == "executor.merged"]
    own = [detail for detail in details if detail["grant"] == grant.id]
    assert {(detail["partition"], detail["attempt"]) for detail in own} == {("0", "1"), ("1", "1")}


def test_what_is_not_covered_is_asked_in_each_batch_and_kept_in_none(
    job: zt.Session, grant: zt.Grant, spark: Any, log: Log
) -> None:
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "10")
    try:
        rows = spark.range(0, 40, numPartitions=1).selectExpr("'table:gold.asked_again' as resource")
        assert zt.spark.filter(rows, grant, "resource").count() == 0
    finally:
        spark.conf.unset("spark.sql.execution.arrow.maxRecordsPerBatch")
    zt.spark.merge(job, grant)
    (act,) = [entry for entry in log() if entry["resource"] == "table:gold.asked_again"]
    assert act["detail"]["times"] == "4"


def test_who_stops_reading_early_is_told_that_accounts_are_incomplete(job: zt.Session, grant: zt.Grant, spark: Any) -> None:
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "10")
    try:
        many = spark.range(0, 100_000, numPartitions=1)
        required = ["model.infer model:car_loan_scorer"]
        assert len(zt.spark.map(many, lambda rows, executor: rows, grant, "id long", require=required).limit(1).collect()) == 1
    finally:
        spark.conf.unset("spark.sql.execution.arrow.maxRecordsPerBatch")
    told = zt.spark.merge(job, grant)
    assert told["incomplete"] + told["waiting"] == 1


def test_a_function_that_fails_by_itself_brings_its_account(job: zt.Session, grant: zt.Grant, scores: Any, log: Log) -> None:
    def fail(rows: Any, executor: zt.Executor) -> Any:
        executor.require("table.read", "table:raw.loan_applications")
        raise ValueError("of the function")

    with pytest.raises(Exception, match="of the function") as caught:
        zt.spark.map(scores, fail, grant, SCORES).toArrow()
    assert zt.spark.errors(caught.value, job, grant) is None
    acts = [entry for entry in log() if entry.get("detail", {}).get("grant") == grant.id]
    assert any(entry["action"] == "executor.act" and entry["detail"]["asked"] == "table.read" for entry in acts)


def test_a_grant_that_ends_between_two_batches_ends_the_partition(job: zt.Session, spark: Any) -> None:
    grant = job.grant(RIGHTS, ttl_s=15)
    ends = grant.expires_on

    def outlast(rows: Any, executor: zt.Executor) -> Any:
        import time

        while time.time() <= ends + 1:
            time.sleep(0.2)
        return rows

    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "10")
    try:
        with pytest.raises(Exception) as caught:
            zt.spark.map(spark.range(0, 20, numPartitions=1), outlast, grant, "id long").toArrow()
    finally:
        spark.conf.unset("spark.sql.execution.arrow.maxRecordsPerBatch")
    error = zt.spark.errors(caught.value, job, grant)
    assert isinstance(error, zt.Unauthenticated) and error.code == "ZT-2008"
    zt.spark.forget(grant)


def test_columns_of_a_grant_bind_filter_and_seal_too(job: zt.Session, spark: Any, scores: Any) -> None:
    narrow = job.grant(RIGHTS, columns=["id"])
    wide = scores.selectExpr("*", "'table:raw.loan_applications' as resource")
    for frame in (zt.spark.seal(wide, narrow), zt.spark.filter(wide, narrow, "resource")):
        with pytest.raises(Exception) as caught:
            frame.toArrow()
        error = zt.spark.errors(caught.value, job, narrow)
        assert isinstance(error, zt.Denied) and error.code == "ZT-1004"
    assert zt.spark.seal(scores, narrow).count() == 100
    zt.spark.forget(narrow)


def test_a_column_of_the_rule_that_is_not_there_is_told_on_the_driver(grant: zt.Grant, scores: Any) -> None:
    with pytest.raises(zt.Invalid, match="salary_range"):
        zt.spark.seal(scores.drop("salary_range"), grant)
    with pytest.raises(zt.Invalid, match="no right"):
        zt.spark.map(scores, lambda rows, executor: rows, grant, SCORES, require=["model.infer"])


def test_sealed_rows_open_on_the_driver(own: zt.Runtime, rsa: World, grant: zt.Grant, scores: Any) -> None:
    ines = own.authenticate(rsa.token("ines"))
    opened = zt.spark.open(zt.spark.seal(scores, grant), ines, "loan_scores_delta")
    assert opened.count() == 100 and "_zt_key" not in opened.columns


def test_what_was_never_acted_on_is_waited_for_and_then_forgotten(job: zt.Session, grant: zt.Grant, scores: Any) -> None:
    zt.spark.seal(scores, grant)
    assert zt.spark.merge(job, grant, timeout=0.1)["waiting"] == 1
    zt.spark.forget(grant)
    assert zt.spark.merge(job, grant)["waiting"] == 0


@pytest.mark.parametrize("mode", ["local", "connect"])
def test_the_example_scores_ten_thousand_loans(rsa: World, tmp_path: Path, mode: str) -> None:
    pytest.importorskip("deltalake")
    if mode == "connect":
        pytest.importorskip("grpc")
    where = {"ZT_SPARK_REMOTE": "local[2]"} if mode == "connect" else {"ZT_SPARK_MASTER": "local[2]"}
    own = environment(tmp_path) | {"ZT_FOLDER": str(rsa.folder), "ZT_BIN": rsa.zt_bin} | where
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("SPARK_", "PYTHONPATH"))}
    script = REPOSITORY / "examples" / "spark" / "score_loans.py"
    ran = subprocess.run([sys.executable, script], env=inherited | own, cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-6000:]
    for text in ["not for executors: [ZT-5001]", "10000 rows, ", "[ZT-1004]", "'waiting': 0", "executor.merged", "intact: True"]:
        assert text in ran.stdout, ran.stdout
