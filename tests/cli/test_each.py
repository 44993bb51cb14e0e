"""`--each`: many rows through one command give what as many commands give, in order, and fail as they do."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradcli.cli.row_sums import Sums, Total
from gradcli.files.rows.writing import PerRow

Row = dict[str, Any]
Gradcli = Callable[..., Any]


def rows_of(count: int, seed: int = 1, **shapes: tuple[int, ...]) -> list[Row]:
    """Random values for inputs of these shapes."""
    random = np.random.default_rng(seed)
    return [{name: (2 * random.normal(size=shape)).tolist() for name, shape in shapes.items()} for _ in range(count)]


def ndjson(rows: Sequence[Row]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def one_by_one(gradcli: Gradcli, command: str, program: str, rows: Sequence[Row], *words: str) -> list[str]:
    """What single commands answer."""
    found = []
    for row in rows:
        values = [f"{name}={json.dumps(value)}" for name, value in row.items()]
        done = gradcli(command, program, *values, *words, "--format", "json")
        found.append(done.out.rstrip("\n") if done.code == 0 else "error")
    return found


def together(gradcli: Gradcli, command: str, program: str, rows: Sequence[Row], *words: str) -> list[str]:
    done = gradcli(command, program, *words, "--each", "-", "--keep-going", stdin=ndjson(rows))
    return ["error" if line.startswith('{"error"') else line for line in done.out.splitlines()]


LOOP = "r = x*x + 1\nwhile r > 0.1:\n    r = r/2*cos(r)**2 + 0.01\nr"
TAPE = "import torch\nx.requires_grad_()\n(x*x*x).sum().backward()\nx.grad"
MIXED = "import torch\nk = torch.tensor([1, 2])\n(k*x + torch.tensor(0.5)).sum()"
NORMAL = "import torch\ntorch.distributions.Normal(x, s).log_prob(torch.tensor(0.3))"


@pytest.mark.parametrize(
    ("command", "program", "shapes", "words"),
    [
        ("eval", "x, y", {"x": (), "y": (2,)}, ()),
        ("eval", "[x, x**2, [x, 1]]", {"x": ()}, ()),
        ("eval", "{'a': x > 0, 'b': 'text'}", {"x": ()}, ()),
        ("eval", "sqrt(x + 0j)", {"x": ()}, ()),
        ("eval", TAPE, {"x": (2,)}, ()),
        ("grad", "sin(x)*exp(-x**2) + log(1 + x**2)", {"x": ()}, ()),
        ("grad", "log(x)", {"x": ()}, ()),
        ("grad", "x if x > 0 else sin(x)", {"x": ()}, ()),
        ("grad", LOOP, {"x": ()}, ()),
        ("grad", "sum(x**2*w)", {"x": (3,)}, ("w=1,2,3", "--wrt", "w")),
        ("grad", "norm(A @ x), sum(x)", {"A": (2, 2), "x": (2,)}, ()),
        ("grad", "slogdet(A)[1] + trace(inv(A)) + sum(solve(A, x))", {"A": (3, 3), "x": (3,)}, ()),
        ("grad", "sum(cholesky(A))", {"A": (2, 2)}, ()),
        ("grad", "sum(randn(3)*x) + normal(x[0], 1)", {"x": (3,)}, ("--seed", "5")),
        ("grad", MIXED, {"x": ()}, ()),
        ("grad", "x: float\nw: float = x*2\nw*x", {"x": ()}, ()),
        ("grad", "s = 0\nfor i in range(int(abs(n)) + 1):\n    s = s + x*i\ns", {"x": (), "n": ()}, ("--wrt", "x")),
        ("grad", "y = zeros(3)\ny[0] = x\ny[1:] = x**2\nsum(y**2)", {"x": ()}, ()),
        ("grad", "grad(lambda t: t**3*x)(x) + hessian(lambda t: sin(t)*x)(2.0)", {"x": ()}, ()),
        ("grad", "assert x < 2\nx**2", {"x": ()}, ()),
        ("grad", NORMAL, {"x": (), "s": ()}, ()),
        ("jacobian", "tanh(A @ x)", {"A": (2, 2), "x": (2,)}, ()),
        ("vjp", "tanh(x)*x[::-1]", {"x": (3,)}, ("-v", "1,2,3")),
        ("jvp", "tanh(x)*y", {"x": (3,), "y": ()}, ("-v", "x=1,2,3", "-v", "y=0.5")),
        ("hessian", "sum(x**3)*y + sin(y)*x[0]", {"x": (3,), "y": ()}, ()),
        ("hvp", "sum(x**3)*y + sin(y)*x[0]", {"x": (3,), "y": ()}, ("-v", "x=1,2,3", "-v", "y=0.5")),
    ],
)
def test_every_row_is_answered_as_if_alone(
    gradcli: Gradcli, command: str, program: str, shapes: dict[str, tuple[int, ...]], words: tuple[str, ...]
) -> None:
    rows = rows_of(24, **shapes)
    assert together(gradcli, command, program, rows, *words) == one_by_one(gradcli, command, program, rows, *words)


def test_sums_of_many_elements_agree_to_rounding(gradcli: Gradcli) -> None:
    rows = rows_of(12, A=(40, 40), x=(40,))
    got = together(gradcli, "grad", "sum((A @ x)**2)/sum(exp(x))", rows)
    for line, expected in zip(got, one_by_one(gradcli, "grad", "sum((A @ x)**2)/sum(exp(x))", rows), strict=True):
        one, other = json.loads(line), json.loads(expected)
        np.testing.assert_allclose(one["value"], other["value"], rtol=1e-14)
        for name in "Ax":
            np.testing.assert_allclose(one["grad"][name], other["grad"][name], rtol=1e-12, atol=1e-14)


def test_rows_of_several_shapes_keep_their_order(gradcli: Gradcli) -> None:
    rows = [{"x": list(range(1, 2 + i % 3))} for i in range(20)]
    done = gradcli("grad", "sum(x**2)", "--each", "-", stdin=ndjson(rows))
    found = [json.loads(line)["grad"]["x"] for line in done.out.splitlines()]
    assert found == [[2.0 * number for number in row["x"]] for row in rows]


@pytest.fixture
def points(tmp_path: Path) -> Path:
    path = tmp_path / "points.csv"
    path.write_text("id,x,w.0,w.1\na,1,2,3\nb,4,5,6\nc,9,7,8\n")
    return path


def test_csv_is_flattened(gradcli: Gradcli, points: Path) -> None:
    done = gradcli("grad", "sqrt(x)*sum(w)", "--each", str(points), "--format", "csv")
    assert done.out == ("value,grad.x,grad.w.0,grad.w.1\n5.0,2.5,1.0,1.0\n22.0,2.75,2.0,2.0\n45.0,2.5,3.0,3.0\n")
    done = gradcli("eval", "x, w > 5", "--each", str(points), "--format", "csv")
    assert done.out == "value.0,value.1.0,value.1.1\n1.0,false,false\n4.0,false,true\n9.0,true,true\n"


def test_npz_is_stacked(gradcli: Gradcli, points: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.npz"
    assert gradcli("hessian", "x**3*sum(w)", "--wrt", "x", "--each", str(points), "-o", str(path)).code == 0
    with np.load(path) as found:
        assert found["value"].tolist() == [5.0, 704.0, 10935.0]
        assert found["hessian.x.x"].tolist() == [30.0, 264.0, 810.0]


def test_npz_in(gradcli: Gradcli, tmp_path: Path) -> None:
    np.savez(tmp_path / "in.npz", x=np.array([[1.0, 2.0], [3.0, 4.0]]), k=np.array([2, 3]))
    done = gradcli("grad", "k: int\nsum(x**k)", "--each", str(tmp_path / "in.npz"))
    assert [json.loads(line)["grad"]["x"] for line in done.out.splitlines()] == [[2.0, 4.0], [27.0, 48.0]]


def test_npy_is_the_input_that_has_no_value(gradcli: Gradcli, tmp_path: Path) -> None:
    path = tmp_path / "in.npy"
    np.save(path, np.array([1.0, 2.0]))
    assert gradcli("eval", "x*a", "a=3", "--each", str(path), "--format", "csv").out == "value\n3.0\n6.0\n"
    done = gradcli("eval", "x*a", "--each", str(path))
    assert done.code == 2
    assert "expected one input that has no value, found x, a" in done.err


# --- rows that fail --------------------------------------------------------------------------------------------------


def test_a_row_that_fails_ends_it_after_the_rows_before(gradcli: Gradcli, points: Path) -> None:
    points.write_text("x\n1\n\n2\noops\n4\n")
    done = gradcli("eval", "x", "--each", str(points), "--format", "csv")
    assert (done.code, done.out) == (2, "value\n1.0\n2.0\n")
    assert done.err == f"error: row 3 of {points} (line 5): column 'x': expected a number, found 'oops'\n"


def test_an_error_of_the_program_shows_the_program(gradcli: Gradcli) -> None:
    rows = [{"x": float(i)} for i in range(40)]
    done = gradcli("eval", "assert x < 33\nx", "--each", "-", stdin=ndjson(rows))
    assert done.code == 2
    assert len(done.out.splitlines()) == 33
    assert done.err.startswith(
        "error: row 34 of standard input: assertion failed\n  --> <program>:1:8\n  |\n1 | assert x < 33\n"
    )


def test_keep_going_answers_the_others(gradcli: Gradcli) -> None:
    rows: list[Row] = [{"x": float(i)} if i % 10 else {"y": 1.0} for i in range(30)]
    done = gradcli("grad", "assert x != 5\nx**2", "--each", "-", "--keep-going", stdin=ndjson(rows))
    assert done.code == 2
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [i for i, line in enumerate(lines) if "error" in line] == [0, 5, 10, 20]
    assert lines[0] == {"error": "missing input 'x'"}
    assert lines[5] == {"error": "assertion failed"}
    assert lines[29] == {"value": 841.0, "grad": {"x": 58.0}}
    assert done.err.startswith("error: row 1 of standard input: missing input 'x'\n")
    assert done.err.endswith("error: 4 of 30 rows failed, the first like that\n")


def test_keep_going_in_csv_and_npz(gradcli: Gradcli, points: Path, tmp_path: Path) -> None:
    points.write_text('x\na"b\n2\n-1\n')
    words = ("grad", "assert x > 0\nx**2", "--each", str(points), "--keep-going")
    assert gradcli(*words, "--format", "csv").out == (
        "value,grad.x,error\n,,\"column 'x': expected a number, found 'a\"\"b'\"\n4.0,4.0,\n,,assertion failed\n"
    )
    gradcli(*words, "-o", str(tmp_path / "a.npz"))
    with np.load(tmp_path / "a.npz") as found:
        assert found["failed"].tolist() == [True, False, True]
        np.testing.assert_array_equal(found["value"], [np.nan, 4.0, np.nan])


def test_rows_that_do_not_fit_a_table(gradcli: Gradcli) -> None:
    text = ndjson([{"x": [1]}, {"x": [2]}, {"x": [1, 2]}, {"x": [3]}])
    done = gradcli("eval", "x", "--each", "-", "--format", "csv", stdin=text)
    assert (done.code, done.out) == (2, "value.0\n1.0\n2.0\n")
    assert "row 3 of standard input: its answer has value.0, value.1, and those before it value.0" in done.err
    done = gradcli("eval", "x", "--each", "-", "--sum", "--keep-going", stdin=text)
    assert (done.code, done.out) == (2, "6.0\n")
    done = gradcli("eval", "x", "--each", "-", "--format", "npz", stdin=text)
    assert "value of shape (2,) and dtype float64, and those before it value of shape (1,)" in done.err


def test_what_is_not_finite_is_told_once_and_counted(gradcli: Gradcli) -> None:
    rows = [{"x": x} for x in (1.0, 0.0, 2.0, 0.0)]
    done = gradcli("grad", "log(x)", "--each", "-", stdin=ndjson(rows))
    assert done.code == 0
    assert done.out.splitlines()[1] == '{"value": "-Infinity", "grad": {"x": "Infinity"}}'
    assert done.err.startswith("warning: row 2 of standard input: the grad x is inf; it first arose in log\n")
    assert done.err.endswith("warning: the grad is not finite in 2 rows\n")


def test_what_a_program_prints_comes_row_by_row(gradcli: Gradcli) -> None:
    rows = [{"x": float(i)} for i in range(9)]
    done = gradcli("eval", "print('at', x)\nx", "--each", "-", stdin=ndjson(rows))
    assert done.err == "".join(f"at tensor({i}.)\n" for i in range(9))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("grad", "x*y"), "{file} gives no value for the input y"),
        (("grad", "x*xx"), "{file} gives no value for the input xx"),
        (("grad", "x", "x=1"), "'x' is given twice: by x=... for all rows, and by the rows"),
        (("grad", "a: float = 2\na"), "{file} names nothing that the program reads; its inputs: a"),
        (("grad", "x", "--format", "text"), "--each gives json or csv or npz, not text"),
        (("grad", "x", "-o", "a.npy"), "--each gives json or csv or npz, not npy"),
        (("check", "x", "-o", "a.csv"), "--each gives json, not csv"),
        (("derive", "x"), "derive has no option '--each'"),
        (("check", "x", "--sum"), "check has no option '--sum'"),
    ],
)
def test_command_lines_at_fault(gradcli: Gradcli, points: Path, words: tuple[str, ...], message: str) -> None:
    done = gradcli(*words, "--each", str(points))
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: {message.format(file=points)}\n")


def test_options_that_need_rows(gradcli: Gradcli) -> None:
    for option in ("--sum", "--keep-going", "--jobs=2"):
        done = gradcli("grad", "x**2", "x=1", option)
        assert (done.code, done.err.splitlines()[0]) == (2, f"error: {option.split('=')[0]} goes with --each FILE")
    assert "only one thing may read standard input" in gradcli("eval", "-", "--each", "-").err
    done = gradcli("jvp", "x", "--each", "-", "-v", "x=@-")
    assert "only one thing may read standard input, and both '--each -' and '-v x=@-' do" in done.err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'[{"x": 1}]\n', 'it holds a list of 1, expected an object like {"x": [1, 2]}'),
        (b'{\n "x": 1\n}\n', "column 2: this is no JSON: expecting property name enclosed in double quotes"),
        (b"\x93NUMPY\x01\x00", "byte 0x93 is not UTF-8 text"),
    ],
)
def test_what_is_no_ndjson_says_what_that_is(gradcli: Gradcli, text: bytes, message: str) -> None:
    done = gradcli("grad", "x**2", "--each", "-", stdin=text)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"error: row 1 of standard input: {message}\n  = NDJSON has one whole object on each line\n"


def test_a_wrt_that_is_no_input_is_no_fault_of_a_row(gradcli: Gradcli) -> None:
    for program, text in (("x*y", "--wrt: 'z' is no input of the program"), ("x*z2", "did you mean 'z2'?")):
        done = gradcli("grad", program, "--each", "-", "--wrt", "z", "--keep-going", stdin='{"x": 1}\n{"x": 2}\n')
        assert (done.code, done.out) == (2, "")
        assert text in done.err
        assert done.err.startswith("error: --wrt: 'z'")


def test_no_rows(gradcli: Gradcli, points: Path) -> None:
    points.write_text("x\n")
    assert gradcli("grad", "x**2", "--each", str(points)).out == ""
    done = gradcli("grad", "x**2", "--each", str(points), "--sum")
    assert (done.code, done.err) == (2, f"error: {points} has no rows to add up\n")


def test_rows_win_over_data(gradcli: Gradcli, points: Path, tmp_path: Path) -> None:
    (tmp_path / "same.json").write_text('{"x": 100, "a": 3}')
    done = gradcli("eval", "x*a", "--each", str(points), "--data", str(tmp_path / "same.json"), "--format", "csv")
    assert done.out == "value\n3.0\n12.0\n27.0\n"


# --- sums ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "program", "words"),
    [
        ("eval", "sin(x)*a*w", ()),
        ("grad", "sin(x)*sum(a*w)", ()),
        ("grad", "sin(x), x*sum(a*w)", ()),
        ("jacobian", "a*w*x", ("--wrt", "w")),
        ("vjp", "a*w*x", ("-v", "1,2")),
        ("jvp", "a*w*x", ("--wrt", "x", "-v", "1.5")),
        ("hessian", "sum(w**3)*x", ()),
        ("hvp", "sum(w**3)*x", ("--wrt", "w", "-v", "1,0.5")),
    ],
)
def test_sums_are_those_of_single_answers(gradcli: Gradcli, command: str, program: str, words: tuple[str, ...]) -> None:
    rows = rows_of(15, x=(), w=(2,))
    extra = (*words, "a=0.7") if "a*" in program or "*a" in program else words
    done = gradcli(command, program, *extra, "--each", "-", "--sum", "--format", "json", stdin=ndjson(rows))
    singles = [json.loads(line) for line in one_by_one(gradcli, command, program, rows, *extra)]
    assert done.code == 0, done.err
    total = json.loads(done.out)
    assert _leaves(total) == pytest.approx([math.fsum(parts) for parts in zip(*map(_leaves, singles), strict=True)])


def _leaves(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [leaf for key, part in value.items() if key not in ("shape", "dtype") for leaf in _leaves(part)]
    return [leaf for part in value for leaf in _leaves(part)] if isinstance(value, list) else [value]


def test_a_sum_is_an_ordinary_answer(gradcli: Gradcli) -> None:
    rows = [{"x": float(i)} for i in range(1, 5)]
    done = gradcli("grad", "a*x**2", "a=2", "--each", "-", "--sum", stdin=ndjson(rows))
    assert done.out == "# a\n30.0\n# x\n40.0\n"
    done = gradcli("eval", "x > 2", "--each", "-", "--sum", stdin=ndjson(rows))
    assert done.out == "2\n"


def test_sums_catch_their_rounding_errors() -> None:
    numbers = np.array([1e16, 1.0, -1e16, 1e-8] * 1000)
    sums = Sums()
    for start in range(0, 4000, 37):
        part = numbers[start : start + 37]
        sums.add({"value": PerRow(part)}, len(part))
    assert sums.document()["value"] == math.fsum(numbers)
    infinite = Total((), np.dtype(np.float64))
    infinite.add(np.array([1.0, np.inf, 2.0]))
    assert infinite.value == np.inf


# --- check -----------------------------------------------------------------------------------------------------------


def test_check_of_every_row(gradcli: Gradcli) -> None:
    rows = [{"x": 1.0}, {"x": 2.0}]
    done = gradcli("check", "x**2", "--each", "-", stdin=ndjson(rows))
    assert done.code == 0
    assert [json.loads(line)["ok"] for line in done.out.splitlines()] == [True, True]
    done = gradcli("check", "x**2", "--against", "x=2", "--each", "-", "--quiet", stdin=ndjson(rows))
    assert (done.code, done.out) == (1, "")


# --- processes, pipes, signals ---------------------------------------------------------------------------------------

ROOT = Path(__file__).parent.parent.parent
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")


@forks
def test_jobs_give_the_same_in_order(gradcli: Gradcli) -> None:
    rows = rows_of(3000, x=())
    rows[1234] = {"z": 1.0}
    words = ("grad", "x**3", "--each", "-", "--keep-going")
    one, two = (gradcli(*words, *more, stdin=ndjson(rows)) for more in ((), ("--jobs", "2")))
    assert two == one
    assert one.err.startswith("error: row 1,235 of standard input: missing input 'x'\n")
    assert len(one.out.splitlines()) == 3000


@forks
def test_jobs_end_where_a_row_fails(gradcli: Gradcli) -> None:
    rows = [{"x": float(i)} for i in range(500)]
    done = gradcli("eval", "assert x != 321\nx", "--each", "-", "--jobs", "3", stdin=ndjson(rows))
    assert (done.code, len(done.out.splitlines())) == (2, 321)
    assert done.err.startswith("error: row 322 of standard input: assertion failed\n")


@forks
def test_jobs_add_up(gradcli: Gradcli) -> None:
    rows = [{"x": float(i)} for i in range(1000)]
    done = gradcli("grad", "x**2", "--each", "-", "--jobs", "2", "--sum", stdin=ndjson(rows))
    assert done.out == f"{float(sum(2 * i for i in range(1000)))}\n"


def started(*words: str, **more: Any) -> subprocess.Popen[bytes]:
    """A command whose pipes are not buffered here: `communicate` would pass over what a `readline` has read ahead."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    settings = {**pipes, "bufsize": 0, **more}
    return subprocess.Popen([sys.executable, "-m", "gradcli", *words], **settings)


