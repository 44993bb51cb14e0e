"""Shape ops: values against NumPy, every law for every case of the table, and what errors say."""

import numpy as np
import pytest

import gradcli.ops  # noqa: F401
from gradcli.graph.budget import budget
from gradcli.graph.errors import ArgumentError, DtypeError, GradcliError, LimitReached, ShapeError
from gradcli.ops.registry import FUNCTIONS, attribute, lookup, method

ROOMS = {
    "gradcli.ops.shape",
    "gradcli.ops.broadcasting",
    "gradcli.ops.singleton_axes",
    "gradcli.ops.axis_order",
    "gradcli.ops.casts",
    "gradcli.ops.joining",
    "gradcli.ops.splitting",
    "gradcli.ops.rearranging",
    "gradcli.ops.diagonals",
    "gradcli.ops.editing",
    "gradcli.ops.padding_torch",
    "gradcli.ops.sliding",
}
OURS = [f for f in FUNCTIONS if f.call.__module__ in ROOMS]
CASES = [(f, c) for f in OURS for c in f.cases]
# Differences would move the zeros that trim_zeros cuts off.
DIFFERENTIABLE = [(f, c) for f, c in CASES if f.differentiable and f.name != "trim_zeros"]


def names(pairs):
    return [f"{f.name}-{i}" for i, (f, _) in enumerate(pairs)]


def test_every_function_has_cases_and_a_line_of_documentation():
    assert len(OURS) > 60
    for f in OURS:
        assert f.cases, f.name
        assert f.doc.endswith("."), f.name


@pytest.mark.parametrize(("function", "case"), DIFFERENTIABLE, ids=names(DIFFERENTIABLE))
def test_laws(function, case, laws, make_call):
    laws.all(make_call(function, case.args, case.kwargs))


def numpy_functions(pairs):
    for f, c in pairs:
        name = next((s[6:] for s in f.spellings if s.startswith("numpy.") and s.count(".") == 1), None)
        if name is not None and hasattr(np, name):
            yield f, c, getattr(np, name)


AS_NUMPY = list(numpy_functions(CASES))


@pytest.mark.parametrize(("function", "case", "reference"), AS_NUMPY, ids=names([a[:2] for a in AS_NUMPY]))
def test_values_are_numpys(function, case, reference, make_call):
    if function.name in ("hsplit", "vsplit", "dsplit") or any(isinstance(a, str) for a in case.args):
        pytest.skip("checked apart")
    call = make_call(function, case.args, case.kwargs)
    args, kwargs = call.args, dict(case.kwargs)
    if function.name == "reshape":
        args = [args[0], args[1] if len(args) == 2 else tuple(args[1:])]
    if function.name == "transpose" and len(args) > 2:
        args = [args[0], tuple(args[1:])]
    if function.name == "unbind":
        args, kwargs = args[:1], {"axis": args[1] if len(args) > 1 else 0}
    if function.name in ("squeeze", "expand_dims", "roll", "flip"):
        args = [tuple(a) if isinstance(a, list) else a for a in args]
        kwargs = {k: tuple(v) if isinstance(v, list) else v for k, v in kwargs.items()}
    expected = reference(*args, **kwargs)
    got = function(*call.args, **case.kwargs)
    if isinstance(expected, list | tuple) and not (expected and isinstance(expected[0], int)):
        assert len(got) == len(expected)
        for g, e in zip(got, expected, strict=True):
            assert np.shape(g) == np.shape(e)
            np.testing.assert_array_equal(g, e)
    else:
        assert np.shape(got) == np.shape(expected)
        np.testing.assert_array_equal(got, expected)


X = np.arange(24.0).reshape(2, 3, 4)
M = np.arange(6.0).reshape(2, 3)


def call(spelling, *args, **kwargs):
    if spelling.startswith("."):
        name, _, face = spelling[1:].partition("@")
        return method(name, face == "torch")(*args, **kwargs)
    if spelling.startswith("@"):
        return attribute(spelling[1:])(*args, **kwargs)
    module, _, name = spelling.rpartition(".")
    return lookup(module, name)(*args, **kwargs)


