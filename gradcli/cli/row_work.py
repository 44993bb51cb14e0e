"""From a block of rows to their answers in the form that is asked for; several processes may do this at a time.

What comes out is plain data, so that it can be sent from one process to another.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from gradcli.cli.batches import Answered, Batches, not_finite
from gradcli.cli.derivatives import COMPUTE
from gradcli.cli.report import rendered
from gradcli.cli.row_sums import Sums
from gradcli.cli.session import Session, choose_target
from gradcli.files.rows import Block, Chunk, RowReader
from gradcli.files.rows.writing import csv_rows, csv_text, csv_titles, flattened, json_rows
from gradcli.graph.errors import GradcliError
from gradcli.graph.values import Array, Shape

#: Arrays by name, rows in front.
Columns = list[tuple[str, Array]]


class Form(NamedTuple):
    """What is to be made of the answers.

    Attributes:
        name: json, csv, npz, sum or quiet.
        keeps_going: whether the rows behind one that fails are of interest.
    """

    name: str
    keeps_going: bool


class Reply(NamedTuple):
    """The answers to a block.

    Attributes:
        where: the first row, in words.
        together: whether rows are run as batches, where they can be.
        size: how many rows were answered or failed: all, or those up to the one that ends the command.
        text: for json and csv a line for each row; nothing where no row of a CSV has been answered yet.
        titles: of a CSV, or of an .npz with shapes and dtypes: what every row has; empty if no row has anything.
        columns: for npz the arrays; of a row that failed they are NaN or zero.
        sums: for sum, with what the outputs are called and whether they are a tuple.
        fault: the report on the row that ends the command.
        errors: of the rows that failed although the command goes on, the messages by place.
        first_error: the report on the first of them.
        codes: the exit codes that the answers stand for.
        not_finite: how many derivatives are not finite.
        story: where the first of them went wrong; empty if that was told before.
    """

    where: str
    together: bool
    size: int
    text: bytes
    titles: tuple[Any, ...]
    columns: Columns
    sums: tuple[Sums, list[str], bool] | None
    fault: str | None
    errors: dict[int, str]
    first_error: str
    codes: frozenset[int]
    not_finite: int
    story: str


class Work:
    """Answers blocks, one after the other.

    Args:
        session: the command, with the values that are the same for all rows.
        reader: what the blocks came from.
        form: what is to be made of the answers.
    """

    def __init__(self, session: Session, reader: RowReader, form: Form) -> None:
        self._session = session
        self._reader = reader
        self._form = form
        self._batches = Batches(session, stops=not form.keeps_going)
        self._titles: tuple[Any, ...] = ()
        self._told = False

    def reply(self, block: Block) -> Reply:
        """The answers to a block's rows.

        Raises:
            GradcliError: they cannot be put together at all.
        """
        chunk = self._reader.chunk(block)
        found, faults = self._batches.answers(chunk)
        found, columns = self._alike(found, faults)
        end = None if self._form.keeps_going or not faults else min(faults)
        size = block.size if end is None else end
        errors = {place: error.message for place, error in faults.items()} if end is None else {}
        bad = [place for part in found for place in not_finite(part, self._kind).tolist() if place < size]
        return Reply(
            self._reader.where(block, 0),
            self._batches.together,
            size,
            self._text(found, columns, errors, size),
            self._titles,
            self._stacked(found, columns, errors, size) if self._form.name == "npz" else [],
            self._sums(found) if self._form.name == "sum" and end is None else None,
            None if end is None else self._said(block, end, faults[end]),
            errors,
            self._said(block, min(errors), faults[min(errors)]) if errors else "",
            frozenset(part.code for part in found),
            len(bad),
            self._story(block, chunk, min(bad)) if bad and not self._told else "",
        )

    @property
    def _kind(self) -> str:
        return self._session.invocation.command.name

    def _said(self, block: Block, place: int, error: GradcliError) -> str:
        """The whole report on a row that failed."""
        error.message = f"{self._reader.where(block, place)}: {error.message}"
        return rendered(error, self._session.invocation.words)

    def _story(self, block: Block, chunk: Chunk, place: int) -> str:
        """Where the derivative of a row went wrong."""
        from gradcli.cli.finite import finding

        self._told = True
        group, i = next(
            (group, int(np.searchsorted(group.places, place))) for group in chunk.groups if place in group.places
        )
        target = choose_target(session := self._batches.session_of(group, i))
        found = COMPUTE[self._kind](session, target)
        return finding(self._kind, found.blocks, target, f"{self._reader.where(block, place)}: ") or ""

    # --- the forms ----------------------------------------------------------------------------------------------------

    def _text(self, found: Sequence[Answered], columns: Sequence[Columns], errors: dict[int, str], size: int) -> bytes:
        if self._form.name not in ("json", "csv") or (self._form.name == "csv" and not self._titles):
            return b""
        lines = [""] * size
        for number, part in enumerate(found):
            texts = csv_rows(columns[number]) if columns else json_rows(part.document, len(part.places))
            if columns and self._form.keeps_going:
                texts = [text + "," for text in texts]
            for place, text in zip(part.places.tolist(), texts, strict=True):
                if place < size:
                    lines[place] = text
        for place, message in errors.items():
            is_json = self._form.name == "json"
            lines[place] = json_error(message) if is_json else failed_row(message, len(self._titles))
        return encoded(lines)

    def _alike(self, found: list[Answered], faults: dict[int, GradcliError]) -> tuple[list[Answered], list[Columns]]:
        """For forms in which all rows have the same columns: the parts that have those of the first row, and their
        columns; the others become faults."""
        if self._form.name not in ("csv", "npz", "sum"):
            return found, []
        kept, columns = [], []
        for part in sorted(found, key=lambda part: int(part.places[0])):
            try:
                parts = flattened(plain(part.document), len(part.places), self._form.name)
                titles = self._titles_of(parts)
                if self._titles and titles != self._titles:
                    raise unlike(self._form.name, titles, self._titles)
            except GradcliError as error:
                faults |= {place: _copied(error) for place in part.places.tolist()}
                continue
            self._titles = titles
            kept.append(part)
            columns.append(parts)
        return kept, columns

    def _titles_of(self, columns: Columns) -> tuple[Any, ...]:
        if self._form.name == "csv":
            return csv_titles(columns)
        kinds = [array.dtype.str if self._form.name == "npz" else "" for _, array in columns]
        return tuple((name, array.shape[1:], kind) for (name, array), kind in zip(columns, kinds, strict=True))

    def _stacked(
        self, found: Sequence[Answered], columns: Sequence[Columns], errors: dict[int, str], size: int
    ) -> Columns:
        whole: Columns = []
        for name, shape, dtype in self._titles:
            kind = np.dtype(dtype)
            whole.append((name, np.full((size, *shape), np.nan if kind.kind in "fc" else 0, kind)))
        for part, arrays in zip(found, columns, strict=True):
            inside = part.places < size
            for (_, target), (_, array) in zip(whole, arrays, strict=True):
                target[part.places[inside]] = array[inside]
        if self._form.keeps_going:
            failed = np.zeros(size, dtype=np.bool_)
            failed[list(errors)] = True
            whole.append(("failed", failed))
        return whole

    def _sums(self, found: Sequence[Answered]) -> tuple[Sums, list[str], bool] | None:
        sums = Sums()
        for part in found:
            sums.add(plain(part.document), len(part.places))
        return (sums, found[0].names, found[0].is_tuple) if found else None


def json_error(message: str) -> str:
    """What stands for a row that failed."""
    return json.dumps({"error": message}, ensure_ascii=False)


def failed_row(message: str, width: int) -> str:
    """A row of a CSV that failed: empty cells, and what is wrong in the last."""
    return "," * width + csv_text(message)


def encoded(lines: Sequence[str]) -> bytes:
    """Lines with their ends."""
    return ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace") if lines else b""


def plain(document: dict[str, Any]) -> dict[str, Any]:
    """The numbers of an answer; what `eval` says of shapes and dtypes is left out."""
    return {key: value for key, value in document.items() if key not in ("shape", "dtype")}


def unlike(form: str, titles: Sequence[Any], before: Sequence[Any]) -> GradcliError:
    """The error of a row that has other columns than the rows before it."""

    def worded(name: str, shape: Shape, kind: str) -> str:
        return f"{name} of shape {shape}" + (f" and dtype {np.dtype(kind)}" if kind else "")

    def shown(titles: Sequence[Any]) -> str:
        words = [title if isinstance(title, str) else worded(*title) for title in titles]
        return ", ".join(words[:6]) + (f" and {len(words) - 6} more" if len(words) > 6 else "")

    return GradcliError(
        f"its answer has {shown(titles)}, and those before it {shown(before)}",
        mend="what is added up must be alike" if form == "sum" else f"{form} needs answers that are alike",
    )


def _copied(error: GradcliError) -> GradcliError:
    return GradcliError(error.message, mend=error.mend, span=error.span, notes=error.notes)
