# %% [markdown]
# # Sealed scores in Delta, Parquet and CSV
#
# What job 201 seals stays sealed wherever it is stored: the same cells open from a Delta table, a Parquet file and CSV text,
# for whoever the policies let, with the columns that they let. This notebook needs `pip install ./zt-py pyarrow deltalake`,
# the `zt` command, and once, at the top of the repository, `zt -C examples/world vault create-key scores-kek`.

# %%
import csv
import io
import os
import subprocess
import tempfile
from pathlib import Path

import deltalake
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

import zt

FOLDER = os.environ.get("ZT_FOLDER", "examples/world")
OUTPUT = "loan_scores_delta"
rt = zt.open(FOLDER)


def sign_in(name: str) -> zt.Session:
    """In production the token comes from Entra ID; here the development issuer makes one."""
    command = [os.environ.get("ZT_BIN", "zt"), "-C", FOLDER, "dev-token", name]
    token = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    return rt.authenticate(token)


# %% [markdown]
# The scores that the sample ships, the first thousand of them.

# %%
with open(Path(FOLDER) / "data" / "loans.csv", newline="", encoding="utf-8") as file:
    header, *rows = csv.reader(file)
loans = {name: [row[at] or None for row in rows[:1000]] for at, name in enumerate(header)}
names = ["id", "salary_range", "debt_to_income_ratio", "y_pred_proba", "y_pred"]
scores = {name: loans[name] for name in names} | {"scored_at": loans["timestamp"]}

# %% [markdown]
# **Seal, in two windows.** Each sealer has a data key of its own; the rows carry it, wrapped, in `_zt_key`. So windows may be
# appended, split and sorted, and the rows still open.

# %%
job = sign_in("sp-score-201").claiming(job=201, stage=2)


def window(rows: range) -> pa.Table:
    part = {name: [cells[row] for row in rows] for name, cells in scores.items()}
    return pa.table(job.sealer(OUTPUT).seal(part))


store = Path(tempfile.mkdtemp(prefix="zt-delta-"))
deltalake.write_deltalake(store / "loan_scores", window(range(600)))
deltalake.write_deltalake(store / "loan_scores", window(range(600, 1000)), mode="append")
table = deltalake.DeltaTable(store / "loan_scores")
print("version", table.version(), "with", table.to_pyarrow_table().num_rows, "rows")

# %% [markdown]
# **What lies in the lake** shows nothing: neither a salary nor how likely somebody is to pay.

# %%
sealed = table.to_pyarrow_table().sort_by("id")
print(sealed.schema.names)
print(sealed["salary_range"][0].as_py()[:40] + "…")
salaries = {text for text in scores["salary_range"] if text}
for file in store.rglob("*"):
    if file.is_file():
        stored = file.read_bytes()
        assert not any(text.encode() in stored for text in salaries), file

# %% [markdown]
# **Open.** Ines, credit risk, may open the output, and sees every column.

# %%
ines = sign_in("ines")
opened = ines.opener(OUTPUT, sealed).unseal(sealed)
by_id = sorted(range(1000), key=lambda row: scores["id"][row])
assert opened == {name: [cells[row] for row in by_id] for name, cells in scores.items()}
print(len(opened["id"]), "rows of", ", ".join(opened))

# %% [markdown]
# Maya, a data scientist, may not: she is refused before any key is asked for.

# %%
try:
    sign_in("maya").opener(OUTPUT, sealed)
except zt.Denied as error:
    print(error)

# %% [markdown]
# Who reads without opening has the rights of the table: Elin the columns that her policy names, Jonas a masked one.

# %%
elin = sign_in("elin").require("table.read", "table:gold.loan_scores").apply(opened)
print(list(elin))
jonas = sign_in("jonas").require("table.read", "table:gold.loan_scores").apply(opened)
print(jonas["salary_range"][:3])

# %% [markdown]
# **The same cells from Parquet and from CSV.**

# %%
pa.parquet.write_table(sealed, store / "loan_scores.parquet")
from_parquet = pa.parquet.read_table(store / "loan_scores.parquet")
assert ines.opener(OUTPUT, from_parquet).unseal(from_parquet) == opened

text = io.BytesIO()
pa.csv.write_csv(sealed, text)
as_text = pa.csv.ConvertOptions(column_types={name: pa.string() for name in sealed.schema.names}, strings_can_be_null=True)
from_csv = pa.csv.read_csv(io.BytesIO(text.getvalue()), convert_options=as_text)
assert ines.opener(OUTPUT, from_csv).unseal(from_csv) == opened

# %% [markdown]
# **What somebody changed does not open.** A cell in another column, or one letter of it, is named, and never shown.

# %%
def change(column: str, cells: list[str]) -> pa.Table:
    return sealed.set_column(sealed.schema.get_field_index(column), column, pa.array(cells))


cells = sealed["salary_range"].to_pylist()
first = next(row for row, cell in enumerate(cells) if cell)
letter = "A" if cells[first][-1] != "A" else "B"
for what, changed in {
    "moved": change("y_pred_proba", cells),
    "cut": change("salary_range", [cell and cell[:-4] for cell in cells]),
    "changed": change("salary_range", [*cells[:first], cells[first][:-1] + letter, *cells[first + 1 :]]),
}.items():
    try:
        ines.opener(OUTPUT, changed).unseal(changed)
    except zt.Integrity as error:
        print(f"{what}: {error}")
    else:
        raise AssertionError(what)

# %% [markdown]
# **A file**, such as the model that made the scores, is sealed whole, in segments: it may be larger than memory.

# %%
model = store / "model.bin"
model.write_bytes(os.urandom(200_000))
length = job.sealer(OUTPUT).seal_file(model, store / "model.bin.zt")
opener = ines.file_opener(OUTPUT, store / "model.bin.zt")
assert opener.unseal_file(store / "model.bin.zt", store / "again.bin", name="model.bin") == length == 200_000
assert (store / "again.bin").read_bytes() == model.read_bytes()

rt.close()
assert zt.verify_audit(Path(FOLDER) / ".zt" / "audit")["is_intact"]
print("intact")
