"""What always works, what is refused, and what a program can never reach."""

from __future__ import annotations

import sys
import time

import pytest

from gradcli.graph.budget import budget
from gradcli.graph.errors import GradcliError, LimitReached
from gradcli.language import Program, RunOptions, Source
from gradcli.language.source import MAX_SOURCE_BYTES

OPTIONS = RunOptions(print_to=lambda words: None)


def run(text: str, options: RunOptions = OPTIONS, **given):
    program = Program.parse(Source("<program>", text))
    return program.run(program.resolve(given, options=options), options=options)


@pytest.mark.parametrize("word", [" + ", " - ", " * ", " / ", " // ", " % ", " and ", " or ", " < ", " == "])
def test_three_thousand_chained_operators(word):
    run(word.join(["x"] * 3_001), x=1.0)


@pytest.mark.parametrize(
    "text",
    [
        "-" * 3_000 + "x",
        "not " * 3_000 + "x",
        "x if x else " * 3_000 + "x",
        "x" + "[...]" * 1_000,
        "(" * 90 + "x" + ")" * 90,
        "[" * 90 + "x" + "]" * 90,
        "exp(" * 90 + "x" + ")" * 90,
        "if x < 0:\n y = 1\n" + "elif x < 0:\n y = 1\n" * 2_000 + "else:\n y = 2",
    ],
)
def test_long_chains(text):
    run(text, x=1.0)


def test_a_source_of_a_mebibyte():
    line = "y = sin(x)*0.5 + 1.25  #" + " and so on" * 20 + "\n"
    text = line * ((1 << 20) // len(line)) + "y"
    run(text, x=1.0)
    numbers = "sum([" + ",".join(["1.5" + "0" * 30] * 31_000) + "])"
    assert len(numbers) > 1 << 20
    assert run(numbers).cores()[0] == 46_500.0


@pytest.mark.parametrize(
    "body",
    [
        "f(n - 1) + 1 if n > 0 else 0",
        "(((((1 + f(n - 1))))) * 1) if n > 0 else 0",
        "sum(f(n - 1) + 1 for i in range(1)) if n > 0 else 0",
        "[f(n - 1) + 1 for i in range(1)][0] if n > 0 else 0",
        "list(map(f, [n - 1]))[0] + 1 if n > 0 else 0",
        "max([0, f(n - 1) + 1]) if n > 0 else 0",
        "(lambda m: f(m) + 1)(n - 1) if n > 0 else 0",
    ],
)
def test_deep_calls(body):
    assert run(f"def f(n): return {body}\nf(490)").cores()[0] == 490
    options = RunOptions(max_depth=20_000)
    assert run(f"def f(n): return {body}\nf(9000)", options).cores()[0] == 9_000


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("(" * 5_000 + "x" + ")" * 5_000, "nesting"),
        ("+".join(["x"] * 200_001), "nesting"),
        ("[" * 5_000 + "]" * 5_000, "nesting"),
        ("".join(" " * i + "if x:\n" for i in range(120)) + " " * 120 + "y = 1", "nesting"),
        ("9" * 5_000, "integer size"),
        ("9" * 30, "integer size"),
        ("9**9**9", "integer size"),
        ("2**63", "integer size"),
        ("x = 3\nfor i in range(100): x = x*x", "integer size"),
        ("9223372036854775807 + 1", "integer size"),
        ("while True: pass", "--max-steps"),
        ("[i for i in range(10**9)]", "--max-steps"),
        ("f = lambda: f()\nf()", "--max-depth"),
        ("def f(n): return sum(f(n) for i in range(1))\nf(1)", "--max-depth"),
        ("f = sin\nfor i in range(200): f = grad(f)\nf(1.0)", "nesting"),
    ],
)
def test_refused(text, limit):
    began = time.monotonic()
    with pytest.raises(LimitReached) as caught:
        run(text, RunOptions(max_steps=100_000, print_to=lambda words: None))
    assert caught.value.limit == limit
    assert time.monotonic() - began < 10
    assert sys.getrecursionlimit() < 10_000


