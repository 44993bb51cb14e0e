"""`gradcli grad`, `jacobian`, `vjp`, `jvp`, `hessian` and `hvp`: what the engine's functions of functions give."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from gradcli import autodiff
from gradcli.autodiff.rows import settled
from gradcli.cli.evaluate import output_names
from gradcli.cli.output import publish
from gradcli.cli.session import Session, Target, choose_target, open_session
from gradcli.cli.vectors import cotangents, tangents
from gradcli.cli.words import Invocation
from gradcli.files import Answer
from gradcli.graph.errors import DtypeError, NotDifferentiable, ShapeError
from gradcli.graph.values import Array, CoreValue


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
    if invocation.values.get("sparse"):
        from gradcli.cli.sparse import run as run_sparse

        return run_sparse(invocation)
    session = open_session(invocation)
    target = choose_target(session)
    kind = invocation.command.name
    found = COMPUTE[kind](session, target)
    names = output_names(target.output_names, len(found.values))
    publish(invocation, answer(kind, found, names), layout_of(kind, found, names))
    if not all(np.isfinite(block.array).all() for block in found.blocks):
        from gradcli.cli.finite import report

        report(kind, found.blocks, target)
    return 0


# What each command computes


def gradient(session: Session, target: Target) -> Derivative:
    """The gradient of every output, each a scalar."""
    run = Run(target)
    expect_scalars("grad", run.outputs, target.span)
    blocks = []
    for place, output in enumerate(run.outputs):
        blocks += run.pulled(place, np.ones(output.shape, output.dtype))
    return Derivative(run.outputs, target.is_tuple, tuple(blocks))


def vjp(session: Session, target: Target) -> Derivative:
    """For every output its cotangent times its Jacobian."""
    run = Run(target)
    expect_floats(run.outputs, target.span)
    blocks = []
    for place, vector in enumerate(cotangents(session, run.outputs)):
        blocks += run.pulled(place, vector)
    return Derivative(run.outputs, target.is_tuple, tuple(blocks))


def jvp(session: Session, target: Target) -> Derivative:
    """For every output its Jacobian times the tangents."""
    vectors = tangents(session, target)
    values, pushed = autodiff.jvp(target.outputs, target.points, vectors)
    outputs = tuple(settled(value) for value in values)
    expect_floats(outputs, target.span)
    blocks = tuple(Block(place, (), settled(t)) for place, t in enumerate(pushed))
    return Derivative(outputs, target.is_tuple, blocks)


def jacobian(session: Session, target: Target) -> Derivative:
    """The Jacobian of every output by every input."""
    run = Run(target)
    expect_floats(run.outputs, target.span)
    blocks = [
        Block(place, (name,), settled(block))
        for place, row in enumerate(run.linear.jacobian())
        for name, block in zip(target.names, row, strict=True)
    ]
    return Derivative(run.outputs, target.is_tuple, tuple(blocks))


def hessian(session: Session, target: Target) -> Derivative:
    """The Hessian of every output, each a scalar, a block per pair of inputs."""
    outputs = tuple(settled(value) for value in target.outputs(*target.points))
    expect_scalars("hessian", outputs, target.span)
    places = tuple(range(len(target.names)))
    blocks = []
    for place in range(len(outputs)):
        found = autodiff.hessian(one_output(target, place), places)(*target.points)
        for first, row in zip(target.names, found, strict=True):
            for second, block in zip(target.names, row, strict=True):
                blocks.append(Block(place, (first, second), settled(block)))
    return Derivative(outputs, target.is_tuple, tuple(blocks))


def hvp(session: Session, target: Target) -> Derivative:
    """The Hessian of every output, each a scalar, times the tangents."""
    outputs = tuple(settled(value) for value in target.outputs(*target.points))
    expect_scalars("hvp", outputs, target.span)
    vectors = tangents(session, target)
    blocks = []
    for place in range(len(outputs)):
        found = autodiff.hvp(one_output(target, place), target.points, vectors)
        blocks += [Block(place, (name,), settled(h)) for name, h in zip(target.names, found, strict=True)]
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
        self.outputs = tuple(settled(value) for value in self.linear.values)
        self._names = target.names

    def pulled(self, place: int, vector: Array) -> list[Block]:
        """The cotangent of one output, pulled back to every input."""
        cotangents: list[Array | None] = [None] * len(self.outputs)
        cotangents[place] = vector
        shares = self.linear.pull(cotangents)
        return [Block(place, (name,), settled(g)) for name, g in zip(self._names, shares, strict=True)]


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


# The answer


def answer(kind: str, found: Derivative, names: Sequence[str]) -> Answer:
    """The derivative in the form of every command; for a tuple every field is a list."""
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


def from_document(document: Mapping[str, Any], kind: str, is_tuple: bool) -> Derivative:
    """The derivative whose answer has this document, of arrays."""
    values = document["value"] if is_tuple else [document["value"]]
    fields = document[kind] if is_tuple else [document[kind]]
    blocks = [Block(place, inputs, array) for place, field in enumerate(fields) for inputs, array in _by_inputs(field)]
    return Derivative(tuple(values), is_tuple, tuple(blocks))


def _by_inputs(field: Any, inputs: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Array]]:
    if not isinstance(field, dict):
        yield inputs, field
        return
    for name, inner in field.items():
        yield from _by_inputs(inner, (*inputs, name))


def layout_of(kind: str, found: Derivative, names: Sequence[str]) -> Callable[[Any], None]:
    """How a terminal shows it."""
    def layout(console: Any) -> None:
        from gradcli.cli.layout import show_arrays

        values = [(name, value) for name, value in zip(names, found.values, strict=True)]
        blocks = [(" ".join((kind, *_label(found, block, names))), block.array) for block in found.blocks]
        if not found.is_tuple and kind == "jvp":
            blocks = [(kind, found.blocks[0].array)]
        show_arrays(console, [*values, *blocks])

    return layout
