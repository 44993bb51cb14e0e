"""The vectors of `-v`: cotangents for the outputs, tangents for the inputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gradcli.cli.readers import normalise
from gradcli.cli.session import Session, Target, read_text
from gradcli.cli.words import UsageError, nearest
from gradcli.graph.values import Array


def read_vectors(session: Session) -> None:
    """Read every -v, so that it is not read again for each of many rows.

    Raises:
        GradcliError: one can't be read.
    """
    for word, text in zip(session.invocation.given["vector"], session.invocation.values["vector"], strict=True):
        read_text(session, _named(text)[1], "-v", word)


def cotangents(session: Session, outputs: Sequence[Array]) -> list[Array]:
    """One cotangent per output, in order; 1 by itself where all are scalars.

    Raises:
        UsageError: there is not one for each output, or one has a name or another shape.
    """
    texts = session.invocation.values["vector"]
    if not texts and all(output.shape == () for output in outputs):
        return [np.ones(output.shape, output.dtype) for output in outputs]
    for index, text in enumerate(texts):
        if _named(text)[0] is not None:
            raise UsageError(
                "vjp takes each -v without a name",
                place=_place(session, index),
                mend="they stand for the outputs, in order",
            )
    if len(texts) != len(outputs):
        shapes = ", ".join(str(output.shape) for output in outputs)
        raise UsageError(
            f"vjp needs one -v per output: {len(outputs)} of shape {shapes}, and {len(texts)} given",
            place=_last_vector(session),
            mend="in the order of the outputs",
        )
    return [
        _vector(session, index, text, output) for index, (text, output) in enumerate(zip(texts, outputs, strict=True))
    ]


def tangents(session: Session, target: Target) -> tuple[Array, ...]:
    """One tangent per input that is differentiated, in order.

    Raises:
        UsageError: a vector does not say which it is for, is for none of them, is missing or has another shape.
    """
    found: dict[str, Array] = {}
    for index, text in enumerate(session.invocation.values["vector"]):
        given, value = _named(text)
        name = _input_meant(session, target, index, given)
        if name in found:
            raise UsageError(f"-v for {name!r} is given twice", place=_place(session, index), mend="give it once")
        found[name] = _vector(session, index, value, target.points[target.names.index(name)], name)
    missing = [name for name in target.names if name not in found]
    if missing:
        raise _missing(session, target, missing)
    return tuple(found[name] for name in target.names)


def _input_meant(session: Session, target: Target, index: int, name: str | None) -> str:
    """Which of the inputs a vector is for; where there is one of each, it need not be named."""
    if name is None:
        if len(target.names) > 1 or len(session.invocation.values["vector"]) > 1:
            raise UsageError(
                "with several inputs each -v says which it is for",
                place=_place(session, index),
                mend="write " + " ".join(f"-v {name}=..." for name in target.names[:4]),
            )
        return target.names[0]
    if name not in target.names:
        guess = nearest(name, target.names)
        raise UsageError(
            f"-v: {name!r} is none of the inputs that are differentiated ({', '.join(target.names)})",
            place=_place(session, index),
            mend=f"did you mean {guess!r}?" if guess else None,
        )
    return name


def _missing(session: Session, target: Target, names: list[str]) -> UsageError:
    how = " ".join(f"-v {name}=..." for name in names[:4]) if len(target.names) > 1 else "-v V"
    return UsageError(
        f"{session.invocation.command.name} needs -v for {', '.join(map(repr, names))}",
        place=_last_vector(session),
        mend=f"write {how}, of shape {target.points[target.names.index(names[0])].shape}",
    )


def _named(text: str) -> tuple[str | None, str]:
    """`x=VALUE` as its two parts; a VALUE alone has no name."""
    left, equals, right = text.partition("=")
    name = normalise(left)
    return (name, right) if equals and name is not None and not right.startswith("=") else (None, text)


def _vector(session: Session, index: int, text: str, like: Array, name: str = "") -> Array:
    """A vector of exactly the shape of `like`, in its dtype."""
    array = read_text(session, text, "-v", session.invocation.given["vector"][index])
    whose = f"the input {name!r}" if name else "the output"
    if array.shape != like.shape:
        raise UsageError(
            f"-v has shape {array.shape}, and {whose} has shape {like.shape}",
            place=_place(session, index),
            mend="they must be the same",
        )
    if array.dtype.kind == "c" and like.dtype.kind != "c":
        raise UsageError(f"-v is complex, and {whose} is {like.dtype}", place=_place(session, index))
    return array.astype(like.dtype)


def _place(session: Session, index: int) -> int:
    return session.invocation.given["vector"][index].place


def _last_vector(session: Session) -> int | None:
    given = session.invocation.given.get("vector")
    return given[-1].place if given else None
