"""Batching: a level whose values stand for many at once, along an axis in front."""

from __future__ import annotations

from typing import Any

from gradcli.graph.errors import ArgumentError, BatchedBranch
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Level, Value


class Batched(Value):
    """`value[b]` for every b of its level's batch; shape and dtype are those of one."""

    __slots__ = ("dtype", "shape", "value")

    def __init__(self, level: Level, value: CoreValue) -> None:
        self.level = level
        self.value = value
        self.shape = tuple(value.shape[1:])
        self.dtype = value.dtype

    def below(self) -> CoreValue:
        """The one value below, if the level takes it that there is one; see `BatchLevel.common`."""
        level = self.level
        assert isinstance(level, BatchLevel)
        return level.common(self)


class BatchLevel(Level):
    """Runs every op once for the whole batch, by the op's own batch rule.

    Attributes:
        size: how many there are.
        closed: whether all are through.
    """

    __slots__ = ("closed", "size")
    size: int

    def __init__(self, id: int) -> None:
        super().__init__(id)
        self.closed = False

    def process(self, op: Op, operands: tuple[CoreValue, ...], params: dict[str, Any]) -> CoreValue:
        """One op for all, one level down.

        Raises:
            ArgumentError: a value has left the function whose batch it belongs to.
        """
        if self.closed:
            raise ArgumentError(
                "a value of one batch is used after that batch was done",
                mend="pass it as an argument: a rule given by hand closes over nothing that vmap maps",
            )
        flags = [isinstance(x, Batched) and x.level is self for x in operands]
        held = [x.value if flag else x for x, flag in zip(operands, flags, strict=True)]
        assert op.batch is not None, f"{op} has no batch rule"
        y = op.batch(held, flags, params, self.size)
        if type(y) is tuple:
            return tuple(Batched(self, part) for part in y)
        return Batched(self, y)

    def common(self, x: Batched) -> CoreValue:
        """The value that `x` has all along the batch.

        Raises:
            BatchedBranch: always, since a function of one example may not look at it.
        """
        error = BatchedBranch("the program branches on a value that differs along the batch")
        error.level = self
        raise error

    def payload(self, x: CoreValue) -> CoreValue | None:
        """The value with the batch axis in front, or None if `x` is the same for the whole batch."""
        return x.value if isinstance(x, Batched) and x.level is self else None
