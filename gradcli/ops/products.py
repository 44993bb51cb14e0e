"""Products of vectors, matrices and stacks of them, all of them `matmul` or an elementwise product underneath."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import DtypeError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.state import state
from gradcli.graph.values import OPERATORS, CoreValue, Spec, count_of, dtype_of, ndim_of, shape_of
from gradcli.ops.axis_order import matrices_transposed
from gradcli.ops.function import case
from gradcli.ops.kinds import conj, fits, multilinear, ranks_aligned, sum_to
from gradcli.ops.operands import as_core
from gradcli.ops.product_dependence import matrix_product
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped

# --- matmul ----------------------------------------------------------------------------------------------------------


def _torch_misfit(a: tuple[int, ...], b: tuple[int, ...]) -> str:
    """PyTorch's words for matrices and vectors that do not multiply."""
    if len(a) == len(b) == 1:
        return (
            f"inconsistent tensor size, expected tensor {fits(a)} and src {fits(b)} to have the same number of "
            f"elements, but got {a[0]} and {b[0]} elements respectively"
        )
    if len(b) == 1:
        return f"size mismatch, got input ({a[0]}), mat ({a[0]}x{a[1]}), vec ({b[0]})"
    rows = a[0] if len(a) == 2 else 1
    return f"mat1 and mat2 shapes cannot be multiplied ({rows}x{a[-1]} and {b[0]}x{b[1]})"


def _matmul_shape(x: CoreValue, y: CoreValue) -> Spec:
    a, b = shape_of(x), shape_of(y)
    if not a or not b:
        raise ShapeError(f"matmul cannot join shapes {fits(a)} and {fits(b)}", mend="scalars multiply with *")
    inner = b[0] if len(b) == 1 else b[-2]
    if a[-1] != inner:
        torch = state.torch_semantics and max(len(a), len(b)) <= 2
        raise ShapeError(
            _torch_misfit(a, b) if torch else f"matmul cannot join shapes {fits(a)} and {fits(b)}",
            mend=f"inner dimensions {a[-1]} and {inner} differ",
        )
    try:
        lead = np.broadcast_shapes(a[:-2], b[:-2])
    except ValueError:
        raise ShapeError(
            f"matmul cannot join shapes {fits(a)} and {fits(b)}",
            mend=f"stacks of {fits(a[:-2])} and {fits(b[:-2])} matrices don't broadcast",
        ) from None
    ends = (a[-2:-1] if len(a) > 1 else ()) + (b[-1:] if len(b) > 1 else ())
    return Spec(lead + ends, np.result_type(dtype_of(x), dtype_of(y)))


def _as_matrices(x: CoreValue, y: CoreValue) -> tuple[CoreValue, CoreValue]:
    """A vector on the left as a row, one on the right as a column."""
    if ndim_of(x) == 1:
        x = reshaped(x, (1, *shape_of(x)))
    if ndim_of(y) == 1:
        y = reshaped(y, (*shape_of(y), 1))
    return x, y


def _cotangent_of_matrices(g: CoreValue, x: CoreValue, y: CoreValue) -> CoreValue:
    """The cotangent of a product, with the axes that vectors lack put back."""
    shape = shape_of(g)
    lead = shape[: len(shape) - (ndim_of(x) > 1) - (ndim_of(y) > 1)]
    rows = shape_of(x)[-2:-1] if ndim_of(x) > 1 else (1,)
    columns = shape_of(y)[-1:] if ndim_of(y) > 1 else (1,)
    return reshaped(g, lead + rows + columns)


def _left(g: CoreValue, x: CoreValue, y: CoreValue) -> CoreValue:
    if ndim_of(x) == ndim_of(y) == 1:
        return g * conj(y)
    a, b = _as_matrices(x, y)
    found = bind(MATMUL, _cotangent_of_matrices(g, x, y), matrices_transposed(conj(b)))
    return reshaped(sum_to(found, shape_of(a)), shape_of(x))


