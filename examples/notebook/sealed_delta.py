# %% [markdown]
# # Sealed scores in a Delta table
#
# The nightly job seals its scores before they leave the process; the lake, its administrator and every backup keep text that
# opens for nobody without a right. Here it is a real Delta table; Parquet and CSV keep the same rows. It needs
# `pip install ./zt-py deltalake pyarrow`, the `zt` command, and once, at the top of the repository,
# `zt -C examples/world vault create-key scores-kek`.

# %%
import csv
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from deltalake import DeltaTable, write_deltalake

import zt

# %% [markdown]
# **Rights.** A copy of the sample world gets two lines more: cells are bound to their row by `row_key`, and Maya, a data
# scientist, may open some of the columns, one of them masked. What she may not see is not even decrypted.

# %%
FOLDER = Path(os.environ.get("ZT_FOLDER", "examples/world"))
work = Path(tempfile.mkdtemp())
world, lake = work / "world", work / "loan_scores"
shutil.copytree(FOLDER, world, ignore=shutil.ignore_patterns("audit"))

MAYA = """
[[Access_Policies]]
id = "AP-90"
principal = "role:data_scientist"
action = "data.open"
resource = "output:loan_scores_delta"
effect = "allow"
columns = ["id", "salary_range", "debt_to_income_ratio", "y_pred"]
masks = { salary_range = "redact" }
"""
tables = world / "brindlewick.toml"
text = tables.read_text(encoding="utf-8")
rule = 'key = "scores-kek"\n'
assert text.count(rule) == 1
tables.write_text(text.replace(rule, rule + 'row_key = ["id"]\n') + MAYA, encoding="utf-8")

rt = zt.open(world)


def sign_in(name: str) -> zt.Session:
    """In production the token comes from Entra ID; here the development issuer makes one."""
    command = [os.environ.get("ZT_BIN", "zt"), "-C", str(world), "dev-token", name]
    token = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    return rt.authenticate(token)


# %% [markdown]
# **Seal.** The sample ships its scores. A frame of pyarrow comes back as one, and every type with it; polars and pandas alike.

# %%
with open(world / "data" / "loans.csv", newline="", encoding="utf-8") as file:
    loans = list(csv.DictReader(file))
scores = pa.table(
    {
        "id": pa.array([int(loan["id"]) for loan in loans], pa.int32()),
        "salary_range": pa.array([loan["salary_range"] or None for loan in loans]).dictionary_encode(),
        "debt_to_income_ratio": pa.array([float(loan["debt_to_income_ratio"] or 0) or None for loan in loans]),
        "y_pred_proba": pa.array([float(loan["y_pred_proba"]) for loan in loans], pa.float32()),
        "y_pred": pa.array([int(loan["y_pred"]) for loan in loans], pa.int8()),
    }
)
job = sign_in("sp-score-201").claiming(job=201, stage=2)
sealed = job.sealer("loan_scores_delta").seal(scores)
print(sealed.num_rows, "rows;", sealed["salary_range"][0].as_py()[:24] + "…")

# %% [markdown]
# **Store.** Two nights, each under a data key of its own, in one table.

# %%
half = sealed.num_rows // 2
write_deltalake(lake, sealed.slice(0, half))
tonight = job.sealer("loan_scores_delta").seal(scores.slice(half))
write_deltalake(lake, tonight, mode="append")
print("versions of the table:", DeltaTable(lake).version() + 1)

# %% [markdown]
# No value of a sealed column is in any file of the table: not in the data, not in the statistics of the log.

# %%
plain = {value for value in scores["salary_range"].to_pylist() if value}
files = [path for path in lake.rglob("*") if path.is_file()]
for path in files:
    if path.suffix == ".parquet":  # compressed: its cells are looked at
        assert plain.isdisjoint(pa.parquet.read_table(path)["salary_range"].to_pylist())
    assert not any(value.encode() in path.read_bytes() for value in plain)
print(len(files), "files, none with a plain salary range")

# %% [markdown]
# **Open.** Ines, credit risk, may see everything: types and missing values are what they were.

# %%
stored = DeltaTable(lake).to_pyarrow_table()
ines = sign_in("ines")
opened = ines.opener("loan_scores_delta", stored).unseal(stored).sort_by("id")
assert opened.schema == scores.schema
assert opened.to_pydict() == scores.sort_by("id").to_pydict()
print("ines:", ", ".join(opened.column_names))

# %% [markdown]
# Maya gets her columns, and Elin, who has no right, an error.

# %%
maya = sign_in("maya")
hers = maya.opener("loan_scores_delta", stored).unseal(stored)
print("maya:", ", ".join(hers.column_names), "|", hers["salary_range"].drop_null()[0])
assert "y_pred_proba" not in hers.column_names

try:
    sign_in("elin").opener("loan_scores_delta", stored)
except zt.Denied as error:
    print("elin:", error)

# %% [markdown]
# **Tamper.** A cell opens in its own row and column alone. Whoever may write to the lake can destroy, but not exchange.

# %%
opener = ines.opener("loan_scores_delta", stored)


def with_column(name: str, cells: list[str]) -> pa.Table:
    return stored.set_column(stored.column_names.index(name), name, pa.array(cells))


cells = stored["debt_to_income_ratio"].to_pylist()
cells[0], cells[1] = cells[1], cells[0]
for what, moved in {
    "another row": with_column("debt_to_income_ratio", cells),
    "another column": with_column("debt_to_income_ratio", stored["y_pred_proba"].to_pylist()),
}.items():
    try:
        opener.unseal(moved)
    except zt.Integrity as error:
        print(f"{what}: {error}")
    else:
        raise AssertionError(f"a cell opened in {what}")

# %% [markdown]
# **Elsewhere.** Parquet, CSV text and whatever else stores text keep sealed rows as well.

# %%
pa.parquet.write_table(sealed, work / "scores.parquet")
# A dictionary of the key texts is text there.
pa.csv.write_csv(sealed.set_column(sealed.num_columns - 1, "_zt_key", sealed["_zt_key"].cast(pa.string())), work / "scores.csv")
for kept in (pa.parquet.read_table(work / "scores.parquet"), pa.csv.read_csv(work / "scores.csv")):
    again = ines.opener("loan_scores_delta", kept).unseal(kept)
    assert again.to_pydict() == scores.to_pydict()
print("opened from Parquet and from CSV")

# %% [markdown]
# **Prove.** Who sealed and opened what stands in the audit log, never a value.

# %%
for entry in sign_in("priya").audit_tail(6):
    print(entry["kind"], entry.get("caller", "-"), entry["action"], entry["resource"], entry["outcome"])

rt.close()
found = zt.verify_audit(world / ".zt" / "audit")
print(found["records"], "records, intact:", found["is_intact"])
assert found["is_intact"], found["findings"]
shutil.rmtree(work)
