"""How sums of products depend on their factors, element by element: einsum, products of matrices and of stacks of them.

A factor that does not vary lends its zeros: where it is 0, the product depends on no other factor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.graph.values import Array, Shape, count_of, shape_of
from gradcli.ops.dependence import Dependence, Link, Pairs, broadcast_link, numbered

if TYPE_CHECKING:
    from gradcli.graph.op import Op


def contracted(terms: Sequence[str], output: str, operands: Sequence[Any], wanted: Sequence[bool]) -> list[Dependence]:
    """Einstein's summation: one string of index letters per operand, and one for the result.

    Where a single other operand that does not vary has zeros, these drop out.
    """
    lengths = {c: n for term, x in zip(terms, operands, strict=True) for c, n in zip(term, shape_of(x), strict=True)}
    found: list[Dependence] = []
    for i, want in enumerate(wanted):
        if not want:
            found.append(None)
            continue
        sparse = _with_zeros(operands, wanted) if len(set(terms[i])) == len(terms[i]) else None
        if sparse is not None and len(set(terms[sparse])) == len(terms[sparse]) and len(operands) == 2:
            found.append(_where_not_zero(terms[i], terms[sparse], output, operands[sparse], lengths))
        else:
            found.append(_by_letters(terms[i], output, lengths))
    return found


def _with_zeros(operands: Sequence[Any], wanted: Sequence[bool]) -> int | None:
    """The place of an operand that does not vary and is mostly 0."""
    for i, (x, want) in enumerate(zip(operands, wanted, strict=True)):
        if not want and 2 * np.count_nonzero(x) <= np.size(x):
            return i
    return None


def _by_letters(term: str, output: str, lengths: dict[str, int]) -> Link:
    """What shares the letters that operand and result have in common belongs together."""
    shared = [c for c in dict.fromkeys(term) if c in output]
    strides = _strides(shared, lengths)
    gives = _labels(term, strides, lengths)
    places: dict[str, int] = {}
    for axis, letter in enumerate(term):
        if letter in places:  # a repeated letter: off its diagonal nothing counts
            shape = [lengths[c] for c in term]
            one, other = (np.arange(lengths[letter]).reshape(_on_axis(a, len(shape))) for a in (places[letter], axis))
            gives = np.where(np.broadcast_to(one == other, shape), gives, -1)
        places.setdefault(letter, axis)
    count = count_of(tuple(lengths[c] for c in shared))
    return Link(_labels(output, strides, lengths).ravel(), gives.ravel(), count)


def _on_axis(axis: int, rank: int) -> tuple[int, ...]:
    return tuple(-1 if i == axis else 1 for i in range(rank))


def _strides(letters: Sequence[str], lengths: dict[str, int]) -> dict[str, int]:
    found, stride = {}, 1
    for letter in reversed(letters):
        found[letter] = stride
        stride *= lengths[letter]
    return found


def _labels(term: str, strides: dict[str, int], lengths: dict[str, int]) -> Array:
    """For every element of a thing indexed by `term` the number that the letters with a stride make."""
    found: Array = np.zeros([lengths[c] for c in term], np.int64)
    seen = set()
    for axis, letter in enumerate(term):
        if letter in strides and letter not in seen:
            seen.add(letter)
            found = found + strides[letter] * np.arange(lengths[letter]).reshape(_on_axis(axis, len(term)))
    return found


def _where_not_zero(term: str, other: str, output: str, factor: Any, lengths: dict[str, int]) -> Pairs:
    """Pairs joined by a factor that is not 0: each such element of it, with all values of the letters it lacks."""
    at = np.nonzero(np.asarray(factor))
    free = [c for c in dict.fromkeys(term + output) if c not in other]
    sizes = tuple(lengths[c] for c in free)
    grid = np.indices(sizes).reshape(len(free), count_of(sizes))
    values = {letter: coordinate[:, None] for letter, coordinate in zip(other, at, strict=True)}
    values |= {letter: coordinate[None, :] for letter, coordinate in zip(free, grid, strict=True)}
    shape = (len(at[0]) if at else 1, grid.shape[1])

    def places(letters: str) -> Array:
        strides = _strides(list(letters), lengths)
        found: Any = np.zeros(shape, np.int64)
        for letter in letters:
            found = found + strides[letter] * values[letter]
        return np.asarray(found).ravel()

    return Pairs(places(output), places(term))


def matrix_product(op: Op, operands: Sequence[Any], y: Any, params: dict[str, Any], wanted: Sequence[bool]) -> Any:
    """matmul of vectors, matrices and stacks of them that broadcast."""
    x, z = operands
    left, right = shape_of(x), shape_of(z)
    batch = len(shape_of(y)) - (len(left) > 1) - (len(right) > 1)
    letters = "abcdefghijklmnopqrstuvwxyz"[:batch]
    one = letters[batch - max(len(left) - 2, 0) :] + ("YK" if len(left) > 1 else "K")
    two = letters[batch - max(len(right) - 2, 0) :] + ("KX" if len(right) > 1 else "K")
    whole = letters + ("Y" if len(left) > 1 else "") + ("X" if len(right) > 1 else "")
    lead = shape_of(y)[:batch]
    if all(shape_of(v)[:-2] in ((), lead) for v in operands):
        return contracted((one, two), whole, operands, wanted)
    stretched = [_stretched(shape_of(v), lead) for v in operands]
    return [
        None if link is None else _first_of(link, own, shape_of(v))
        for link, own, v in zip(_letters_only((one, two), whole, stretched, wanted), stretched, operands, strict=True)
    ]


def _stretched(shape: Shape, lead: Shape) -> Shape:
    return lead[len(lead) - max(len(shape) - 2, 0) :] + shape[-2:] if len(shape) > 2 else shape


def _letters_only(
    terms: Sequence[str], output: str, shapes: Sequence[Shape], wanted: Sequence[bool]
) -> list[Link | None]:
    lengths = {c: n for term, shape in zip(terms, shapes, strict=True) for c, n in zip(term, shape, strict=True)}
    return [_by_letters(term, output, lengths) if want else None for term, want in zip(terms, wanted, strict=True)]


def _first_of(link: Link, stretched: Shape, shape: Shape) -> Dependence:
    """A link to a stack that was broadcast, as one to the stack itself: element by element, label by label."""
    if stretched == shape:
        return link
    assert link.gives is not None and link.takes is not None
    source = np.broadcast_to(numbered(shape), stretched).ravel()
    order = np.argsort(link.gives, kind="stable")
    starts = np.searchsorted(link.gives[order], np.arange(link.size + 1))
    lengths = np.diff(starts)[link.takes]
    rows = np.repeat(np.arange(len(link.takes)), lengths)
    begin = np.repeat(starts[link.takes] - (np.cumsum(lengths) - lengths), lengths)
    return Pairs(rows, source[order[begin + np.arange(len(rows))]])


def product_and_sum(op: Op, operands: Sequence[Any], y: Any, params: dict[str, Any], wanted: Sequence[bool]) -> Any:
    """c + x @ z."""
    to_c = broadcast_link(shape_of(operands[0]), shape_of(y)) if wanted[0] else None
    return [to_c, *matrix_product(op, operands[1:], y, params, wanted[1:])]


def summed_products(op: Op, operands: Sequence[Any], y: Any, params: dict[str, Any], wanted: Sequence[bool]) -> Any:
    """Einstein's summation, by `params["subscripts"]`."""
    terms, _, output = params["subscripts"].partition("->")
    return contracted(terms.split(","), output, operands, wanted)
