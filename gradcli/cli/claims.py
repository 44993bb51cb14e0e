"""`--against`: somebody else's derivative, as NAME=VALUE words or a file of all of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gradcli.cli.readers import normalise
from gradcli.cli.report import blamed_on
from gradcli.cli.session import Session, Target, read_text
from gradcli.cli.words import UsageError, Word, nearest
from gradcli.files import read_data
from gradcli.files.json_files import parse, to_array
from gradcli.files.sources import open_source, read_all
from gradcli.graph.errors import GradcliError
from gradcli.graph.values import Array, Shape

Label = tuple[str, ...]

FIELDS = ("grad", "gradient", "jacobian", "hessian")
"""Under these the answers of other commands keep their derivatives."""


def read_claims(session: Session, target: Target, order: int, outputs: Sequence[Shape]) -> dict[Any, Any]:
    """The claimed derivatives by input (by pair of inputs for order 2), one per output where there are several.

    `outputs` are the shapes of the program's results.

    Raises:
        GradcliError: a file or value is at fault, or what is claimed is of no input or of another shape.
    """
    names = target.names
    shapes = {name: point.shape for name, point in zip(names, target.points, strict=True)}
    found: dict[Label, Any] = {}
    for word, text in zip(session.invocation.given["against"], session.invocation.values["against"], strict=True):
        for label, claim in _claims(session, text, word):
            label = label * 2 if order == 2 and len(label) == 1 and len(names) == 1 else label
            _expect_known(label, names, order, word)
            if label in found:
                raise UsageError(
                    f"--against: {','.join(label)!r} is given twice", place=word.place, mend="give it once"
                )
            found[label] = _per_output(claim, len(outputs), label, word)
            _expect_shapes(found[label], outputs, sum((shapes[name] for name in label), ()), label, word)
    return {label if order == 2 else label[0]: claim for label, claim in found.items()}


def _claims(session: Session, text: str, word: Word) -> Iterator[tuple[Label, Any]]:
    left, equals, right = text.partition("=")
    label = [normalise(part) for part in left.split(",")]
    if equals and all(label):
        plain = tuple(name for name in label if name is not None)
        yield plain, read_text(session, right, f"--against {','.join(plain)}", word)
    else:
        path = text[1:] if text.startswith("@") and not os.path.exists(text) else text
        if path != "-" and "." not in path and not os.path.exists(path):
            raise UsageError(
                f"--against: {text!r} is neither NAME=VALUE nor a file",
                place=word.place,
                mend="write --against x=VALUE",
            )
        read = _from_json if path == "-" or path.endswith(".json") else _from_data
        with blamed_on(word, session.invocation.words):
            claims = list(read(session, path))
        yield from claims


def _from_data(session: Session, path: str) -> Iterator[tuple[Label, Any]]:
    for name, array in read_data(path, stdin=session.standard_input, dtype=session.options.dtype).items():
        yield tuple(part.strip() for part in name.split(",")), array


def _from_json(session: Session, path: str) -> Iterator[tuple[Label, Any]]:
    """An object of arrays by input, or the JSON answer of `grad`, `jacobian` or `hessian`."""
    if path == "-":
        name, data = "standard input", session.standard_input.read("--against -")
    else:
        name = path
        with open_source(path) as stream:
            data = read_all(stream, path)
    document = parse(data, name)
    if isinstance(document, dict):
        document = next((document[field] for field in FIELDS if isinstance(document.get(field), dict | list)), document)
    if isinstance(document, list) and document and all(isinstance(part, dict) for part in document):
        tables = [dict(_arrays(part, (), name)) for part in document]
        for label in tables[0]:
            yield label, [table.get(label) for table in tables]
    elif isinstance(document, dict):
        yield from _arrays(document, (), name)
    else:
        raise GradcliError(f'{name} holds no object of derivatives, expected {{"x": [1, 2], ...}}')


def _arrays(document: dict[str, Any], above: Label, name: str) -> Iterator[tuple[Label, Array]]:
    for key, value in document.items():
        label = (*above, *(normalise(part) or part for part in key.split(",")))
        if isinstance(value, dict):
            yield from _arrays(value, label, name)
        else:
            yield label, to_array(value, f"{name}:{'.'.join(label)}")


def _expect_known(label: Label, names: Sequence[str], order: int, word: Word) -> None:
    if len(label) != order:
        wanted = "two inputs, as in x,y=VALUE" if order == 2 else "one input, as in x=VALUE"
        raise UsageError(f"--against: {','.join(label)!r} should name {wanted}", place=word.place)
    for name in label:
        if name not in names:
            guess = nearest(name, names)
            raise UsageError(
                f"--against: {name!r} is none of the inputs that are differentiated ({', '.join(names)})",
                place=word.place,
                mend=f"did you mean {guess!r}?" if guess else None,
            )


def _per_output(claim: Any, outputs: int, label: Label, word: Word) -> Any:
    if outputs == 1:
        return claim
    if isinstance(claim, list) and len(claim) == outputs and all(part is not None for part in claim):
        return claim
    raise UsageError(
        f"--against: the program has {outputs} outputs, and {','.join(label)!r} has no list of as many derivatives",
        place=word.place,
        mend="give the JSON answer of `gradcli jacobian`",
    )


def _expect_shapes(claim: Any, outputs: Sequence[Shape], inputs: Shape, label: Label, word: Word) -> None:
    for place, shape in enumerate(outputs):
        got = np.shape(claim[place] if len(outputs) > 1 else claim)
        if got != shape + inputs:
            which = f" of output {place}" if len(outputs) > 1 else ""
            raise UsageError(
                f"--against: the derivative{which} by {','.join(label)} has shape {list(shape + inputs)}, "
                f"and what is given has {list(got)}",
                place=word.place,
            )
