"""The checks of a call: plain functions that return what is wrong as a list of sentences.

So another test can ask whether they would notice: it changes one rule after another and expects a sentence.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations
from typing import Any

import numpy as np

from gradcli.autodiff import grad, jacfwd, jacrev, jvp, vjp
from gradcli.autodiff.batch import Batched, BatchLevel
from gradcli.autodiff.levels import opened
from gradcli.autodiff.vmap import vmap
from gradcli.graph.bind import bind, infer
from gradcli.graph.errors import BatchedBranch, GradcliError
from gradcli.graph.op import Op
from gradcli.graph.values import OPERATORS, Spec
from gradcli.ops.elementwise import imag, real
from gradcli.symbolic.scalars import Unprovable
from table.calls import Array, Call, leaves, nodes, strided
from table.oracle import exact_hessian_product, exact_pulled, exact_pushed, kinked, random_like
from table.peers import NoPeer, peers_results

# --- value and shape -------------------------------------------------------------------------------------------------


def value_failures(call: Call) -> list[str]:
    """Where a value, its shape or its dtype is not NumPy's."""
    try:
        wanted = peers_results(call)
    except NoPeer:
        return []
    found = list(leaves(call.result()))
    if len(found) != len(wanted):
        return [f"{call}: {len(found)} results, NumPy has {len(wanted)}"]
    return [f"{call}: {words}" for a, b in zip(found, wanted, strict=True) if (words := difference(a, b, 1e-13, True))]


def difference(found: Any, wanted: Any, tolerance: float, dtypes: bool = False) -> str:
    """How two arrays differ, "" if they don't: relative to the largest element wanted."""
    a, b = np.asarray(found), np.asarray(wanted)
    if a.shape != b.shape:
        return f"shape {a.shape} instead of {b.shape}"
    if dtypes and a.dtype != b.dtype:
        return f"dtype {a.dtype} instead of {b.dtype}"
    if a.dtype.kind in "biu" or a.size == 0:
        return "" if np.array_equal(a, b) else f"{a} instead of {b}"
    finite = b[np.isfinite(b)]
    scale = max(np.max(np.abs(finite), initial=0.0), 1e-2)
    return "" if np.allclose(a, b, rtol=0, atol=tolerance * scale, equal_nan=True) else f"{a} instead of {b}"


def shape_failures(call: Call) -> list[str]:
    """Where an op's shape rule does not say what its value is."""
    found = []
    for node in nodes(call):
        spec = infer(node.op, tuple(getattr(x, "value", x) for x in node.inputs), node.params)
        for said, value in zip(_specs(spec), leaves(node.value), strict=True):
            if said.shape != np.shape(value) or said.dtype != value.dtype:
                found.append(f"{call}: {node.op.name} says {said}, is {np.shape(value)} {value.dtype}")
    return found


def _specs(spec: Any) -> tuple[Spec, ...]:
    return (spec,) if isinstance(spec, Spec) else spec


# --- derivatives -----------------------------------------------------------------------------------------------------


def _applied(rows: list[list[Array]], tangents: list[Array]) -> list[Array]:
    return [sum(np.tensordot(part, t, t.ndim) for part, t in zip(row, tangents, strict=True)) for row in rows]


def _inner(xs: Any, ys: Any) -> float:
    """The real part of the inner product."""
    return sum(float(np.sum((np.conj(x) * y).real)) for x, y in zip(xs, ys, strict=True))


def _compared(call: Call, what: str, found: Any, wanted: Any, tolerance: float) -> list[str]:
    return [
        f"{call}: {what}: {words}"
        for a, b in zip(leaves(found), leaves(wanted), strict=True)
        if (words := difference(a, b, tolerance))
    ]


@cache
def tolerance_of(call: Call) -> float:
    """How near the oracle a call's results must be, relative to the largest element."""
    dtypes = {node.dtype for node in nodes(call) if node.dtype.kind in "fc"}
    return max([5e-12, *(8 * float(np.finfo(dtype).eps) for dtype in dtypes)])


#: Functions that cut a derivative off by declaration (`padding_idx`), which differences do not know.
CUT = frozenset({"embedding"})


