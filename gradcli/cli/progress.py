"""What a command has done so far, shown on a terminal once it takes more than a second, and gone when it ends.

    with progress(counters):            # counters() -> {"steps": 1200, "nodes": 3400, "memory": 52_000_000}
    with progress(counters, total=n):   # a bar that fills: the first counter out of `total`

`counters` is called from a thread of its own, some times a second, so it should read numbers and do nothing else;
"memory" counts bytes. Inside another `progress` it takes that one's place until it ends. Where standard error is no
terminal nothing happens at all, not even a thread.

Whatever else is written to the terminal calls `make_way` first, and an answer `put_away`, so that the bar never mixes
with them.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

#: Seconds before anything is shown, and between two looks at the counters.
DELAY, TICK = 1.0, 0.25

Counters = Callable[[], Mapping[str, float]]


class _Task(NamedTuple):
    counters: Counters
    total: float | None


@contextmanager
def progress(counters: Counters, total: float | None = None, *, color: str = "auto") -> Iterator[None]:
    """Show what `counters` count while the block runs; see the module's head.

    Args:
        counters: gives labelled numbers, the one that `total` is of first.
        total: what the first counter will be at the end, where that is known.
        color: `--color`; only the outermost `progress` is asked.
    """
    global _display
    if not _wanted():
        yield
        return
    outermost = _display is None
    if _display is None:
        _display = _Display(color)
    display = _display
    display.tasks.append(_Task(counters, total))
    try:
        yield
    finally:
        display.tasks.pop()
        if outermost:
            _display = None
            display.close()


def make_way(text: str = "\n") -> None:
    """Take the bar away, since `text` is about to be written to the terminal; it comes back by itself after a line."""
    if _display is not None:
        _display.hide(text)


def put_away() -> None:
    """Take the bar away for good: the answer is about to be written."""
    if _display is not None:
        _display.close()


def of_the_run() -> dict[str, float]:
    """The counters of the program that runs: steps of the interpreter, nodes made, bytes held."""
    from gradcli.graph.budget import budget
    from gradcli.graph.node import next_number
    from gradcli.language.machine import Machine

    run = Machine.newest()
    return {"steps": 0 if run is None else run.steps, "nodes": next_number(), "memory": budget.held()}


def _wanted() -> bool:
    stream = sys.stderr
    return stream is not None and stream.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")


class _Display:
    """A thread that waits, and then draws."""

    def __init__(self, color: str) -> None:
        import threading

        self.tasks: list[_Task] = []
        self._color = color
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._in_line = False
        self._bar: Any = None
        self._shown = False
        self._process = os.getpid()
        self._began = time.monotonic()
        threading.Thread(target=self._watch, name="progress", daemon=True).start()

    def hide(self, text: str) -> None:
        """Erase the bar, if it is there; while a line is unfinished it stays away."""
        if os.getpid() != self._process:
            return
        with self._lock:
            self._in_line = not text.endswith("\n")
            self._erase()

    def close(self) -> None:
        """Erase the bar for good."""
        if os.getpid() != self._process:
            return
        self._over.set()
        with self._lock:
            self._erase()

    def _watch(self) -> None:
        if self._over.wait(DELAY):
            return
        bar = _bar(self._color)
        while not self._over.wait(TICK):
            with self._lock:
                if not self._over.is_set() and not self._in_line:
                    self._draw(bar)

    def _draw(self, bar: Any) -> None:
        tasks = self.tasks
        if not tasks:
            return
        task = tasks[-1]
        numbers = task.counters()
        done = next(iter(numbers.values()), 0)
        bar.update(bar.task_ids[0], total=task.total, completed=done, counted=described(numbers, task.total))
        if not self._shown:
            _tell_supervisor()
            bar.tasks[0].start_time = self._began
            bar.start()
            self._bar, self._shown = bar, True
        bar.refresh()

    def _erase(self) -> None:
        if self._shown:
            self._bar.stop()
            self._shown = False


_display: _Display | None = None


def _bar(color: str) -> Any:
    """A line of rich's: a bar, what was counted, and the time."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    plain = color == "never" or (color == "auto" and bool(os.environ.get("NO_COLOR")))
    bar = Progress(
        BarColumn(bar_width=20),
        TextColumn("{task.fields[counted]}", markup=False),
        TimeElapsedColumn(),
        console=Console(file=sys.stderr, markup=False, emoji=False, highlight=False, no_color=plain),
        transient=True,
        auto_refresh=False,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    bar.add_task("", total=None, counted="")
    return bar


def described(numbers: Mapping[str, float], total: float | None = None) -> str:
    """Labelled numbers in a line: `1,200 steps  3,400 nodes  49.6 MiB`."""
    from gradcli.graph.budget import readable

    found = []
    for label, number in numbers.items():
        if label == "memory":
            found.append(readable(int(number)))
        else:
            of = f" of {total:,.0f}" if total is not None and not found else ""
            found.append(f"{number:,.0f}{of} {label}")
    return "  ".join(found)


def _tell_supervisor() -> None:
    """Where this process is ended from outside, it is the parent that cleans the terminal."""
    from gradcli.cli import supervisor

    supervisor.report_drawing()