@pytest.mark.parametrize(
    "text",
    [
        "[0]*10**13",
        "'a'*10**13",
        "(1, 2)*10**12",
        "list(range(10**12))",
        "sum(range(10**12))",
        "sorted(range(10**11))",
        "[*range(10**12)]",
        "x = [1]\nwhile True: x += x",
        "x = 'a'\nwhile True: x = x + x",
        "x = [1]\nwhile True: x = [*x, *x]",
        "x = 'a'\nwhile True: x = f'{x}{x}'",
        "d = {}\ni = 0\nwhile True:\n  i += 1\n  d[i] = i",
        "x = []\nwhile True: x.append(1.5)",
        "zeros(10**12)",
        "zip(range(10**12), range(10**12))\nlist(range(10**12))",
        "array(range(10**11))",
        "print(*range(10**11))",
    ],
)
def test_memory(text):
    budget.open(8 << 20)
    try:
        with pytest.raises(GradcliError, match=r"--max-bytes|--max-steps|too long"):
            run(text, OPTIONS._replace(max_steps=250_000))
    finally:
        budget.open(None)


def test_ranges_are_lazy():
    assert run("for i in range(10**15):\n  if i == 5: break\ni").cores()[0] == 5
    assert run("for i, j in zip(range(10**15), range(10**15)):\n  if i == 5: break\nj").cores()[0] == 5
    assert run("for i, j in enumerate(reversed(range(10**15))):\n  if i == 5: break\ni").cores()[0] == 5


@pytest.mark.parametrize(
    "text",
    [
        "a = []\na.append(a)\nprint(a)",
        "z = [1]\nfor i in range(20000): z = zip(z)\nlist(z)",
        "a = []\nfor i in range(20000): a = [a]\nprint(a)",
        "a = ()\nfor i in range(20000): a = (a,)",
        "f = lambda: 0\nfor i in range(20000): f = (lambda g: lambda: g)(f)",
    ],
)
def test_deep_values_are_harmless(text):
    run(text)


@pytest.mark.parametrize(
    "text",
    [
        "a = []\na.append(a)\na == [a]\nsum(a)",
        "a = []\na.append(a)\narray(a)",
        "a = []\nb = []\na.append(b)\nb.append(a)\na < b",
        "a = []\na.append(a)\ngrad(lambda p: 1.0)(a)",
        "a = []\na.append(a)\nstop_gradient(a)",
        "a = ()\nfor i in range(20000): a = (a,)\n{a: 1}",
        "a = []\nfor i in range(20000): a = [a]\nx[a]",
    ],
)
def test_deep_values_are_refused(text):
    with pytest.raises(GradcliError):
        run(text, **({"x": 1.0} if "x[" in text else {}))


def test_source_size():
    with pytest.raises(LimitReached) as caught:
        Source("<program>", "x" * (MAX_SOURCE_BYTES + 1))
    assert caught.value.limit == "source size"


_seen: list[str] | None = None


def _hook(event: str, args: tuple[object, ...]) -> None:
    if _seen is not None and event in ("exec", "compile", "open", "import", "os.system", "subprocess.Popen"):
        _seen.append(f"{event} {args[1] if event == 'compile' else args[0]!r}"[:80])


def test_a_run_makes_no_code_and_opens_nothing():
    """Parsing compiles to a tree alone; running does not even that."""
    global _seen
    text = (
        "import numpy as np\nfrom math import *\ndef f(a, k=2): return a**k\n"
        "y = [f(i) for i in range(3)]\nd = {'open': 1}\nprint(f'{x:.3f}', d, y)\n"
        "grad(lambda t: sum(np.sin(t)*f(t)))(ones(3)*x) + hessian(f)(x) + sorted(y, key=lambda v: -v)[0]"
    )
    run(text, x=1.0)
    sys.addaudithook(_hook)
    program = Program.parse(Source("<program>", text))
    values = program.resolve({"x": 1.0})
    _seen = []
    try:
        program.run(values, options=RunOptions(print_to=lambda words: None))
        seen = list(_seen)
    finally:
        _seen = None
    assert seen == []