@forks
@pytest.mark.parametrize("more", [(), ("--jobs", "2")])
def test_a_line_in_is_a_line_out(more: tuple[str, ...]) -> None:
    with started("grad", "x**2", "--each", "-", *more) as process:
        assert process.stdin is not None and process.stdout is not None
        for i in range(3):
            process.stdin.write(b'{"x": %d}\n' % i)
            process.stdin.flush()
            assert json.loads(process.stdout.readline()) == {"value": i * i, "grad": {"x": 2 * i}}
        process.stdin.close()
        assert process.wait(30) == 0


@forks
def test_ctrl_c_leaves_whole_rows_and_a_closed_pipe_is_quiet(tmp_path: Path) -> None:
    path = tmp_path / "many.csv"
    path.write_text("x\n" + "0.123456789\n" * 1_000_000)
    with started("grad", "x**2", "--each", str(path)) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, err) == (130, b"")
        assert set((first + out).splitlines(keepends=True)) == {first}
    with started("grad", "x**2", "--each", str(path)) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert (process.wait(30), process.stderr.read()) == (141, b"")


@forks
def test_a_file_is_replaced_whole_or_left(gradcli: Gradcli, tmp_path: Path) -> None:
    path = tmp_path / "out.ndjson"
    path.write_text("old")
    done = gradcli("eval", "x", "--each", "-", "-o", str(path), stdin='{"x": 1}\n{"x": []\n')
    assert (done.code, path.read_text(), os.listdir(tmp_path)) == (2, "old", ["out.ndjson"])
    assert gradcli("eval", "x", "--each", "-", "-o", str(path), stdin='{"x": 1}\n').code == 0
    assert json.loads(path.read_text())["value"] == 1.0


