"""Forward mode: a level whose values carry their tangent along."""

from __future__ import annotations

from typing import Any

from gradcli.autodiff.reverse import in_dtype
from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, Level, Value, dtype_of, is_inexact


class Dual(Value):
    """A primal value and its tangent, both of lower levels."""

    __slots__ = ("dtype", "primal", "shape", "tangent")

    def __init__(self, level: Level, primal: CoreValue, tangent: CoreValue) -> None:
        self.level = level
        self.primal = primal
        self.tangent = tangent
        self.shape = primal.shape
        self.dtype = primal.dtype

    def below(self) -> CoreValue:
        """The primal."""
        return self.primal


class ForwardLevel(Level):
    """Pushes tangents through every op as it runs."""

    __slots__ = ()

    def process(self, op: Op, operands: tuple[CoreValue, ...], params: dict[str, Any]) -> CoreValue:
        """Compute the primal one level down, then its tangent."""
        primals = [self.primal(x) for x in operands]
        y = bind(op, *primals, **params)
        if op.kind == "constant" or self.id <= state.constant_below:
            return y
        assert op.jvp is not None, f"{op} has no jvp"
        t = op.jvp([self.tangent(x) for x in operands], y, primals, params)
        if type(y) is tuple:
            parts = t if t is not None else (None,) * len(y)
            return tuple(self._joined(part, u) for part, u in zip(y, parts, strict=True))
        return self._joined(y, t)

    def primal(self, x: CoreValue) -> CoreValue:
        """The primal of a dual of this level; anything else is itself."""
        return x.primal if isinstance(x, Dual) and x.level is self else x

    def tangent(self, x: CoreValue) -> CoreValue | None:
        """The tangent of a dual of this level; None, which is zero, for anything else."""
        return x.tangent if isinstance(x, Dual) and x.level is self else None

    def _joined(self, y: CoreValue, t: CoreValue | None) -> CoreValue:
        if t is None or not is_inexact(y):
            return y
        return Dual(self, y, in_dtype(t, dtype_of(y)))
