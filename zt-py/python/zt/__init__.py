"""zt: zero trust for AI pipelines on Azure, inside your process.

A caller's token becomes a session, the session decides by the metadata tables, and every answer stands in the audit log:

>>> with zt.open(folder) as runtime:
...     maya = runtime.authenticate(token)
...     bool(maya.check("model.infer", "model:car_loan_scorer"))
True

What waits has an `_async` twin that returns an awaitable. Every failure is a `zt.Error`.
"""

from __future__ import annotations

import atexit
import os
import sys

from zt import _zt
from zt._errors import (
    Cancelled,
    ConfigError,
    Denied,
    Error,
    ExposedSecretWarning,
    Integrity,
    InternalError,
    Invalid,
    NotFound,
    Unauthenticated,
    Unavailable,
)
from zt._explanation import Explanation
from zt._records import Records
from zt._status import Status
from zt._zt import (
    AccessToken,
    Columns,
    Decision,
    Evaluation,
    Executor,
    Grant,
    Opener,
    Permit,
    Plan,
    Revealed,
    RowFilter,
    Runtime,
    Sealer,
    Secret,
    SecretHandle,
    Selection,
    Session,
    SignIn,
    Snapshot,
    verify_audit,
)

try:
    from zt._zt import Answers, Table
except ImportError:  # it was built without Arrow
    pass

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` takes longer to import than all of zt
    from typing import Unpack

    from zt._zt import Config, TokenCredential

__all__ = [
    "Answers",
    "AccessToken",
    "Cancelled",
    "Columns",
    "ConfigError",
    "Decision",
    "Denied",
    "Error",
    "Evaluation",
    "Executor",
    "Explanation",
    "Grant",
    "ExposedSecretWarning",
    "Integrity",
    "InternalError",
    "Invalid",
    "NotFound",
    "Opener",
    "Permit",
    "Plan",
    "Records",
    "Revealed",
    "RowFilter",
    "Runtime",
    "Sealer",
    "Secret",
    "SecretHandle",
    "Selection",
    "Session",
    "SignIn",
    "Snapshot",
    "Status",
    "Table",
    "Unauthenticated",
    "Unavailable",
    "open",
    "open_async",
    "status",
    "verify_audit",
]
if not hasattr(_zt, "Table"):
    del __all__[__all__.index("Table")], __all__[__all__.index("Answers")]


def open(
    folder: str | os.PathLike[str],
    *,
    credential: TokenCredential | None = None,
    **config: Unpack[Config],
) -> Runtime:
    """Opens the folder that holds `zt.toml`: reads the tables, opens the vault and the audit log.

    Keywords are the settings of `zt.toml` with `_` for `.`, such as `audit_folder`. They add what the file and the
    environment leave out and never replace what is set there; `mode="production"` tightens. In production, keywords for
    settings that have a default are refused: what the file leaves out means the default.

    `credential` is the identity of this process where the machine has none of its own: any object with a synchronous
    `get_token(*scopes)`, as azure-identity has them, or what `dbutils.credentials.getServiceCredentialsProvider(name)` gives
    on Databricks. It is asked when a token is needed, on another thread; of its exceptions zt tells the type alone.

    Raises ConfigError for a wrong configuration, Invalid with every problem of the tables, Integrity for a damaged vault
    or audit log, Unavailable when the audit log cannot be written. Ctrl-C ends the wait.

    >>> zt.open(folder, audit_folder="elsewhere")
    Traceback (most recent call last):
    ...
    zt._errors.ConfigError: [ZT-7001] a keyword may not set `audit.folder`: another value is set already; ...
    """
    return _remember(_zt.open(folder, credential=credential, **config))


async def open_async(
    folder: str | os.PathLike[str],
    *,
    credential: TokenCredential | None = None,
    **config: Unpack[Config],
) -> Runtime:
    """`open` for asyncio.

    >>> import asyncio
    >>> async def main() -> str:
    ...     async with await zt.open_async(folder) as runtime:
    ...         return (await runtime.authenticate_async(token)).name
    >>> asyncio.run(main())
    'user:maya'
    """
    return _remember(await _zt.open_async(folder, credential=credential, **config))


def status(runtime: Runtime) -> Status:
    """How a runtime is, on one card: metadata, identity, vault, network and audit, and what to do about what does not work.
    The same as `runtime.status()`.

    >>> print(zt.status(rt).parts[4]["state"])
    works
    """
    return runtime.status()


def _remember(runtime: Runtime) -> Runtime:
    """Keeps it until it is closed, though the program may keep a session alone."""
    _zt._open_runtimes().add(runtime)
    return runtime


def _close_all() -> None:
    """What nobody closed is flushed at the end of the process; a failure can only be printed then."""
    for runtime in list(_zt._open_runtimes()):
        try:
            runtime.close()
        except Error as error:
            print(f"zt: warning: the audit log was not closed: {error}", file=sys.stderr)


def _after_fork_in_child() -> None:
    _zt._after_fork_in_child()
    _zt._open_runtimes().clear()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
