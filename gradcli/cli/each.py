"""`--each FILE`: a command once for every row of a file.

The program is parsed once. A reader (`row_input`) cuts the file into blocks of rows, `row_work` answers a block, as a
batch where the program allows it (`batches`), in this process or in several (`row_jobs`), and the answers leave in
order as they come (`row_sinks`) or are added up (`row_sums`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterable
from contextlib import closing
from time import monotonic
from typing import Any

from gradcli.cli.output import publish, send
from gradcli.cli.progress import make_way, progress
from gradcli.cli.report import blamed_on, complain
from gradcli.cli.row_input import open_reader
from gradcli.cli.row_jobs import DefectElsewhere, answered_by_processes, answered_here
from gradcli.cli.row_sinks import csv_pieces, expect_alike, json_pieces, npz_pieces
from gradcli.cli.row_sums import Sums
from gradcli.cli.row_work import Form, Reply, Work
from gradcli.cli.session import Session, expect_wrt_in_program, open_session
from gradcli.cli.supervisor import BROKEN, FAULT, MISMATCH, OK, UNPROVED
from gradcli.cli.words import Invocation, UsageError
from gradcli.files import choose_format
from gradcli.files.rows import RowReader
from gradcli.graph.errors import GradcliError
from gradcli.language.diagnostics import escaped

#: A pipe takes so many bytes whole or not at all, so that whoever ends this process leaves no half a row.
WHOLE = 4096


def run(invocation: Invocation) -> int:
    """Answer every row; returns 0, or what `check` found, or 2 where a row failed."""
    form = _form(invocation)
    session = open_session(invocation)
    expect_wrt_in_program(session)
    if invocation.values.get("vector"):
        from gradcli.cli.vectors import read_vectors

        read_vectors(session)
    with blamed_on(invocation.given["each"][0], invocation.words):
        reader = open_reader(session)
    course = _Course(session, reader, form)
    try:
        with closing(reader), progress(course.counters, reader.total, color=invocation.values["color"]):
            _deliver(invocation, form, course)
    except _Ended as ended:
        complain(str(ended))
        return FAULT
    except DefectElsewhere as defect:
        complain(f"error: gradcli itself is at fault: {escaped(str(defect))}")
        return BROKEN
    course.sum_up()
    return course.code


class _Ended(Exception):
    """A row failed, and the command ends there; the message is the whole report."""


# --- what is asked for -----------------------------------------------------------------------------------------------


def _form(invocation: Invocation) -> Form:
    values = invocation.values
    keeps_going = values["keep_going"]
    if values.get("sparse"):
        raise UsageError(
            "--each gives no sparse answers",
            place=invocation.given["sparse"][0].place,
            mend="leave out --sparse, or run the command once",
        )
    if values.get("sum"):
        return Form("sum", keeps_going)
    if values.get("quiet"):
        return Form("quiet", keeps_going)
    given = values["format"]
    found = given or choose_format(None, values["output"])
    if given is None and found == "text":
        found = "json"
    allowed = ("json",) if invocation.command.name == "check" else ("json", "csv", "npz")
    if found not in allowed:
        raise UsageError(
            f"--each gives {' or '.join(allowed)}, not {found}",
            place=invocation.given["format" if given else "output"][0].place,
            mend="one JSON document on each line is json",
        )
    return Form(found, keeps_going)


# --- the answers -----------------------------------------------------------------------------------------------------


class _Course:
    """The rows on their way: what has been answered, and what is to be said at the end."""

    def __init__(self, session: Session, reader: RowReader, form: Form) -> None:
        self.session = session
        self.reader = reader
        self.form = form
        self.rows = self.failed = self.not_finite = 0
        self.codes: set[int] = set()
        self._first_error = ""
        self._told = False
        self._began = monotonic()

    def counters(self) -> dict[str, float]:
        """What the progress bar shows."""
        seconds = monotonic() - self._began
        return {"rows": self.rows, "rows/s": self.rows / seconds if seconds else 0.0}

    def replies(self) -> Generator[Reply]:
        """The replies in order.

        Raises:
            _Ended: a row failed, after the reply with all rows before it.
        """
        values = self.session.invocation.values
        answer = Work(self.session, self.reader, self.form).reply
        jobs = values["jobs"] if hasattr(os, "fork") else 1
        found = (
            answered_by_processes(self.reader, answer, jobs, values["max_bytes"])
            if jobs > 1
            else answered_here(self.reader, answer)
        )
        for reply in found:
            self._note(reply)
            yield reply
            if reply.fault is not None:
                raise _Ended(reply.fault)

    def _note(self, reply: Reply) -> None:
        self.rows += reply.size
        self.failed += len(reply.errors)
        self.not_finite += reply.not_finite
        self.codes |= reply.codes
        self._first_error = self._first_error or reply.first_error
        if reply.story and not self._told:
            self._told = True
            complain(reply.story)

    def sum_up(self) -> None:
        """Say at the end how many rows were not as one would wish."""
        if self.not_finite > 1:
            complain(f"warning: the {self.session.invocation.command.name} is not finite in {self.not_finite:,} rows")
        if self.failed:
            complain(self._first_error)
            others = ", the first like that" if self.failed > 1 else ""
            complain(f"error: {self.failed:,} of {self.rows:,} rows failed{others}")

    @property
    def code(self) -> int:
        """The exit code: that of the worst."""
        if self.failed:
            return FAULT
        return next((code for code in (MISMATCH, UNPROVED) if code in self.codes), OK)


def _deliver(invocation: Invocation, form: Form, course: _Course) -> None:
    with closing(course.replies()) as replies:
        if form.name == "sum":
            _publish_sums(invocation, course, replies)
        else:
            _write(invocation, form, replies)


def _write(invocation: Invocation, form: Form, replies: Iterable[Reply]) -> None:
    if form.name == "csv":
        pieces = csv_pieces(replies, form.keeps_going)
    elif form.name == "npz":
        pieces = npz_pieces(replies)
    else:
        pieces = json_pieces(replies)
    if form.name == "npz" or invocation.values["output"] not in (None, "-"):
        send(invocation, pieces, form.name)
    else:
        _stream(pieces)


def _stream(pieces: Iterable[bytes]) -> None:
    """Write lines to standard output as they come, rows whole.

    Raises:
        GradcliError: it is closed.
    """
    if sys.stdout is None:
        raise GradcliError("cannot write the answer: standard output is closed", mend="or give -o FILE")
    out, on_terminal = sys.stdout.buffer, sys.stdout.isatty()
    for piece in pieces:
        data = escaped(piece.decode(), keep="\n\t").encode() if on_terminal else piece
        if on_terminal:
            make_way()
        start = 0
        while start < len(data):
            end = data.rfind(b"\n", start, start + WHOLE) + 1 or data.find(b"\n", start) + 1
            out.write(data[start:end])
            out.flush()
            start = end


def _publish_sums(invocation: Invocation, course: _Course, replies: Iterable[Reply]) -> None:
    """The sum over all rows, as the command gives the answer to one.

    Raises:
        GradcliError: there is no row.
    """
    sums = Sums()
    titles: tuple[Any, ...] = ()
    names: list[str] = []
    is_tuple = False
    for reply in replies:
        if reply.sums is not None:
            titles = titles or reply.titles
            expect_alike("sum", reply, titles)
            part, names, is_tuple = reply.sums
            sums.merge(part)
    if not sums.rows:
        if not course.failed:
            raise GradcliError(f"{course.reader.name} has no rows to add up")
        return
    _publish(invocation, sums.document(), names, is_tuple)


def _publish(invocation: Invocation, document: dict[str, Any], names: list[str], is_tuple: bool) -> None:
    kind = invocation.command.name
    values = document["value"] if is_tuple else [document["value"]]
    if kind == "eval":
        from gradcli.cli import evaluate

        publish(invocation, evaluate.answer(values, names, is_tuple), evaluate.layout_of(values, names))
    else:
        from gradcli.cli import derivatives

        found = derivatives.from_document(document, kind, is_tuple)
        publish(invocation, derivatives.answer(kind, found, names), derivatives.layout_of(kind, found, names))
