"""The entry point: from the words of the command line to an exit code, and never a traceback.

Nothing heavy is imported here: the process that watches over a command (see `supervisor`) never loads NumPy.
"""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from gradcli.cli import supervisor
from gradcli.cli.supervisor import BROKEN, CLOSED_PIPE, FAULT, INTERRUPTED, OK
from gradcli.cli.words import Invocation, Request, UsageError, parse


def main() -> NoReturn:
    """Run the command line of this process and end it with the command's exit code."""
    supervisor.keep_standard_streams()
    speak_utf8()
    arguments = [_as_utf8(word) for word in sys.argv[1:]]
    try:
        understood = None if _completing() else parse(arguments)
    except UsageError as error:
        os._exit(_refuse(error, arguments))
    except KeyboardInterrupt:
        os._exit(INTERRUPTED)
    if not isinstance(understood, Invocation):
        os._exit(answer(understood or Request("complete"), arguments))
    parent = os.getpid()

    def work() -> int:
        # Loading makes many objects and no garbage: until the program is parsed, looking for some only costs time.
        gc.disable()
        # A graph is many objects and no cycle; the collector would go over all of it again and again as it grows.
        gc.set_threshold(10_000, 20, 50)
        import_module("numpy")
        import_module("warnings").simplefilter("ignore")
        supervisor.confine(understood.values["max_bytes"], parent if hasattr(os, "fork") else 0)
        return perform(understood)

    supervisor.supervise(work, understood.values["max_seconds"], understood.values.get("output"))


def run(arguments: Sequence[str]) -> int:
    """Run a command line in this very process, without the outer limits, and return its exit code."""
    try:
        understood = parse(arguments)
    except UsageError as error:
        return _refuse(error, arguments)
    if isinstance(understood, Request):
        return answer(understood, arguments)
    return perform(understood)


def perform(invocation: Invocation) -> int:
    """Carry out a command; whatever goes wrong becomes a message and an exit code."""
    try:
        return _guarded(invocation)
    except KeyboardInterrupt:
        return INTERRUPTED


def answer(request: Request, arguments: Sequence[str]) -> int:
    """Print the version or a help page, or serve shell completion."""
    from gradcli.cli.report import complain, show_defect

    if sys.stdout is None:
        complain("error: standard output is closed")
        return FAULT
    try:
        if request.kind == "version":
            from gradcli import __version__

            return _flushed(_print(f"gradcli {__version__}"))
        from gradcli.cli import app

        return _flushed(app.serve(request, arguments))
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        return _unwritable(error)
    except Exception as defect:
        show_defect(defect)
        return BROKEN


def speak_utf8() -> None:
    """Make the standard streams UTF-8 whatever the locale is, and standard output buffered whatever the environment
    says: unbuffered, Python loses what a pipe does not take at once."""
    stdout = sys.stdout
    if isinstance(stdout, io.TextIOWrapper) and isinstance(stdout.buffer, io.RawIOBase):
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(stdout.detach()))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")


def _as_utf8(word: str) -> str:
    """A word of the command line that Python could not decode by the locale, decoded as UTF-8 where it is that."""
    if word.isascii():
        return word
    try:
        return os.fsencode(word).decode()
    except UnicodeError:
        return word


def _guarded(invocation: Invocation) -> int:
    from gradcli.cli.progress import of_the_run, progress
    from gradcli.cli.report import show_defect, show_error
    from gradcli.graph.errors import GradcliError, LimitReached

    fault: GradcliError
    try:
        # A command for each of many rows is run from one place, whichever it is.
        module = invocation.command.module if invocation.values.get("each") is None else "each"
        command = import_module(f"gradcli.cli.{module}")
        # NaN and infinities are values here; what needs saying about them is said by the command.
        with import_module("numpy").errstate(all="ignore"):
            with progress(of_the_run, color=invocation.values.get("color", "auto")):
                code = int(command.run(invocation))
            return _flushed(code)
    except GradcliError as error:
        fault = error
    except MemoryError:
        fault = LimitReached("--max-bytes", "there is no memory left")
    except RecursionError:
        fault = LimitReached("--max-depth", "the program is nested too deeply")
    except OSError as error:
        return _unwritable(error)
    except Exception as defect:
        show_defect(defect)
        return BROKEN
    # Here the frames that hold the program's arrays are gone, so that there is memory for the message.
    show_error(fault, invocation.words)
    return FAULT


def _refuse(error: UsageError, arguments: Sequence[str]) -> int:
    from gradcli.cli.report import show_error

    show_error(error, ("gradcli", *arguments))
    return FAULT


def _print(text: str) -> int:
    print(text)
    return OK


def _flushed(code: int) -> int:
    """The exit code, once everything has left this process.

    Raises:
        OSError: it cannot leave.
    """
    if sys.stdout is not None:
        sys.stdout.flush()
    return code


def _unwritable(error: OSError) -> int:
    """What came of writing to standard output in vain."""
    from gradcli.cli.report import complain

    _forget_output()
    if isinstance(error, BrokenPipeError):
        return CLOSED_PIPE
    complain(f"error: cannot write the answer: {error.strerror or error}")
    return FAULT


def _forget_output() -> None:
    """Point standard output elsewhere, so that what is still buffered is not tried again at exit."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError, AttributeError):
        return


def _completing() -> bool:
    return "_GRADCLI_COMPLETE" in os.environ
