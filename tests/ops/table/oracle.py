"""The exact derivatives of a call, by SymPy's partials and 50-digit numbers, from the forward meanings of its ops.

A complex number is a pair of real ones to the oracle: the cotangent of x is then dL/d Re x + i dL/d Im x, which is
PyTorch's convention. What goes in and comes out here is complex where the call's arrays are.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any

import numpy as np
from mpmath import libmp

from gradcli.graph.recording import Recording
from gradcli.symbolic.chain import Chain
from gradcli.symbolic.complexes import Complex
from gradcli.symbolic.evaluate import Reader
from gradcli.symbolic.lowering import lower
from table.calls import Array, Call, moving_nodes

#: The scalars of one array, in order: (real part, imaginary part or None).
Pairs = list[tuple[int, int | None]]


#: Ops that compare numbers; complex ones are in the order of their real parts, and jump where these are equal.
_ORDERING = frozenset({"maximum", "minimum", "fmax", "fmin", "clamp_min", "clamp_max", "clip"})


def kinked(call: Call) -> bool:
    """Whether some op of the call sits on a kink."""
    for node in moving_nodes(call):
        if node.op.kink is not None:
            inner = [np.asarray(getattr(x, "value", x)) for x in node.inputs]
            if node.op.name in _ORDERING:
                inner = [np.real(x) for x in inner]
            if np.any(node.op.kink(*inner, **node.params)):
                return True
    return False


class Exact:
    """The exact reading of a call."""

    def __init__(self, call: Call) -> None:
        with Recording() as recording:
            inputs = {f"x{i}": recording.input(f"x{i}", x) for i, x in enumerate(call.floats)}
            outputs = call(*inputs.values())
        lowered = lower(outputs, inputs)
        self.graph = lowered.graph
        self.outputs = [_pairs(cells) for cells in lowered.outputs]
        self.output_shapes = [cells.shape for cells in lowered.outputs]
        self.inputs = [_pairs(lowered.inputs[name]) for name in inputs]
        self.input_shapes = [np.shape(x) for x in call.floats]
        self.by = [index for pairs in self.inputs for index in _flat(pairs)]
        self.chain = Chain(self.graph, self.by)

    def values(self) -> list[Array]:
        """The outputs."""
        return [self._numbers(pairs, shape) for pairs, shape in zip(self.outputs, self.output_shapes, strict=True)]

    def pulled(self, cotangents: list[Array]) -> list[Array]:
        """Cotangents of the inputs."""
        return self.gathered(self.pulled_back(self.outputs, cotangents))

    def pushed(self, tangents: list[Array]) -> list[Array]:
        """Tangents of the outputs."""
        moved = self.pushed_forward(tangents)
        shaped = zip(self.outputs, self.output_shapes, strict=True)
        return [self._numbers(self.taken(moved, pairs), shape) for pairs, shape in shaped]

    def pulled_twice(self, weights: list[Array], vectors: list[Array]) -> list[Array]:
        """The Hessian of sum(weights * outputs**2), times vectors; of complex outputs, both parts are squared."""
        apply = self.graph.apply
        squares = [
            [(apply("mul", a, a), None if b is None else apply("mul", b, b)) for a, b in pairs]
            for pairs in self.outputs
        ]
        first = self.pulled_back(squares, weights, fresh=True)
        seeds: dict[int, int] = {}
        for pairs, v in zip(self.inputs, vectors, strict=True):
            for index, factor in _weighed(pairs, v):
                if index in first:
                    self._add(seeds, apply("mul", first[index], self.graph.number(factor)), self.graph.number(1.0))
        return self.gathered(Chain(self.graph, self.by).backward(seeds))

    # --- in the graph ------------------------------------------------------------------------------------------------

    def pulled_back(self, outputs: list[Pairs], cotangents: list[Array], fresh: bool = False) -> dict[int, int]:
        """The scalars that are the cotangents of the inputs' parts."""
        seeds: dict[int, int] = {}
        for pairs, g in zip(outputs, cotangents, strict=True):
            for index, factor in _weighed(pairs, g):
                self._add(seeds, index, self.weight(factor))
        chain = Chain(self.graph, self.by) if fresh else self.chain
        return chain.backward(seeds)

    def pushed_forward(self, tangents: list[Array]) -> dict[int, int]:
        """The scalars that are the tangents of the outputs' parts."""
        moved: dict[int, int] = {}
        for pairs, t in zip(self.inputs, tangents, strict=True):
            moved.update((index, self.weight(factor)) for index, factor in _weighed(pairs, t))
        parts = sorted({index for pairs in self.outputs for index in _flat(pairs)})
        found = self.chain.forward(moved, parts)
        return {index: t for index, t in zip(parts, found, strict=True) if t is not None}

    def weight(self, factor: float) -> int:
        """The scalar of a cotangent's or a tangent's element."""
        return self.graph.number(factor)

    def _add(self, seeds: dict[int, int], index: int, weight: int) -> None:
        seeds[index] = self.graph.apply("add", seeds[index], weight) if index in seeds else weight

    def taken(self, found: dict[int, int], pairs: Pairs) -> Pairs:
        """What was found of each part; nothing is zero."""
        nothing = self.graph.number(0.0)
        return [(found.get(a, nothing), None if b is None else found.get(b, nothing)) for a, b in pairs]

    # --- numbers -----------------------------------------------------------------------------------------------------

    def gathered(self, found: dict[int, int]) -> list[Array]:
        """What was found of the inputs' parts, as arrays."""
        shaped = zip(self.inputs, self.input_shapes, strict=True)
        return [self._numbers(self.taken(found, pairs), shape) for pairs, shape in shaped]

    def _numbers(self, pairs: Pairs, shape: tuple[int, ...]) -> Array:
        flat = [self.number(a) if b is None else complex(self.number(a), self.number(b)) for a, b in pairs]
        kind = np.complex128 if any(b is not None for _, b in pairs) else np.float64
        return np.reshape(np.array(flat, dtype=kind), shape)

    def number(self, index: int) -> float:
        """The nearest float of a scalar."""
        return float(libmp.to_float(self.raw(index)))

    def raw(self, index: int) -> Any:
        """A scalar in mpmath."""
        return self.graph.reader(Reader).value(index)