def _right(g: CoreValue, x: CoreValue, y: CoreValue) -> CoreValue:
    if ndim_of(x) == ndim_of(y) == 1:
        return conj(x) * g
    if ndim_of(x) == 2 and ndim_of(y) == 1:
        return bind(MATMUL, matrices_transposed(conj(x)), g)
    a, b = _as_matrices(x, y)
    found = bind(MATMUL, matrices_transposed(conj(a)), _cotangent_of_matrices(g, x, y))
    return reshaped(sum_to(found, shape_of(b)), shape_of(y))


def _matmul_batch(xs: Sequence[CoreValue], batched: Sequence[bool], params: dict[str, Any], size: int) -> CoreValue:
    """A whole batch as one product where it can be: unbatched matrices meet all of the batch's rows at once."""
    x, y = xs
    left, right = (ndim_of(v) - flag for v, flag in zip(xs, batched, strict=True))
    if not batched[1] and right <= 2:  # rows of x, however many, times one matrix (or vector)
        return _rows_times(x, y)
    if not batched[0] and right == 1 and left <= 2:
        return bind(MATMUL, y, matrices_transposed(x) if left == 2 else x)
    if not batched[0] and left == right == 2:  # one matrix times every y: y's columns, however many, as rows
        return matrices_transposed(_rows_times(matrices_transposed(y), matrices_transposed(x)))
    shape = shape_of(x), shape_of(y)
    a = reshaped(x, (*shape[0][:-1], 1, shape[0][-1])) if left == 1 else x
    b = reshaped(y, (*shape[1], 1)) if right == 1 else y
    found = bind(MATMUL, *ranks_aligned((a, b), batched))
    kept = list(shape_of(found))
    if right == 1:
        del kept[-1]
    if left == 1:
        del kept[-2 if right > 1 else -1]
    return reshaped(found, tuple(kept))


def _rows_times(x: CoreValue, y: CoreValue) -> CoreValue:
    shape = shape_of(x)
    if len(shape) <= 2:
        return bind(MATMUL, x, y)
    rows = reshaped(x, (count_of(shape[:-1]), shape[-1]))
    return reshaped(bind(MATMUL, rows, y), shape[:-1] + shape_of(y)[1:])


_NODES = {(1, 1): "Dot", (2, 1): "Mv", (2, 2): "Mm"}
#: Of operands of unequal ranks PyTorch makes operands of equal ones, and the result of that one's.
_VECTOR_BY_MATRIX = ("SqueezeBackward4", (("MmBackward0", (("UnsqueezeBackward0", (0,)), 1)),))
_STACK_BY_VECTOR = ("UnsafeViewBackward0", (("MvBackward0", (("ViewBackward0", (0,)), 1)),))
_STACK_BY_MATRIX = ("UnsafeViewBackward0", (("MmBackward0", (("ViewBackward0", (0,)), 1)),))
_STACKS = (
    "UnsafeViewBackward0",
    (
        (
            "BmmBackward0",
            (("ViewBackward0", (("ExpandBackward0", (0,)),)), ("ViewBackward0", (("ExpandBackward0", (1,)),))),
        ),
    ),
)


def _matmul_node(operands: tuple[CoreValue, ...], params: dict[str, Any]) -> Any:
    left, right = ndim_of(operands[0]), ndim_of(operands[1])
    if (left, right) in _NODES:
        return f"{_NODES[left, right]}Backward0"
    if (left, right) == (1, 2):
        return _VECTOR_BY_MATRIX
    if right <= 2 and left > 2:
        return _STACK_BY_VECTOR if right == 1 else _STACK_BY_MATRIX
    return _STACKS


def _product(torch: Any) -> Op:
    return multilinear(
        "matmul",
        np.matmul,
        _matmul_shape,
        transposes=(_left, _right),
        batch=_matmul_batch,
        torch=torch,
        saves=((0, 1), (1, 0)),
        depends=matrix_product,
        doc="Product of matrices, vectors and stacks of matrices.",
    )


