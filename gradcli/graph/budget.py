"""The byte limit: what an allocation would cost is known before it is made.

Live bytes are read from the system rather than counted object by object: a reading costs ten microseconds, so one
is made only when enough has been charged since the last for it to matter.
"""

from __future__ import annotations

import gc
import sys
from typing import Any

from gradcli.graph.errors import LimitReached


def _resident_bytes() -> int:
    """Private memory of this process, now (where the system tells) or at its peak."""
    try:
        with open("/proc/self/statm", "rb") as status:
            fields = status.read().split()
        return (int(fields[1]) - int(fields[2])) * 4096
    except (OSError, IndexError):
        pass
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def readable(nbytes: int) -> str:
    """A byte count as a person says it, in the units of `--max-bytes`: `7.3 TiB`."""
    amount = float(nbytes)
    for unit in ("bytes", "KiB", "MiB", "GiB", "TiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.3g} PiB"


class Budget:
    """Counts what a program holds against `limit_bytes`; None is no limit."""

    __slots__ = ("_baseline", "_live", "_pending", "_slack", "limit_bytes")

    def __init__(self) -> None:
        self.limit_bytes: int | None = None
        self._baseline = 0
        self._live = 0
        self._pending = 0
        self._slack = 0

    def open(self, limit_bytes: int | None) -> None:
        """Set the limit; what the process holds at this moment is not counted."""
        self.limit_bytes = limit_bytes
        self._baseline = _resident_bytes()
        self._live = self._pending = 0
        self._slack = min(16 << 20, (limit_bytes or 0) // 4)

    def held(self) -> int:
        """Bytes that the process holds now beyond what it held when the budget was opened."""
        return max(0, _resident_bytes() - self._baseline)

    def charge(self, nbytes: int, what: str = "a value") -> None:
        """Say that `nbytes` are about to be allocated.

        Raises:
            LimitReached: with them the program would hold more than the limit.
        """
        limit = self.limit_bytes
        if limit is None:
            return
        self._pending += nbytes
        if self._pending < self._slack and self._live + self._pending < limit:
            return
        if nbytes <= limit:
            self._live = self.held()
            self._pending = nbytes
        if nbytes <= limit < self._live + nbytes and gc.collect():
            self._live = self.held()
        if nbytes > limit or self._live + nbytes > limit:
            self._pending = 0
            raise LimitReached(
                "--max-bytes",
                f"{what} needs {readable(nbytes)}; {readable(self._live)} of {readable(limit)} are in use",
            )

    def charge_spec(self, spec: Any, what: str) -> None:
        """Charge one result, given its `Spec` or a tuple of them."""
        parts = (spec,) if hasattr(spec, "nbytes") else spec
        self.charge(sum(part.nbytes for part in parts), what)


budget = Budget()
