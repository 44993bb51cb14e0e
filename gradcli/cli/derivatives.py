"""`gradcli grad`, `jacobian`, `vjp`, `jvp`, `hessian` and `hvp`: what the engine's functions of functions give."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from gradcli import autodiff
from gradcli.cli.evaluate import output_names
from gradcli.cli.output import publish
from gradcli.cli.session import Session, Target, choose_target, open_session, read_text
from gradcli.cli.words import Invocation, UsageError, nearest
from gradcli.files import Answer
from gradcli.graph.errors import DtypeError, NotDifferentiable, ShapeError
from gradcli.graph.values import CoreValue, concrete

Array = np.ndarray[Any, Any]


class Block(NamedTuple):
    """One array of a derivative: of which output (its place), by which inputs."""

    output: int
    inputs: tuple[str, ...]
    array: Array


class Derivative(NamedTuple):
    """The outputs of a program and every array of one derivative of it."""

    values: tuple[Array, ...]
    is_tuple: bool
    blocks: tuple[Block, ...]


def run(invocation: Invocation) -> int:
    """Differentiate and print."""
    session = open_session(invocation)
    target = choose_target(session)
    kind = invocation.command.name
    found = COMPUTE[kind](session, target)
    names = output_names(target.output_names, len(found.values))
    publish(invocation, answer(kind, found, names), _layout(kind, found, names))
    _report_what_is_not_finite(kind, found, target)
    return 0


# What each command computes


def gradient(session: Session, target: Target) -> Derivative:
    """The gradient of every output, each a scalar."""
    run = Run(target)
    expect_scalars("grad", run.outputs, target.span)
    blocks = []
    for place, output in enumerate(run.outputs):
        blocks += run.pulled(place, np.ones_like(output))
    return Derivative(run.outputs, target.is_tuple, tuple(blocks))


def vjp(session: Session, target: Target) -> Derivative:
    """For every output its cotangent times its Jacobian."""
    run = Run(target)
    expect_floats(run.outputs, target.span)
    blocks = []
    for place, vector in enumerate(_cotangents(session, run.outputs)):
        blocks += run.pulled(place, vector)
    return Derivative(run.outputs, target.is_tuple, tuple(blocks))


def jvp(session: Session, target: Target) -> Derivative:
    """For every output its Jacobian times the tangents."""
    tangents = _tangents(session, target)
    values, pushed = autodiff.jvp(target.outputs, target.points, tangents)
    outputs = tuple(concrete(value) for value in values)
    expect_floats(outputs, target.span)
    blocks = tuple(Block(place, (), concrete(t)) for place, t in enumerate(pushed))
    return Derivative(outputs, target.is_tuple, blocks)


def jacobian(session: Session, target: Target) -> Derivative:
    """The Jacobian of every output by every input."""
    run = Run(target)
    expect_floats(run.outputs, target.span)
    blocks = [
        Block(place, (name,), concrete(block))
        for place, row in enumerate(run.linear.jacobian())
        for name, block in zip(target.names, row, strict=True)
    ]
    return Derivative(run.outputs, target.is_tuple, tuple(blocks))


def hessian(session: Session, target: Target) -> Derivative:
    """The Hessian of every output, each a scalar, a block per pair of inputs."""
    outputs = tuple(concrete(value) for value in target.outputs(*target.points))
    expect_scalars("hessian", outputs, target.span)
    places = tuple(range(len(target.names)))
    blocks = []
    for place in range(len(outputs)):
        found = autodiff.hessian(one_output(target, place), places)(*target.points)
        for first, row in zip(target.names, found, strict=True):
            for second, block in zip(target.names, row, strict=True):
                blocks.append(Block(place, (first, second), concrete(block)))
    return Derivative(outputs, target.is_tuple, tuple(blocks))


def hvp(session: Session, target: Target) -> Derivative:
    """The Hessian of every output, each a scalar, times the tangents."""
    outputs = tuple(concrete(value) for value in target.outputs(*target.points))
    expect_scalars("hvp", outputs, target.span)
    tangents = _tangents(session, target)
    blocks = []
    for place in range(len(outputs)):
        found = autodiff.hvp(one_output(target, place), target.points, tangents)
        blocks += [Block(place, (name,), concrete(h)) for name, h in zip(target.names, found, strict=True)]
    return Derivative(outputs, target.is_tuple, tuple(blocks))


COMPUTE: dict[str, Callable[[Session, Target], Derivative]] = {
    "grad": gradient,
    "vjp": vjp,
    "jvp": jvp,
    "jacobian": jacobian,
    "hessian": hessian,
    "hvp": hvp,
}


class Run:
    """One run of the program, kept for products with its Jacobian.

    Attributes:
        linear: the run.
        outputs: what the program gave.
    """

    def __init__(self, target: Target) -> None:
        self.linear = autodiff.Linearized(target.outputs, target.points)
        self.outputs = tuple(concrete(value) for value in self.linear.values)
        self._names = target.names

    def pulled(self, place: int, vector: Array) -> list[Block]:
        """The cotangent of one output, pulled back to every input."""
        cotangents: list[Array | None] = [None] * len(self.outputs)
        cotangents[place] = vector
        shares = self.linear.pull(cotangents)
        return [Block(place, (name,), concrete(g)) for name, g in zip(self._names, shares, strict=True)]


def one_output(target: Target, place: int) -> Callable[..., CoreValue]:
    """The function of one output alone."""
    return lambda *xs: target.outputs(*xs)[place]


def expect_floats(outputs: Sequence[Array], span: Any) -> None:
    """Refuse a result that is no float.

    Raises:
        DtypeError: it is not.
    """
    for place, output in enumerate(outputs):
        if output.dtype.kind not in "fc":
            raise DtypeError(
                f"{_which(place, outputs)} is {output.dtype}, which carries no derivative",
                mend="make it a float",
                span=span,
            )


def expect_scalars(command: str, outputs: Sequence[Array], span: Any) -> None:
    """Refuse a result that is no real scalar.

    Raises:
        ShapeError: it has axes.
        NotDifferentiable: it is complex.
        DtypeError: it is no float.
    """
    expect_floats(outputs, span)
    for place, output in enumerate(outputs):
        which = _which(place, outputs)
        if output.shape:
            raise ShapeError(
                f"{command} needs a scalar, and {which} has shape {output.shape}",
                mend="make it one with sum(...)",
                span=span,
                notes=("`gradcli jacobian` takes any shape",),
            )
        if output.dtype.kind == "c":
            raise NotDifferentiable(
                f"{command} needs a real result, and {which} is {output.dtype}",
                mend="take real(...) or abs(...)",
                span=span,
            )


def _which(place: int, outputs: Sequence[Array]) -> str:
    return f"output {place}" if len(outputs) > 1 else "the result"


# The vectors of -v


def _cotangents(session: Session, outputs: Sequence[Array]) -> list[Array]:
    """One cotangent per output, in order; 1 by itself where all are scalars."""
    texts = session.invocation.values["vector"]
    if not texts and all(output.shape == () for output in outputs):
        return [np.ones_like(output) for output in outputs]
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


def _tangents(session: Session, target: Target) -> tuple[Array, ...]:
    """One tangent per input that is differentiated."""
    texts = session.invocation.values["vector"]
    found: dict[str, Array] = {}
    for index, text in enumerate(texts):
        name, value = _named(text)
        if name is None:
            if len(target.names) > 1 or len(texts) > 1:
                raise UsageError(
                    "with several inputs each -v says which it is for",
                    place=_place(session, index),
                    mend="write " + " ".join(f"-v {name}=..." for name in target.names[:4]),
                )
            name = target.names[0]
        if name not in target.names:
            guess = nearest(name, target.names)
            raise UsageError(
                f"-v: {name!r} is none of the inputs that are differentiated ({', '.join(target.names)})",
                place=_place(session, index),
                mend=f"did you mean {guess!r}?" if guess else None,
            )
        if name in found:
            raise UsageError(f"-v for {name!r} is given twice", place=_place(session, index), mend="give it once")
        found[name] = _vector(session, index, value, target.points[target.names.index(name)], name)
    missing = [name for name in target.names if name not in found]
    if missing:
        raise UsageError(
            f"{session.invocation.command.name} needs -v for {', '.join(map(repr, missing))}",
            place=_last_vector(session),
            mend="write "
            + (" ".join(f"-v {name}=..." for name in missing[:4]) if len(target.names) > 1 else "-v V")
            + f", of shape {target.points[target.names.index(missing[0])].shape}",
        )
    return tuple(found[name] for name in target.names)


def _named(text: str) -> tuple[str | None, str]:
    """`x=VALUE` as its two parts; a VALUE alone has no name."""
    from gradcli.cli.options import normalise

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


# The answer


def answer(kind: str, found: Derivative, names: Sequence[str]) -> Answer:
    """The derivative in the form of SPEC section 3; for a tuple every field is a list."""
    fields = [_field(found, place) for place in range(len(found.values))]
    if found.is_tuple:
        document: dict[str, Any] = {"value": list(found.values), kind: fields}
    else:
        document = {"value": found.values[0], kind: fields[0]}
    results = [(_label(found, block, names), block.array) for block in found.blocks]
    return Answer(results, document)


def _field(found: Derivative, place: int) -> Any:
    """The blocks of one output: an array, or dicts by input."""
    field: Any = {}
    for block in found.blocks:
        if block.output != place:
            continue
        if not block.inputs:
            return block.array
        inner = field
        for name in block.inputs[:-1]:
            inner = inner.setdefault(name, {})
        inner[block.inputs[-1]] = block.array
    return field


def _label(found: Derivative, block: Block, names: Sequence[str]) -> tuple[str, ...]:
    """What tells a block from the others: its output where there are several, and its inputs."""
    if found.is_tuple:
        return (names[block.output], *block.inputs)
    return block.inputs or (names[0],)


def _layout(kind: str, found: Derivative, names: Sequence[str]) -> Callable[[Any], None]:
    def layout(console: Any) -> None:
        from gradcli.cli.layout import show_arrays

        values = [(name, value) for name, value in zip(names, found.values, strict=True)]
        blocks = [(" ".join((kind, *_label(found, block, names))), block.array) for block in found.blocks]
        if not found.is_tuple and kind == "jvp":
            blocks = [(kind, found.blocks[0].array)]
        show_arrays(console, [*values, *blocks])

    return layout


def _report_what_is_not_finite(kind: str, found: Derivative, target: Target) -> None:
    bad = next((block for block in found.blocks if not np.isfinite(block.array).all()), None)
    if bad is not None:
        from gradcli.cli.finite import report

        report(kind, bad.output, bad.inputs, bad.array, target)
