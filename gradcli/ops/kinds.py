"""The kinds of op, and the readings that each kind supplies.

    elementwise   the value and one partial derivative per operand; vjp and jvp follow
    linear        the transpose; the jvp is the op itself, other operands as they are
    multilinear   one transpose per operand; linear in each, so both modes follow
    general       rules of its own
    constant      carries no derivative: comparisons, argmax, floor, constructors

A partial is a function (y, *operands, **params) -> factor, one of the numbers 1, -1 and 0, or None for an operand that
carries no derivative. A cotangent g of a result y becomes g * conj(partial) for the operand, summed over the axes along
which the operand was broadcast; a g of 0 stays 0 even where the partial is infinite or undefined.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import DtypeError, ShapeError
from gradcli.graph.op import Cotangents, Op
from gradcli.graph.state import state
from gradcli.graph.values import OPERATORS, CoreValue, Spec, dtype_of, is_inexact, ndim_of, shape_of
from gradcli.ops.carrying import carried
from gradcli.ops.dependence import moved, moved_back, on_broadcast

Rule = Callable[..., Any]


# --- helpers that rules are made of ----------------------------------------------------------------------------------


def fits(shape: tuple[int, ...]) -> str:
    """A shape as error messages print it: `[2, 3]`."""
    return "[" + ", ".join(str(n) for n in shape) + "]"


def broadcast_shape(name: str, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that `shapes` broadcast to.

    Raises:
        ShapeError: they don't; the message names the operation and all shapes.
    """
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        if state.torch_semantics and len(shapes) == 2:
            raise ShapeError(_torch_misfit(*shapes)) from None
        listed = " and ".join(fits(s) for s in shapes)
        raise ShapeError(
            f"{name} cannot broadcast shapes {listed}",
            mend="trailing axes must be equal or 1",
        ) from None


def _torch_misfit(a: tuple[int, ...], b: tuple[int, ...]) -> str:
    """PyTorch's words for two shapes that do not broadcast: the last axis that does not fit."""
    rank = max(len(a), len(b))
    for axis in range(-1, -rank - 1, -1):
        m, n = (shape[axis] if len(shape) >= -axis else 1 for shape in (a, b))
        if m != n and 1 not in (m, n):
            break
    return f"The size of tensor a ({m}) must match the size of tensor b ({n}) at non-singleton dimension {rank + axis}"


def sum_to(x: CoreValue, shape: tuple[int, ...]) -> CoreValue:
    """`x` summed over the axes along which `shape` was broadcast to it: the transpose of broadcasting."""
    return x if shape_of(x) == shape else OPERATORS["sum_to"](x, shape)


def expanded(x: CoreValue, shape: tuple[int, ...]) -> CoreValue:
    """`x` broadcast to `shape`."""
    return x if shape_of(x) == shape else OPERATORS["broadcast_to"](x, shape)


def conj(x: CoreValue) -> CoreValue:
    """Complex conjugate; anything real is itself."""
    return OPERATORS["conj"](x) if type(x) is not float and dtype_of(x).kind == "c" else x


def added(a: CoreValue | None, b: CoreValue | None) -> CoreValue | None:
    """a + b, where None is zero."""
    if a is None:
        return b
    return a if b is None else a + b


# --- elementwise -----------------------------------------------------------------------------------------------------


def _sample(x: CoreValue) -> Any:
    return np.ones(0, dtype=x.dtype) if hasattr(x, "dtype") else x


def elementwise_shape(name: str, value: Rule) -> Rule:
    """The shape rule of an elementwise op: shapes broadcast, and NumPy says the dtype of an empty sample."""

    def shape(*operands: CoreValue, **params: Any) -> Spec:
        joined = broadcast_shape(name, *(shape_of(x) for x in operands))
        try:
            dtype = value(*(_sample(x) for x in operands), **params).dtype
        except TypeError:
            dtypes = " and ".join(str(dtype_of(x)) for x in operands)
            raise DtypeError(f"{name} does not take {dtypes}") from None
        except OverflowError as error:
            raise DtypeError(f"{name}: a number does not fit: {str(error).removeprefix('Python ')}") from None
        return Spec(joined, dtype)

    return shape


