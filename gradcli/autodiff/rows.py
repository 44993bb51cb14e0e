"""A batch whose members are separate runs of one program: what single runs would each have done, done at once.

It differs from `vmap` in what happens where the program asks for a value: `vmap` refuses, a batch of rows goes on if
all rows have that value, and else says which rows agree, so that the caller can run each of those groups by itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.autodiff.batch import Batched, BatchLevel
from gradcli.graph.bind import evaluate, torch_common_dtype
from gradcli.graph.op import Op
from gradcli.graph.state import state
from gradcli.graph.values import OPERATORS, Array, CoreValue, Value, concrete, dtype_of
from gradcli.ops.kinds import BROADCASTING


class RowsDiffer(Exception):
    """A program that takes rows of one batch different ways.

    Attributes:
        groups: the places of the rows in the batch, rising, those that agree together.
    """

    def __init__(self, groups: list[Array]) -> None:
        super().__init__(f"{len(groups)} groups")
        self.groups = groups


class RowLevel(BatchLevel):
    """Runs a program for all rows of a batch, for as long as they take the same way."""

    __slots__ = ()

    def process(self, op: Op, operands: tuple[CoreValue, ...], params: dict[str, Any]) -> CoreValue:
        """One op for all. PyTorch's promotion looks at ranks, so it is done before there is a row axis in front."""
        if op.promotes and state.torch_semantics:
            common = torch_common_dtype(operands)
            if common is not None:
                operands = tuple(
                    OPERATORS["astype"](x, common) if hasattr(x, "dtype") and dtype_of(x) != common else x
                    for x in operands
                )
        if op in BROADCASTING and state.recording is None:
            held = self._aligned(operands)
            if held is not None:
                return Batched(self, evaluate(op, held, params))
        return super().process(op, operands, params)

    def _aligned(self, operands: tuple[CoreValue, ...]) -> tuple[CoreValue, ...] | None:
        """The arrays of an op that broadcasts, where they do as they are; else None, for the op's own rule."""
        held, ranks, others = [], [], 0
        for x in operands:
            if type(x) is Batched and x.level is self:
                x = x.value
                ranks.append(x.ndim - 1)
            elif isinstance(x, np.ndarray):
                others = max(others, x.ndim)
            if isinstance(x, Value):
                return None
            held.append(x)
        return tuple(held) if others <= ranks[0] and ranks.count(ranks[0]) == len(ranks) else None

    def common(self, x: Batched) -> CoreValue:
        """The value that all rows have, to the bit.

        Raises:
            RowsDiffer: they have several.
        """
        rows = np.ascontiguousarray(concrete(x.value)).reshape(self.size, -1)
        if not rows.shape[1]:
            return concrete(x.value)[0]
        members: dict[bytes, list[int]] = {}
        for place, row in enumerate(rows.view(np.uint8)):
            members.setdefault(row.tobytes(), []).append(place)
        if len(members) > 1:
            raise RowsDiffer([np.array(places) for places in members.values()])
        return concrete(x.value)[0]


def all_rows(x: CoreValue) -> Array | None:
    """The arrays of all rows of the batch below `x`, rows in front; None where there is no such batch."""
    while isinstance(x, Value) and not isinstance(x, Batched):
        x = x.below()  # type: ignore[attr-defined]
    return concrete(x.value) if isinstance(x, Batched) and isinstance(x.level, RowLevel) else None


def settled(x: CoreValue) -> CoreValue:
    """The array below all levels of `x`; a batch of rows stays what it is.

    Raises:
        AbstractValue, BatchedBranch: as `concrete`.
    """
    return x if isinstance(x, Batched) and isinstance(x.level, RowLevel) else concrete(x)
