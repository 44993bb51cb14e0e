"""Limits, closed pipes, full disks and interruptions, on the real command in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "gradcli"]


@pytest.mark.parametrize(
    ("words", "limit"),
    [
        (("eval", "while True: pass\n1", "--max-seconds", "1", "--max-steps", "1e15"), "--max-seconds"),
        (("eval", "while True: pass\n1", "--max-steps", "1e6"), "--max-steps"),
        (("eval", "def f(x): return f(x)\nf(x)", "x=1"), "--max-depth"),
        (("eval", "zeros(10**12)"), "--max-bytes"),
        (("eval", "zeros(10**6)", "--max-bytes", "1M"), "--max-bytes"),
        (("eval", "x = []\nwhile True: x.append(zeros(1000) + 1)\n1", "--max-bytes", "50M"), "--max-bytes"),
        (("eval", "A = rand(3000, 3000)\nsum(A @ A @ A @ A @ A @ A)", "--max-seconds", "0.7"), "--max-seconds"),
    ],
)  # fmt: skip
def test_meeting_a_limit_names_it(shell: Callable, words: tuple[str, ...], limit: str) -> None:
    begin = time.monotonic()
    done = shell(*words)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: limit reached: {limit}: "), done.err
    assert time.monotonic() - begin < 30


@pytest.mark.parametrize("size", ["1M", "100k", "4G"])
def test_small_limits_let_honest_programs_pass(shell: Callable, size: str) -> None:
    done = shell("grad", "sum(x**2)", "x=1,2,3", "--max-bytes", size)
    assert done == (0, "2.0 4.0 6.0\n", "")


def test_a_closed_pipe_is_quiet(tmp_path: Path) -> None:
    for form in ("text", "json"):
        process = subprocess.Popen(
            [*COMMAND, "eval", "zeros(300000)", "--format", form], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        err = process.stderr.read()
        process.stderr.close()
        assert (process.wait(timeout=60), err) == (141, b"")


def test_unbuffered_python_loses_nothing(shell: Callable) -> None:
    for unbuffered in ("", "1"):
        done = shell("eval", "zeros(300000)", PYTHONUNBUFFERED=unbuffered)
        assert (done.code, done.err) == (0, "")
        assert len(done.out) == 4 * 300000


@pytest.mark.parametrize(
    "words",
    [
        ("eval", "1"),
        ("--version",),
        ("--help",),
        ("grad", "--help"),
        ("eval", "zeros(3)", "--color", "always"),
        ("ops", "--color", "always"),
        ("check", "x", "x=1", "--color", "always"),
    ],
)
def test_a_closed_pipe_before_the_first_byte_is_quiet(words: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([*COMMAND, *words], stdout=writing, stderr=subprocess.PIPE, timeout=60)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    "words", [("eval", "1"), ("--version",), ("--help",), ("ops",), ("eval", "zeros(3)", "--color", "always")]
)
def test_a_full_disk_is_said(words: tuple[str, ...]) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run([*COMMAND, *words], stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 2
    assert done.stderr == b"error: cannot write the answer: No space left on device\n"


def test_closed_standard_output_is_said(tmp_path: Path) -> None:
    def run(*words: str) -> tuple[int, str]:
        line = ["sh", "-c", 'exec "$@" >&-', "sh", *COMMAND, *words]
        done = subprocess.run(line, stderr=subprocess.PIPE, timeout=60, text=True)
        return done.returncode, done.stderr

    code, err = run("eval", "1")
    assert code == 2
    assert err.startswith("error: cannot write the answer: standard output is closed\n")
    assert run("eval", "1", "-o", str(tmp_path / "x.txt")) == (0, "")
    assert (tmp_path / "x.txt").read_text() == "1\n"
    assert run("--version") == (2, "error: standard output is closed\n")


def test_closed_standard_error_changes_nothing() -> None:
    line = ["sh", "-c", 'exec "$@" 2>&-', "sh", *COMMAND, "eval", "print(1)\nx", "x=2"]
    done = subprocess.run(line, stdout=subprocess.PIPE, timeout=60)
    assert (done.returncode, done.stdout) == (0, b"2.0\n")


def test_an_answer_is_utf8_whatever_the_locale(shell: Callable) -> None:
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    done = shell("eval", "θ = x\nθ, 2*θ", "x=1", **environment)
    assert (done.code, done.err) == (0, "")
    done = shell("grad", "θ**2", "θ=1", "--format", "json", **environment)
    assert done == (0, '{"value": 1.0, "grad": {"θ": 2.0}}\n', "")
    done = shell("eval", "β + 1", **environment)
    assert done.err.startswith("error: missing input 'β'")


def test_interruption_is_quiet_and_leaves_the_old_answer(tmp_path: Path) -> None:
    answer = tmp_path / "answer.txt"
    answer.write_text("old")
    words = ["eval", "while True: pass\n1", "--max-steps", "1e15", "-o", str(answer)]
    process = subprocess.Popen([*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30) == (b"", b"")
    assert process.returncode == 130
    assert answer.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["answer.txt"]


def test_a_defect_is_our_fault_and_shows_no_traceback(gradcli: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    from gradcli.cli import evaluate

    def broken(_: object) -> int:
        raise ZeroDivisionError("oh \x1b[31m")

    monkeypatch.setattr(evaluate, "run", broken)
    done = gradcli("eval", "1")
    assert (done.code, done.out) == (70, "")
    assert done.err == (
        "error: gradcli itself is at fault: ZeroDivisionError: oh \\x1b[31m\n"
        "  please report it, with this command line and the program (GRADCLI_DEBUG=1 shows where it happened)\n"
    )
    monkeypatch.setenv("GRADCLI_DEBUG", "1")
    assert "Traceback" in gradcli("eval", "1").err


@pytest.mark.parametrize(("raised", "code"), [(KeyboardInterrupt, 130), (MemoryError, 2), (RecursionError, 2)])
def test_what_python_raises_at_its_ends(
    gradcli: Callable, monkeypatch: pytest.MonkeyPatch, raised: type[BaseException], code: int
) -> None:
    from gradcli.cli import evaluate

    def ended(_: object) -> int:
        raise raised

    monkeypatch.setattr(evaluate, "run", ended)
    done = gradcli("eval", "1")
    assert (done.code, done.out) == (code, "")
    assert (done.err == "") == (code == 130)


def test_the_first_command_loads_no_more_than_it_needs(shell: Callable) -> None:
    code = (
        "import sys\nfrom gradcli.cli import main\n"
        "code = main.run(['grad', 'sum(x**2)', 'x=1,2,3'])\n"
        "heavy = {'typer', 'rich', 'click', 'sympy', 'mpmath', 'scipy', 'asyncio', 'subprocess', 'tempfile', 'json'}\n"
        "print(sorted(heavy & set(sys.modules)), code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("2.0 4.0 6.0\n[] 0\n", "")


def test_the_watching_process_loads_no_numpy() -> None:
    code = "import sys\nimport gradcli.cli.main\nprint('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("False\n", "")