def _share_rule(partial: Any) -> Rule | None:
    """(g, y, operands, params) -> an operand's cotangent before it is summed over broadcast axes; None for none."""
    if partial is None or (type(partial) is int and partial == 0):
        return None
    if type(partial) is int:
        return (lambda g, y, operands, params: g) if partial == 1 else (lambda g, y, operands, params: -g)

    def share(g: CoreValue, y: CoreValue, operands: Sequence[CoreValue], params: dict[str, Any]) -> CoreValue:
        p = partial(y, *operands, **params) if params else partial(y, *operands)
        return carried(g, p if type(p) is np.float64 or type(p) is float else conj(p))

    return share


class ElementwiseVjp:
    """The vjp of an elementwise op, from its partials.

    Attributes:
        rules: one per operand, (g, y, operands, params) -> its cotangent before it is summed over broadcast axes; None
            for an operand that has none. A backward pass, which is made of little else, takes them one by one.
    """

    __slots__ = ("rules",)

    def __init__(self, partials: Sequence[Any]) -> None:
        self.rules = tuple(_share_rule(partial) for partial in partials)

    def __call__(
        self,
        g: CoreValue,
        y: CoreValue,
        operands: Sequence[CoreValue],
        params: dict[str, Any],
        wanted: Sequence[bool],
    ) -> Cotangents:
        """One cotangent per operand; None for one that is not wanted, or has none."""
        return [
            sum_to(rule(g, y, operands, params), shape_of(x)) if want and rule is not None else None
            for x, rule, want in zip(operands, self.rules, wanted, strict=True)
        ]


def elementwise_jvp(partials: Sequence[Any]) -> Rule:
    """The tangent from partials."""

    def jvp(
        tangents: Sequence[CoreValue | None],
        y: CoreValue,
        operands: Sequence[CoreValue],
        params: dict[str, Any],
    ) -> CoreValue | None:
        total = None
        for t, partial in zip(tangents, partials, strict=True):
            if t is None or partial is None or (type(partial) is int and partial == 0):
                continue
            if type(partial) is int:
                total = added(total, t if partial == 1 else -t)
            else:
                total = added(total, carried(t, partial(y, *operands, **params)))
        return None if total is None else expanded(total, shape_of(y))

    return jvp


def ranks_aligned(operands: Sequence[CoreValue], batched: Sequence[bool]) -> list[CoreValue]:
    """Operands with singleton axes after the batch axis until all logical ranks agree."""
    logical = [ndim_of(x) - flag for x, flag in zip(operands, batched, strict=True)]
    rank = max(logical)
    aligned = []
    for x, flag, n in zip(operands, batched, logical, strict=True):
        if flag and n < rank:
            shape = shape_of(x)
            x = OPERATORS["reshape"](x, shape[:1] + (1,) * (rank - n) + shape[1:])
        aligned.append(x)
    return aligned


#: The ops that broadcast: a batch of them is the op itself, once the ranks of the operands agree.
BROADCASTING: set[Op] = set()


def elementwise_batch(op: Op) -> Rule:
    """Batching of an op that broadcasts."""
    BROADCASTING.add(op)

    def batch(operands: Sequence[CoreValue], batched: Sequence[bool], params: dict[str, Any], size: int) -> CoreValue:
        return bind(op, *ranks_aligned(operands, batched), **params)

    return batch


def unchanged_batch(op: Op) -> Rule:
    """Batching of an op whose parameters all count axes from the end: an axis in front changes nothing."""

    def batch(operands: Sequence[CoreValue], batched: Sequence[bool], params: dict[str, Any], size: int) -> CoreValue:
        return bind(op, *operands, **params)

    return batch


def elementwise(
    name: str,
    value: Rule,
    *partials: Any,
    meaning: Rule,
    torch: str | Rule | None = None,
    kink: Rule | None = None,
    saves: tuple[Any, ...] = (),
    depends: Rule | None = None,
    doc: str = "",
) -> Op:
    """Declare an elementwise op; see the module's head for partials, and for `depends` `gradcli.ops.dependence`."""
    op = Op(
        name,
        "elementwise",
        value=value,
        shape=elementwise_shape(name, value),
        vjp=ElementwiseVjp(partials),
        jvp=elementwise_jvp(partials),
        partials=partials,
        meaning=meaning,
        depends=depends or on_broadcast([_share_rule(partial) is not None for partial in partials]),
        torch=torch,
        kink=kink,
        saves=saves,
        promotes=True,
        doc=doc,
    )
    op.batch = elementwise_batch(op)
    return op


