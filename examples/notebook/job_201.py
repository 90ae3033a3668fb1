# %% [markdown]
# # Job 201, whole: planned, scored, sealed, watched, proven
#
# Brindlewick scores its car loans each night (`examples/world`). This notebook is that job with its security: what it may
# and needs, what it reads, what it reports, what it seals, and who may open that. It needs `pip install ./zt-py`, the `zt`
# command, and once, at the top of the repository, `zt -C examples/world vault set bureau-api-key` and
# `zt -C examples/world vault create-key scores-kek`.

# %%
import csv
import os
import subprocess
from pathlib import Path

import zt

FOLDER = os.environ.get("ZT_FOLDER", "examples/world")
rt = zt.open(FOLDER)


def sign_in(name: str) -> zt.Session:
    """In production the token comes from Entra ID; here the development issuer makes one."""
    command = [os.environ.get("ZT_BIN", "zt"), "-C", FOLDER, "dev-token", name]
    token = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    return rt.authenticate(token)


# %% [markdown]
# **Plan.** Everything that job 201 needs, before any cluster starts; or every reason why it may not run.

# %%
jonas = sign_in("jonas")  # a data engineer
plan = jonas.plan(201)
print(plan)
assert plan, plan.missing

# %%
print("job 202:", ", ".join(jonas.plan(202).missing))

# %% [markdown]
# **Run.** The workload claims its stage. Each right is decided, each act recorded.

# %%
job = sign_in("sp-score-201").claiming(job=201, stage=2)
job.require("table.read", "table:raw.loan_applications")
job.require("model.infer", "model:car_loan_scorer")
with job.secret("bureau-api-key").reveal() as key:
    print(key.nbytes, "bytes for the credit bureau's client")  # connect(bytes(key))


# %% [markdown]
# Rows are a dict of columns here; a pandas or polars frame works as well. The sample ships its predictions.

# %%
def read(name: str) -> dict[str, list[str | None]]:
    with open(Path(FOLDER) / "data" / name, newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    return {name: [row[at] or None for row in rows] for at, name in enumerate(header)}


loans = read("loans.csv")
print(len(loans["id"]), "loans")

# %% [markdown]
# **Watch.** The alert rules look at each window of 5,000 rows: the second one is not what the model was fitted on.

# %%
found = job.log_batch("car_loan_scorer", loans)
print(found)
for alert in found.alerts:
    print(f"severity {alert['severity']}: {alert['rule']} to {alert['action_group']}")

# %% [markdown]
# **Protect.** The rule of this output says which columns leave the job encrypted.

# %%
names = ["id", "salary_range", "debt_to_income_ratio", "y_pred_proba", "y_pred"]
scores = {name: loans[name] for name in names} | {"scored_at": loans["timestamp"]}
sealed = job.sealer("loan_scores_delta").seal(scores)
print(sealed["salary_range"][0][:40] + "…")

# %% [markdown]
# Ines, credit risk, may open it. Maya, a data scientist, may not.

# %%
ines = sign_in("ines")
opened = ines.opener("loan_scores_delta", sealed).unseal(sealed)
assert opened == scores

try:
    sign_in("maya").opener("loan_scores_delta", sealed)
except zt.Denied as error:
    print(error)

# %% [markdown]
# A permit applies what a reader may see: Elin three columns, Jonas a masked one.

# %%
elin = sign_in("elin")
print(list(elin.require("table.read", "table:gold.loan_scores").apply(scores)))
print(jonas.require("table.read", "table:gold.loan_scores").apply(scores)["salary_range"][0])

# %% [markdown]
# **Prove.** All of it stands in the audit log: names, never a value. The chain shows whether a record was changed.

# %%
for entry in sign_in("priya").audit_tail(8):
    print(entry["kind"], entry.get("caller", "-"), entry["action"], entry["resource"], entry["outcome"])

rt.close()
found = zt.verify_audit(Path(FOLDER) / ".zt" / "audit")
print(found["records"], "records, intact:", found["is_intact"])
assert found["is_intact"], found["findings"]
