"""The indexed form: `d out/d x[i] = ...` for programs made of elementwise operations and sums over whole arrays.

Every array of such a program is one formula of an index i, and a sum over it is one more Symbol, whose body is that
formula. The derivative by x[i] goes through the sums one after another, the last first: where s = sum_i f(x[i], y)
takes part with weight a, x[i] gets a df/dx[i], and y gets a sum_i df/dy, a new sum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sympy

from gradcli.graph.errors import AbstractValue, GradcliError
from gradcli.graph.node import Node
from gradcli.graph.recording import DETACH, REGION_OUTPUT
from gradcli.graph.values import Value, concrete
from gradcli.symbolic.lowering import needed_nodes
from gradcli.symbolic.meaning import Namespace, Unknown
from gradcli.symbolic.scalars import Graph, Scalar, Unprovable
from gradcli.symbolic.to_sympy import Expressions, differentiated

#: Ops that make a number of whole arrays, and the methods that say how.
_TOTALS = {
    "sum": "_of_sum",
    "mean": "_of_mean",
    "norm": "_of_norm",
    "logsumexp": "_of_logsumexp",
    "dot": "_of_dot",
    "matmul": "_of_dot",
}


class NotIndexed(Exception):
    """The program is not of the kind that has an indexed form."""


class Item:
    """One array or number of the program at the generic index."""

    __slots__ = ("cell", "field")

    def __init__(self, cell: Any, field: bool) -> None:
        self.cell = cell
        self.field = field


class Indexed:
    """A scalar program in indexed form.

    Attributes:
        sums: the body of each Symbol that stands for a sum over a whole array.
        decimals: whether some number was written as a decimal fraction.

    Raises:
        NotIndexed: it has none.
    """

    def __init__(self, output: Node, inputs: Mapping[str, Node]) -> None:
        if output.shape != ():
            raise NotIndexed
        self.inputs = inputs
        self.graph = Graph(20_000, folds=False)
        self.space = Namespace(self.graph)
        self.shape = self._common_shape(output)
        self.size = int(np.prod(self.shape))
        self._items: dict[int, Item] = {}
        self._bodies: list[tuple[str, int]] = []
        for node in needed_nodes([output]):
            self._items[id(node)] = self._item(node)
        self._translate(output)

    def _common_shape(self, output: Node) -> tuple[int, ...]:
        shapes = {node.shape for node in needed_nodes([output]) if node.shape != ()}
        if len(shapes) != 1:
            raise NotIndexed
        return shapes.pop()

    # --- the program at one index ------------------------------------------------------------------------------------

    def _item(self, node: Node) -> Item:
        op = node.op
        if op is None:
            return self._leaf(node)
        if op in (REGION_OUTPUT, DETACH) or isinstance(node.value, tuple) or op.meaning is None:
            raise NotIndexed
        if op.kind == "elementwise" or (op.kind == "constant" and op.promotes):
            return self._elementwise(node)
        if op.name in _TOTALS and node.shape == ():
            return self._sum(node)
        if op.name in ("astype", "clone", "positive") and node.dtype.kind == "f":
            return self._of(node.inputs[0])
        raise NotIndexed

    def _leaf(self, node: Node) -> Item:
        name = node.params.get("name")
        if name is None or node.dtype.kind != "f":
            raise NotIndexed
        cell = Scalar(self.graph, self.graph.input(name, 0, None))
        return Item(cell, node.shape != ())

    def _of(self, x: Any) -> Item:
        if isinstance(x, Node):
            return self._items[id(x)]
        if isinstance(x, Value):
            raise NotIndexed
        values = concrete(x)
        if values.size == 0 or values.dtype.kind not in "fiub" or np.any(values != values.flat[0]):
            raise NotIndexed
        cell = values.flat[0].item()
        return Item(cell, values.shape != ())

    def _elementwise(self, node: Node) -> Item:
        op = node.op
        assert op is not None and op.meaning is not None
        items = [self._of(x) for x in node.inputs]
        try:
            cell = op.meaning(self.space, *(item.cell for item in items), **node.params)
        except (Unprovable, AbstractValue, TypeError, Unknown) as error:
            raise NotIndexed from error
        return Item(self.space.lifted(cell), any(item.field for item in items))

    def _sum(self, node: Node) -> Item:
        """A number made of sums over whole arrays."""
        assert node.op is not None
        items = [self._of(x) for x in node.inputs]
        if not all(item.field for item in items):
            raise NotIndexed
        try:
            cell = getattr(self, _TOTALS[node.op.name])(*(self.space.lifted(item.cell) for item in items), node)
        except Unprovable as error:
            raise NotIndexed from error
        return Item(cell, False)

    def _total(self, cell: Any) -> Any:
        """The sum of a formula over the index."""
        name = f"sum {len(self._bodies)}"
        self._bodies.append((name, cell.index))
        return Scalar(self.graph, self.graph.input(name, 0, None))

    def _of_sum(self, x: Any, node: Node) -> Any:
        return self._total(x)

    def _of_mean(self, x: Any, node: Node) -> Any:
        return self._total(x) / self.size

    def _of_norm(self, x: Any, node: Node) -> Any:
        if node.params.get("p") != 2:
            raise NotIndexed
        return self._total(x**2).sqrt()

    def _of_logsumexp(self, x: Any, node: Node) -> Any:
        return self._total(x.exp()).log()

    def _of_dot(self, x: Any, y: Any, node: Node) -> Any:
        if len(self.shape) != 1:
            raise NotIndexed
        return self._total(x * y)

    # --- its derivative ----------------------------------------------------------------------------------------------

    def _translate(self, output: Node) -> None:
        self._symbols: dict[str, Any] = {}
        self.sums: dict[Any, Any] = {}
        made = Expressions(self.graph, self._symbol)
        end = self.space.lifted(self._items[id(output)].cell).index
        self.formula, *bodies = made.of([end, *(index for _, index in self._bodies)])
        self.decimals = made.decimals
        for (name, _), body in zip(self._bodies, bodies, strict=True):
            self.sums[self._symbol(name, 0)] = body

    def _symbol(self, name: str, index: int) -> Any:
        found = self._symbols.get(name)
        if found is None:
            node = self.inputs.get(name)
            if name.startswith("sum "):
                found = sympy.Dummy("~" + name, real=True)
            else:
                found = sympy.Symbol(name if node is not None and node.shape == () else f"{name}[i]", real=True)
            self._symbols[name] = found
        return found

    def gradient(self, names: Sequence[str]) -> dict[str, Any]:
        """The derivative of the output by the generic element of each input."""
        self._fields = {s for n, s in self._symbols.items() if str(s.name).endswith("[i]")}
        weights: dict[Any, Any] = {}
        places = [self._symbol(n, 0) for n in names]
        own = list(self.sums)
        self._give(weights, self.formula, sympy.Integer(1), [*places, *own], whole=False)
        for s in reversed(own):
            weight = weights.pop(s, None)
            if weight is not None and weight != 0:
                self._give(weights, self.sums[s], weight, [*places, *(t for t in own if t != s)], whole=True)
        return {n: weights.get(p, sympy.Integer(0)) for n, p in zip(names, places, strict=True)}

    def _give(self, weights: dict[Any, Any], formula: Any, weight: Any, symbols: Sequence[Any], *, whole: bool) -> None:
        """Add what each symbol gets from a formula of weight `weight`; of a sum's body, if `whole`."""
        for s in symbols:
            if not formula.has(s):
                continue
            share = differentiated(formula, s)
            if whole and s not in self._fields:
                share = self._summed(share)
            weights[s] = weights.get(s, 0) + weight * share

    def _summed(self, share: Any) -> Any:
        """sum_i of a formula: factors that do not depend on i stand outside."""
        outside, inside = sympy.factor_terms(share).as_independent(*self._fields, as_Add=False)
        if not inside.has(*self._fields):
            return share * self.size
        if inside.is_Add:
            same, varying = inside.as_independent(*self._fields, as_Add=True)
            if same.has(*self.sums):
                return outside * (self._summed(varying) + same * self.size)
        return outside * self._sum_symbol(inside)

    def _sum_symbol(self, body: Any) -> Any:
        for s, known in self.sums.items():
            if known == body:
                return s
        made = sympy.Dummy("~sum", real=True)
        self.sums[made] = body
        return made


def indexed(output: Any, inputs: Mapping[str, Node]) -> Indexed | None:
    """The indexed form of a program, or None where it has none."""
    if not isinstance(output, Node):
        return None
    try:
        return Indexed(output, inputs)
    except (NotIndexed, Unprovable, GradcliError):
        return None
