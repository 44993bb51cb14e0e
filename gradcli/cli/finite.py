"""Where a derivative that came out NaN or infinite first went wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from gradcli import autodiff
from gradcli.autodiff.levels import opened
from gradcli.autodiff.reverse import ReverseLevel, sweep
from gradcli.cli.derivatives import Block, one_output
from gradcli.cli.report import complain
from gradcli.cli.session import Target
from gradcli.graph.errors import GradcliError
from gradcli.graph.node import Node
from gradcli.graph.values import CoreValue, concrete
from gradcli.language.diagnostics import render


def report(kind: str, blocks: Iterable[Block], target: Target) -> None:
    """Say on standard error that a derivative is not finite, if one is, and at which node that began."""
    found = finding(kind, blocks, target)
    if found is not None:
        complain(found)


def finding(kind: str, blocks: Iterable[Block], target: Target, where: str = "") -> str | None:
    """A warning of the first block that is not finite, and of the node where that began; None if all are finite."""
    bad = next((block for block in blocks if not np.isfinite(block.array).all()), None)
    if bad is None:
        return None
    output, inputs, array = bad
    index = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
    return finding_at(kind, output, inputs, index, array[index], target, where)


def finding_at(
    kind: str, output: int, inputs: tuple[str, ...], index: tuple[int, ...], value: Any, target: Target, where: str = ""
) -> str:
    """A warning of one entry of a derivative, which is not finite, and of the node where that began."""
    at = f" at {list(index)}" if index else ""
    message = f"{where}the {' '.join((kind, *inputs))} is {value}{at}"
    try:
        origin = _origin(kind, output, inputs, index, target)
    except GradcliError:
        origin = None
    if origin is None:
        return f"warning: {message}"
    node, story = origin
    found = GradcliError(f"{message}; it first arose in {_name(node)}", span=node.span, mend=story)
    return render(found).replace("error:", "warning:", 1)


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


#: Ops that rules are made of, by the names of what they do.
_RULES_OPS = {"carried": "multiply", "carried_over": "divide", "link": "a derivative given by hand"}


def _name(node: Node) -> str:
    return "an input" if node.op is None else _RULES_OPS.get(node.op.name, node.op.name)
