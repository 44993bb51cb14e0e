"""Values for a program's inputs: converted, checked against their declarations, defaults filled in."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradcli.graph.errors import GradcliError
from gradcli.graph.values import Array, CoreValue, concrete, shape_of
from gradcli.language.declarations import Dimensions, InputDecl
from gradcli.language.diagnostics import ProgramError
from gradcli.language.scope import Scopes
from gradcli.language.source import Span

_LISTED = 12


def check_given(scopes: Scopes, given: Mapping[str, Any], inputs: Mapping[str, InputDecl]) -> None:
    """See that every given name is an input or a dimension.

    Raises:
        ProgramError: one is not; says what it is instead.
    """
    for name in given:
        if name in inputs or name in scopes.dimensions:
            continue
        if name in scopes.assigned:
            node = scopes.assigned[name]
            raise ProgramError(
                f"'{name}' is no input: the program assigns it before it is read",
                mend=f"declare it as an input with a default: {name}: float = ...",
                span=scopes.spans[node],
            )
        uses = scopes.uses.get(name)
        if uses:
            raise ProgramError(f"'{name}' is no input: it is called, as the function", span=scopes.spans[uses[0].node])
        if name in scopes.mentioned:
            raise GradcliError(f"'{name}' is no input: it is a variable inside a function")
        raise GradcliError(f"'{name}' stands nowhere in the program", mend=_inputs_are(inputs))


def _inputs_are(inputs: Mapping[str, InputDecl]) -> str:
    return "its inputs are " + ", ".join(list(inputs)[:_LISTED]) if inputs else "it has no inputs"


_OTHER_WAYS = ("from a file: NAME=@FILE, or --data FILE for many", "without values: gradcli derive, for the formula")


def missing(scopes: Scopes, inputs: list[InputDecl]) -> ProgramError:
    """The error of inputs that have no value."""
    first = inputs[0]
    names = [f"'{decl.name}'" for decl in inputs[:_LISTED]] + (["..."] if len(inputs) > _LISTED else [])
    message = f"missing input {names[0]}" if len(inputs) == 1 else f"missing inputs {', '.join(names)}"
    ways = " ".join(f"{decl.name}={_example(decl)}" for decl in inputs[:4])
    functions = [decl.name for decl in inputs if scopes.known_function(decl.name)]
    also = (f"as a function, '{functions[0]}' is called: {functions[0]}(...)",) if functions else ()
    return ProgramError(
        message,
        mend=f"give {'it' if len(inputs) == 1 else 'them'} as {ways}",
        span=first.span,
        notes=(*_OTHER_WAYS, *also),
    )


def _example(decl: InputDecl) -> str:
    number = {"int": "1", "bool": "True"}.get(decl.kind or "", "1.5")
    if not decl.dims:
        return number
    return "@FILE" if len(decl.dims) > 1 else f"{number},{number}"


def missing_dimension(name: str, span: Span | None) -> ProgramError:
    """The error of a dimension that nothing binds."""
    return ProgramError(f"missing dimension '{name}'", mend=f"give it as {name}=3", span=span)


def bound_dimensions(scopes: Scopes, inputs: Mapping[str, InputDecl], values: Mapping[str, CoreValue]) -> Dimensions:
    """What the dimension names are bound to, by values given for them and by the shapes of inputs.

    Raises:
        ProgramError: two disagree.
    """
    dimensions = Dimensions()
    shapes = {name: shape_of(values[name]) for name in inputs if name in values}
    for name in scopes.dimensions:
        if name in values:
            dimensions.bind(name, _size(name, values[name]), f"{name}=")
    # Twice, for a sum of two dimensions of which a later input tells one.
    for name, shape in [*shapes.items(), *shapes.items()]:
        dimensions.learn(inputs[name], shape)
    for name, shape in shapes.items():
        dimensions.check(inputs[name], shape)
    return dimensions


def _size(name: str, value: CoreValue) -> int:
    array = concrete(value)
    if array.size == 1 and array.dtype.kind in "iuf":
        number = float(array.reshape(()))
        if number.is_integer() and 0 <= number < 2**62:
            return int(number)
    raise GradcliError(f"dimension '{name}' is a whole number", mend=f"give it as {name}=3")


def converted(decl: InputDecl, value: Any, default_float: np.dtype[Any]) -> Array:
    """A given value as an array of the declared kind; floats keep their precision.

    Raises:
        ProgramError: it can't be of that kind.
    """
    array = _as_array(decl, value, default_float)
    found = array.dtype.kind
    if decl.kind is None or (decl.kind, found) in (("float", "f"), ("complex", "c"), ("bool", "b")):
        return array
    if decl.kind == "float" and found in "iub":
        return array.astype(default_float)
    if decl.kind == "complex" and found in "iubf":
        return array.astype(np.result_type(default_float, np.complex64))
    if decl.kind == "int" and found in "iub":
        return array.astype(np.int64)
    if decl.kind == "int" and found == "f" and bool(np.all(array == np.floor(array))) and _fits(array):
        return array.astype(np.int64)
    if decl.kind == "bool" and found in "iuf" and bool(np.all((array == 0) | (array == 1))):
        return array.astype(np.bool_)
    raise ProgramError(
        f"input '{decl.name}' is declared {decl.declared}, but its value is {_what(decl, array)}", span=decl.span
    )


def _fits(array: Array) -> bool:
    return bool(np.all(np.abs(array) < 2.0**63))


def _as_array(decl: InputDecl, value: Any, default_float: np.dtype[Any]) -> Array:
    weak = not isinstance(value, np.ndarray | np.generic)
    try:
        array = np.asarray(value)
    except ValueError:
        array = np.asarray(None)
    if array.dtype.kind not in "biufc":
        raise ProgramError(f"input '{decl.name}' is no number and no array of numbers", span=decl.span)
    if weak and array.dtype.kind in "if":
        return array.astype(default_float)
    return array


def _what(decl: InputDecl, array: Array) -> str:
    kind = {"f": "no integer", "c": "complex", "b": "bool"}.get(array.dtype.kind, str(array.dtype))
    if decl.kind == "bool" and array.dtype.kind in "iuf":
        kind = "neither 0 nor 1"
    return kind if not array.shape else f"{kind}, of shape {list(array.shape)}"


class Resolver:
    """Fills in what is not given: defaults in order, each with the inputs before it."""

    def __init__(
        self,
        scopes: Scopes,
        inputs: Mapping[str, InputDecl],
        default_float: np.dtype[Any],
        evaluate: Callable[[ast.expr, Mapping[str, Any], Mapping[str, int]], Any],
    ) -> None:
        self.scopes = scopes
        self.inputs = inputs
        self.default_float = default_float
        self.evaluate = evaluate

    def resolve(self, given: Mapping[str, Any], parameters: Mapping[str, InputDecl]) -> dict[str, Array]:
        """All values, in the inputs' order; dimensions that were given come last.

        Raises:
            ProgramError: some are missing, or are not what the program declares.
        """
        values = {
            name: converted(d, given[name], self.default_float) for name, d in self.inputs.items() if name in given
        }
        lacking = [d for name, d in self.inputs.items() if name not in given and not d.has_default]
        if lacking:
            raise missing(self.scopes, lacking)
        extra = {n: np.asarray(given[n]) for n in self.scopes.dimensions if n in given and n not in self.inputs}
        dimensions = bound_dimensions(self.scopes, self.inputs, {**extra, **values})
        for name, decl in self.inputs.items():
            if name not in values and decl.default is not None:
                found = self._default(decl, values, dimensions, name in parameters)
                if found is not None:
                    values[name] = found
        self._check_dimensions(dimensions)
        made = {name: values[name] for name in self.inputs if name in values}
        sizes = {n: np.asarray(dimensions.sizes[n]) for n in extra}
        return {**made, **sizes}

    def _default(
        self, decl: InputDecl, values: Mapping[str, Any], dimensions: Dimensions, is_parameter: bool
    ) -> Array | None:
        assert decl.default is not None
        names = {node.id for node in ast.walk(decl.default) if isinstance(node, ast.Name)}
        for name in names:
            if name in self.scopes.dimensions and name not in dimensions.sizes and name not in values:
                raise missing_dimension(name, self.scopes.spans[decl.default])
        own = {n for n in names if n in self.scopes.assigned and n not in values}
        own = {n for n in own if not isinstance(self.scopes.assigned[n], ast.Import | ast.ImportFrom)}
        if own:
            if is_parameter:
                return None
            raise ProgramError(
                f"the default is made of '{min(own)}', which the program assigns",
                mend="a default is made of inputs, dimensions and functions",
                span=self.scopes.spans[decl.default],
            )
        value = self.evaluate(decl.default, values, dimensions.sizes)
        if is_parameter and decl.kind is None and not _carries(value):
            # An integer, a text, a function: the call takes its default itself.
            return None
        array = converted(decl, value, self.default_float)
        dimensions.learn(decl, array.shape)
        dimensions.check(decl, array.shape)
        return array

    def _check_dimensions(self, dimensions: Dimensions) -> None:
        for name in self.scopes.dimensions:
            if name not in dimensions.sizes and name in self.scopes.uses and name not in self.inputs:
                raise missing_dimension(name, self.scopes.spans[self.scopes.uses[name][0].node])


def _carries(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "fc"
    return isinstance(value, float | complex)
