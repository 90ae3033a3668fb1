"""What a task of Spark tells in the text of its error: our own exception, and the account of what it did.

Only text crosses Spark, and it is anybody's: what does not read is passed over.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
from itertools import islice

from zt import _errors
from zt._errors import Error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zt._zt import Executor

_TRAILER = re.compile(r"zt-error:([A-Za-z0-9_-]+)\.")
_FACTS = ("code", "help", "public_message", "http_status", "is_transient")


def trailers(raised: BaseException) -> list[dict[str, Any]]:
    """What tasks sent in the text of an error, the first few."""
    texts: dict[str, None] = {}
    cause: BaseException | None = raised
    for _ in range(16):
        if cause is None:
            break
        texts |= dict.fromkeys(islice(_TRAILER.findall(str(cause)), 16))
        cause = cause.__cause__ or cause.__context__
    found = []
    for text in texts:
        with contextlib.suppress(ValueError, RecursionError):
            told = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            if isinstance(told, dict):
                found.append(told)
    return found


def error_of(told: dict[str, Any]) -> Error | None:
    """The exception that a task told of."""
    kind, message, facts = told.get("kind"), told.get("message"), told.get("facts")
    found = getattr(_errors, kind, None) if isinstance(kind, str) else None
    if not (isinstance(found, type) and issubclass(found, Error) and isinstance(message, str) and isinstance(facts, dict)):
        return None
    known = {name: facts[name] for name in _FACTS if name in facts}
    with contextlib.suppress(Exception):
        return found(message, **known)
    return None


def carried(error: Exception, executor: Executor | None) -> str:
    """The text that brings an exception and an account to the driver."""
    told: dict[str, Any] = {"statement": executor.statement() if executor else None}
    if isinstance(error, Error):
        facts = {name: getattr(error, name) for name in _FACTS}
        told |= {"kind": type(error).__name__, "message": error.message, "facts": facts}
    text = base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")
    name = "" if isinstance(error, Error) else f"{type(error).__name__}: "
    return f"{name}{error}\nzt-error:{text}."
