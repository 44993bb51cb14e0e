"""Attention by scaled dot products, and products of two inputs with a weight."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, dtype_of, ndim_of, shape_of
from gradcli.ops.axis_order import swapaxes
from gradcli.ops.einsum import einsum
from gradcli.ops.elementwise import equal, logical_and, where
from gradcli.ops.extremes import amax
from gradcli.ops.function import case
from gradcli.ops.kinds import fits
from gradcli.ops.one_node import one_node
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.products import check_same_dtype, matmul
from gradcli.ops.registry import function
from gradcli.ops.repeating import repeat
from gradcli.ops.softmax import softmax
from gradcli.ops.stochastic import dropout


def _scores(q: CoreValue, k: CoreValue, scale: Any) -> CoreValue:
    """How much each query meets each key: their products, scaled by 1/sqrt of their length unless told otherwise."""
    factor = 1 / math.sqrt(max(shape_of(q)[-1], 1)) if scale is None else scale
    return matmul.call(q * factor, swapaxes(k, -1, -2))


def _masked(scores: CoreValue, mask: Any, causal: bool) -> CoreValue:
    """Scores with -inf where a key may not be seen, or with a mask of floats added."""
    rows, columns = shape_of(scores)[-2:]
    seen: Any = np.tri(rows, columns, dtype=bool) if causal else None
    if mask is not None:
        given = as_core(mask)
        if dtype_of(given).kind == "b":
            seen = given if seen is None else logical_and(seen, given)
        else:
            scores = scores + to_float(given)
    return scores if seen is None else where(seen, scores, -np.inf)


def _weights(scores: CoreValue) -> CoreValue:
    """softmax of each row; 0 in a row of which nothing may be seen."""
    if not shape_of(scores)[-1]:
        return scores
    blind = equal(amax.call(scores, -1, True), -np.inf)
    return where(blind, 0.0, softmax.call(where(blind, 0.0, scores), -1))


def _attended(q: CoreValue, k: CoreValue, v: CoreValue, mask: Any, causal: Any, scale: Any, p: Any) -> CoreValue:
    weights = _weights(_masked(_scores(q, k, scale), mask, bool(causal)))
    return matmul.call(dropout.call(weights, p) if p else weights, v)


def _check(name: str, q: CoreValue, k: CoreValue, v: CoreValue) -> None:
    shapes = [shape_of(x) for x in (q, k, v)]
    if min(len(s) for s in shapes) < 2 or shapes[0][-1] != shapes[1][-1] or shapes[1][-2] != shapes[2][-2]:
        raise ShapeError(
            f"{name} cannot join queries, keys and values of shapes {', '.join(fits(s) for s in shapes)}",
            mend="queries [..., l, e], keys [..., s, e], values [..., s, v]",
        )
    check_same_dtype(q, k, v)


def _spread_heads(x: CoreValue, heads: int, axis: int) -> CoreValue:
    """Keys or values of fewer heads than the queries have, each for as many of them."""
    own = shape_of(x)[axis]
    if own == 0 or heads % own:
        raise ShapeError(f"attention: {heads} heads of queries are no multiple of {own} heads of keys or values")
    return x if own == heads else repeat.call(x, heads // own, axis)


_RULE = (
    "vjp: h @ k/sqrt(e), h.T @ q/sqrt(e), p.T @ g, "
    "with p = softmax(q @ k.T/sqrt(e)) and h = p*(g @ v.T - sum(p*(g @ v.T)))"
)
_BLIND = "a row whose keys are all masked: 0, in value and derivative"
_MASK = np.array([[True, False, True], [False, False, False]])


@function(
    real=True,
    family="normalisation",
    where="F",
    derivative=_RULE,
    kinks=_BLIND,
    source="Vaswani et al. 2017, Attention Is All You Need, equation (1)",
    cases=(
        case((2, 3), (4, 3), (4, 2)),
        case((1, 2, 2, 3), (1, 2, 3, 3), (1, 2, 3, 2)),
        case((2, 3), (3, 3), (3, 2), _MASK),
        case((2, 3), (3, 3), (3, 2), (2, 3), scale=0.5),
        case((3, 2), (4, 2), (4, 1), is_causal=True),
        case((4, 2, 2), (2, 3, 2), (1, 3, 2), enable_gqa=True),
        case((2, 3), (3, 3), (3, 2), np.array([[0.0, -np.inf, 0.5], [-np.inf, -np.inf, -np.inf]])),
        case((2, 2), (2, 2), (2, 2), dropout_p=0.25),
    ),
)
def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: Any = 0.0,
    is_causal: Any = False,
    scale: Any = None,
    enable_gqa: Any = False,
) -> CoreValue:
    """softmax(query @ key.T/sqrt(e) + mask) @ value over the last two axes."""
    q, k, v = (to_float(as_core(x)) for x in (query, key, value))
    _check("scaled_dot_product_attention", q, k, v)
    if attn_mask is not None and is_causal:
        raise ArgumentError("scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True")
    if enable_gqa:
        if min(ndim_of(x) for x in (q, k, v)) < 3:
            raise ShapeError("scaled_dot_product_attention: enable_gqa needs an axis of heads, the third from the end")
        k, v = (_spread_heads(x, shape_of(q)[-3], -3) for x in (k, v))
    found = _attended(q, k, v, attn_mask, is_causal, scale, dropout_p)
    if ndim_of(q) != 4:
        return found
    return one_node("ScaledDotProductFlashAttentionForCpu", found, *(as_core(x) for x in (query, key, value)))


@function(
    real=True,
    family="normalisation",
    where="",
    also=("jax.nn.dot_product_attention",),
    derivative=_RULE,
    kinks=_BLIND,
    cases=(
        case((2, 2, 3), (4, 2, 3), (4, 2, 3)),
        case((1, 2, 2, 3), (1, 3, 1, 3), (1, 3, 1, 3), (1, 2, 2, 3), is_causal=False),
        case((2, 1, 3), (3, 1, 3), (3, 1, 3), mask=_MASK, scale=0.5),
        case((3, 1, 2), (3, 1, 2), (3, 1, 2), is_causal=True),
    ),
)
def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    *,
    scale: Any = None,
    is_causal: Any = False,
) -> CoreValue:
    """The same with JAX's order of axes: [batch, length, heads, e]."""
    q, k, v = (swapaxes(to_float(as_core(x)), -2, -3) for x in (query, key, value))
    _check("dot_product_attention", q, k, v)
    k, v = (_spread_heads(x, shape_of(q)[-3], -3) for x in (k, v))
    scores = _masked(_scores(q, k, scale), bias, bool(is_causal))
    if mask is not None:
        scores = where(as_core(mask), scores, -np.inf)
    return swapaxes(matmul.call(_weights(scores), v), -2, -3)