def derivative_failures(call: Call) -> list[str]:
    """Where vjp and jvp differ from the oracle or from each other."""
    outputs = [np.asarray(y) for y in call()]
    if not _is_differentiated(call, outputs):
        return []
    tolerance = tolerance_of(call)
    tangents, cotangents = random_like(call.floats, 1), random_like(outputs, 2)
    _, moved = jvp(call, call.floats, tangents)
    pulled = list(vjp(call, *call.floats)[1](cotangents))
    inner = [_inner(cotangents, moved)], [_inner(pulled, tangents)]
    found = _compared(call, "<g, J t> and <J'g, t>", *inner, tolerance)
    pushed_exactly = _provable(exact_pushed, call)
    if pushed_exactly is not None:
        found += _compared(call, "jvp", moved, pushed_exactly, tolerance)
        found += _compared(call, "vjp", pulled, exact_pulled(call), tolerance)
    elif _is_complex(call.floats) and not kinked(call) and call.function.name not in CUT:
        found += _compared(call, "jvp and differences", moved, _differences(call, tangents), 1e-8)
    return found


#: Functions that an `eps` softens so near to their kink that the step is far outside.
SOFTENED = frozenset({"normalize", "cosine_similarity"})
#: How many points beside a kink are looked at, and how far off they are.
_BESIDE, _STEP = 24, 1e-5


def kink_failures(call: Call) -> list[str]:
    """Where a jvp at a kink is none of those beside it, nor between them."""
    outputs = [np.asarray(y) for y in call()]
    if not _is_differentiated(call, outputs) or _is_complex([*call.floats, *outputs]):
        return []
    if call.function.name in SOFTENED or not kinked(call):
        return []
    return [words for seed in range(3) for words in _outside(call, random_like(call.floats, 11 + seed))]


def _outside(call: Call, tangents: list[Array]) -> list[str]:
    beside = []
    sizes = [_STEP * np.maximum(np.abs(x), 1.0) for x in call.floats]
    for seed in range(_BESIDE):
        away = zip(call.floats, sizes, random_like(call.floats, 100 + seed), strict=True)
        point = [(x + size * d).astype(x.dtype) for x, size, d in away]
        beside.append([np.asarray(t) for t in jvp(call, point, tangents)[1]])
    found = []
    for chosen, *others in zip(jvp(call, call.floats, tangents)[1], *beside, strict=True):
        low, high, got = np.fmin.reduce(others), np.fmax.reduce(others), np.asarray(chosen)
        slack = 1e-2 * (1 + np.maximum(np.abs(low), np.abs(high)))
        outside = np.isfinite(got) & ((got < low - slack) | (got > high + slack))
        outside |= np.isnan(got) & np.isfinite(low) & np.isfinite(high)
        if np.any(outside):
            found.append(f"{call}: at a kink: {got[outside]} is not between {low[outside]} and {high[outside]}")
    return found


def _is_differentiated(call: Call, outputs: list[Array]) -> bool:
    return bool(outputs) and bool(call.floats) and call.function.differentiable


def _is_complex(xs: list[Array]) -> bool:
    return any(x.dtype.kind == "c" for x in xs)


def jacobian_failures(call: Call) -> list[str]:
    """Where Jacobians, taken in batches, differ from each other or from the jvp."""
    outputs = [np.asarray(y) for y in call()]
    if not _is_differentiated(call, outputs) or _is_complex([*call.floats, *outputs]):
        return []
    tolerance = tolerance_of(call)
    tangents = random_like(call.floats, 1)
    _, moved = jvp(call, call.floats, tangents)
    positions = tuple(range(len(call.floats)))
    forward, reverse = jacfwd(call, positions)(*call.floats), jacrev(call, positions)(*call.floats)
    found = _compared(call, "jacfwd and jacrev", forward, reverse, tolerance)
    return found + _compared(call, "jvp and jacfwd", moved, _applied(forward, tangents), tolerance)


#: Functions whose arguments say how many results there are, or add up to 1, which those of other sizes do not.
OF_ONE_SIZE = frozenset({"arange", "random_choice", "range_torch"})


def mapped_failures(call: Call) -> list[str]:
    """Where the derivatives at several points, found at once by `vmap`, differ from those found one after another."""
    outputs = [np.asarray(y) for y in call()]
    if not _is_differentiated(call, outputs) or call.function.name in OF_ONE_SIZE:
        return []
    cotangents, tangents = random_like(outputs, 2), random_like(call.floats, 1)

    def slopes(*xs: Any) -> list[Any]:
        return [*vjp(call, *xs)[1](cotangents), *jvp(call, list(xs), tangents)[1]]

    many = [_batch_of(x, 2) for x in call.floats]
    singly = [slopes(*xs) for xs in zip(*many, strict=True)]
    wanted = [np.stack([np.asarray(y) for y in ys]) for ys in zip(*singly, strict=True)]
    return _compared(call, "by vmap", vmap(slopes)(*many), wanted, tolerance_of(call))


