# %% [markdown]
# # Job 201 on Spark: authorised on the driver, scored and sealed on executors
#
# The driver has the runtime: tables, vault, audit log. Executors have a grant and a public key. It needs
# `pip install ./zt-py pyspark pandas pyarrow deltalake`, Java, the `zt` command, and once, at the top of the repository,
# `zt -C examples/world vault create-key scores-kek --rsa`: executors seal by the public half of an RSA key.

# %%
import os
import subprocess
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable, write_deltalake
from pyspark.sql import SparkSession

import zt
import zt.spark

FOLDER = Path(os.environ.get("ZT_FOLDER", "examples/world"))
lake = Path(tempfile.mkdtemp()) / "loan_scores"

builder = SparkSession.builder
if remote := os.environ.get("ZT_SPARK_REMOTE"):  # Spark Connect
    builder = builder.remote(remote)
else:
    builder = builder.master(os.environ.get("ZT_SPARK_MASTER", "local[2]"))
spark = (
    builder.config("spark.sql.execution.arrow.pyspark.enabled", "true")
    .config("spark.sql.shuffle.partitions", "2")
    .config("spark.ui.enabled", "false")
    .getOrCreate()
)

# %% [markdown]
# **Authorise.** The orchestrator vouches for the stage; the job presents that, and asks for what its executors need. Each
# right is decided now. A secret does not travel, whatever the policy says.

# %%
rt = zt.open(FOLDER)


def sign_in(name: str) -> zt.Session:
    """In production the token comes from Entra ID; here the development issuer makes one."""
    command = [os.environ.get("ZT_BIN", "zt"), "-C", str(FOLDER), "dev-token", name]
    token = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    return rt.authenticate(token)


stage = sign_in("mi-adf-brindlewick").grant(subject="sp:sp-score-201", job=201, stage=2)
job = sign_in("sp-score-201").with_grant(stage)
grant = job.grant(
    ["table.read table:raw.loan_applications", "model.infer model:car_loan_scorer", "data.seal output:loan_scores_delta"],
    ttl_s=600,
)
print(grant)
try:
    job.grant(["secret.get secret:bureau-api-key"])
except zt.Invalid as error:
    print("not for executors:", error)

# %% [markdown]
# **Score.** A function of Arrow, in the hands of an executor that holds the grant. The model is a small one.

# %%
loans = spark.read.csv(str(FOLDER / "data" / "loans.csv"), header=True, inferSchema=True).repartition(2)
COLUMNS = "id int, salary_range string, debt_to_income_ratio double, y_pred_proba double, y_pred int"


def score(rows: pa.Table, executor: zt.Executor) -> pa.Table:
    ratio = pc.fill_null(rows["debt_to_income_ratio"], 0.5)
    proba = pc.divide(1.0, pc.add(1.0, pc.exp(pc.multiply(pc.subtract(ratio, 0.5), 4.0))))
    return pa.table(
        {
            "id": rows["id"].cast(pa.int32()),
            "salary_range": rows["salary_range"].cast(pa.string()),
            "debt_to_income_ratio": rows["debt_to_income_ratio"],
            "y_pred_proba": proba,
            "y_pred": pc.greater(proba, 0.5).cast(pa.int32()),
        }
    )


needed = ["table.read table:raw.loan_applications", "model.infer model:car_loan_scorer"]
scored = zt.spark.map(loans, score, grant, COLUMNS, require=needed)

# %% [markdown]
# **Seal and store.** A data key for each partition, wrapped on the executor; the driver writes what it cannot read.

# %%
sealed = zt.spark.seal(scored, grant).toArrow()
write_deltalake(lake, sealed)
stored = DeltaTable(lake).to_pyarrow_table()
print(stored.num_rows, "rows,", len(pc.unique(stored["_zt_key"])), "data keys;", stored["salary_range"][0].as_py()[:5] + "…")

# %% [markdown]
# **Merge.** What executors did comes into the driver's log.

# %%
print(zt.spark.merge(job, grant))

# %% [markdown]
# **Overstep.** What the grant does not cover fails on the executor, and the driver gets the error itself.


# %%
def peek(rows: pa.Table, executor: zt.Executor) -> pa.Table:
    executor.require("table.write", "table:gold.loan_scores")
    return rows


try:
    zt.spark.map(loans.select("id"), peek, grant, "id int").toArrow()
except Exception as raised:
    error = zt.spark.errors(raised, job, grant)
    assert isinstance(error, zt.Denied), raised
    print(error)

# %% [markdown]
# **Prove.** Ines opens what no executor could; the log has all of it, and is checked.

# %%
ines = sign_in("ines")  # credit risk
opened = ines.opener("loan_scores_delta", stored).unseal(stored)
assert opened.num_rows == 10_000 and pc.min(opened["y_pred_proba"]).as_py() > 0
for entry in sign_in("priya").audit_tail(400):
    if entry["action"] == "executor.merged":
        print(entry["action"], entry["resource"][:17] + "…", entry["detail"]["count"], "acts under", entry["detail"]["grant"])

spark.stop()
rt.close()
found = zt.verify_audit(FOLDER / ".zt" / "audit")
print(found["records"], "records, intact:", found["is_intact"])
assert found["is_intact"], found["findings"]