@pytest.mark.parametrize(
    ("spelling", "args", "kwargs", "expected"),
    [
        ("torch.flatten", (X,), {}, X.ravel()),
        ("torch.flatten", (X, 1), {}, X.reshape(2, 12)),
        ("torch.flatten", (X,), {"start_dim": 0, "end_dim": 1}, X.reshape(6, 4)),
        (".flatten@torch", (X, 1), {}, X.reshape(2, 12)),
        (".flatten@numpy", (X,), {"order": "F"}, X.flatten(order="F")),
        (".view@torch", (X, 6, -1), {}, X.reshape(6, 4)),
        (".view@torch", (X, (4, 6)), {}, X.reshape(4, 6)),
        (".reshape", (X, 4, 6), {}, X.reshape(4, 6)),
        (".reshape", (X, (4, 6), "F"), {}, X.reshape((4, 6), order="F")),
        ("torch.reshape", (X, [4, 6]), {}, X.reshape(4, 6)),
        ("numpy.reshape", (X, 24.0), {}, X.ravel()),
        ("torch.reshape", (), {"input": X, "shape": (4, 6)}, X.reshape(4, 6)),
        ("torch.transpose", (X, 0, 2), {}, X.swapaxes(0, 2)),
        ("torch.transpose", (X,), {"dim0": -1, "dim1": 0}, X.swapaxes(0, 2)),
        (".transpose@torch", (X, 1, 2), {}, X.swapaxes(1, 2)),
        (".transpose@numpy", (X, 2, 0, 1), {}, X.transpose(2, 0, 1)),
        (".permute", (X, 2, 0, 1), {}, X.transpose(2, 0, 1)),
        ("torch.permute", (X, (2, 0, 1)), {}, X.transpose(2, 0, 1)),
        ("torch.permute", (X,), {"dims": (2, 0, 1)}, X.transpose(2, 0, 1)),
        ("numpy.transpose", (X,), {"axes": (2, 0, 1)}, X.transpose(2, 0, 1)),
        ("@T", (X,), {}, X.T),
        ("@mT", (X,), {}, X.swapaxes(1, 2)),
        (".t", (M,), {}, M.T),
        ("torch.movedim", (X, 0, -1), {}, np.moveaxis(X, 0, -1)),
        ("torch.unsqueeze", (X, -1), {}, X[..., None]),
        (".unsqueeze", (X,), {"dim": 0}, X[None]),
        ("torch.squeeze", (X, 0), {}, X),
        (".squeeze@torch", (X[:1], 0), {}, X[0]),
        (".expand", (M, 2, -1, -1), {}, np.broadcast_to(M, (2, 2, 3))),
        (".expand_as", (M, np.zeros((2, 2, 3))), {}, np.broadcast_to(M, (2, 2, 3))),
        ("torch.cat", ((M, M),), {"dim": 1}, np.hstack([M, M])),
        ("torch.cat", (), {"tensors": [M, M], "dim": -1}, np.hstack([M, M])),
        ("torch.stack", ([M, M],), {"dim": 1}, np.stack([M, M], 1)),
        ("numpy.concatenate", (X,), {}, X.reshape(6, 4)),
        (".repeat@torch", (M, 2, 2), {}, np.tile(M, (2, 2))),
        (".repeat@torch", (M, 4, 2, 1), {}, np.tile(M, (4, 2, 1))),
        ("torch.flip", (X, (0, 2)), {}, np.flip(X, (0, 2))),
        ("torch.flip", (X,), {"dims": [1]}, np.flip(X, 1)),
        (".flip", (X, 0, 1), {}, np.flip(X, (0, 1))),
        ("numpy.flip", (X,), {"axis": 1}, np.flip(X, 1)),
        ("numpy.tile", (M,), {"reps": (2, 1)}, np.tile(M, (2, 1))),
        ("torch.rot90", (M,), {"k": 1, "dims": [0, 1]}, np.rot90(M)),
        ("numpy.swapaxes", (X,), {"axis1": 0, "axis2": 2}, np.swapaxes(X, 0, 2)),
        ("torch.roll", (X, 1), {"dims": 0}, np.roll(X, 1, 0)),
        ("torch.roll", (X,), {"shifts": (1, 2), "dims": (0, 1)}, np.roll(X, (1, 2), (0, 1))),
        ("torch.diag", (M[0],), {"diagonal": 1}, np.diag(M[0], 1)),
        ("torch.tril", (M,), {"diagonal": -1}, np.tril(M, -1)),
        ("torch.diagonal", (X,), {"dim1": 1, "dim2": 2}, np.diagonal(X, 0, 1, 2)),
        ("torch.nn.functional.pad", (M, (1, 2)), {}, np.pad(M, ((0, 0), (1, 2)))),
        ("torch.nn.functional.pad", (M, (1, 0, 2, 1)), {"value": 3}, np.pad(M, ((2, 1), (1, 0)), constant_values=3)),
        ("torch.nn.functional.pad", (M, (-1, 1)), {}, np.pad(M[:, 1:], ((0, 0), (0, 1)))),
        (".size@torch", (X, -1), {}, 4),
        (".dim@torch", (X,), {}, 3),
        ("torch.numel", (X,), {}, 24),
        ("numpy.shape", (X,), {}, (2, 3, 4)),
    ],
)
def test_other_spellings(spelling, args, kwargs, expected):
    got = call(spelling, *args, **kwargs)
    assert np.shape(got) == np.shape(expected)
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(
    ("spelling", "args", "expected"),
    [
        ("numpy.split", (X, 3, 1), np.split(X, 3, 1)),
        ("numpy.split", (X, [1, 2], 2), np.split(X, [1, 2], 2)),
        ("numpy.split", (X, [3, 1], 2), np.split(X, [3, 1], 2)),
        ("numpy.split", (X, np.array([1, -1]), 2), np.split(X, [1, -1], 2)),
        ("numpy.array_split", (np.arange(7.0), 3), np.array_split(np.arange(7.0), 3)),
        ("numpy.hsplit", (M, 3), np.hsplit(M, 3)),
        ("numpy.vsplit", (M, 2), np.vsplit(M, 2)),
        ("numpy.dsplit", (X, 2), np.dsplit(X, 2)),
        ("torch.split", (np.arange(7.0), 3), np.split(np.arange(7.0), [3, 6])),
        ("torch.split", (np.arange(7.0), [1, 6]), np.split(np.arange(7.0), [1])),
        ("torch.chunk", (np.arange(7.0), 3), np.split(np.arange(7.0), [3, 6])),
        ("torch.chunk", (np.arange(6.0), 4), np.split(np.arange(6.0), [2, 4])),
        (".unbind", (M,), list(M)),
        ("torch.unbind", (M, 1), list(M.T)),
    ],
)
def test_pieces(spelling, args, expected):
    got = call(spelling, *args)
    assert isinstance(got, tuple if "torch" in spelling or "unbind" in spelling else list)
    assert len(got) == len(expected)
    for g, e in zip(got, expected, strict=True):
        assert np.shape(g) == np.shape(e)
        np.testing.assert_array_equal(g, e)


