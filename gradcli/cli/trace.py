"""`gradcli run --trace`: backward passes step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from gradcli.graph.node import PICK, Node
from gradcli.graph.op import Op
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue
from gradcli.language.diagnostics import escaped
from gradcli.language.source import Span
from gradcli.ops.registry import FUNCTIONS
from gradcli.tensor import Tensor
from gradcli.tensor.grad_fn import RELABEL, grad_fn_of
from gradcli.tensor.observing import Observer, observed_by

_WIDEST = 60
_LABEL = 10


class _Trace(Observer):
    """Writes every step: the node, the gradient that arrives, the rule, and the gradients that leave."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def begin(self, seeds: Sequence[tuple[Node, CoreValue]]) -> None:
        """Say where the pass begins."""
        self._write(f"backward{_place(state.span)}\n")

    def step(self, node: Node, g: CoreValue, shares: Sequence[tuple[Node, CoreValue]]) -> None:
        """Show one node, unless it is one that PyTorch has no name for."""
        if node.op in (PICK, RELABEL):
            return
        lines = [f"  {grad_fn_of(node).title}{_place(node.span)}\n", _entry("gradient", _gradient(g))]
        if node.op is None:
            lines.append(_entry("rule", "added to .grad"))
        else:
            lines.append(_entry("rule", _rule(node.op)))
            for x, share in shares:
                lines.append(_entry("to", f"{_title(x)}  ", _gradient(share)))
        self._write("".join(lines))


@contextmanager
def traced(write: Callable[[str], None]) -> Iterator[None]:
    """Write every backward pass that is made inside."""
    with observed_by(_Trace(write)):
        yield


def _title(node: Node) -> str:
    while node.op in (PICK, RELABEL):
        node = node.inputs[0]
    return grad_fn_of(node).title


def _gradient(g: Any) -> str:
    if isinstance(g, tuple):
        return "(" + ", ".join("None" if part is None else _gradient(part) for part in g) + ")"
    return str(Tensor(g))


def _entry(label: str, *parts: str) -> str:
    """A labelled line; further lines of its text are aligned below."""
    head = f"    {label:<{_LABEL}}"
    text = "".join(parts)
    before = len(head) + len("".join(parts[:-1]))
    return head + text.replace("\n", "\n" + " " * before) + "\n"


def _place(span: Any) -> str:
    """Where in the source something was called, and its text there."""
    if not isinstance(span, Span):
        return ""
    text = span.source.line(span.line)[span.column - 1 :]
    if span.end_line == span.line:
        text = text[: span.end_column - span.column]
    text = escaped(text.strip())
    return f"  line {span.line}: {text if len(text) <= _WIDEST else text[: _WIDEST - 3] + '...'}"


@cache
def _rule(op: Op) -> str:
    """The derivative of an op as the reference gives it."""
    function = next((f for f in FUNCTIONS if f.op is op and f.derivative), None)
    if function is None:
        return op.doc.rstrip(".") or op.name
    if function.derivative.startswith("vjp: "):
        return f"{function.signature}: {function.derivative.removeprefix('vjp: ')}"
    times = "g times " if op.kind == "elementwise" else ""
    return f"{function.signature}: {times}{function.derivative}"
