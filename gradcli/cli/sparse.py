"""`gradcli jacobian --sparse` and `hessian --sparse`: the nonzeros alone, and what finding them took."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from gradcli import autodiff
from gradcli.autodiff.rows import settled
from gradcli.autodiff.sparse import Course, Sparse, sparse_derivative, sparse_symmetric
from gradcli.cli.derivatives import Run, expect_floats, expect_scalars, one_output
from gradcli.cli.evaluate import output_names
from gradcli.cli.output import send, terminal, wants_layout
from gradcli.cli.progress import of_the_run, progress, put_away
from gradcli.cli.report import complain
from gradcli.cli.session import Target, choose_target, open_session
from gradcli.cli.sparse_report import notes, show, slices
from gradcli.cli.words import Invocation, UsageError
from gradcli.files import choose_format
from gradcli.files.sparse import Triplets, matrix_market, scipy_npz, triplet_lines
from gradcli.graph.errors import GradcliError
from gradcli.graph.values import Array, Shape


class SparseBlock(NamedTuple):
    """The derivative of one output by one input (of a Hessian, by two)."""

    output: int
    inputs: tuple[str, ...]
    entries: Sparse


class SparseDerivative(NamedTuple):
    """The outputs of a program and one sparse derivative of it.

    Attributes:
        values: the outputs.
        is_tuple: whether the program gave a tuple.
        wholes: whole matrices: one for all outputs of a Jacobian, one per output of a Hessian.
        blocks: their parts, by input.
    """

    values: tuple[Array, ...]
    is_tuple: bool
    wholes: tuple[Sparse, ...]
    blocks: tuple[SparseBlock, ...]

    def label(self, block: SparseBlock, names: Sequence[str]) -> tuple[str, ...]:
        """What tells a block from the others: its output where there are several, and its inputs."""
        return (names[block.output], *block.inputs) if self.is_tuple else block.inputs


def run(invocation: Invocation) -> int:
    """Differentiate, print, and say on standard error how sparse it was."""
    session = open_session(invocation)
    form = _form(invocation)
    target = choose_target(session)
    kind = invocation.command.name
    course = Course()

    def counters() -> dict[str, float]:
        shown = {"products": course.products, "of": course.colours, "entries": course.entries}
        return {**(shown if course.entries else {}), **of_the_run()}

    with progress(counters):
        found = COMPUTE[kind](target, course)
    names = output_names(target.output_names, len(found.values))
    put_away()
    if wants_layout(invocation):
        show(terminal(invocation), kind, found, names, target)
    else:
        send(invocation, _encoded(kind, form, found, names), form)
        for line in notes(kind, form, found, names, target):
            complain(line)
    _report_what_is_not_finite(kind, found, target)
    return 0


def _form(invocation: Invocation) -> str:
    """The form asked for.

    Raises:
        UsageError: it holds no sparse matrix.
    """
    form = choose_format(invocation.values["format"], invocation.values["output"])
    if form in ("npy", "csv"):
        word = invocation.given.get("format") or invocation.given["output"]
        raise UsageError(
            f"{form} holds no sparse matrix",
            place=word[0].place,
            mend="text, json, npz and mtx do, or leave out --sparse",
        )
    return form


# --- what is computed -------------------------------------------------------------------------------------------------


def jacobian(target: Target, course: Course) -> SparseDerivative:
    """The Jacobian of every output by every input; rows are the elements of all outputs."""
    run = Run(target)
    expect_floats(run.outputs, target.span)
    whole = sparse_derivative(run.linear, course).without_zeros()
    blocks = [
        SparseBlock(place, (name,), whole.block(rows, columns))
        for place, rows in enumerate(slices([output.shape for output in run.outputs]))
        for name, columns in zip(target.names, slices(_shapes(target)), strict=True)
    ]
    return SparseDerivative(run.outputs, target.is_tuple, (whole,), tuple(blocks))


def hessian(target: Target, course: Course) -> SparseDerivative:
    """The Hessian of every output, each a scalar, a block per pair of inputs."""
    outputs = tuple(settled(value) for value in target.outputs(*target.points))
    expect_scalars("hessian", outputs, target.span)
    places = tuple(range(len(target.names)))
    parts = dict(zip(target.names, slices(_shapes(target)), strict=True))
    wholes, blocks = [], []
    for place in range(len(outputs)):
        run = autodiff.Linearized(autodiff.grad(one_output(target, place), places), target.points)
        whole = sparse_symmetric(run, course).without_zeros()
        wholes.append(whole)
        for first, rows in parts.items():
            blocks += [SparseBlock(place, (first, name), whole.block(rows, parts[name])) for name in target.names]
    return SparseDerivative(outputs, target.is_tuple, tuple(wholes), tuple(blocks))


COMPUTE = {"jacobian": jacobian, "hessian": hessian}


def claims(target: Target, derivative: str, several: bool) -> dict[Any, Any]:
    """A sparse derivative as the oracle judges it: by input, or by two; of several outputs a list of each."""
    from gradcli.symbolic import SparseClaim

    found: dict[Any, Any] = {}
    made = COMPUTE[derivative](target, Course())
    for block in made.blocks:
        entries = block.entries
        shapes = [target.points[target.names.index(name)].shape for name in block.inputs]
        if derivative == "jacobian":
            shapes = [made.values[block.output].shape, *shapes]
        claim = SparseClaim(entries.rows, entries.columns, entries.values, sum(shapes, ()), entries.shape[0])
        key = block.inputs if derivative == "hessian" else block.inputs[0]
        if several:
            found.setdefault(key, []).append(claim)
        else:
            found[key] = claim
    return found


def entries_in(claimed: dict[Any, Any]) -> int:
    """How many entries claims have."""
    return sum(claim.count for each in claimed.values() for claim in (each if isinstance(each, list) else [each]))


def _shapes(target: Target) -> list[Shape]:
    return [point.shape for point in target.points]


# --- the answer -------------------------------------------------------------------------------------------------------


def _encoded(kind: str, form: str, found: SparseDerivative, names: Sequence[str]) -> Iterable[bytes]:
    if form == "json":
        from gradcli.files.json_text import json_pieces

        return (piece.encode() for piece in json_pieces(_document(kind, found)))
    if form == "text":
        return triplet_lines([(found.label(block, names), _triplets(block.entries)) for block in found.blocks])
    if len(found.wholes) > 1:
        raise GradcliError(
            f"{form} holds one matrix, and there are {len(found.wholes)} ({', '.join(names)})", mend="name one by --of"
        )
    whole = _triplets(found.wholes[0], symmetric=kind == "hessian")
    return matrix_market(whole) if form == "mtx" else scipy_npz(whole)


def _triplets(entries: Sparse, symmetric: bool = False) -> Triplets:
    return Triplets(entries.rows, entries.columns, entries.values, entries.shape, symmetric)


def _document(kind: str, found: SparseDerivative) -> dict[str, Any]:
    """What the dense command gives, with entries in the place of every array."""
    fields: list[dict[str, Any]] = [{} for _ in found.values]
    for block in found.blocks:
        inner = fields[block.output]
        for name in block.inputs[:-1]:
            inner = inner.setdefault(name, {})
        inner[block.inputs[-1]] = _triplets(block.entries).document()
    if found.is_tuple:
        return {"value": list(found.values), kind: fields}
    return {"value": found.values[0], kind: fields[0]}


def _report_what_is_not_finite(kind: str, found: SparseDerivative, target: Target) -> None:
    for block in found.blocks:
        bad = np.flatnonzero(~np.isfinite(block.entries.values))
        if not len(bad):
            continue
        from gradcli.cli.finite import finding_at

        shapes = [target.points[target.names.index(name)].shape for name in block.inputs]
        if kind == "jacobian":
            shapes = [found.values[block.output].shape, *shapes]
        places = (block.entries.rows[bad[0]], block.entries.columns[bad[0]])
        index = [int(i) for place, shape in zip(places, shapes, strict=True) for i in np.unravel_index(place, shape)]
        value = block.entries.values[bad[0]]
        complain(finding_at(kind, block.output, block.inputs, tuple(index), value, target))
        return
