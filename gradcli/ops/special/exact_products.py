"""Products of many factors with the rounding error of each step carried along, so that the whole is rounded once."""

from __future__ import annotations

import numpy as np

from gradcli.ops.special.values import Array

#: A number as the sum of two: the float nearest to it, and what is left.
Pair = tuple[Array, Array]
#: Dekker's constant: a product with it splits a double into two halves of 26 bits.
SPLITTER = 134217729.0


def product_error(a: Array, b: Array, product: Array) -> Array:
    """a*b - product, where `product` is a*b rounded (Dekker)."""
    high_a, high_b = (x * SPLITTER - (x * SPLITTER - x) for x in (a, b))
    low_a, low_b = a - high_a, b - high_b
    return ((high_a * high_b - product) + high_a * low_b + low_a * high_b) + low_a * low_b


def whole_sum(a: Array, b: Array) -> Pair:
    """a + b, nothing lost (Knuth)."""
    found = a + b
    part = found - a
    return found, (a - (found - part)) + (b - part)


def times(x: Pair, y: Pair) -> Pair:
    """The product of two pairs, to about 100 bits."""
    product = x[0] * y[0]
    low = product_error(x[0], y[0], product) + (x[0] * y[1] + x[1] * y[0])
    found = product + low
    return found, low - (found - product)


def over(x: Pair, y: Pair) -> Array:
    """The quotient of two pairs, rounded."""
    quotient = x[0] / y[0]
    product = quotient * y[0]
    rest = (x[0] - product) - product_error(quotient, y[0], product) + (x[1] - quotient * y[1])
    return quotient + rest / y[0]


def whole_product(factors: Array) -> Pair:
    """The product over the last axis, whose length is a power of two."""
    found = (factors, np.zeros_like(factors))
    while found[0].shape[-1] > 1:
        found = times(*((found[0][..., i::2], found[1][..., i::2]) for i in (0, 1)))
    return found[0][..., 0], found[1][..., 0]
