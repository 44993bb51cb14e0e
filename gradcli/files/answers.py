"""An answer and the forms it can take: text, JSON, npy, npz, CSV."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO, NamedTuple

from gradcli.files.names import shown
from gradcli.graph.errors import GradcliError

#: Labelled arrays, in order; a label is one name, or two for a block of a Hessian.
Results = Sequence[tuple[tuple[str, ...], Any]]

BINARY = frozenset({"npy", "npz"})
SUFFIXES = {".txt": "text", ".json": "json", ".npy": "npy", ".npz": "npz", ".csv": "csv", ".mtx": "mtx"}


class Answer(NamedTuple):
    """What a command has to say.

    Attributes:
        results: the arrays alone, for every form but JSON.
        document: the whole answer, value and all, for JSON: dicts, lists, arrays, numbers.
    """

    results: Results
    document: dict[str, Any]


def choose_format(given: str | None, path: str | None) -> str:
    """The form asked for: `--format`, else the suffix of `-o FILE`, else text."""
    if given is not None:
        return given
    suffix = os.path.splitext(path or "")[1].lower()
    return SUFFIXES.get(suffix, "text")


def encode(answer: Answer, form: str) -> Iterator[bytes]:
    """The answer as text, json, npy, npz or csv, in pieces: as text numbers take many times their memory here.

    Raises:
        GradcliError: the form cannot hold this answer; it is raised before the first piece.
    """
    if form == "mtx":
        raise GradcliError(
            "mtx (MatrixMarket) holds one sparse matrix", mend="jacobian --sparse and hessian --sparse give one"
        )
    if form in BINARY:
        from gradcli.files.numpy_bytes import npy_bytes, npz_bytes

        return iter([npy_bytes(answer.results) if form == "npy" else npz_bytes(answer.results)])
    return (piece.encode("utf-8", "backslashreplace") for piece in _written(answer, form))


def _written(answer: Answer, form: str) -> Iterator[str]:
    if form == "json":
        from gradcli.files.json_text import json_pieces

        return json_pieces(answer.document)
    if form == "csv":
        from gradcli.files.csv_text import csv_answer

        return csv_answer(answer.results)
    from gradcli.files.text import text_answer

    return text_answer(answer.results)


def deliver(data: Iterable[bytes], path: str | None, form: str, stdout: BinaryIO | None) -> None:
    """Write an encoded answer to `-o PATH`, or to standard output where there is none (or it is `-`).

    `stdout` is None where it is closed.

    Raises:
        GradcliError: a binary form would go to a terminal, standard output is closed, or the file can't be written.
    """
    if path is not None and path != "-":
        from gradcli.files.atomic import write_whole

        write_whole(path, data)
        return
    if stdout is None:
        raise GradcliError("cannot write the answer: standard output is closed", mend="or give -o FILE")
    if form in BINARY and stdout.isatty():
        raise GradcliError(
            f"{form} is binary and standard output is a terminal; give a file (-o answer.{form}) or a pipe"
        )
    stdout.writelines(data)
    stdout.flush()


def expect_numbers(label: tuple[str, ...], value: Any, form: str) -> Any:
    """The result as an array of numbers, for a form that holds nothing else."""
    import numpy as np

    try:
        array = np.asarray(value)
    except ValueError:
        array = np.array(None)
    if array.dtype.kind not in "biufc":
        raise GradcliError(f"{form} holds arrays of numbers, and {shown(' '.join(label))} is none")
    return array
