"""Derivatives as functions of functions, with JAX's names and returns. They nest, in any order, to any depth.

Functions take and return core values, or trees of them (tuples, lists, dicts).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gradcli.autodiff import trees
from gradcli.autodiff.forward import Dual, ForwardLevel
from gradcli.autodiff.levels import opened
from gradcli.autodiff.linearize import Linearized, zeros
from gradcli.graph.errors import ArgumentError, NotDifferentiable, ShapeError
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, dtype_of, is_inexact, shape_of
from gradcli.ops.kinds import fits
from gradcli.ops.operands import as_core

Fun = Callable[..., Any]


class Flat:
    """A function of trees as a function of leaves: some arguments vary, the others stay as they are given.

    With `has_aux` the function returns a pair, and the second of it is carried along but not differentiated.

    Attributes:
        varying: the arguments that vary.
        primals: their leaves.
        result: the tree that the function returned last.
        aux: what it returned beside it.
        count: how many leaves the result has; those of `aux` follow.
    """

    def __init__(self, f: Fun, args: Sequence[Any], argnums: Sequence[int], has_aux: bool = False) -> None:
        self.varying = [args[i] for i in argnums]
        self.primals = tuple(as_core(x) for x in trees.leaves(self.varying))
        self.result: Any = None
        self.aux: Any = ()
        self.count = 0
        self._has_aux = has_aux
        self._f, self._args, self._argnums = f, list(args), list(argnums)

    def __call__(self, *values: CoreValue) -> list[CoreValue]:
        """The function's outputs, flat; the tree they make is kept in `result`.

        Raises:
            ArgumentError: with `has_aux`, the function returned no pair.
        """
        args = list(self._args)
        for i, part in zip(self._argnums, trees.like(self.varying, values), strict=True):
            args[i] = part
        self.result = self._f(*args)
        if self._has_aux:
            if not isinstance(self.result, tuple) or len(self.result) != 2:
                raise ArgumentError("with has_aux=True the function returns a pair: its value, and what goes beside it")
            self.result, self.aux = self.result
        found = [as_core(y) for y in trees.leaves(self.result)]
        self.count = len(found)
        return found + [as_core(y) for y in trees.leaves(self.aux)]

    def run(self) -> tuple[Linearized, list[CoreValue], Any]:
        """One run, kept: it, the leaves of the result, and what goes beside it."""
        kept = Linearized(self, self.primals)
        kept.narrow(self.count)
        return kept, list(kept.values[: self.count]), trees.like(self.aux, kept.values[self.count :])


def vjp(f: Fun, *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """(value, pullback): the pullback takes a cotangent of the value's form to one per primal.

    With `has_aux`, (value, pullback, aux).
    """
    flat = Flat(f, primals, range(len(primals)), has_aux)
    run, values, aux = flat.run()
    result = flat.result

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        given = [as_core(g) for g in trees.aligned(result, cotangent, "a cotangent")]
        check_like("cotangent", given, values)
        return tuple(trees.like(flat.varying, run.pull(given)))

    found = trees.like(result, values), pullback
    return (*found, aux) if has_aux else found


def check_like(what: str, given: Sequence[CoreValue], expected: Sequence[CoreValue]) -> None:
    """Raise unless vectors are as many, and of the shapes, as what they stand for.

    Raises:
        ShapeError: they aren't.
    """
    if len(given) != len(expected):
        raise ShapeError(f"{len(expected)} {what}s are due, {len(given)} given")
    for v, x in zip(given, expected, strict=True):
        if shape_of(v) != shape_of(x):
            raise ShapeError(f"a {what} of shape {fits(shape_of(v))} stands for a value of shape {fits(shape_of(x))}")


def jvp(f: Fun, primals: Sequence[Any], tangents: Sequence[Any], *, has_aux: bool = False) -> tuple[Any, ...]:
    """(value, tangent), pushed forward in one run; with `has_aux`, (value, tangent, aux)."""
    flat = Flat(f, primals, range(len(primals)), has_aux)
    vectors = _tangents(flat, tangents)
    if state.recording is not None:
        run, values, aux = flat.run()
        pair = trees.like(flat.result, values), trees.like(flat.result, run.push(vectors))
        return (*pair, aux) if has_aux else pair
    with opened(ForwardLevel) as level:
        duals = [Dual(level, x, t) if is_inexact(x) else x for x, t in zip(flat.primals, vectors, strict=True)]
        outputs = flat(*duals)
    values = [level.primal(y) for y in outputs]
    moved = [level.tangent(y) for y in outputs[: flat.count]]
    found = [zeros(y) if t is None else t for y, t in zip(values, moved, strict=False)]
    pair = trees.like(flat.result, values[: flat.count]), trees.like(flat.result, found)
    return (*pair, trees.like(flat.aux, values[flat.count :])) if has_aux else pair


def _tangents(flat: Flat, tangents: Sequence[Any]) -> list[CoreValue]:
    """The leaves of tangents, one for each of the primals.

    Raises:
        ShapeError, ArgumentError: they are not of the primals' form.
    """
    if len(tangents) != len(flat.varying):
        raise ShapeError(f"{len(flat.varying)} tangents are due, {len(tangents)} given")
    vectors = [as_core(t) for t in trees.aligned(flat.varying, list(tangents), "a tangent")]
    check_like("tangent", vectors, flat.primals)
    return vectors


def linearize(f: Fun, *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """(value, push): `push` takes tangents of the primals to the value's, over the one run that is kept."""
    flat = Flat(f, primals, range(len(primals)))
    run, values, _ = flat.run()
    result = flat.result

    def push(*tangents: Any) -> Any:
        return trees.like(result, run.push(_tangents(flat, tangents)))

    return trees.like(result, values), push


