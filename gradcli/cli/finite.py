"""Where a derivative that came out NaN or infinite first went wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli import autodiff
from gradcli.autodiff.levels import opened
from gradcli.autodiff.reverse import ReverseLevel, sweep
from gradcli.cli.derivatives import one_output
from gradcli.cli.report import complain
from gradcli.cli.session import Target
from gradcli.graph.errors import GradcliError
from gradcli.graph.node import Node
from gradcli.graph.values import Array, CoreValue, concrete
from gradcli.language.diagnostics import render


def report(kind: str, output: int, inputs: tuple[str, ...], array: Array, target: Target) -> None:
    """Say on standard error that the derivative `array` is not finite, and at which node that began."""
    index = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
    where = f" at {list(index)}" if index else ""
    message = f"the {' '.join((kind, *inputs))} is {array[index]}{where}"
    try:
        origin = _origin(kind, output, inputs, index, target)
    except GradcliError:
        origin = None
    if origin is None:
        complain(f"warning: {message}")
        return
    node, story = origin
    finding = GradcliError(f"{message}; it first arose in {_name(node)}", span=node.span, mend=story)
    complain(render(finding).replace("error:", "warning:", 1))


def _origin(
    kind: str, output: int, inputs: tuple[str, ...], index: tuple[int, ...], target: Target
) -> tuple[Node, str] | None:
    """The node where the entry `index` of a derivative went wrong, and how; None where it does not show again."""
    function = one_output(target, output)
    if kind in ("hessian", "hvp"):
        first = target.names.index(inputs[0])
        return _trace(autodiff.grad(function, first), index, target)
    return _trace(function, index, target)


def _trace(function: Callable[..., CoreValue], index: tuple[int, ...], target: Target) -> tuple[Node, str] | None:
    """Run the function backwards from the entry of its result that `index` begins with, and look at every node."""
    with np.errstate(all="ignore"), opened(ReverseLevel) as level:
        result = function(*[level.leaf(x) for x in target.points])
        if not isinstance(result, Node):
            return None
        seed = np.zeros(result.shape, dtype=result.dtype)
        seed[index[: seed.ndim] if len(index) >= seed.ndim else ...] = 1
        cotangents = sweep(level, [(result, seed)], keep_all=True)
        return _in_values(cotangents) or _in_sweep(level, cotangents)


def _in_values(cotangents: dict[Node, CoreValue]) -> tuple[Node, str] | None:
    """The first node whose value is not finite although its operands are."""
    for node in sorted(cotangents, key=lambda node: node.seq):
        if node.op is not None and not _finite(node.value) and all(map(_finite, node.inputs)):
            return node, f"its value is {_worst(node.value)}"
    return None


def _in_sweep(level: ReverseLevel, cotangents: dict[Node, CoreValue]) -> tuple[Node, str] | None:
    """The first node on the way back whose derivative is not finite although what reached it is."""
    for node in sorted(cotangents, key=lambda node: -node.seq):
        if node.op is None or node.op.vjp is None or not _finite(cotangents[node]):
            continue
        wanted = [isinstance(x, Node) and x.level is level for x in node.inputs]
        lowered = [level.lowered(x) for x in node.inputs]
        for share in node.op.vjp(cotangents[node], node.value, lowered, node.params, wanted):
            if share is not None and not _finite(share):
                return node, f"its derivative is {_worst(share)}"
    return None


def _finite(x: Any) -> bool:
    if isinstance(x, tuple):
        return all(part is None or _finite(part) for part in x)
    array = concrete(x)
    return array.dtype.kind not in "fc" or bool(np.isfinite(array).all())


def _worst(x: Any) -> str:
    array = concrete(x[0] if isinstance(x, tuple) else x)
    return str(array[~np.isfinite(array)].flat[0])


def _name(node: Node) -> str:
    return node.op.name if node.op is not None else "an input"