@pytest.mark.parametrize(
    ("spelling", "args", "dtype"),
    [
        (".float", (), "float32"),
        (".double", (), "float64"),
        (".long", (), "int64"),
        (".int", (), "int32"),
        (".bool", (), "bool"),
        (".to", ("float32",), "float32"),
        (".to", (np.dtype("float32"),), "float32"),
        (".to", ("cpu",), "float64"),
        (".to", (np.zeros(2, np.float32),), "float32"),
        (".astype", (float,), "float64"),
        (".astype", (int,), "int64"),
        (".type", ("torch.float32",), "float32"),
        (".type_as", (np.zeros(2, np.int64),), "int64"),
    ],
)
def test_casts(spelling, args, dtype):
    got = call(spelling, np.array([1.5, -2.5, 0.0]), *args)
    assert got.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(got, np.array([1.5, -2.5, 0.0]).astype(dtype))


def test_a_cast_to_integers_has_no_derivative_and_one_to_floats_passes_it(laws, make_call):
    from gradcli import autodiff

    f = lookup("", "astype")
    assert autodiff.grad(lambda x: x * f(x, "int64"))(np.array(2.5)) == 2.0
    pulled = autodiff.grad(lambda x: f(x, "float32") * 2.0)(np.array(2.5))
    assert pulled == 2.0 and pulled.dtype == np.float64


def test_a_complex_cast_to_real_is_the_real_part():
    assert call(".astype", np.array([1 + 2j]), float).tolist() == [1.0]


