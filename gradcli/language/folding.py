"""Lists folded to one value: sums, extremes, and the keys by which they are sorted."""

from __future__ import annotations

import ast
from typing import Any

from gradcli.graph.errors import ArgumentError
from gradcli.language.numbers import NUMBERS
from gradcli.language.operations import apply, binary, compare, number, operand, truth
from gradcli.language.values import LanguageValue, describe
from gradcli.ops import registry
from gradcli.tensor import Tensor


def fold_sum(items: list[LanguageValue], start: LanguageValue) -> LanguageValue:
    """start + items[0] + items[1] + ..."""
    total = start
    for item in items:
        total = binary(ast.Add, total, item)
    return total


def fold_max(items: list[LanguageValue]) -> LanguageValue:
    """The largest: of numbers Python's, elementwise where a tensor is among them."""
    return _folded("maximum", ast.Gt, items)


def fold_min(items: list[LanguageValue]) -> LanguageValue:
    """The smallest: of numbers Python's, elementwise where a tensor is among them."""
    return _folded("minimum", ast.Lt, items)


def _folded(op: str, better: type[ast.cmpop], items: list[LanguageValue]) -> LanguageValue:
    if any(type(item) is Tensor for item in items):
        return _elementwise(op, items)
    best = items[0]
    for item in items[1:]:
        if truth(compare(better, item, best)):
            best = item
    return best


def _elementwise(op: str, items: list[LanguageValue]) -> LanguageValue:
    function = registry.known("", op)
    best = items[0]
    for item in items[1:]:
        operand(item, op)
        best = apply(function, [best, item], {})
    return best


def sort_key(x: LanguageValue) -> Any:
    """A value as Python sorts it: numbers, texts, and tuples or lists of those.

    Raises:
        ArgumentError: it has no order.
    """
    if isinstance(x, str) or (type(x) in NUMBERS and not isinstance(x, complex)):
        return x
    if type(x) is Tensor and not x.ndim:
        return number(x, "an order")
    if isinstance(x, list | tuple) and not any(isinstance(part, list | tuple) for part in x):
        return tuple([sort_key(part) for part in x])
    raise ArgumentError(f"{describe(x)} has no order among others")
