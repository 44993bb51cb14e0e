"""The process that watches over a command, with small pieces of work in place of commands."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the supervisor forks")

FRAME = """
import os, sys, time
from gradcli.cli import supervisor
def work():
{body}
supervisor.supervise(work, {seconds}, {output!r})
"""


def script(body: str, seconds: float = 30.0, output: str | None = None) -> list[str]:
    indented = "\n".join(f"    {line}" for line in body.splitlines())
    return [sys.executable, "-c", FRAME.format(body=indented, seconds=seconds, output=output)]


def supervised(body: str, seconds: float = 30.0, output: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(script(body, seconds, output), capture_output=True, text=True, timeout=60)


def started(body: str, own_session: bool = False, **options: object) -> subprocess.Popen[str]:
    """A supervised process whose child has printed its process id, and that ignores no signal."""
    body = f"print(os.getpid(), flush=True)\n{body}"
    return subprocess.Popen(
        script(body, **options),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=own_session,
        preexec_fn=hear_signals,
    )


def hear_signals() -> None:
    """Ignore no signal, though the tests may run under `nohup` or in a shell's background."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def gone(pid: int) -> bool:
    """Whether the process has ended, which may take it a moment."""
    for _ in range(100):
        try:
            with open(f"/proc/{pid}/stat") as status:
                if status.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except FileNotFoundError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("code", [0, 1, 2, 3, 70, 141])
def test_the_exit_code_is_the_works(code: int) -> None:
    done = supervised(f"print('answer', flush=True)\nreturn {code}")
    assert (done.returncode, done.stdout, done.stderr) == (code, "answer\n", "")


def test_time_is_kept_even_where_nothing_listens() -> None:
    begin = time.monotonic()
    done = supervised(
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\ntime.sleep(60)", 0.5
    )
    assert done.returncode == 2
    assert done.stderr == (
        "error: limit reached: --max-seconds: the command took more than 0.5 seconds\n"
        "  = raise --max-seconds if this is meant\n"
    )
    assert time.monotonic() - begin < 10


def test_time_is_added_up_over_many_slices() -> None:
    begin = time.monotonic()
    assert supervised("time.sleep(60)", 2.3).returncode == 2
    assert 2.2 < time.monotonic() - begin < 10


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE"])
def test_a_crash_is_exit_code_70(name: str) -> None:
    done = supervised(f"import signal\nos.kill(os.getpid(), signal.{name})\ntime.sleep(60)")
    assert done.returncode == 70
    assert done.stderr == f"error: gradcli itself is at fault: it crashed ({name})\n"


def test_the_systems_memory_killer_is_a_limit() -> None:
    done = supervised("os.kill(os.getpid(), 9)\ntime.sleep(60)")
    assert done.returncode == 2
    assert done.stderr.startswith("error: limit reached: --max-bytes: the system ran out of memory")


def test_a_library_that_ends_the_process_had_no_memory() -> None:
    done = supervised("os._exit(1)")
    assert done.returncode == 2
    assert done.stderr.startswith("error: limit reached: --max-bytes: ")


def test_what_work_raises_is_a_defect() -> None:
    done = supervised("raise KeyError(1)")
    assert (done.returncode, done.stderr) == (70, "error: gradcli itself is at fault: KeyError\n")
    done = supervised("raise MemoryError")
    assert done.returncode == 2
    assert done.stderr.startswith("error: limit reached: --max-bytes: ")


def test_interruption_ends_both_quietly() -> None:
    process = started("time.sleep(60)")
    child = int(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (130, "", "")
    assert gone(child)


def test_ctrl_c_of_a_terminal_reaches_both_and_one_acts() -> None:
    process = started("time.sleep(60)", own_session=True)
    child = int(process.stdout.readline())
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (130, "", "")
    assert gone(child)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_ends_both_and_is_seen_outside(number: signal.Signals) -> None:
    process = started("time.sleep(60)")
    child = int(process.stdout.readline())
    process.send_signal(number)
    process.communicate(timeout=20)
    assert process.returncode == -number
    assert gone(child)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells a process of its parent's end")
def test_no_orphan_outlives_a_killed_parent() -> None:
    process = started("import resource\nsupervisor.confine(1 << 30, os.getppid())\ntime.sleep(60)")
    child = int(process.stdout.readline())
    time.sleep(0.3)
    process.kill()
    process.communicate(timeout=20)
    assert gone(child)


def test_what_was_ignored_stays_ignored() -> None:
    process = subprocess.Popen(
        [
            "sh",
            "-c",
            'trap "" HUP; exec "$@"',
            "sh",
            *script("print(1, flush=True)\ntime.sleep(1)\nreturn 0"),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    process.stdout.readline()
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=20)
    assert process.returncode == 0


def test_a_killed_child_leaves_no_temporary_file(tmp_path: Path) -> None:
    output = tmp_path / "answer.json"
    (tmp_path / ".gradcli-1-other.tmp").write_text("somebody else's")
    body = f"open({str(tmp_path)!r} + f'/.gradcli-{{os.getpid()}}-ab.tmp', 'w').write('half')\ntime.sleep(60)"
    assert supervised(body, 1.0, str(output)).returncode == 2
    assert [path.name for path in tmp_path.iterdir()] == [".gradcli-1-other.tmp"]


def test_the_leftovers_are_named_as_the_writer_names_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gradcli.cli.supervisor import LEFTOVER
    from gradcli.files import atomic

    seen: list[str] = []
    replace = os.replace
    monkeypatch.setattr(os, "replace", lambda a, b: (seen.append(os.path.basename(a)), replace(a, b)))
    atomic.write_whole(str(tmp_path / "x.txt"), [b"1"])
    assert len(seen) == 1
    assert seen[0].startswith(LEFTOVER.format(pid=os.getpid()))


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA counts what it should on Linux")
def test_memory_is_bounded_from_outside() -> None:
    body = """
import numpy
supervisor.confine(1 << 20, os.getppid())
try:
    numpy.empty(1 << 30, dtype="u1")
except MemoryError:
    a = numpy.ones((600, 600))
    numpy.linalg.svd(a @ a)
    return 0
return 1"""
    done = supervised(body)
    assert (done.returncode, done.stderr) == (0, "")


def test_closed_standard_streams_are_filled() -> None:
    code = (
        "import os, sys\nfrom gradcli.cli.supervisor import keep_standard_streams\nkeep_standard_streams()\n"
        "found = os.open(os.devnull, os.O_RDONLY)\nos._exit(found)"
    )
    done = subprocess.run(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, "-c", code], timeout=30)
    assert done.returncode == 3
