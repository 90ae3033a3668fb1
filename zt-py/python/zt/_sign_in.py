"""Whether a person is in front of this process, and how to tell them something."""

from __future__ import annotations

import importlib
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from zt._zt import SignIn


def prompt_here() -> Callable[[SignIn], None] | None:
    """How to tell the person; None where nobody is: a service, a job, a notebook that a scheduler runs."""
    kernel = getattr(_shell(), "kernel", None)
    if "DATABRICKS_RUNTIME_VERSION" in os.environ:
        return None if _shell() is None or _is_databricks_job() else _print_in_notebook
    if kernel is not None:
        # Who runs a notebook without a person (nbclient, papermill) tells its kernel that nobody can answer.
        return _display if getattr(kernel, "_allow_stdin", True) else None
    terminal = sys.stderr
    return _print if terminal is not None and terminal.isatty() else None


def _shell() -> Any:
    """The IPython that runs this code, if one does. It is imported already then."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def _is_databricks_job() -> bool:
    """As the context of the notebook says; where it says nothing, a person is there."""
    try:
        context = importlib.import_module("dbruntime.databricks_repl_context")
        return bool(context.get_context().isInJob)
    except Exception:
        return False


def _print(sign_in: SignIn) -> None:
    print(sign_in.message, file=sys.stderr, flush=True)


def _print_in_notebook(sign_in: SignIn) -> None:
    print(sign_in.message, flush=True)


def _display(sign_in: SignIn) -> None:
    """As plain text: no markup of a server reaches the page."""
    importlib.import_module("IPython.display").display({"text/plain": sign_in.message}, raw=True)
