"""What losses are made of: elements, weighted and folded to their mean or sum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError
from gradcli.graph.op import Cotangents, Op
from gradcli.graph.values import CoreValue, Spec, dtype_of, shape_of
from gradcli.ops.axes import Axes, EveryAxis, axes_of, reduced_count, reduced_shape, restored
from gradcli.ops.carrying import carried
from gradcli.ops.dependence import folded_or_each
from gradcli.ops.exact import each
from gradcli.ops.kinds import Rule, added, broadcast_shape, expanded, ranks_aligned, sum_to
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.reduction import average, total

FOLDS = ("none", "mean", "sum")


def fold_of(reduction: Any, size_average: Any = None, reduce: Any = None) -> str:
    """The reduction, which PyTorch once named by two flags.

    Raises:
        ArgumentError: it is none.
    """
    if isinstance(size_average, str):  # the reduction, given third
        size_average, reduction = None, size_average
    if size_average is not None or reduce is not None:
        if reduce is not None and not reduce:
            return "none"
        return "mean" if size_average is None or size_average else "sum"
    if not isinstance(reduction, str) or reduction not in FOLDS:
        raise ArgumentError(f"a reduction is 'none', 'mean' or 'sum', not {str(reduction)[:40]!r}")
    return reduction


def folded(x: CoreValue, fold: str) -> CoreValue:
    """The elements of a loss, their mean or their sum."""
    if fold == "none":
        return x
    axes = axes_of("a loss", None, x)
    return average(x, axes) if fold == "mean" else total(x, axes)


# --- ops that weigh and fold at once ---------------------------------------------------------------------------------


def _fold(losses: Any, axis: Axes, mean: bool) -> Any:
    if mean:
        return np.asarray(np.true_divide(np.sum(losses, axis=axis), reduced_count(losses.shape, axis)))
    return np.asarray(np.sum(losses, axis=axis)) if axis else losses


def elements(
    name: str, value: Rule, *partials: Rule | None, exact: Rule, torch: str | Rule, kink: Rule | None = None, doc: str
) -> Op:
    """Declare an op for the losses `value(*operands, **how)`, element by element, folded over axes.

    Operands broadcast. `partials` are (*operands, **how) -> slope, one for each of them; `exact` is of scalars. The
    op's parameters are `axis`, the axes folded, `mean`, whether by the mean, and those of the loss.
    """

    def op_value(*xs: Any, axis: Axes, mean: bool, **how: Any) -> Any:
        return _fold(value(*xs, **how), axis, mean)

    def shape(*xs: CoreValue, axis: Axes, mean: bool, **_: Any) -> Spec:
        joined = broadcast_shape(name, *(shape_of(x) for x in xs))
        return Spec(reduced_shape(joined, axis, False), np.result_type(*(dtype_of(x) for x in xs if _is_array(x))))

    def vjp(
        g: CoreValue, y: CoreValue, xs: Sequence[CoreValue], params: dict[str, Any], wanted: Sequence[bool]
    ) -> Cotangents:
        axis, mean, how = _split(params)
        joined = broadcast_shape(name, *(shape_of(x) for x in xs))
        share = restored(g, Spec(joined, dtype_of(g)), axis, False)
        if mean:
            share = share / max(reduced_count(joined, axis), 1)
        return [
            sum_to(expanded(carried(share, by(*xs, **how)), joined), shape_of(x)) if want and by is not None else None
            for x, by, want in zip(xs, partials, wanted, strict=True)
        ]

    def jvp(
        tangents: Sequence[CoreValue | None], y: CoreValue, xs: Sequence[CoreValue], params: dict[str, Any]
    ) -> CoreValue | None:
        axis, mean, how = _split(params)
        moved = None
        for t, by in zip(tangents, partials, strict=True):
            if t is not None and by is not None:
                moved = added(moved, carried(t, by(*xs, **how)))
        if moved is None:
            return None
        moved = expanded(moved, broadcast_shape(name, *(shape_of(x) for x in xs)))
        return average(moved, axis) if mean else total(moved, axis) if axis else moved

    def batch(xs: Sequence[CoreValue], batched: Sequence[bool], params: dict[str, Any], size: int) -> CoreValue:
        return bind(op, *ranks_aligned(xs, batched), **params)

    def meaning(S: Any, *xs: Any, axis: Axes, mean: bool, **how: Any) -> Any:
        losses = each(lambda *cells: exact(S, *cells, **how), *xs)
        found = np.sum(losses, axis=axis) if axis else losses
        return found / reduced_count(losses.shape, axis) if mean else found

    def bends(*xs: Any, axis: Axes, mean: bool, **how: Any) -> Any:
        assert kink is not None
        return kink(*xs, **how)

    op = Op(
        name,
        "general",
        value=op_value,
        shape=shape,
        vjp=vjp,
        jvp=jvp,
        batch=batch,
        meaning=meaning,
        torch=torch if callable(torch) else _node(f"{torch}Backward0"),
        kink=None if kink is None else bends,
        saves=(0, 1),
        depends=folded_or_each,
        doc=doc,
    )
    return op


def _node(title: str) -> Rule:
    """PyTorch keeps places for the prediction and the target alone."""
    return lambda operands, params: (title, (0, 1))


def _is_array(x: CoreValue) -> bool:
    return hasattr(x, "dtype")


def _split(params: dict[str, Any]) -> tuple[Axes, bool, dict[str, Any]]:
    how = dict(params)
    return how.pop("axis"), how.pop("mean"), how


def loss(op: Op, fold: str, *given: Any, **how: Any) -> CoreValue:
    """The op on predictions, targets and weights, which broadcast."""
    xs = [to_float(as_core(x)) if not isinstance(x, float) else x for x in given]
    shape = broadcast_shape(op.name, *(shape_of(x) for x in xs))
    axis = () if fold == "none" else EveryAxis(range(-len(shape), 0))
    return bind(op, *xs, axis=axis, mean=fold == "mean", **how)
