"""Does what is awaited, and may take as long as somebody's reader likes, on a thread of its own.

Not on a pool: readers that stand still would fill it, and keep all others out. The thread is no daemon: the interpreter waits for
it at its end, and what nobody awaits any more ends before its next batch.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def aside(reading: Any, function: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any] | None) -> asyncio.Task[Any]:
    """Begins, and answers what to await. Raises RuntimeError where no loop runs."""
    loop = asyncio.get_running_loop()
    return loop.create_task(_aside(loop, reading, function, arguments, options))


async def _aside(loop: asyncio.AbstractEventLoop, reading: Any, function: Callable[..., Any], arguments: tuple[Any, ...], options: Any) -> Any:
    future = loop.create_future()
    context = contextvars.copy_context()

    def run() -> None:
        outcome: tuple[Any, BaseException | None]
        try:
            outcome = context.run(reading.run, function, arguments, options), None
        except BaseException as raised:
            outcome = None, raised
        try:
            loop.call_soon_threadsafe(_settle, future, outcome)
        except RuntimeError:
            pass  # the loop is closed: nobody waits

    threading.Thread(target=run, name="zt-reading").start()
    try:
        answer, raised = await future
    finally:
        reading.give_up()
    if raised is None:
        return answer
    try:
        raise raised
    finally:
        del raised  # whose traceback holds this frame


def _settle(future: asyncio.Future[Any], outcome: tuple[Any, BaseException | None]) -> None:
    if not future.done():
        future.set_result(outcome)