@function(
    family="linalg",
    where="torch F",
    derivative="vjp: einsum of g with the other factors; the sum of g for the bias",
    cases=(case((2, 3), (2, 2), (4, 3, 2), (4,)), case((3,), (2,), (2, 3, 2)), case((2, 1, 3), (2, 1, 2), (1, 3, 2))),
)
def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> CoreValue:
    """input1 @ weight[o] @ input2 for each output o, plus bias."""
    a, b, w = (to_float(as_core(x)) for x in (input1, input2, weight))
    if ndim_of(w) != 3 or shape_of(w)[1:] != (*shape_of(a)[-1:], *shape_of(b)[-1:]):
        raise ShapeError(
            f"bilinear: a weight of shape {fits(shape_of(w))} does not fit inputs of shapes {fits(shape_of(a))} and "
            f"{fits(shape_of(b))}",
            mend="[outputs, in1, in2]",
        )
    if shape_of(a)[:-1] != shape_of(b)[:-1]:
        raise ShapeError(f"bilinear: inputs of shapes {fits(shape_of(a))} and {fits(shape_of(b))} are not equally many")
    found = one_node("Trilinear", einsum.call("...i,oij,...j->...o", a, w, b), a, w, b)
    return found if bias is None else found + to_float(as_core(bias))