@forks
def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    peak = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)"
    peak += "; print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    found = []
    for rows in (100_000, 300_000):
        np.save(tmp_path / "x.npy", np.linspace(0, 1, rows))
        words = ["-m", "gradcli", "eval", "x**2", "--each", str(tmp_path / "x.npy")]
        done = subprocess.run(
            [sys.executable, "-c", peak, sys.executable, *words], capture_output=True, check=True, text=True
        )
        found.append(int(done.stdout))
    assert found[1] < found[0] + 8_000


def test_twenty_thousand_scalar_gradients_a_second(gradcli: Gradcli) -> None:
    rows = rows_of(20_000, x=())
    text = ndjson(rows)
    begin = time.process_time()
    assert gradcli("grad", "sin(x)*exp(-x**2) + log(1 + x**2)", "--each", "-", stdin=text).code == 0
    assert 20_000 / (time.process_time() - begin) > 20_000


def test_a_loss_over_nist_data(gradcli: Gradcli) -> None:
    """Misra1a: the certified residual sum of squares, and the gradient that the whole table gives at once."""
    parameters = ("b1=2.3894212918E+02", "b2=5.5015643181E-04")
    data = str(ROOT / "samples" / "nist" / "Misra1a.csv")
    words = (*parameters, "--wrt", "b1,b2", "--format", "json")
    done = gradcli("grad", "(y - b1*(1 - exp(-b2*x)))**2", *words, "--each", data, "--sum")
    whole = gradcli("grad", "sum((y - b1*(1 - exp(-b2*x)))**2)", *words, "--data", data)
    found, expected = json.loads(done.out), json.loads(whole.out)
    assert found["value"] == pytest.approx(1.2455138894e-01, rel=1e-9)
    assert found["value"] == pytest.approx(expected["value"], rel=1e-14)
    for name, scale in (("b1", 1.0), ("b2", 1e6)):
        assert found["grad"][name] == pytest.approx(expected["grad"][name], abs=1e-13 * scale)
