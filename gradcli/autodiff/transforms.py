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
    """A function of trees as a function of leaves: some arguments vary, the others stay as they are given."""

    def __init__(self, f: Fun, args: Sequence[Any], argnums: Sequence[int]) -> None:
        self.varying = [args[i] for i in argnums]
        self.primals = tuple(as_core(x) for x in trees.leaves(self.varying))
        self.result: Any = None
        self._f, self._args, self._argnums = f, list(args), list(argnums)

    def __call__(self, *values: CoreValue) -> list[CoreValue]:
        """The function's outputs, flat; the tree they make is kept in `result`."""
        args = list(self._args)
        for i, part in zip(self._argnums, trees.like(self.varying, values), strict=True):
            args[i] = part
        self.result = self._f(*args)
        return [as_core(y) for y in trees.leaves(self.result)]


def vjp(f: Fun, *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """(value, pullback): the pullback takes a cotangent of the value's form to one per primal."""
    flat = Flat(f, primals, range(len(primals)))
    run = Linearized(flat, flat.primals)
    result = flat.result

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        given = [as_core(g) for g in trees.leaves(cotangent)]
        check_like("cotangent", given, run.values)
        return tuple(trees.like(flat.varying, run.pull(given)))

    return trees.like(result, run.values), pullback


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


def jvp(f: Fun, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """(value, tangent), pushed forward in one run."""
    flat = Flat(f, primals, range(len(primals)))
    vectors = [as_core(t) for t in trees.leaves(list(tangents))]
    check_like("tangent", vectors, flat.primals)
    if state.recording is not None:
        run = Linearized(flat, flat.primals)
        return trees.like(flat.result, run.values), trees.like(flat.result, run.push(vectors))
    with opened(ForwardLevel) as level:
        duals = [Dual(level, x, t) if is_inexact(x) else x for x, t in zip(flat.primals, vectors, strict=True)]
        outputs = flat(*duals)
    values = [level.primal(y) for y in outputs]
    moved = [level.tangent(y) for y in outputs]
    found = [zeros(y) if t is None else t for y, t in zip(values, moved, strict=True)]
    return trees.like(flat.result, values), trees.like(flat.result, found)


Argnums = int | Sequence[int]


def _positions(argnums: Argnums, count: int) -> tuple[list[int], bool]:
    """Positions to differentiate, and whether the answer is one rather than a tuple."""
    single = isinstance(argnums, int)
    wanted = [argnums] if isinstance(argnums, int) else list(argnums)
    for i in wanted:
        if not -count <= i < count:
            raise ArgumentError(f"argnums={i} but the function was called with {count} argument{'s' * (count != 1)}")
    return [i % count for i in wanted], single


def _check_float(values: Sequence[CoreValue]) -> None:
    for x in values:
        if not is_inexact(x):
            raise NotDifferentiable(f"can't differentiate with respect to {dtype_of(x)}", mend="make it a float")


def value_and_grad(f: Fun, argnums: Argnums = 0) -> Fun:
    """A function that returns (f(...), its gradient with respect to the arguments at `argnums`)."""

    def call(*args: Any) -> tuple[Any, Any]:
        positions, single = _positions(argnums, len(args))
        flat = Flat(f, args, positions)
        _check_float(flat.primals)
        run = Linearized(flat, flat.primals)
        (value,) = _scalar(run.values)
        gradient = trees.like(flat.varying, run.pull([_one(value)]))
        return trees.like(flat.result, [value]), gradient[0] if single else tuple(gradient)

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


def grad(f: Fun, argnums: Argnums = 0) -> Fun:
    """A function that returns the gradient of scalar `f` with respect to the arguments at `argnums`."""
    both = value_and_grad(f, argnums)

    def call(*args: Any) -> Any:
        return both(*args)[1]

    return call


def jacobian(f: Fun, argnums: Argnums = 0, *, mode: str = "auto") -> Fun:
    """A function that returns df/dx of shape output + input, in the output's tree of the input's tree.

    `mode` is "auto" (forward or reverse by the shapes), "forward" or "reverse". All directions run as batches.
    """

    def call(*args: Any) -> Any:
        positions, single = _positions(argnums, len(args))
        flat = Flat(f, args, positions)
        _check_float(flat.primals)
        run = Linearized(flat, flat.primals)
        for y in run.values:
            if not is_inexact(y):
                raise NotDifferentiable(f"a result of dtype {dtype_of(y)} can't be differentiated")
        rows = run.jacobian(mode)
        found = []
        for row in rows:
            by_argument = trees.like(flat.varying, row)
            found.append(by_argument[0] if single else tuple(by_argument))
        return trees.like(flat.result, found)

    return call


def jacfwd(f: Fun, argnums: Argnums = 0) -> Fun:
    """The Jacobian in forward mode."""
    return jacobian(f, argnums, mode="forward")


def jacrev(f: Fun, argnums: Argnums = 0) -> Fun:
    """The Jacobian in reverse mode."""
    return jacobian(f, argnums, mode="reverse")


def hessian(f: Fun, argnums: Argnums = 0) -> Fun:
    """A function that returns the second derivatives of scalar `f`, forward over reverse."""
    return jacobian(grad(f, argnums), argnums, mode="forward")


def hvp(f: Fun, primals: Any, tangents: Any) -> Any:
    """Hessian of scalar `f` times tangents: of the form of the primals (a bare primal gives a bare product)."""
    single = not isinstance(primals, list | tuple)
    xs = (primals,) if single else tuple(primals)
    vs = (tangents,) if single else tuple(tangents)
    _, product = jvp(grad(f, tuple(range(len(xs)))), xs, vs)
    return product[0] if single else product
