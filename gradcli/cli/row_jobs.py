"""Blocks of rows and the answers to them, in order: worked on in this process, or in several.

A process is forked when everything is read and parsed but the rows. It gets blocks and sends answers over pipes, one at
a time, so that what waits is bounded by the number of processes. It ends with its parent, whatever ends that.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator
from time import monotonic
from typing import IO, Any, NamedTuple, NoReturn

from gradcli.cli import supervisor
from gradcli.cli.row_work import Reply
from gradcli.files.rows import Block, RowReader
from gradcli.graph.errors import GradcliError, LimitReached

Answering = Callable[[Block], Reply]


class Cost(NamedTuple):
    """What a block took: seconds, and the peak of the memory of the process, in bytes."""

    seconds: float
    peak: int


class Pace:
    """How large blocks are: at first a row, then more, as long as they take hardly any time, or less for each row.

    A program of many steps gains by large batches, however long one takes; one that runs row by row does not.
    """

    QUICK, SLOW, LONG = 0.02, 0.1, 5.0
    """Seconds: a block that takes less than the first is followed by a larger one, and so is a batch that pays, up to
    the third; rows that do not pay together are taken in blocks of less than the second."""
    LARGEST = 1 << 18
    """Bytes of the largest block."""
    ENOUGH = 32
    """Rows that a batch must have before it is judged: so many cost little more than one."""
    PAYS = 1.5
    """A batch that is larger pays if it does so many times as many rows a second."""
    MEMORY = 512 << 20
    """Bytes that batches may take."""

    def __init__(self) -> None:
        self.nbytes = 1
        self._ceiling = self.LARGEST
        self._size, self._rate, self._judged = 0, 0.0, 0
        self._least_peak = 0

    def took(self, block: Block, cost: Cost, together: bool) -> None:
        """Note what a block took, and whether its rows were, or still may be, a batch."""
        self._least_peak = min(self._least_peak or cost.peak, cost.peak)
        if cost.peak > self._least_peak + self.MEMORY:
            self._ceiling = max(1, min(self._ceiling, block.nbytes // 4))
        if cost.seconds < self.QUICK or (together and self._pays(block, cost.seconds)):
            least = self.ENOUGH if together else 1
            self.nbytes = max(self.nbytes, max(4, -(-least // block.size)) * block.nbytes)
        elif cost.seconds > self.SLOW and (not together or self._judged == block.size):
            self.nbytes = max(1, min(self.nbytes, block.nbytes // 4))
        self.nbytes = min(self.nbytes, self._ceiling)

    def _pays(self, block: Block, seconds: float) -> bool:
        """Whether a block did clearly better than the largest before it; one that is no larger is not judged."""
        if block.size <= self._size:
            self._judged = 0
            return False
        before, self._rate = self._rate, block.size / seconds
        self._size = self._judged = block.size
        return self._rate > self.PAYS * before and seconds < self.LONG


class Timed:
    """Answers blocks, takes the time, and sees that memory does not fill with what is done with.

    The interpreter of a run refers to itself, so that the arrays of a batch stay until Python's collector comes by; it
    counts objects, not bytes, and comes when hundreds of batches wait for it.
    """

    COLLECTED = 4 * Pace.LARGEST
    """Bytes of blocks after which the collector is called."""

    def __init__(self, answer: Answering) -> None:
        self._answer = answer
        self._waiting = 0

    def __call__(self, block: Block) -> tuple[Reply, Cost]:
        """The answers, and what they took."""
        before = monotonic()
        reply = self._answer(block)
        seconds = monotonic() - before
        self._waiting += block.nbytes
        if self._waiting >= self.COLLECTED or seconds > Pace.SLOW:
            gc.collect()
            self._waiting = 0
        return reply, Cost(seconds, _peak())


def answered_here(reader: RowReader, answer: Answering) -> Iterator[Reply]:
    """The answers to every block."""
    pace, timed = Pace(), Timed(answer)
    while (block := reader.take(pace.nbytes)) is not None:
        reply, cost = timed(block)
        pace.took(block, cost, reply.together)
        yield reply


def _peak() -> int:
    """The most bytes that this process has held; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def answered_by_processes(reader: RowReader, answer: Answering, jobs: int, max_bytes: int) -> Iterator[Reply]:
    """The answers to every block, in order, worked on by `jobs` processes.

    Raises:
        GradcliError: an answer can't be made, or a process met the limit of memory.
        DefectElsewhere: a process went wrong.
    """
    workers: list[_Worker] = []
    try:
        for _ in range(jobs):
            workers.append(_Worker(answer, max_bytes, workers))
        yield from _shared_out(reader, workers)
    finally:
        for worker in workers:
            worker.end()


