"""`gradcli derive`: the derivative as a formula, of a run in which only shapes are known."""

from __future__ import annotations

import ast
import os
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gradcli.cli.output import send_text
from gradcli.cli.readers import normalise
from gradcli.cli.report import complain
from gradcli.cli.session import Session, choose_target, open_session
from gradcli.cli.words import Invocation, UsageError, nearest
from gradcli.files.json_text import json_line
from gradcli.graph.errors import AbstractValue, DtypeError, GradcliError
from gradcli.graph.recording import Recording
from gradcli.graph.values import Array, shape_of
from gradcli.language.declarations import Dimensions, InputDecl
from gradcli.language.inputs import converted

if TYPE_CHECKING:
    from gradcli.symbolic import Formulas


SUFFIXES = {".tex": "latex", ".py": "python", ".json": "json"}


class Symbols(NamedTuple):
    """What stands for the inputs in a run without values.

    Attributes:
        shapes: of the inputs that stay names.
        constants: of the others, by value: integers, bools, dimensions.
    """

    shapes: dict[str, tuple[int, ...]]
    constants: dict[str, Array]


def run(invocation: Invocation) -> int:
    """Derive and print."""
    session = open_session(invocation)
    form = invocation.values["format"] or _by_suffix(invocation)
    formulas = _formulas(session)
    if form == "json":
        text = json_line(formulas.to_json())
    else:
        text = {"text": formulas.text, "latex": formulas.latex, "python": formulas.python}[form]()
    send_text(invocation, text.rstrip("\n") + "\n", form)
    return 0


def _by_suffix(invocation: Invocation) -> str:
    suffix = os.path.splitext(invocation.values["output"] or "")[1].lower()
    if suffix in (".npy", ".npz", ".csv"):
        raise UsageError(
            f"derive gives text, latex, python or json, not {suffix[1:]}", place=invocation.given["output"][0].place
        )
    return SUFFIXES.get(suffix, "text")


def _formulas(session: Session) -> Formulas:
    """The formulas of a run on shapes alone; where the program branches on a value, of a run on the values given."""
    symbols = _symbols(session)
    try:
        return _of_shapes(session, symbols)
    except AbstractValue as error:
        held = {name: value for name, value in session.given.items() if name in symbols.shapes}
        if not held:
            raise
        if set(held) == set(symbols.shapes):
            found = _of_values(session)
            complain("note: the program branches on a value, and the formula holds where it branches as here")
            return found
        try:
            rest = {name: shape for name, shape in symbols.shapes.items() if name not in held}
            return _of_shapes(session, Symbols(rest, {**symbols.constants, **held}))
        except AbstractValue:
            raise error from None


def _of_shapes(session: Session, symbols: Symbols) -> Formulas:
    wrt = _wrt(session, symbols)
    with Recording(abstract=True) as recording:
        nodes = {
            name: recording.input(name, np.broadcast_to(np.float64(0), shape)) for name, shape in symbols.shapes.items()
        }
        result = session.program.run({**symbols.constants, **nodes}, options=session.options)
        outputs = result.cores()
    return _derived(session, recording, outputs, {name: nodes[name] for name in wrt}, result.names)


def _of_values(session: Session) -> Formulas:
    target = choose_target(session)
    with Recording() as recording:
        nodes = {name: recording.input(name, value) for name, value in session.values().items()}
        result = session.program.run(nodes, options=session.options)
        outputs = result.cores()
    return _derived(session, recording, outputs, {name: nodes[name] for name in target.names}, result.names)


def _derived(session: Session, recording: Recording, outputs: Any, inputs: Any, names: Any) -> Formulas:
    from gradcli.symbolic import derive

    is_scalar = len(outputs) == 1 and shape_of(outputs[0]) == ()
    chosen = session.invocation.values["derivative"] or ("gradient" if is_scalar else "jacobian")
    return derive(recording, outputs, inputs, derivative=chosen, output_names=names)