@pytest.mark.parametrize(
    ("spelling", "args", "kind", "words"),
    [
        ("numpy.reshape", (M, (4, 2)), ShapeError, "reshape cannot make shape [4, 2] of [2, 3]"),
        ("numpy.reshape", (M, (4, -1)), ShapeError, "reshape cannot make shape [4, -1] of [2, 3]"),
        ("numpy.reshape", (M, (-1, -1)), ShapeError, "only one length of [-1, -1] may be -1"),
        ("numpy.reshape", (M, (2.5,)), ArgumentError, "must be an integer, not 2.5"),
        ("numpy.reshape", (M, (3, 2), "X"), ArgumentError, "order must be 'C' or 'F'"),
        ("numpy.broadcast_to", (M, (2, 4)), ShapeError, "broadcast_to cannot broadcast shapes [2, 3] and [2, 4]"),
        ("numpy.broadcast_to", (M, (3,)), ShapeError, "broadcast_to cannot make shape [3] of [2, 3]"),
        (".expand", (M, -1, 2, 3), ShapeError, "expand cannot make shape [-1, 2, 3] of [2, 3]"),
        ("numpy.squeeze", (M, 1), ShapeError, "axis 1 of shape [2, 3] has length 3, not 1"),
        ("numpy.swapaxes", (M, 0, 2), ShapeError, "axis 2 is out of range for shape [2, 3]"),
        ("numpy.transpose", (M, (0, 0)), ShapeError, "is given twice"),
        ("numpy.transpose", (M, (0,)), ShapeError, "1 axes are given for shape [2, 3]"),
        ("torch.t", (X,), ShapeError, "at most 2 axes"),
        ("numpy.concatenate", ([M, X],), ShapeError, "concatenate cannot join shapes [2, 3] and [2, 3, 4]"),
        ("numpy.concatenate", ([M, M[:, :2]],), ShapeError, "concatenate cannot join shapes [2, 3] and [2, 2]"),
        ("numpy.concatenate", ([1.0, 2.0],), ShapeError, "values without axes"),
        ("numpy.concatenate", ([],), ArgumentError, "needs at least one"),
        ("numpy.stack", ([M, M[0]],), ShapeError, "stack cannot join shapes [2, 3] and [3]"),
        ("numpy.split", (M, 2, 1), ShapeError, "cannot divide axis 1 of shape [2, 3] into 2 equal parts"),
        ("numpy.split", (M, 0), ArgumentError, "at least 1"),
        ("torch.split", (M, [1, 2]), ShapeError, "do not add up to axis 0 of shape [2, 3]"),
        ("numpy.tile", (M, -1), ArgumentError, "can't be negative"),
        ("numpy.pad", (M, 1, "ramp"), ArgumentError, "unknown mode 'ramp'"),
        ("numpy.pad", (M, [1, 2, 3]), ArgumentError, "a pair for each of 2 axes"),
        ("numpy.pad", (np.zeros(0), 1, "edge"), ShapeError, "nothing along axis 0"),
        ("numpy.trace", (M[0],), ShapeError, "trace needs a matrix, not shape [3]"),
        ("numpy.diag", (X,), ShapeError, "diag takes a vector or a matrix, not shape [2, 3, 4]"),
        ("numpy.tril", (M[0],), ShapeError, "tril needs a matrix"),
        (".astype", (M, "object"), DtypeError, "unknown dtype object"),
        (".astype", (M, "f8,f8"), DtypeError, "unknown dtype"),
        (".view@torch", (M, np.dtype("float32")), GradcliError, "view takes a shape"),
    ],
)
def test_errors_say_what_and_where(spelling, args, kind, words):
    with pytest.raises(kind) as caught:
        call(spelling, *args)
    assert words in caught.value.message


def test_node_names_are_pytorchs():
    from gradcli.ops.axis_order import SWAPAXES, TRANSPOSE, T
    from gradcli.ops.broadcasting import BROADCAST_TO
    from gradcli.ops.casts import ASTYPE, CLONE
    from gradcli.ops.pieces import CONCATENATE, STACK, UNBIND
    from gradcli.ops.shape import RESHAPE
    from gradcli.ops.singleton_axes import EXPAND_DIMS

    ops = (TRANSPOSE, SWAPAXES, T, BROADCAST_TO, EXPAND_DIMS, CONCATENATE, STACK, UNBIND, CLONE, ASTYPE)
    names = "Permute Transpose T Expand Unsqueeze Cat Stack Unbind Clone ToCopy"
    assert [op.torch for op in ops] == names.split()
    x = np.zeros((2, 3))
    assert RESHAPE.torch((x,), {"shape": (6,)}) == ("ViewBackward0", (0,))
    assert RESHAPE.torch((x.T,), {"shape": (6,)}) == ("UnsafeViewBackward0", (("CloneBackward0", (0,)),))


@pytest.mark.parametrize(
    ("spelling", "args"),
    [
        ("numpy.broadcast_to", (1.0, 10**12)),
        ("numpy.tile", (M, 10**12)),
        ("numpy.repeat", (M, 10**12)),
        ("numpy.pad", (M, 10**6)),
        ("numpy.pad", (M, 10**9, "edge")),
        ("numpy.array_split", (M, 10**9)),
        ("numpy.diagflat", (np.zeros(10**5),)),
        ("numpy.stack", ([np.zeros(10**6)] * 10,)),
    ],
)
def test_the_cost_is_known_before_memory_is_spent(spelling, args):
    budget.open(64 << 20)
    try:
        with pytest.raises(LimitReached):
            call(spelling, *args)
    finally:
        budget.open(None)