def _provable(oracle: Any, call: Call) -> Any:
    """What the oracle knows; of complex functions it need not know everything."""
    try:
        return oracle(call)
    except Unprovable:
        if _is_complex(call.floats):
            return None
        raise


def _differences(call: Call, tangents: list[Array], step: float = 1e-2) -> list[Array]:
    """The derivative along tangents by central differences of the sixth order."""
    found: Any = [0.0] * len(call())
    for k, weight in ((1, 0.75), (2, -0.15), (3, 1 / 60)):
        for sign in (1, -1):
            moved = call(*(x + sign * k * step * t for x, t in zip(call.floats, tangents, strict=True)))
            found = [total + sign * weight / step * y for total, y in zip(found, moved, strict=True)]
    return found


def weighed_squares(call: Call, weights: list[Array]) -> Any:
    """sum(weights * results**2) as a function; of complex results, both parts squared and weighed apart."""

    def scalar(*xs: Any) -> Any:
        total: Any = 0.0
        for w, y in zip(weights, call(*xs), strict=True):
            parts = [(y, w)] if y.dtype.kind == "f" else [(real(y), w.real), (imag(y), w.imag)]
            for part, weight in parts:
                total = total + OPERATORS["sum_to"](part * part * weight, ())
        return total

    return scalar


def second_failures(call: Call) -> list[str]:
    """Where second derivatives differ: reverse over reverse, forward over reverse, and the oracle's."""
    outputs = [np.asarray(y) for y in call()]
    if not _is_differentiated(call, outputs) or not any(x.size for x in call.floats):
        return []
    gradient = grad(weighed_squares(call, random_like(outputs, 3)), tuple(range(len(call.floats))))
    directions = random_like(call.floats, 4)
    _, forward = jvp(gradient, call.floats, directions)
    _, pullback = vjp(gradient, *call.floats)
    reverse = pullback(tuple(directions))
    tolerance = tolerance_of(call)
    found = _compared(call, "second derivative, forward and reverse", forward, reverse, tolerance)
    wanted = _provable(exact_hessian_product, call)
    return found if wanted is None else found + _compared(call, "second derivative", forward, wanted, tolerance)


# --- other dtypes and layouts ----------------------------------------------------------------------------------------


def _narrowed(x: Array) -> Array:
    """An array in half the bits; what is beyond them is an infinity."""
    x = np.asarray(x)
    return x.astype(np.complex64 if x.dtype.kind == "c" else np.float32)


def float32_failures(call: Call) -> list[str]:
    """Where a float32 call leaves float32, or is far from the float64 one."""
    if not call.floats or any(x.size == 0 for x in call.floats):
        return []
    narrow = [_narrowed(x) for x in call.floats]
    wide = [x.astype(np.complex128 if x.dtype.kind == "c" else np.float64) for x in narrow]
    found = _compared(call, "float32", call(*narrow), list(map(_narrowed, call(*wide))), 1e-4)
    if call.function.differentiable and (outputs := call(*wide)):
        cotangents = random_like(outputs, 2)
        _, pullback = vjp(call, *wide)
        _, narrow_pullback = vjp(call, *narrow)
        shares = narrow_pullback([g.astype(y.dtype) for g, y in zip(cotangents, call(*narrow), strict=True)])
        found += _compared(call, "float32 vjp", shares, list(map(_narrowed, pullback(cotangents))), 1e-3)
        found += [
            f"{call}: a {x.dtype} input's cotangent is {g.dtype}"
            for g, x in zip(shares, narrow, strict=True)
            if g.dtype != x.dtype
        ]
    return found


def layout_failures(call: Call) -> list[str]:
    """Where results hang on how arguments lie in memory, or an argument is changed."""
    if not any(x.size > 1 for x in call.floats):
        return []
    other = strided(call)
    before = [x.copy() for x in other.floats]
    plain = list(leaves(call.result()))
    found = _compared(call, "not contiguous", list(leaves(other.result())), plain, 1e-13)
    if call.function.differentiable and (outputs := call()):
        cotangents = random_like(outputs, 2)
        wanted = vjp(call, *call.floats)[1](cotangents)
        found += _compared(call, "not contiguous, vjp", vjp(other, *other.floats)[1](cotangents), wanted, 1e-12)
    if not all(np.array_equal(x, b, equal_nan=True) for x, b in zip(other.floats, before, strict=True)):
        found.append(f"{call}: an argument is changed")
    return found


