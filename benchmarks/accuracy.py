"""The accuracy of every function of the table: value, vjp and jvp against the exact answer, in ulps.

Each function is measured at 1,000 numbers. One that works on each element alone is taken at points all over its
domain: half of them where its declaration says that ordinary points lie (`domain`), the others wherever it is defined
(`defined`): magnitudes from 1e-320 to 1e308, both signs, and beside special points. Any other is called with random
arrays of the shapes that its declaration names, until 1,000 numbers have come: elements of values, vjps and jvps.

The exact answer is the forward meaning's, differentiated by SymPy's partials, in mpmath, at rising precision until 80
bits agree. An ulp is the distance of neighbouring floats, of the result's dtype, at the exact answer (of a complex
number: at its modulus).

Two errors are shown. `raw` is the largest there was, in ulps. `scaled` is that error divided by max(1, K), where K is
how many ulps the exact answer itself moves when the numbers that went in (arguments, cotangents, tangents) move by one
ulp each: no program that is given rounded numbers can be expected to do better, so scaled errors compare like with
like; where K <= 1 the point is well-conditioned and the two are the same. K is the componentwise condition number: what
each number does by itself, added up. For arrays that is found only where an error is above the limit by a cheaper K,
the largest of eight moves of everything by random signs, which is less. For linalg and fft the numbers move by an ulp
of the largest element of their array: the best algorithms there are stable for an array as a whole.

`inf` stands for a nan or an infinity where the exact answer is an ordinary number, none beyond all floats. `peer` is
NumPy's or SciPy's scaled error at the same values.

A function is an offender where its value's scaled error is above 4 ulp or its vjp's or jvp's above 8. Each is listed
with its worst point and its explanation, from tests/ops/table/explained.py; one whose function offends no more is
reported too. A value that is no worse than NumPy's or SciPy's at the same point does not make an offender: such ones
are no part of `scaled`, and stand in a line of their own. A function that runs out of time is judged by what was
measured until then, if that is 300 numbers.

    python benchmarks/accuracy.py [NAME ...] [--points N] [--seed N] [--family WORD] [--near] [--format text|json]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "ops"))

from table.accuracy import KINDS, Error, errors
from table.calls import FUNCTIONS, Call, specs
from table.explained import EXPLAINED, LIMITS
from table.points import columns_of, drawn_calls, forms, pointwise_call, some_points

from gradcli.ops.function import Function
from gradcli.symbolic.scalars import Unprovable

# --- scores ----------------------------------------------------------------------------------------------------------


class Worst:
    """The worst of many errors of one kind."""

    def __init__(self) -> None:
        self.count = 0
        self.raw = 0.0
        self.scaled = 0.0
        self.borrowed = 0.0
        self.place = ""

    def take(self, error: Error, place: Any) -> None:
        self.count += 1
        self.raw = max(self.raw, error.raw)
        if error.borrowed and error.scaled > LIMITS[error.kind]:
            self.borrowed = max(self.borrowed, error.scaled)
        elif error.scaled > self.scaled:
            self.scaled = error.scaled
            self.place = place()


#: So many numbers tell how accurate a function is.
ENOUGH = 300


class OutOfTime(BaseException):
    """The processor time that a function may take is over."""


class Score:
    """What was measured of one function."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.kinds = {kind: Worst() for kind in KINDS}
        self.peer: float | None = None
        self.trouble = ""
        self.cut = False
        self.seconds = 0.0

    def offences(self) -> list[str]:
        """The kinds of errors that are too large."""
        return [kind for kind, worst in self.kinds.items() if worst.scaled > LIMITS[kind]]

    @property
    def offends(self) -> bool:
        return bool(self.trouble or self.offences())

    def add(self, call: Call, pointwise: bool, seed: int) -> None:
        """Measure one call."""
        for error in errors(call, pointwise=pointwise, seed=seed):
            self.kinds[error.kind].take(error, lambda e=error: _place(call, e, pointwise))
            if error.peer is not None:
                self.peer = max(self.peer or 0.0, error.peer / max(1.0, error.moves))

    def done(self, points: int, differentiable: bool) -> bool:
        counts = [w.count for kind, w in self.kinds.items() if differentiable or kind == "value"]
        return sum(counts) >= points and min(counts) >= points / 10

    def conclude(self, seconds: float, limit: float) -> None:
        """Say what is missing."""
        self.seconds = seconds
        count = sum(worst.count for worst in self.kinds.values())
        if self.cut and count < ENOUGH:
            self.trouble = f"{count} numbers in {limit:g} s are too few"
        elif not self.kinds["value"].count:
            self.trouble = "no exact answer was found at any point"