def _pairs(cells: Any) -> Pairs:
    return [(x.re.index, x.im.index) if isinstance(x, Complex) else (x.index, None) for x in cells.ravel()]


def _flat(pairs: Pairs) -> Iterable[int]:
    return (index for pair in pairs for index in pair if index is not None)


def _weighed(pairs: Pairs, weights: Array) -> Iterable[tuple[int, float]]:
    """Each part with its weight."""
    for (a, b), w in zip(pairs, np.ravel(weights), strict=True):
        yield a, float(w.real)
        if b is not None:
            yield b, float(w.imag)


@lru_cache(maxsize=4)
def exact(call: Call) -> Exact | None:
    """The oracle's reading of a call; None where the function has a kink."""
    return None if kinked(call) else Exact(call)


def random_like(xs: list[Array], seed: int) -> list[Array]:
    """Normal random numbers of the shapes of some arrays, complex where those are."""
    generator = np.random.default_rng(seed)
    made = []
    for x in xs:
        part = np.asarray(generator.normal(size=np.shape(x)))
        made.append(part + 1j * generator.normal(size=np.shape(x)) if np.asarray(x).dtype.kind == "c" else part)
    return made


@cache
def exact_pulled(call: Call) -> list[Array] | None:
    """The cotangents that the tests' own cotangents are pulled back to."""
    oracle = exact(call)
    return None if oracle is None else oracle.pulled(random_like(call(), 2))


@cache
def exact_pushed(call: Call) -> list[Array] | None:
    """The tangents that the tests' own tangents are pushed forward to."""
    oracle = exact(call)
    return None if oracle is None else oracle.pushed(random_like(call.floats, 1))


@cache
def exact_hessian_product(call: Call) -> list[Array] | None:
    """The Hessian of sum(weights * results**2), times directions: the tests' own weights and directions."""
    oracle = exact(call)
    return None if oracle is None else oracle.pulled_twice(random_like(call(), 3), random_like(call.floats, 4))
