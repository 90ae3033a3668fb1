"""How far a long file is: a bar for people, or calls of a function."""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, BinaryIO

PATIENCE_S = 2.0
"""What is done sooner shows nothing."""


def watched(source: Any, progress: bool | Callable[[int, int | None], object]) -> Watched | None:
    """The source, read through what tells how far it is; None where nobody wants to know."""
    if progress is False or progress is None:
        return None
    if progress is not True and not callable(progress):
        raise TypeError("`progress` must be True, or a function of the bytes done and the bytes in all")
    if hasattr(source, "read"):
        return Watched(source, _rest(source), progress)
    opened = open(source, "rb")
    return Watched(opened, os.fstat(opened.fileno()).st_size, progress, is_own=True)


class Watched:
    """A binary source that tells how far it was read."""

    def __init__(
        self,
        source: BinaryIO,
        total: int | None,
        progress: bool | Callable[[int, int | None], object],
        *,
        is_own: bool = False,
    ) -> None:
        self._source, self._total, self._done, self._is_own = source, total, 0, is_own
        self._tell = Bar(total).tell if progress is True else progress

    def __del__(self) -> None:
        if self._is_own:
            self._source.close()

    def read(self, size: int) -> bytes:
        """Reads, and tells."""
        data = self._source.read(size)
        self._done += len(data)
        if callable(self._tell):
            self._tell(self._done, self._total)
        return data


class Bar:
    """A bar of tqdm where it is installed, else a line of text; neither before two seconds."""

    def __init__(self, total: int | None) -> None:
        self._total, self._start, self._bar, self._said = total, time.monotonic(), None, 0.0

    def tell(self, done: int, total: int | None) -> None:
        """Shows how far it is."""
        now = time.monotonic()
        is_end = done == total
        if now - self._start < PATIENCE_S or (now - self._said < 0.2 and not is_end):
            return
        self._said = now
        if self._bar is None:
            self._bar = _tqdm(total)
        if self._bar is not None:
            self._bar.update(done - self._bar.n)
            if is_end:
                self._bar.close()
        else:
            share = f" of {total / 2**20:.0f} MiB, {done / total:.0%}" if total else " MiB"
            print(f"\rzt: {done / 2**20:.0f}{share}", end="\n" if is_end else "", file=sys.stderr, flush=True)


def _tqdm(total: int | None) -> Any:
    try:
        from importlib import import_module

        return import_module("tqdm.auto").tqdm(total=total, unit="B", unit_scale=True, unit_divisor=1024, desc="zt")
    except ImportError:
        return None


def _rest(source: Any) -> int | None:
    """How many bytes are left to read, where the object can say so."""
    try:
        here = source.tell()
        end = source.seek(0, os.SEEK_END)
        source.seek(here)
    except (AttributeError, OSError, ValueError):
        return None
    return int(end) - int(here)