def elementwise_general(
    name: str,
    value: Rule,
    *,
    vjps: tuple[Rule | None, ...],
    jvp: Rule,
    meaning: Rule,
    torch: str | Rule | None = None,
    kink: Rule | None = None,
    saves: tuple[Any, ...] = (),
    depends: Rule | None = None,
    doc: str = "",
) -> Op:
    """Declare an elementwise op whose cotangents are best written whole (a division, say).

    `vjps` has one rule (g, y, *operands, **params) -> cotangent per operand, before summing over broadcast axes;
    `jvp` is (tangents, y, *operands, **params) -> tangent, where a zero tangent is None.
    """

    def vjp(
        g: CoreValue,
        y: CoreValue,
        operands: Sequence[CoreValue],
        params: dict[str, Any],
        wanted: Sequence[bool],
    ) -> Cotangents:
        return [
            sum_to(rule(g, y, *operands, **params), shape_of(x)) if want and rule is not None else None
            for x, rule, want in zip(operands, vjps, wanted, strict=True)
        ]

    def forward(
        tangents: Sequence[CoreValue | None],
        y: CoreValue,
        operands: Sequence[CoreValue],
        params: dict[str, Any],
    ) -> CoreValue | None:
        t = jvp(tangents, y, *operands, **params)
        return None if t is None else expanded(t, shape_of(y))

    depends = depends or on_broadcast([rule is not None for rule in vjps])
    op = elementwise(name, value, meaning=meaning, torch=torch, kink=kink, saves=saves, depends=depends, doc=doc)
    op.vjp, op.jvp = vjp, forward
    return op


# --- linear and multilinear ------------------------------------------------------------------------------------------


def object_meaning(value: Rule) -> Rule:
    """The meaning of an op that only moves, adds and multiplies: its own value, on arrays of exact numbers."""

    def meaning(S: Any, *operands: Any, **params: Any) -> Any:
        return value(*operands, **params)

    return meaning


_MOVES = {"forward": moved, "back": moved_back}


def linear(
    name: str,
    value: Rule,
    shape: Rule,
    *,
    transpose: Rule,
    batch: Rule | None = None,
    operands: int | None = 1,
    promotes: bool = False,
    views: bool = False,
    torch: str | Rule | None = None,
    meaning: Rule | None = None,
    moves: str | None = None,
    depends: Rule | None = None,
    doc: str = "",
) -> Op:
    """Declare an op that is linear in its first `operands` operands jointly (None: in all of them).

    `transpose` is (g, *operands, **params) -> cotangent of the first operand, or one cotangent per linear operand when
    there are several. `batch` None: all parameters count axes from the end, so that a batch axis in front changes
    nothing. For `promotes` and `views` see `Op`.

    `moves` is "forward" where the op does nothing but move elements (each one of the result is one of the operands', or
    nothing), and "back" where its transpose does; any other op that is linear says by `depends` what depends on what.
    """

    def vjp(
        g: CoreValue, y: CoreValue, xs: Sequence[CoreValue], params: dict[str, Any], wanted: Sequence[bool]
    ) -> Cotangents:
        found = transpose(g, *xs, **params)
        parts = [found] if operands == 1 else list(found)
        return parts + [None] * (len(xs) - len(parts))

    def jvp(
        tangents: Sequence[CoreValue | None], y: CoreValue, xs: Sequence[CoreValue], params: dict[str, Any]
    ) -> CoreValue | None:
        count = len(xs) if operands is None else operands
        if all(t is None for t in tangents[:count]):
            return None
        moved = [OPERATORS["zeros_like"](x) if t is None else t for t, x in zip(tangents, xs, strict=True)]
        return bind(op, *moved[:count], *xs[count:], **params)

    op = Op(
        name,
        "linear",
        value=value,
        shape=shape,
        vjp=vjp,
        jvp=jvp,
        meaning=meaning or object_meaning(value),
        depends=_MOVES[moves](operands) if moves else depends,
        torch=torch,
        promotes=promotes,
        views=views,
        doc=doc,
    )
    op.batch = batch or unchanged_batch(op)
    return op


