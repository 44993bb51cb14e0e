"""What `gradcli check` can prove of large programs, and in what time.

    python benchmarks/check.py [NAME ...] [--limit SECONDS]

Each line is one command line, run by itself: how many nodes its graph has, the processor time and the memory of the
whole command, what it said, and how the report says that it was proved. A command that takes more than the limit, or
that says MISMATCH, makes the exit code 1. Programs that are too large for a proof end with "not proved", and what could
be said of them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from gradcli.cli.check import record
from gradcli.cli.session import choose_target, open_session
from gradcli.cli.words import Invocation, parse

NETWORK = """
def loss(w1, b1, w2, b2, w3, b3):
    h = tanh(X @ w1 + b1)
    h = tanh(h @ w2 + b2)
    return cross_entropy(h @ w3 + b3, arange(64) % 10)
loss(w1, b1, w2, b2, w3, b3)
"""
NETWORK_VALUES = (
    "X=randn(64,20)",
    "w1=randn(20,32)/5",
    "b1=zeros(32)",
    "w2=randn(32,32)/6",
    "b2=zeros(32)",
    "w3=randn(32,10)/6",
    "b3=zeros(10)",
    "--wrt",
    "w1,b1,w2,b2,w3,b3",
)
DESCENT = """
def loss(w): return sum((tanh(A @ w) - b)**2)
w = zeros(5)
for i in range(200): w = w - 0.05 * grad(loss)(w)
sum(w * w)
"""


class Case(NamedTuple):
    """A name, a program, and the words after it."""

    name: str
    program: str
    words: tuple[str, ...]


CASES = (
    Case(
        "vector loop",
        "y = x\nfor i in range(2500): y = y + 0.01 * tanh(y * w)\nsum(y * y)",
        ("x=linspace(0.1,1,10)", "w=linspace(-1,1,10)"),
    ),
    Case(
        "matrix loop",
        "y = x\nfor i in range(2500): y = tanh(A @ y) + 0.5 * x\nsum(y * y)",
        ("x=linspace(0.1,1,4)", "A=randn(4,4)/2"),
    ),
    Case("scalar loop", "y = x\nfor i in range(2500): y = y + 0.001 * sin(y) * x\ny", ("x=0.7",)),
    Case("long sum", "s = 0.0\nfor i in range(5000): s = s + x[i % 10] * 0.5\ns", ("x=linspace(0,1,10)",)),
    Case("gradient descent", DESCENT, ("A=randn(5,5)", "b=ones(5)")),
    Case("matrix product", "sum((A @ B)**2)", ("A=randn(100,100)", "B=randn(100,100)")),
    Case("network", NETWORK, NETWORK_VALUES),
    Case("svd", "sum(svd(A)[0]**3) + sum(svd(A)[1])", ("A=randn(20,15)",)),
    Case("eigh", "sum(eigh(A + A.T)[1]**3)", ("A=randn(20,20)",)),
    Case("qr", "sum(qr(A)[0]**3)", ("A=randn(20,15)",)),
    Case("cholesky", "sum(cholesky(A @ A.T + eye(30))**3)", ("A=randn(30,30)",)),
    Case("solve", "sum(solve(A, b)**3)", ("A=randn(50,50)", "b=randn(50)")),
    Case("inv", "sum(inv(A)**3)", ("A=randn(20,20)",)),
    Case("slogdet", "slogdet(A)[1]", ("A=randn(30,30)",)),
    Case("lstsq", "sum(lstsq(A, b)[0]**3)", ("A=randn(40,20)", "b=randn(40)")),
    Case("pinv", "sum(pinv(A)**3)", ("A=randn(20,12)",)),
    Case("expm", "sum(expm(A)**3)", ("A=randn(16,16)/4",)),
    Case("convolution", "sum(conv2d(x, k)**3)", ("x=randn(1,3,16,16)", "k=randn(4,3,3,3)")),
    Case("fft", "sum(abs(fft(x))**3)", ("x=randn(64)",)),
    Case("large product", "sum((A @ B)**2)", ("A=randn(300,300)", "B=randn(300,300)")),
)


class Outcome(NamedTuple):
    """What a command did: processor seconds, megabytes at most, its exit code and its report."""

    seconds: float
    megabytes: int
    code: int
    report: dict[str, Any]


def nodes(case: Case) -> int:
    """How many nodes the program's graph has."""
    invocation = parse(["check", case.program, *case.words])
    assert isinstance(invocation, Invocation)
    session = open_session(invocation)
    return len(record(session, choose_target(session), {})[0].nodes)


def run(case: Case) -> Outcome:
    """The command, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "program.grad"
        program.write_text(case.program)
        command = [sys.executable, "-m", "gradcli", "check", str(program), *case.words, "--format", "json"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        text = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
    report = json.loads(text) if text else {}
    seconds = usage.ru_utime + usage.ru_stime
    return Outcome(seconds, usage.ru_maxrss >> 10, os.waitstatus_to_exitcode(status), report)


def lines(case: Case, outcome: Outcome) -> Iterator[str]:
    """The outcome in words."""
    verdict = {0: "ok", 1: "MISMATCH", 3: "not proved"}.get(outcome.code, f"exit code {outcome.code}")
    report = outcome.report
    entries = report.get("inputs", {}).values()
    worst = max((e["max_ulp_error"] for e in entries if e["ok"] and e["max_ulp_error"] != "Infinity"), default=0.0)
    count = sum(e["elements"] for e in entries)
    yield (
        f"{case.name:17} {nodes(case):6,} nodes {outcome.seconds:6.1f} s {outcome.megabytes:5,} MB  {verdict}, "
        f"{count:,} elements, {worst:.2g} ulp"
    )
    yield from (f"{'':17} {said}" for said in (report.get("reason"), *report.get("covered", ())) if said)


def main() -> int:
    """Run all cases, or those named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--limit", type=float, default=30.0, metavar="SECONDS", help="processor time of one (30)")
    options = parser.parse_args()
    unknown = set(options.names) - {case.name for case in CASES}
    if unknown:
        parser.error(f"there is no case called {', '.join(sorted(unknown))}")
    failed = 0
    for case in CASES:
        if not options.names or case.name in options.names:
            outcome = run(case)
            print("\n".join(lines(case, outcome)), flush=True)
            failed += outcome.seconds > options.limit or outcome.code not in (0, 3)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