def batch_failures(call: Call) -> list[str]:
    """Where an op's batch rule differs from a loop, whichever of its operands are batched."""
    found = []
    for node in nodes(call):
        operands = [getattr(x, "value", x) for x in node.inputs]
        for chosen in _chosen(node.op, operands):
            found += [f"{call}: {node.op.name} batched in {chosen}: {w}" for w in _batched(node, operands, chosen)]
    return found


#: Ops whose places follow from shapes and strides, which no batch changes.
FIXED_PLACES = frozenset({"as_strided", "added_at", "copy_slices"})


def _chosen(op: Op, operands: list[Any]) -> set[tuple[int, ...]]:
    """Operands to batch: a few floats together, every array of whole numbers or truths alone and with all floats."""
    arrays = [i for i, x in enumerate(operands) if hasattr(x, "dtype")]
    floats = [i for i in arrays if operands[i].dtype.kind in "fc"]
    found = {c for count in range(1, min(len(floats), 3) + 1) for c in combinations(floats, count)}
    if op.name in FIXED_PLACES:
        return found
    for i in arrays:
        if i not in floats and np.ndim(operands[i]):
            found |= {(i,), tuple(sorted((*floats, i)))}
    return found | {tuple(arrays)} if arrays else found


def _batch_of(x: Any, size: int) -> Array:
    """An operand several times: floats of other sizes, indices and masks in another order."""
    if x.dtype.kind in "fc":
        return np.stack([x * (1 + b / 8) for b in range(size)]).astype(x.dtype)
    return np.stack([np.roll(x, b, -1) if np.ndim(x) else x for b in range(size)])


def _batched(node: Any, operands: list[Any], chosen: tuple[int, ...], size: int = 3) -> list[str]:
    many = {i: _batch_of(operands[i], size) for i in chosen}
    with opened(BatchLevel) as level:
        level.size = size
        given = [Batched(level, many[i]) if i in many else x for i, x in enumerate(operands)]
        try:
            results = list(leaves(bind(node.op, *given, **node.params)))
        except BatchedBranch:
            return []
    found = []
    for b in range(size):
        one = [many[i][b] if i in many else x for i, x in enumerate(operands)]
        for y, wanted in zip(results, leaves(bind(node.op, *one, **node.params)), strict=True):
            held = y.value[b] if isinstance(y, Batched) else y
            found.append(difference(held, wanted, 1e-6 if wanted.dtype == np.float32 else 1e-12))
    return [words for words in found if words]


CHECKS = (
    batch_failures,
    value_failures,
    shape_failures,
    derivative_failures,
    jacobian_failures,
    mapped_failures,
    kink_failures,
    second_failures,
    float32_failures,
    layout_failures,
)
#: What is checked of a call with complex arrays, where the function takes them.
COMPLEX_CHECKS = (value_failures, shape_failures, batch_failures, derivative_failures, second_failures)


def takes(call: Call) -> bool:
    """Whether the function takes these arguments, rather than refusing them in words."""
    try:
        call.result()
    except GradcliError:
        return False
    return True


#: Functions of values in order that refuse complex numbers; NumPy orders those by their parts, which means nothing.
UNORDERED = frozenset({"histogram", "histogram2d", "histogramdd", "histogram_bin_edges"})


#: Functions whose complex values are not SciPy's, and why; their derivatives are the oracle's all the same.
OWN_VALUES = {
    "correlate2d": "SciPy forgets a conjugate where it exchanges the two arrays",
    "eigh": "vectors have the phase that makes their largest element real",
    "expm_frechet": "SciPy drops the imaginary part of a complex direction",
    "lstsq_scipy": "the residuals, which are lengths, are real",
}


def complex_failures(call: Call) -> list[str]:
    """What is wrong with a call with complex arrays; that it is refused, where NumPy takes it."""
    if takes(call):
        own = call.function.name in OWN_VALUES
        return [words for check in COMPLEX_CHECKS if not (own and check is value_failures) for words in check(call)]
    if call.function.name in UNORDERED or call.function.family == "probability":
        return []
    try:
        peers_results(call)
    except NoPeer:
        return []
    return [f"{call}: NumPy takes complex numbers here, and this refuses them"]
