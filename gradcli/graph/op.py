"""Op: the one declaration of an operation, with its seven readings.

    shape    Specs of the operands, and parameters -> Spec of the result (a tuple of them for several results)
    value    arrays -> array, in NumPy
    vjp      (g, y, operands, params, wanted) -> one cotangent per operand, None where none flows
    jvp      (tangents, y, operands, params) -> tangent of the result; None stands for a zero tangent
    batch    (operands, batched, params, size) -> the result with the batch axis in front
    meaning  (S, *operands, **params) -> the result over exact numbers, in the namespace S that the reader hands in
    depends  (op, operands, y, params, wanted) -> which elements of each operand each element of the result depends on
             (see `gradcli.ops.dependence`); None says nothing, and all on all is taken

Rules (vjp, jvp, batch) are written with the ops themselves and never look at an array below their level.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradcli.graph.values import CoreValue, Spec

Cotangents = tuple[CoreValue | None, ...] | list[CoreValue | None]


class Op:
    """An operation. Ops are made by the constructors of `gradcli.ops.kinds`, once each.

    Attributes:
        name: the op's own name, as `gradcli graph` shows it.
        kind: "elementwise", "linear", "multilinear", "general" or "constant" (carries no derivative).
        torch: PyTorch's node name without `Backward0`, or a function of (operands, params) that gives the whole name,
            or the tree of nodes that PyTorch makes of it (see `gradcli.tensor.grad_fn`).
        saves: which of "operand positions" and "y" PyTorch keeps for the backward pass; a pair (i, j) is operand i,
            kept for the derivative by operand j alone, and None something that is no tensor of the program.
        outputs: 1, or the number of results of an op that returns a tuple.
        kink: (S-free) a function of the concrete operands that marks elements where the derivative jumps, or None.
        promotes: whether operands of several dtypes are brought to one (elementwise ops, and those that join values).
        views: whether the result of a single operand lies in that operand's memory, and so costs none.
    """

    __slots__ = (
        "batch",
        "depends",
        "doc",
        "jvp",
        "kind",
        "kink",
        "meaning",
        "name",
        "outputs",
        "partials",
        "promotes",
        "saves",
        "shape",
        "torch",
        "value",
        "views",
        "vjp",
    )

    def __init__(
        self,
        name: str,
        kind: str,
        *,
        value: Callable[..., Any],
        shape: Callable[..., Spec | tuple[Spec, ...]],
        vjp: Callable[..., Cotangents] | None = None,
        jvp: Callable[..., CoreValue | None] | None = None,
        batch: Callable[..., Any] | None = None,
        meaning: Callable[..., Any] | None = None,
        depends: Callable[..., Any] | None = None,
        partials: tuple[Any, ...] = (),
        torch: str | Callable[..., str] | None = None,
        saves: tuple[Any, ...] = (),
        outputs: int = 1,
        kink: Callable[..., Any] | None = None,
        promotes: bool = False,
        views: bool = False,
        doc: str = "",
    ) -> None:
        self.name = name
        self.kind = kind
        self.value = value
        self.shape = shape
        self.vjp = vjp
        self.jvp = jvp
        self.batch = batch
        self.meaning = meaning
        self.depends = depends
        self.partials = partials
        self.torch = torch
        self.saves = saves
        self.outputs = outputs
        self.kink = kink
        self.promotes = promotes
        self.views = views
        self.doc = doc

    def __repr__(self) -> str:
        return f"<op {self.name}>"
