# %% [markdown]
# # First steps with zt
#
# The sample company Brindlewick keeps its security in tables (`examples/world`). This notebook signs in, asks, reads a
# secret and looks at what was recorded. It needs `pip install ./zt-py`, the `zt` command, and once, at the top of the
# repository, a secret to read: `zt -C examples/world vault set bureau-api-key`.

# %%
import os
import subprocess

import zt

FOLDER = os.environ.get("ZT_FOLDER", "examples/world")
rt = zt.open(FOLDER)
rt  # a card: folder, tables, snapshot, audit log


# %% [markdown]
# In production the token comes from Entra ID. Here the development issuer makes one, which a production `zt.toml` refuses.


# %%
def sign_in(name: str) -> zt.Session:
    command = [os.environ.get("ZT_BIN", "zt"), "-C", FOLDER, "dev-token", name]
    token = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    return rt.authenticate(token)


maya = sign_in("maya")  # a data scientist
maya.name

# %% [markdown]
# A decision is true when it allows, and says which rows of Access_Policies made it.

# %%
decision = maya.check("table.read", "table:raw.loan_applications")
print(bool(decision), decision.kind, decision.policies, decision.why)
decision  # a small table

# %% [markdown]
# `require` is for code: a permit that carries what may be seen, or `zt.Denied`, which is a `PermissionError`.

# %%
elin = sign_in("elin")  # an analyst
permit = elin.require("table.read", "table:gold.loan_scores")
print(permit.columns.visible(["id", "y_pred", "y_pred_proba", "scored_at"]))

try:
    maya.require("table.read", "table:raw.loan_applications")
except zt.Denied as error:
    print(error)
    print("to a remote caller:", error.http_status, error.public_message)

# %% [markdown]
# A workload claims the stage that it is in, and reads the secret of that stage. Nothing prints the value; the block below
# is the only way to it, and wipes it at its end.

# %%
job = sign_in("sp-score-201").claiming(job=201, stage=2)
secret = job.secret("bureau-api-key")
print(secret)

with secret.reveal() as view:
    print(view.nbytes, "bytes for the credit bureau's client")  # connect(bytes(view))
assert not any(view)

# %%
try:
    job.claiming(job=201, stage=1).secret("bureau-api-key")
except zt.Denied as error:
    refused = error.decision
    print(refused)

# %% [markdown]
# Why? Near misses tell an attacker what to claim, so only holders of `policy.explain` see them.

# %%
priya = sign_in("priya")  # security
print(priya.explain(refused))

# %% [markdown]
# Every answer above stands in the audit log, names only, never a value. Reading it takes `audit.read`.

# %%
if priya.check("audit.read", "audit:log"):
    for entry in priya.audit_tail(8):
        print(entry["at"], entry.get("caller", "-"), entry["action"], entry["resource"], entry["outcome"])

# %% [markdown]
# Closing tells whether all of it reached the disk.

# %%
rt.close()