MATMUL = _product(_matmul_node)
#: The same, of two stacks: to PyTorch a product of its own.
BMM = _product("Bmm")


def check_same_dtype(*xs: CoreValue) -> None:
    """Raise if a program that follows PyTorch joins tensors of several dtypes in a product: it does not promote there.

    Raises:
        DtypeError: it does.
    """
    if not state.torch_semantics:
        return
    first = dtype_of(xs[0])
    for x in xs[1:]:
        if dtype_of(x) != first:
            raise DtypeError(
                f"expected m1 and m2 to have the same dtype, but got: {first} != {dtype_of(x)}",
                mend=f"cast one: .to(torch.{first})",
            )


def times(x: CoreValue, y: CoreValue) -> CoreValue:
    """Matrix product of core values, for rules."""
    return bind(MATMUL, x, y)


_MATMULS = (
    case((2, 3), (3, 4)),
    case((3,), (3,)),
    case((2, 3), (3,)),
    case((3,), (3, 2)),
    case((4, 2, 3), (3, 2)),
    case((2, 3), (4, 3, 2)),
    case((4, 1, 2, 3), (5, 3, 2)),
    case((3,), (4, 3, 2)),
    case((4, 2, 3), (3,)),
    case((2, 0), (0, 3)),
    case((0, 2), (2, 3)),
)
_MATMUL_RULE = "vjp: g @ y.T, x.T @ g"


@function(
    family="linalg",
    op=MATMUL,
    derivative=_MATMUL_RULE,
    also=("numpy.linalg.matmul", "torch.linalg.matmul"),
    cases=_MATMULS,
)
def matmul(x: Any, y: Any) -> CoreValue:
    """Product of matrices, vectors and stacks of matrices, as x @ y."""
    a, b = as_core(x), as_core(y)
    check_same_dtype(a, b)
    return bind(MATMUL, a, b)


def _of_ranks(name: str, x: Any, y: Any, left: int, right: int, op: Op = MATMUL) -> CoreValue:
    """The product of operands that must have just these ranks."""
    a, b = as_core(x), as_core(y)
    if (ndim_of(a), ndim_of(b)) != (left, right):
        raise ShapeError(
            f"{name} takes a {left}-d and a {right}-d tensor, not shapes {fits(shape_of(a))} and {fits(shape_of(b))}",
            mend="matmul takes all ranks",
        )
    check_same_dtype(a, b)
    return bind(op, a, b)


@function(family="linalg", where="torch method", op=MATMUL, derivative=_MATMUL_RULE, cases=(case((2, 3), (3, 4)),))
def mm(input: Any, mat2: Any) -> CoreValue:
    """Product of two matrices."""
    return _of_ranks("mm", input, mat2, 2, 2)


@function(family="linalg", where="torch method", op=MATMUL, derivative=_MATMUL_RULE, cases=(case((2, 3), (3,)),))
def mv(input: Any, vec: Any) -> CoreValue:
    """Product of a matrix and a vector."""
    return _of_ranks("mv", input, vec, 2, 1)


@function(
    family="linalg",
    where="torch method",
    op=MATMUL,
    derivative=_MATMUL_RULE,
    cases=(case((2, 2, 2), (2, 2, 1)), case((4, 2, 3), (4, 3, 2))),
)
def bmm(input: Any, mat2: Any) -> CoreValue:
    """Products of two stacks of matrices, equally many."""
    a, b = as_core(input), as_core(mat2)
    if ndim_of(a) == ndim_of(b) == 3 and shape_of(a)[0] != shape_of(b)[0]:
        raise ShapeError(
            f"bmm cannot join shapes {fits(shape_of(a))} and {fits(shape_of(b))}", mend="equally many matrices"
        )
    return _of_ranks("bmm", a, b, 3, 3, BMM)


OPERATORS["@"] = matmul.call
