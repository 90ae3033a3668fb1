# %% [markdown]
# # A night at Brindlewick Motor Finance
#
# Each night job 201 scores car loans. Its security stands in tables (`examples/world/brindlewick.toml`), and this notebook walks
# through one night: what a data scientist may see, how the job gets its key, who can open the scores, which alarm rings, and what the
# auditor finds in the morning. It needs `pip install ./zt-py pandas pyarrow matplotlib` and the `zt` command.

# %%
import os
import subprocess
import warnings
from pathlib import Path

import pandas as pd

import zt
import zt.databricks
import zt.mlflow
import zt.plot

FOLDER = Path(os.environ.get("ZT_FOLDER", "examples/world"))
ZT = os.environ.get("ZT_BIN", "zt")


def zt_command(*words: str, input: str = "") -> str:
    ran = subprocess.run([ZT, "-C", str(FOLDER), *words], input=input, check=True, capture_output=True, text=True)
    return ran.stdout.strip()


rt = zt.open(FOLDER)
zt.status(rt)

# %% [markdown]
# In production tokens come from Entra ID, or `rt.sign_in()` shows a code to type. Here the development issuer makes them, which a
# production `zt.toml` refuses.


# %%
def sign_in(name: str) -> zt.Session:
    return rt.authenticate(zt_command("dev-token", name))


maya, elin, jonas, priya, ines = (sign_in(name) for name in ("maya", "elin", "jonas", "priya", "ines"))
job = sign_in("sp-score-201").claiming(job=201, stage=2)
maya, job

# %% [markdown]
# ## Evening: Maya looks around
#
# What may she do? The list is made of decisions; each cell could be asked with `check`.

# %%
maya.list()

# %% [markdown]
# A decision names the rows that made it. Raw applications hold salaries, so they are not hers.

# %%
maya.check("table.read", "table:raw.loan_applications")

# %% [markdown]
# Many at once, as a column. One record in the audit log stands for all of them.

# %%
catalog = pd.DataFrame({"table": ["table:gold.loan_scores", "table:raw.loan_applications", "table:risk.dbo.loan_scores"]})
catalog["maya"] = maya.check_many("table.read", catalog["table"])
catalog["jonas"] = jonas.check_many("table.read", catalog["table"])
catalog

# %% [markdown]
# The same scores, through the eyes of three people. `view` asks the policy and applies it: Maya sees all, Elin three columns, Jonas a
# masked one. What comes back is a frame like the one that went in.

# %%
loans = pd.read_csv(FOLDER / "data" / "loans.csv")
columns = ["id", "salary_range", "debt_to_income_ratio", "y_pred_proba", "y_pred"]
scores = loans[columns].assign(scored_at=loans["timestamp"])
for session in (maya, elin, jonas):
    print(session.name, list(session.view(scores.head(3), "table:gold.loan_scores").columns))
jonas.view(scores.head(3), "table:gold.loan_scores")

# %% [markdown]
# Where Spark or SQL Server holds the rows, the same view is a query.

# %%
selection = jonas.require("table.read", "table:gold.loan_scores").select("spark", list(scores.columns))
print(f"SELECT {', '.join(selection.columns)} FROM gold.loan_scores WHERE {selection.filter}")

# %% [markdown]
# ## Before midnight: may job 201 run?
#
# The plan has everything the job needs, or every reason why it may not run, before a cluster starts.

# %%
jonas.plan(201)

# %% [markdown]
# Job 202 is not ready, and says why.

# %%
jonas.plan(202).missing

# %% [markdown]
# ## Midnight: the job
#
# Stage 2 may read the credit bureau's key. Nothing prints it: not a cell, not a log, not a traceback. The block below is the only way to
# the bytes, and wipes them at its end.

# %%
secret = job.secret("bureau-api-key")
print(f"the key is {secret}")
with secret.reveal() as view:
    length = view.nbytes  # connect(bytes(view))
assert bytes(view) == bytes(length)
secret

# %% [markdown]
# Another stage of the same job may not. Priya, who looks after security, may know what would have to be different.

# %%
try:
    job.claiming(job=201, stage=1).secret("bureau-api-key")
except zt.Denied as error:
    refused = error.decision
    print(error)
priya.explain(refused)

# %% [markdown]
# Old notebooks say `dbutils.secrets.get(...)`. The drop-in takes the same calls, under the same policy. It gives a str, which nothing
# protects, so it warns, and the audit log says `exposed_to`. `zt migrate scan PATHS` on a shell finds such calls and drafts the rows.

# %%
secrets = zt.databricks.Secrets(job, {"bureau": {"api-key": "bureau-api-key"}})
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    token = secrets.get("bureau", "api-key")
print(told[0].category.__name__)
token  # its own repr shows nothing; print(token) would

# %% [markdown]
# The model answers only whom the policy allows. Of files, `Guarded` also checks the SHA-256 before it loads them.


# %%
class Scorer:
    def predict(self, frame: pd.DataFrame) -> pd.Series:
        return frame["y_pred_proba"] >= 0.5


print(zt.mlflow.Guarded(Scorer(), name="car_loan_scorer", session=job).predict(loans.head(3)).tolist())
try:
    zt.mlflow.Guarded(Scorer(), name="car_loan_scorer", session=elin).predict(loans.head(3))
except zt.Denied as error:
    print(error)

# %% [markdown]
# The scores leave the job sealed, column by column, as the rule of their output says. Delta, Parquet, CSV and SQL keep them.

# %%
sealed = job.sealer("loan_scores_delta").seal(scores)
sealed[["id", "salary_range", "y_pred"]].head(3)

# %% [markdown]
# Ines, credit risk, may open them. Maya may not.

# %%
opened = ines.opener("loan_scores_delta", sealed).unseal(sealed)
assert opened["y_pred_proba"].tolist() == scores["y_pred_proba"].tolist()
try:
    maya.opener("loan_scores_delta", sealed)
except zt.Denied as error:
    print(error)

# %% [markdown]
# ## Two o'clock: an alarm
#
# The alert rules look at windows of 5,000 rows. The second one is not what the model was made of.

# %%
windows = [job.log_batch("car_loan_scorer", loans.iloc[at : at + 5000]) for at in (0, 5000)]
windows[1]

# %%
zt.plot.windows(windows)

# %%
reference = pd.read_csv(FOLDER / "data" / "loans_reference.csv")
zt.plot.drift(reference["car_value"], loans["car_value"].iloc[5000:], name="car_value")

# %% [markdown]
# ## Morning: the auditor
#
# All of it stands in the audit log: names, never a value. It is a table like any other.

# %%
tail = priya.audit_tail(200)
print(tail.to_pandas().groupby(["action", "outcome"]).size())
zt.Records(tail[-5:], "the last of them")

# %% [markdown]
# Closing tells whether all of it reached the disk, and the chain whether anybody changed it since.

# %%
rt.close()
found = zt.verify_audit(FOLDER / ".zt" / "audit")
print(found["records"] > 0, "intact:", found["is_intact"])