def multilinear(
    name: str,
    value: Rule,
    shape: Rule,
    *,
    transposes: tuple[Rule, ...] | Rule,
    batch: Rule,
    torch: str | Rule | None = None,
    meaning: Rule | None = None,
    saves: tuple[Any, ...] = (),
    depends: Rule | None = None,
    doc: str = "",
) -> Op:
    """Declare an op that is linear in each operand.

    `transposes` has one rule (g, *operands, **params) -> cotangent per operand, or is one rule
    (i, g, *operands, **params) for ops of any number of operands.
    """

    def cotangent(i: int, g: CoreValue, xs: Sequence[CoreValue], params: dict[str, Any]) -> CoreValue:
        if callable(transposes):
            return transposes(i, g, *xs, **params)
        return transposes[i](g, *xs, **params)

    def vjp(
        g: CoreValue, y: CoreValue, xs: Sequence[CoreValue], params: dict[str, Any], wanted: Sequence[bool]
    ) -> Cotangents:
        return [cotangent(i, g, xs, params) if want else None for i, want in enumerate(wanted)]

    def jvp(
        tangents: Sequence[CoreValue | None], y: CoreValue, xs: Sequence[CoreValue], params: dict[str, Any]
    ) -> CoreValue | None:
        total = None
        for i, t in enumerate(tangents):
            if t is not None:
                total = added(total, bind(op, *xs[:i], t, *xs[i + 1 :], **params))
        return total

    op = Op(
        name,
        "multilinear",
        value=value,
        shape=shape,
        vjp=vjp,
        jvp=jvp,
        batch=batch,
        meaning=meaning or object_meaning(value),
        torch=torch,
        depends=depends,
        saves=saves,
        doc=doc,
    )
    return op


# --- general and constant --------------------------------------------------------------------------------------------


def general(
    name: str,
    value: Rule,
    shape: Rule,
    *,
    vjps: tuple[Rule | None, ...],
    jvp: Rule,
    meaning: Rule,
    batch: Rule | None = None,
    outputs: int = 1,
    torch: str | Rule | None = None,
    kink: Rule | None = None,
    saves: tuple[Any, ...] = (),
    depends: Rule | None = None,
    doc: str = "",
) -> Op:
    """Declare an op with its own rules: `vjps` (g, y, *operands, **params), `jvp` (tangents, y, *operands, **params).

    With several outputs, g, y and what jvp returns are tuples; absent cotangents are None.
    """

    def vjp(
        g: CoreValue, y: CoreValue, xs: Sequence[CoreValue], params: dict[str, Any], wanted: Sequence[bool]
    ) -> Cotangents:
        return [
            rule(g, y, *xs, **params) if want and rule is not None else None
            for rule, want in zip(vjps, wanted, strict=True)
        ]

    def forward(
        tangents: Sequence[CoreValue | None], y: CoreValue, xs: Sequence[CoreValue], params: dict[str, Any]
    ) -> CoreValue | None:
        return jvp(tangents, y, *xs, **params)

    op = Op(
        name,
        "general",
        value=value,
        shape=shape,
        vjp=vjp,
        jvp=forward,
        meaning=meaning,
        outputs=outputs,
        torch=torch,
        kink=kink,
        depends=depends,
        saves=saves,
        doc=doc,
    )
    op.batch = batch or unchanged_batch(op)
    return op


def constant(
    name: str,
    value: Rule,
    shape: Rule | None = None,
    *,
    meaning: Rule | None = None,
    batch: Rule | None = None,
    kink: Rule | None = None,
    promotes: bool | None = None,
    doc: str = "",
) -> Op:
    """Declare an op that carries no derivative. Without `shape` it is elementwise."""

    op = Op(
        name,
        "constant",
        value=value,
        shape=shape or elementwise_shape(name, value),
        meaning=meaning or object_meaning(value),
        kink=kink,
        promotes=shape is None if promotes is None else promotes,
        doc=doc,
    )
    op.batch = batch or (elementwise_batch(op) if shape is None else unchanged_batch(op))
    return op


def differentiable(op: Op, y: CoreValue) -> bool:
    """Whether a result of `op` can carry a derivative at all."""
    if op.kind == "constant":
        return False
    return any(is_inexact(part) for part in y) if type(y) is tuple else is_inexact(y)
