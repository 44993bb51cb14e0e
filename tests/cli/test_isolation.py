"""What a whole command does to the world while a program runs, as Python's audit events tell it."""

from __future__ import annotations

import ast
import builtins
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

WATCHED = ("compile", "exec", "code.", "marshal.", "open", "os.", "shutil.", "socket.", "subprocess.", "pickle.")
MEMORY = ("open", "/proc/self/statm")
"""How the byte limit asks for the memory that is in use."""

HARMLESS = ("os.listdir", "os.scandir")
"""What the search for a mistyped file name does."""

_seen: list[tuple[str, str]] | None = None


def _hook(event: str, args: tuple[object, ...]) -> None:
    if _seen is not None and event.startswith(WATCHED) and event not in HARMLESS:
        subject = args[0] if args else ""
        _seen.append((event, subject.decode() if isinstance(subject, bytes) else str(subject)))


@contextmanager
def watched() -> Iterator[list[tuple[str, str]]]:
    """Collect the events of a block; a hook can't be taken away again, so there is one for all."""
    global _seen
    if not hasattr(sys, "gradcli_test_hook"):
        sys.addaudithook(_hook)
        sys.gradcli_test_hook = True  # type: ignore[attr-defined]
    _seen = found = []
    try:
        yield found
    finally:
        _seen = None


def test_the_watch_sees_what_it_must() -> None:
    with watched() as events:
        exec(compile("1", "<probe>", "exec"))
        open(os.devnull).close()
        os.system("true")
    assert {"compile", "exec", "open", "os.system"} <= {event for event, _ in events}


PROGRAMS = (
    "import numpy as np\nfrom math import *\ndef f(a, k=2): return a**k\nlog = [f(i) for i in range(3)]\n"
    "print(f'{x:.3f}', log, {'open': 1})\ngrad(lambda t: sum(np.sin(t)*f(t)))(ones(3)*x)[0] + hessian(f)(x)",
    "().__class__.__base__.__subclasses__()",
    "x.__init__.__globals__['os'].system('true')",
    "f'{x.__class__}{x!r:{x}}'",
    "'{0.__class__}'.format(x)",
    "eval('1')",
    "__import__('os').system('true')",
    "open('secret.txt').read()",
    "np.load('secret.npy', allow_pickle=True)",
    "import os\nos.system('true')",
    "from numpy import load\nload('secret.npy')",
    "exec('1', {})",
    "getattr(x, 'T')",
    "x.tofile('secret.npy')",
    "x.dump('secret.npy')",
    "lambda: (yield)",
    "class A: pass",
    "@eval\ndef f(x): return x",
)


@pytest.mark.parametrize("command", ["eval", "grad", "graph"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_makes_no_code_opens_no_file_and_starts_no_process(
    gradcli: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, program: str
) -> None:
    monkeypatch.chdir(tmp_path)
    flags: list[int] = []
    compiler = builtins.compile

    def compile(source: Any, filename: str, mode: str, kinds: int = 0, *rest: Any, **more: Any) -> Any:
        flags.append(kinds)
        return compiler(source, filename, mode, kinds, *rest, **more)

    first = gradcli(command, program, "x=1.5")
    with monkeypatch.context() as patch:
        patch.setattr(builtins, "compile", compile)
        with watched() as events:
            again = gradcli(command, program, "x=1.5")
    assert again == first
    assert again.code in (0, 2)
    # The one use of the compiler is `ast.parse`, on the program and on the VALUE, and it makes trees alone.
    assert [event for event in events if event[0] != "compile" and event != MEMORY] == []
    assert {text for event, text in events if event == "compile"} <= {program, "1.5"}
    assert all(kinds & ast.PyCF_ONLY_AST for kinds in flags)
    assert len(flags) == len([event for event, _ in events if event == "compile"]) >= 1
    assert list(tmp_path.iterdir()) == []