Argnums = int | Sequence[int]


def _positions(argnums: Argnums, count: int) -> tuple[list[int], bool]:
    """Positions to differentiate, and whether the answer is one rather than a tuple."""
    single = isinstance(argnums, int)
    wanted = [argnums] if isinstance(argnums, int) else list(argnums)
    for i in wanted:
        if not -count <= i < count:
            raise ArgumentError(f"argnums={i} but the function was called with {count} argument{'s' * (count != 1)}")
    found = [i % count for i in wanted]
    if len(set(found)) < len(found):
        raise ArgumentError(f"argnums={tuple(wanted)} names an argument twice")
    return found, single


def _check_float(values: Sequence[CoreValue]) -> None:
    for x in values:
        if not is_inexact(x):
            raise NotDifferentiable(f"can't differentiate with respect to {dtype_of(x)}", mend="make it a float")


def value_and_grad(f: Fun, argnums: Argnums = 0, has_aux: bool = False) -> Fun:
    """A function that returns (f(...), its gradient with respect to the arguments at `argnums`).

    With `has_aux` the function returns (value, aux), and this ((value, aux), gradient).
    """

    def call(*args: Any) -> tuple[Any, Any]:
        positions, single = _positions(argnums, len(args))
        flat = Flat(f, args, positions, has_aux)
        _check_float(flat.primals)
        run, values, aux = flat.run()
        if not has_aux and isinstance(flat.result, tuple) and len(flat.result) > 1:
            raise ShapeError(
                f"a gradient is of one scalar, and the function returned a tuple of {len(flat.result)}",
                mend="has_aux=True carries what follows the first along",
            )
        (value,) = _scalar(values)
        gradient = trees.like(flat.varying, run.pull([_one(value)]))
        main = trees.like(flat.result, [value])
        return (main, aux) if has_aux else main, gradient[0] if single else tuple(gradient)

    return call


def _one(value: CoreValue) -> CoreValue:
    import numpy as np

    return np.ones((), dtype=value.dtype)


def _scalar(values: Sequence[CoreValue]) -> Sequence[CoreValue]:
    """The one scalar float that a gradient is of.

    Raises:
        ShapeError, NotDifferentiable: the function gave something else.
    """
    if len(values) != 1:
        raise ShapeError(f"a gradient is of one scalar, and the function returned {len(values)} values")
    if shape_of(values[0]) != ():
        raise ShapeError(
            f"a gradient is of a scalar, and the function returned shape {fits(shape_of(values[0]))}",
            mend="sum it, or take the jacobian",
        )
    if not is_inexact(values[0]):
        raise NotDifferentiable(f"a result of dtype {dtype_of(values[0])} can't be differentiated")
    return values


def grad(f: Fun, argnums: Argnums = 0, has_aux: bool = False) -> Fun:
    """A function that returns the gradient of scalar `f` with respect to the arguments at `argnums`.

    With `has_aux`, (gradient, aux).
    """
    both = value_and_grad(f, argnums, has_aux)

    def call(*args: Any) -> Any:
        value, gradient = both(*args)
        return (gradient, value[1]) if has_aux else gradient

    return call


def jacobian(f: Fun, argnums: Argnums = 0, has_aux: bool = False, *, mode: str = "auto") -> Fun:
    """A function that returns df/dx of shape output + input, in the output's tree of the input's tree.

    `mode` is "auto" (forward or reverse by the shapes), "forward" or "reverse". All directions run as batches.
    With `has_aux`, (Jacobian, aux).
    """

    def call(*args: Any) -> Any:
        positions, single = _positions(argnums, len(args))
        flat = Flat(f, args, positions, has_aux)
        _check_float(flat.primals)
        run, values, aux = flat.run()
        for y in values:
            if not is_inexact(y):
                raise NotDifferentiable(f"a result of dtype {dtype_of(y)} can't be differentiated")
        rows = run.jacobian(mode)
        found = []
        for row in rows:
            by_argument = trees.like(flat.varying, row)
            found.append(by_argument[0] if single else tuple(by_argument))
        tree = trees.like(flat.result, found)
        return (tree, aux) if has_aux else tree

    return call


def jacfwd(f: Fun, argnums: Argnums = 0, has_aux: bool = False) -> Fun:
    """The Jacobian in forward mode."""
    return jacobian(f, argnums, has_aux, mode="forward")


def jacrev(f: Fun, argnums: Argnums = 0, has_aux: bool = False) -> Fun:
    """The Jacobian in reverse mode."""
    return jacobian(f, argnums, has_aux, mode="reverse")


def hessian(f: Fun, argnums: Argnums = 0, has_aux: bool = False) -> Fun:
    """A function that returns the second derivatives of scalar `f`, forward over reverse; with `has_aux`, a pair."""
    return jacobian(grad(f, argnums, has_aux), argnums, has_aux, mode="forward")


def hvp(f: Fun, primals: Any, tangents: Any) -> Any:
    """Hessian of scalar `f` times tangents: of the form of the primals (a bare primal gives a bare product)."""
    single = not isinstance(primals, list | tuple)
    xs = (primals,) if single else tuple(primals)
    vs = (tangents,) if single else tuple(tangents)
    _, product = jvp(grad(f, tuple(range(len(xs)))), xs, vs)
    return product[0] if single else product