def _place(call: Call, error: Error, pointwise: bool) -> str:
    """Where an error was."""
    got = getattr(error.got, "item", lambda: error.got)()
    if not pointwise:
        return f"{' '.join(repr(call).split())[:150]}, number {error.place}, which is {got!r}"
    words = [f"{x[error.place].item()!r}" for x in columns_of(call)]
    return f"({', '.join(words)}), which is {got!r}"


def measured(function: Function, points: int, seed: int, near: bool, limit: float) -> Score:
    """The score of a function, of what was measured before it ran out of time."""
    score = Score(function.name)
    start = time.process_time()
    try:
        found = forms(function)
        for i, form in enumerate(found):
            call = pointwise_call(function, form, -(-points // len(found)), seed + i, near)
            _add_points(score, call, seed, start + limit * (i + 1) / len(found))
        if not found:
            for n, call in enumerate(drawn_calls(function, seed)):
                _add(score, call, n, seed)
                if score.done(points, function.differentiable) or time.process_time() - start > limit / 3:
                    break
    except OutOfTime:
        score.cut = True
    score.conclude(time.process_time() - start, limit)
    return score


def _add_points(score: Score, call: Call, seed: int, end: float) -> None:
    """Measure a call at its points, some at a time, in a random order, as long as there is time."""
    order = np.random.default_rng(seed).permutation(len(call.floats[0]))
    first, size = 0, 8
    while first < len(order):
        began = time.process_time()
        if began > end:
            score.cut = True
            break
        _add_part(score, call, order[first : first + size], seed)
        first += size
        size = min(256, 2 * size) if time.process_time() - began < 0.5 else size


def _add_part(score: Score, call: Call, part: np.ndarray[Any, Any], seed: int) -> None:
    """Measure a call at some points. Where there is no exact answer at some of them, these are looked for one by one,
    and left out."""
    try:
        score.add(some_points(call, part), True, seed)
    except Unprovable:
        for n in range(len(part) if len(part) > 1 else 0):
            _add_part(score, call, part[n : n + 1], seed)


def _add(score: Score, call: Call, n: int, seed: int) -> None:
    """Measure a call with random numbers, which may not suit the function: that is passed over if others do."""
    try:
        score.add(call, False, seed)
    except Exception:
        if n > 30 and not score.kinds["value"].count:
            raise


# --- each function in a process of its own, so that none can hang or crash the rest ----------------------------------


def _out_of_time(*_: Any) -> None:
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    raise OutOfTime


def _alone(pipe: Any, function: Function, options: argparse.Namespace) -> None:
    signal.signal(signal.SIGXCPU, _out_of_time)
    resource.setrlimit(resource.RLIMIT_CPU, (ceil(options.seconds), ceil(options.seconds) + 20))
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            score = measured(function, options.points, options.seed, options.near, options.seconds)
        except Exception as problem:
            score = Score(function.name)
            score.trouble = f"{type(problem).__name__}: {' '.join(str(problem).split())[:200]}"
    pipe.send(score)
    pipe.close()


class Run:
    """The measurement of one function, going on."""

    def __init__(self, function: Function, options: argparse.Namespace) -> None:
        context = multiprocessing.get_context("fork")
        self.function = function
        self.limit = options.seconds
        self.pipe, theirs = context.Pipe(duplex=False)
        self.process = context.Process(target=_alone, args=(theirs, function, options))
        self.process.start()
        theirs.close()

    def finished(self) -> Score | None:
        """The score, if there is one by now."""
        if self.pipe.poll(0.02):
            try:
                score = self.pipe.recv()
            except EOFError:
                self.process.join()
                slow = self.process.exitcode in (-signal.SIGXCPU, -signal.SIGKILL)
                score = Score(self.function.name)
                score.trouble = f"not done in {self.limit:g} s" if slow else "the process died"
            self.process.join()
            return score
        return None


def scores(functions: list[Function], options: argparse.Namespace) -> Iterator[Score]:
    """The scores of functions, in order."""
    waiting, running = list(functions), []
    finished: dict[str, Score] = {}
    pending = list(functions)
    while pending:
        while waiting and len(running) < options.jobs:
            running.append(Run(waiting.pop(0), options))
        for run in list(running):
            score = run.finished()
            if score is not None:
                running.remove(run)
                finished[run.function.name] = score
        while pending and pending[0].name in finished:
            yield finished[pending.pop(0).name]


# --- the report ------------------------------------------------------------------------------------------------------


def can_be_measured(function: Function) -> bool:
    """Whether there are numbers to look at."""
    if function.family == "random" or not function.differentiable:
        return False
    return any(any(x.size for x in Call(function, spec, i).floats) for i, spec in enumerate(specs(function)))


def number(x: float) -> str:
    return "inf" if np.isinf(x) else f"{x:.1f}" if x < 1e4 else f"{x:.0e}"


HEAD = (
    f"{'function':<28}{'values':>7}{'slopes':>7}   {'value':>8} {'scaled':>7}   {'vjp':>8} {'scaled':>7}   "
    f"{'jvp':>8} {'scaled':>7}  {'peer':>6}     time"
)


def line(score: Score) -> str:
    """The line of one function."""
    kinds = score.kinds
    counts = f"{kinds['value'].count:>7}{kinds['vjp'].count:>7}"
    cells = "".join(f"   {number(w.raw):>8} {number(w.scaled):>7}" for w in kinds.values())
    peer = "" if score.peer is None else number(score.peer)
    mark = f"  <-- {score.trouble or ', '.join(score.offences())}" if score.offends else ""
    return f"{score.name:<28}{counts}{cells}  {peer:>6} {score.seconds:>7.1f}s{mark}"


def conclusion(found: list[Score]) -> Iterator[str]:
    """The table of offenders."""
    offenders = [s for s in found if s.offends]
    yield f"\n{len(found)} functions measured, {len(offenders)} of them offend:"
    for score in offenders:
        yield f"\n{score.name}: {EXPLAINED.get(score.name) or score.trouble or 'not explained'}"
        for kind in score.offences():
            worst = score.kinds[kind]
            yield f"    {kind}: {number(worst.scaled)} ulp scaled ({number(worst.raw)} raw at most), at {worst.place}"
    borrowed = [f"{s.name} {number(s.kinds['value'].borrowed)}" for s in found if s.kinds["value"].borrowed]
    if borrowed:
        yield "\nvalues beyond the limit where NumPy's or SciPy's own are no better, in ulp scaled:"
        yield f"    {', '.join(borrowed)}"
    fine = {s.name for s in found if not s.offends}
    for name in EXPLAINED:
        if name in fine:
            yield f"\nstale explanation: {name} offends no more"


def as_json(found: list[Score]) -> str:
    """Everything as one line of JSON."""

    def plain(x: float | None) -> float | str | None:
        return "Infinity" if x is not None and np.isinf(x) else x

    entries = {
        s.name: {
            **{
                kind: {
                    "count": w.count,
                    "raw": plain(w.raw),
                    "scaled": plain(w.scaled),
                    "borrowed": plain(w.borrowed),
                    "worst": w.place,
                }
                for kind, w in s.kinds.items()
            },
            "peer": plain(s.peer),
            "trouble": s.trouble or None,
            "offends": s.offends,
            "explanation": EXPLAINED.get(s.name),
        }
        for s in found
    }
    return json.dumps({"functions": entries})


def named(name: str) -> list[Function]:
    """The functions with a name, or with a spelling that ends in it."""
    own = [f for f in FUNCTIONS if f.name == name]
    return own or [f for f in FUNCTIONS if any(s == name or s.rpartition(".")[2] == name for s in f.spellings)]


def main() -> int:
    """Measure and print; 1 where an offender is not explained."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="functions to measure (default: all)")
    parser.add_argument("--points", type=int, default=1000, help="how many numbers (default: 1000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--family", help="functions of one family alone")
    parser.add_argument("--near", action="store_true", help="ordinary points alone")
    parser.add_argument("--seconds", type=float, default=60.0, help="processor time that one function may take")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--format", choices=["text", "json"], default="text")
    options = parser.parse_args()
    chosen = [f for name in options.names for f in named(name)]
    missing = [name for name in options.names if not named(name)]
    if missing:
        parser.error(f"no function is called {missing[0]!r}")
    chosen = chosen or [f for f in FUNCTIONS if options.family in (None, f.family) and can_be_measured(f)]
    text = options.format == "text"
    if text:
        print(HEAD)
    found = []
    for score in scores(chosen, options):
        found.append(score)
        if text:
            print(line(score), flush=True)
    print("\n".join(conclusion(found)) if text else as_json(found))
    return int(any(s.offends and s.name not in EXPLAINED for s in found))


if __name__ == "__main__":
    sys.exit(main())
