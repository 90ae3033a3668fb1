"""Asks a credential object for a token, on a thread of Python's own."""

from __future__ import annotations

import _thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    class Reply(Protocol):
        def given(self, answer: Any, /) -> None: ...
        def raised(self, kind: str, /) -> None: ...


def ask(get_token: Callable[[str], Any], scope: str, reply: Reply) -> None:
    """Does not wait. The end of the process may stop a thread in the midst of `get_token`, and Python stops its own threads
    alone cleanly; nor does the end wait for one that was started so."""
    _thread.start_new_thread(_ask, (get_token, scope, reply))


def _ask(get_token: Callable[[str], Any], scope: str, reply: Reply) -> None:
    try:
        answer = get_token(scope)
    except BaseException as raised:  # nothing of it may be printed: its text may hold a token
        reply.raised(type(raised).__name__)
    else:
        reply.given(answer)
