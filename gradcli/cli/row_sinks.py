"""What becomes of the answers to rows: lines of NDJSON or CSV as they come, or an .npz at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any

import numpy as np

from gradcli.cli.row_work import Columns, Reply, encoded, failed_row, unlike
from gradcli.files.rows.stacks import Stacks
from gradcli.files.rows.writing import csv_text


def json_pieces(replies: Iterable[Reply]) -> Iterator[bytes]:
    """A line for each row."""
    for reply in replies:
        yield reply.text


def csv_pieces(replies: Iterable[Reply], keeps_going: bool) -> Iterator[bytes]:
    """A header, and a line for each row; with `keeps_going` the last column says what is wrong with a row.

    Raises:
        GradcliError: the rows are not alike.
    """
    titles: tuple[Any, ...] = ()
    waiting: list[str] = []
    for reply in replies:
        errors = list(reply.errors.values())
        if reply.titles and not titles:
            titles = reply.titles
            yield encoded([",".join([*map(csv_text, titles), *["error"] * keeps_going])])
            yield encoded([failed_row(message, len(titles)) for message in waiting])
        expect_alike("csv", reply, titles)
        if reply.titles:
            yield reply.text
        elif titles:
            yield encoded([failed_row(message, len(titles)) for message in errors])
        else:
            waiting += errors
    if waiting and not titles:
        yield encoded(["error", *map(csv_text, waiting)])


def npz_pieces(replies: Iterable[Reply]) -> Iterator[bytes]:
    """The .npz, once all rows have come.

    Raises:
        GradcliError: the rows are not alike.
    """
    with closing(Stacks()) as stacks:
        yield from _stacked(replies, stacks)


def _stacked(replies: Iterable[Reply], stacks: Stacks) -> Iterator[bytes]:
    titles: tuple[Any, ...] = ()
    failed = 0
    for reply in replies:
        if reply.titles and not titles:
            titles = reply.titles
            if failed:
                stacks.add(_nothing(titles, failed))
        expect_alike("npz", reply, titles)
        if titles:
            stacks.add(reply.columns)
        else:
            failed += reply.size
        yield b""
    if failed and not titles:
        stacks.add(_nothing((), failed))
    yield from stacks.pieces()


def _nothing(titles: tuple[Any, ...], rows: int) -> Columns:
    """What stands for rows that failed before any was answered."""
    columns: Columns = []
    for name, shape, dtype in titles:
        kind = np.dtype(dtype)
        columns.append((name, np.full((rows, *shape), np.nan if kind.kind in "fc" else 0, kind)))
    return [*columns, ("failed", np.ones(rows, dtype=np.bool_))]


def expect_alike(form: str, reply: Reply, titles: tuple[Any, ...]) -> None:
    """See that a block's rows have the columns of those before; within a block, and a process, that was seen to.

    Raises:
        GradcliError: they have others.
    """
    if reply.titles and reply.titles != titles:
        error = unlike(form, reply.titles, titles)
        error.message = f"{reply.where}: {error.message}"
        raise error