def _shared_out(reader: RowReader, workers: list[_Worker]) -> Iterator[Reply]:
    pace = Pace()
    free = deque(workers)
    busy: deque[tuple[_Worker, Block]] = deque()
    at_end = False
    while busy or not at_end:
        # What is known already is not kept back while a pipe's writer takes its time.
        while free and not at_end and not (busy and reader.waits()):
            block = reader.take(pace.nbytes)
            if block is None:
                at_end = True
                break
            worker = free.popleft()
            worker.send(block)
            busy.append((worker, block))
        if busy:
            worker, block = busy.popleft()
            reply, cost = worker.receive()
            pace.took(block, cost, reply.together)
            free.append(worker)
            yield reply


class DefectElsewhere(Exception):
    """gradcli itself went wrong, in a process of `--jobs`; the message says how."""


class _Worker:
    """A process that answers blocks."""

    def __init__(self, answer: Answering, max_bytes: int, others: list[_Worker]) -> None:
        into, self_out = os.pipe()
        self_in, out = os.pipe()
        sys.stdout.flush()
        parent = os.getpid()
        self.process = os.fork()
        if self.process == 0:
            os.close(self_out)
            os.close(self_in)
            for other in others:
                other.close()
            supervisor.confine(max_bytes, parent)
            _serve(answer, os.fdopen(into, "rb"), os.fdopen(out, "wb"))
        os.close(into)
        os.close(out)
        self._blocks: IO[bytes] = os.fdopen(self_out, "wb")
        self._replies: IO[bytes] = os.fdopen(self_in, "rb")
        self._status: int | None = None

    def send(self, block: Block) -> None:
        """Have a block answered."""
        try:
            pickle.dump(block, self._blocks, pickle.HIGHEST_PROTOCOL)
            self._blocks.flush()
        except BrokenPipeError:
            raise self._ended() from None

    def receive(self) -> tuple[Reply, Cost]:
        """The answers to the block that was sent, and what they took.

        Raises:
            GradcliError, DefectElsewhere: there are none.
        """
        try:
            what, found = pickle.load(self._replies)
        except (EOFError, pickle.UnpicklingError):
            raise self._ended() from None
        if what == "error":
            raise GradcliError(found)
        if what == "defect":
            raise DefectElsewhere(found)
        reply, cost = found
        return reply, cost

    def _ended(self) -> Exception:
        """Why the process is no more."""
        self._status = os.waitpid(self.process, 0)[1]
        number = os.WTERMSIG(self._status) if os.WIFSIGNALED(self._status) else 0
        if number and signal.Signals(number).name in supervisor.CRASHES:
            return DefectElsewhere(f"a process of --jobs crashed ({signal.Signals(number).name})")
        return LimitReached("--max-bytes", "a process of --jobs had not the memory that it needed")

    def close(self) -> None:
        """Close the pipes."""
        for stream in (self._blocks, self._replies):
            try:
                stream.close()
            except OSError:
                continue

    def end(self) -> None:
        """End the process, whatever it is doing."""
        self.close()
        if self._status is None:
            os.kill(self.process, signal.SIGKILL)
            self._status = os.waitpid(self.process, 0)[1]


def _serve(answer: Answering, blocks: IO[bytes], replies: IO[bytes]) -> NoReturn:
    """A worker's life."""
    code = 0
    timed = Timed(answer)
    try:
        while True:
            result = _result(timed, pickle.load(blocks))
            if sys.stderr is not None:
                sys.stderr.flush()
            pickle.dump(result, replies, pickle.HIGHEST_PROTOCOL)
            replies.flush()
    except (EOFError, BrokenPipeError):
        pass
    except BaseException:
        code = supervisor.BROKEN
    finally:
        os._exit(code)


def _result(timed: Timed, block: Block) -> tuple[str, Any]:
    """What to send back, and what kind of thing that is."""
    try:
        return "reply", timed(block)
    except GradcliError as error:
        return "error", error.message
    except MemoryError:
        os._exit(supervisor.FAULT)
    except Exception as defect:
        if os.environ.get("GRADCLI_DEBUG"):
            import traceback

            traceback.print_exc()
        return "defect", f"{type(defect).__name__}: {defect}"