def _wrt(session: Session, symbols: Symbols) -> tuple[str, ...]:
    """The inputs to differentiate by: those of --wrt, or all that stay names."""
    chosen: tuple[str, ...] | None = session.invocation.values["wrt"]
    if chosen is None:
        if not symbols.shapes:
            raise DtypeError(
                "there is nothing to differentiate: the program has no float input", span=session.program.last_span
            )
        return tuple(symbols.shapes)
    for name in chosen:
        if name not in symbols.shapes:
            guess = nearest(name, symbols.shapes)
            raise UsageError(
                f"--wrt: {name!r} is no float input of the program",
                place=session.invocation.given["wrt"][0].place,
                mend=f"did you mean {guess!r}?" if guess else f"its inputs: {', '.join(symbols.shapes) or 'none'}",
            )
    return chosen


# Shapes


def _symbols(session: Session) -> Symbols:
    """The shape of every input: of --shape, of the value given, as declared, or a scalar's.

    Raises:
        GradcliError: a shape or an integer is missing.
    """
    shaped = _shaped(session)
    declared = session.program.inputs_given([*session.given, *shaped], session.options.of)
    default_float = np.dtype(session.options.dtype)
    constants = {
        name: converted(declared[name], value, default_float) if name in declared else np.asarray(value)
        for name, value in session.given.items()
    }
    for name, word in zip(shaped, session.invocation.given.get("shape", []), strict=True):
        if name not in declared:
            guess = nearest(name, declared)
            mend = f"did you mean {guess!r}?" if guess else None
            raise UsageError(f"--shape: {name!r} is no input of the program", place=word.place, mend=mend)
    dimensions = _dimensions(declared, shaped, constants)
    shapes = {}
    for name, decl in declared.items():
        if name in constants and constants[name].dtype.kind not in "fc":
            continue
        shape = _shape(decl, shaped, constants, dimensions)
        if shape is not None:
            shapes[name] = shape
            constants.pop(name, None)
    return Symbols(shapes, constants)


def _shaped(session: Session) -> dict[str, tuple[int, ...]]:
    """What --shape says."""
    found: dict[str, tuple[int, ...]] = {}
    texts = session.invocation.values["shape"]
    for text, word in zip(texts, session.invocation.given.get("shape", []), strict=True):
        left, _, right = text.partition("=")
        name = normalise(left)
        sizes = [part.strip() for part in right.strip("()[] ").split(",") if part.strip()]
        if name is None or "=" not in text or not all(size.isdecimal() and len(size) < 10 for size in sizes):
            raise UsageError(f"--shape takes NAME=SIZES, not {text!r}", place=word.place, mend="such as x=2,3")
        if name in found:
            raise UsageError(f"--shape for {name!r} is given twice", place=word.place, mend="give it once")
        found[name] = tuple(int(size) for size in sizes)
    return found


def _dimensions(
    declared: dict[str, InputDecl], shaped: dict[str, tuple[int, ...]], given: dict[str, Array]
) -> Dimensions:
    """What is known of dimension names: `n=3`, and what the shapes that are known say."""
    dimensions = Dimensions()
    for name, value in given.items():
        if name not in declared and value.shape == () and float(value.real).is_integer():
            dimensions.bind(name, int(value.real), f"{name}=")
    known = {**{name: value.shape for name, value in given.items() if name in declared}, **shaped}
    for name, shape in known.items():
        dimensions.learn(declared[name], shape)
    for name, shape in known.items():
        dimensions.check(declared[name], shape)
    return dimensions


def _shape(
    decl: InputDecl, shaped: dict[str, tuple[int, ...]], given: dict[str, Array], dimensions: Dimensions
) -> tuple[int, ...] | None:
    """The shape of an input that stays a name; None for one that the run itself has to supply."""
    if decl.name in shaped:
        return shaped[decl.name]
    if decl.name in given:
        return tuple(given[decl.name].shape)
    if decl.kind in ("int", "bool"):
        if decl.has_default:
            return None
        raise GradcliError(
            f"'{decl.name}' is declared {decl.declared}: an integer is part of the formula, and is given",
            mend=f"give it as {decl.name}=3",
            span=decl.span,
        )
    if decl.axes is None:
        is_number = isinstance(decl.default, ast.Constant) and isinstance(decl.default.value, float)
        return () if is_number or not decl.has_default else None
    sizes = [dimensions.size(axis) for axis in decl.axes]
    if None in sizes:
        raise GradcliError(
            f"the shape of '{decl.name}' is not known: it is declared {decl.declared}",
            mend=f"give it as --shape {decl.name}={','.join('2' for _ in sizes)}",
            span=decl.span,
        )
    return tuple(size for size in sizes if size is not None)
