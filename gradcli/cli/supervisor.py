"""Limits that hold from outside: a parent that waits, keeps the time and cleans up after the process that works.

A NumPy call cannot be interrupted from Python, so the command forks before it imports NumPy. The child works and
reports what it does over a pipe; the parent does nothing but wait, for the child's end, for the end of its time, or
for a signal. Where there is no fork a thread of the working process keeps the time.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

OK, MISMATCH, FAULT, UNPROVED, BROKEN, INTERRUPTED, CLOSED_PIPE = 0, 1, 2, 3, 70, 130, 141

SLICE = 1.0
"""Seconds of one wait. Time is added up in slices, so that a process that was stopped loses none of it."""

CRASHES = ("SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT", "SIGSYS", "SIGTRAP")

LIBRARIES = 512 << 20
"""Memory of the libraries themselves (SciPy and SymPy take 160 MB), which `--max-bytes` does not speak of."""

PER_CORE = 40 << 20
"""What OpenBLAS takes for each of its threads when it is first used."""

OUT_OF_TIME = (
    "limit reached: --max-seconds: the command took more than {:g} seconds\n  = raise --max-seconds if this is meant"
)

OUT_OF_MEMORY = (
    "limit reached: --max-bytes: there was not the memory that the command needed\n"
    "  = raise --max-bytes if this is meant"
)

STACK = 100 << 20
"""What the C stack may grow to, for recursion that passes through C; Linux leaves 128 MB for it."""

LEFTOVER = ".gradcli-{pid}-"
"""How the name of a file begins that `-o` is writing (see `gradcli.files.atomic`)."""


def supervise(work: Callable[[], int], seconds: float, output: str | None) -> NoReturn:
    """Do the work in a process of its own for at most so many seconds, and end this process with its exit code.

    A child that is ended while it writes the file `output` leaves nothing of it behind.
    """
    if not hasattr(os, "fork"):
        _watch_from_inside(seconds)
        os._exit(work())
    watched = _Signals()
    reading, writing = os.pipe()
    watched.hold()
    child = os.fork()
    if child == 0:
        os.close(reading)
        watched.leave_to_parent()
        _work(work, writing)
    os.close(writing)
    watched.listen()
    os._exit(_Parent(child, reading, watched, seconds, output).wait())


def _work(work: Callable[[], int], reports: int) -> NoReturn:
    """The child's life; it reports the exit code that it means, since libraries end processes too."""
    global _reports
    _reports = reports
    try:
        code = work()
    except MemoryError:
        os._exit(FAULT)
    except BaseException as defect:
        code = _say(f"gradcli itself is at fault: {type(defect).__name__}", BROKEN)
    with contextlib.suppress(OSError):
        os.write(reports, b"%d" % code)
    os._exit(code)


_reports = -1
DREW, CLEAN_LINE = b"+", b"\r\x1b[2K\x1b[?25h"
"""What the child reports when it draws on the terminal, and what takes that away: an empty line, with a cursor."""


def report_drawing() -> None:
    """In the child: tell the parent that there is something on the terminal which it must take away if it ends us."""
    if _reports >= 0:
        with contextlib.suppress(OSError):
            os.write(_reports, DREW)


class _Signals:
    """The signals that end a command: which there are, and a pipe on which they arrive.

    One that was ignored when the command started (`nohup`, a background job) stays ignored.
    """

    def __init__(self) -> None:
        known = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")
        numbers = [getattr(signal, name) for name in known if hasattr(signal, name)]
        self.numbers = [number for number in numbers if signal.getsignal(number) != signal.SIG_IGN]
        self.arrivals = -1

    def hold(self) -> None:
        """Keep them waiting while the process splits, so that none is lost."""
        signal.pthread_sigmask(signal.SIG_BLOCK, self.numbers)

    def leave_to_parent(self) -> None:
        """In the child: Ctrl-C reaches both processes, and the parent is the one that acts on it."""
        if signal.SIGINT in self.numbers:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, self.numbers)

    def listen(self) -> None:
        """In the parent: have each arrival written to a pipe."""
        self.arrivals, writing = os.pipe()
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        for number in self.numbers:
            signal.signal(number, lambda number, frame: None)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, self.numbers)

    def die_of(self, number: int) -> NoReturn:
        """End this process by the signal itself, so that whoever started it sees that."""
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])
        os.kill(os.getpid(), number)
        os._exit(128 + number)


class _Parent:
    """The process that waits."""

    def __init__(self, child: int, reports: int, signals: _Signals, seconds: float, output: str | None) -> None:
        self.child = child
        self.reports = reports
        self.signals = signals
        self.seconds = seconds
        self.output = output
        self.meant: int | None = None
        self.drew = False

    def wait(self) -> int:
        """The exit code of the command, once the child is no more and what it left is cleaned up."""
        ending = self._until_ending()
        if ending is not None:
            os.kill(self.child, 9)
        _, status = os.waitpid(self.child, 0)
        if self.meant is None:
            self._clean_up()
            if self.drew:
                os.write(2, CLEAN_LINE)
        if ending == "time":
            return _say(OUT_OF_TIME.format(self.seconds), FAULT)
        if ending is not None:
            number = int(ending)
            return INTERRUPTED if number == 2 else self.signals.die_of(number)
        return self._judge(status)

    def _until_ending(self) -> str | None:
        """Wait for the child to end: None. Or for the reason to end it: "time", or a signal's number."""
        import select
        from time import monotonic

        poll = select.poll()
        poll.register(self.reports, select.POLLIN)
        poll.register(self.signals.arrivals, select.POLLIN)
        left = self.seconds
        while left > 0:
            before = monotonic()
            ready = [descriptor for descriptor, _ in poll.poll(min(left, SLICE) * 1000 + 1)]
            left -= min(monotonic() - before, 2 * SLICE)
            if self.reports in ready and not self._read():
                return None
            if self.signals.arrivals in ready:
                ending = [n for n in os.read(self.signals.arrivals, 64) if n in self.signals.numbers]
                if ending:
                    return str(ending[0])
        return "time"

    def _read(self) -> bool:
        """Take what the child reports; False when it has closed the pipe, which it does by ending."""
        data = os.read(self.reports, 64)
        self.drew |= DREW in data
        code = data.replace(DREW, b"")
        if code:
            self.meant = int(code)
        return bool(data)

    def _clean_up(self) -> None:
        """Remove the file that a killed child was writing beside its output."""
        if self.output is None:
            return
        folder = os.path.dirname(os.path.realpath(self.output))
        try:
            for name in os.listdir(folder):
                if name.startswith(LEFTOVER.format(pid=self.child)):
                    os.unlink(os.path.join(folder, name))
        except OSError:
            return

    def _judge(self, status: int) -> int:
        """The exit code for a child that ended by itself."""
        if os.WIFEXITED(status):
            if self.meant is not None:
                return self.meant
            # A library that gets no memory ends the process on its own: OpenBLAS does, with exit code 1.
            return _say(OUT_OF_MEMORY, FAULT)
        number = os.WTERMSIG(status)
        if number == 9:
            return _say("limit reached: --max-bytes: the system ran out of memory and ended the command", FAULT)
        name = signal.Signals(number).name if number in signal.valid_signals() else ""
        if name in CRASHES:
            return _say(f"gradcli itself is at fault: it crashed ({name})", BROKEN)
        return self.signals.die_of(number)


def _say(message: str, code: int) -> int:
    """Print an error without the help of the modules that the parent never loads."""
    with contextlib.suppress(OSError):
        os.write(2, f"error: {message}\n".encode())
    return code


def _watch_from_inside(seconds: float) -> None:
    """Without fork: a thread that ends this process when its time is over."""
    from threading import Timer

    def end() -> None:
        _say(OUT_OF_TIME.format(seconds), FAULT)
        os._exit(FAULT)

    timer = Timer(seconds, end)
    timer.daemon = True
    timer.start()


def keep_standard_streams() -> None:
    """Fill closed standard descriptors, so that no file that is opened later takes the place of one."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def confine(max_bytes: int, parent: int) -> None:
    """Bound this process; NumPy must have been loaded, so that its own memory is not counted.

    No core files; a deep stack; an end with `parent`'s; and on Linux private memory of a known size.
    """
    try:
        import resource
    except ImportError:
        return
    _lower(resource.RLIMIT_CORE, 0)
    _raise_stack()
    if sys.platform == "linux":
        _lower(resource.RLIMIT_DATA, _private_bytes() + max_bytes + LIBRARIES + PER_CORE * (os.cpu_count() or 1))
        _end_with(parent)
    elif parent:
        _watch_parent(parent)


def _lower(limit: int, value: int) -> None:
    """Lower a soft limit of this process; it is never raised."""
    import resource

    soft, hard = resource.getrlimit(limit)
    if soft == resource.RLIM_INFINITY or value < soft:
        resource.setrlimit(limit, (value, hard))


def _raise_stack() -> None:
    """Let the main thread's stack grow, as far as that is allowed."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    wanted = STACK if hard == resource.RLIM_INFINITY else min(STACK, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_STACK, (wanted, hard))


def _private_bytes() -> int:
    """What Linux counts against RLIMIT_DATA."""
    try:
        with open("/proc/self/statm", "rb") as status:
            return int(status.read().split()[5]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 256 << 20


def _watch_parent(parent: int) -> None:
    """Where the system tells nobody of a parent's end: a thread that looks now and then."""
    from threading import Thread
    from time import sleep

    def watch() -> None:
        while os.getppid() == parent:
            sleep(SLICE)
        os._exit(BROKEN)

    Thread(target=watch, daemon=True).start()


def _end_with(parent: int) -> None:
    """Have Linux kill this process when its parent ends, however that comes to pass."""
    import ctypes

    set_parent_death_signal, kill = 1, 9
    try:
        ctypes.CDLL(None).prctl(set_parent_death_signal, kill)
    except (OSError, AttributeError):
        return
    if parent and os.getppid() != parent:
        os._exit(BROKEN)
