"""Slices put in, taken out and repeated; borders; combinations; ranges: edges, and what errors say."""

import numpy as np
import pytest

from gradcli import autodiff
from gradcli.graph.budget import budget
from gradcli.graph.errors import ArgumentError, GradcliError, LimitReached
from gradcli.ops.registry import lookup

X = np.arange(12.0).reshape(3, 4)


def numpy_(name):
    return lookup("numpy", name)


@pytest.mark.parametrize(
    ("name", "args", "kwargs"),
    [
        ("insert", (X, 1, 9), {}),
        ("insert", (X, [0, 12, -1], [7, 8, 9]), {}),
        ("insert", (X, -1, 9), {"axis": 1}),
        ("insert", (X, [1], [[5], [6], [7]]), {"axis": 1}),
        ("insert", (X, 1, [5, 6, 7]), {"axis": 1}),
        ("insert", (X, 3, [5, 6, 7, 8]), {"axis": 0}),
        ("insert", (X[0], [1, 1, 1], [5, 6, 7]), {}),
        ("insert", (X[0], slice(1, 3), [5, 6]), {}),
        ("insert", (X[0], [], []), {}),
        ("insert", (X, 1, np.ones((2, 4))), {"axis": 0}),
        ("delete", (X, slice(0, 12, 5)), {}),
        ("delete", (X, -1), {"axis": 0}),
        ("delete", (X, [True, False, True]), {"axis": 0}),
        ("delete", (X, []), {"axis": 1}),
        ("resize", (X, (2, 9)), {}),
        ("resize", (X[0], (0, 3)), {}),
        ("trim_zeros", (np.array([0.0, 0, 1, 0, 2, 0]),), {"trim": "b"}),
        ("append", (X, X[:1]), {"axis": 0}),
        ("block", ([[X[:1, :1], X[:1, 1:]], [X[1:, :1], X[1:, 1:]]],), {}),
        ("rollaxis", (np.zeros((2, 3, 4)), 2), {}),
        ("tri", (3, 4, 1), {}),
        ("select", ([X > 8, X > 3], [X, -X], 0.5), {}),
        ("choose", (np.array([0, 2, 1, 0]), [X[0], X[1], X[2]]), {}),
        ("compress", ([0, 1, 1], X), {"axis": 0}),
        ("ravel_multi_index", (([2, 0], [3, 1]), (3, 4)), {"order": "F"}),
        ("vander", (np.array([1, 2, 3]), 5), {"increasing": True}),
        ("geomspace", (-1.0, -1000.0, 4), {}),
        ("geomspace", (1j, 16j, 5), {}),
        ("geomspace", (1, 256, 9), {"dtype": "int64"}),
        ("linspace", (0, 9, 4), {"dtype": "int64"}),
        ("linspace", (1 + 1j, 2.0, 3), {}),
        ("logspace", ([0.0, 1.0], 2.0, 3), {"axis": -1}),
    ],
)
def test_values_are_numpys(name, args, kwargs):
    expected = getattr(np, name)(*args, **kwargs)
    found = numpy_(name)(*args, **kwargs)
    for a, b in zip(found, expected, strict=True) if isinstance(expected, tuple) else [(found, expected)]:
        assert np.shape(a) == np.shape(b) and np.asarray(a).dtype == np.asarray(b).dtype
        np.testing.assert_allclose(a, b, rtol=1e-14)


MODES = ["constant", "edge", "linear_ramp", "maximum", "mean", "median", "minimum", "reflect", "symmetric", "wrap"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("x", [X, X[:1], X.astype(int), X.astype(np.float32), X[:, :1] * 1j], ids=repr)
@pytest.mark.parametrize("widths", [1, (2, 1), [(0, 3), (5, 0)], [(7, 7), (9, 1)]])
def test_borders_are_numpys(mode, x, widths):
    if x.dtype.kind == "c" and mode in ("maximum", "minimum", "median"):
        pytest.skip("complex numbers have no order")
    words = {"reflect_type": "odd"} if mode in ("reflect", "symmetric") else {}
    for given in ({}, words):
        expected = np.pad(x, widths, mode, **given)
        found = numpy_("pad")(x, widths, mode, **given)
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-6 if x.dtype == np.float32 else 1e-13)


def test_a_wide_mirror_takes_few_steps():
    found = numpy_("pad")(np.array([0.0, 1.0]), 100_000, "reflect", reflect_type="odd")
    assert found[0] == -100_000 and found[-1] == 100_001


def test_shares_of_a_line_do_not_cancel_near_its_ends():
    found = autodiff.jacobian(lambda a: numpy_("linspace")(a, 1.0, 1001))(np.array(0.0))
    np.testing.assert_array_equal(found, np.arange(1000, -1, -1) / 1000)
    _, moved = autodiff.jvp(lambda a: numpy_("linspace")(a, 1.0, 1001), [np.array(0.0)], [np.array(1.0)])
    np.testing.assert_array_equal(moved, found)


def test_powers_at_zero_and_of_none():
    found = autodiff.jacobian(lambda x: numpy_("vander")(x, 4, increasing=True))(np.array([0.0, -2.0]))
    assert found[0, :, 0].tolist() == [0, 1, 0, 0] and found[1, :, 1].tolist() == [0, 1, -4, 12]
    assert numpy_("vander")(np.array([1.0, 2.0]), 0).shape == (2, 0)


def test_kaiser_far_out():
    kaiser = numpy_("kaiser")
    np.testing.assert_allclose(kaiser(9, 14.0), np.kaiser(9, 14.0), rtol=1e-14)
    assert np.isfinite(kaiser(9, 1e4)).all()
    assert np.isfinite(autodiff.jacobian(lambda b: kaiser(9, b))(np.array(1e4))).all()
    assert autodiff.jacobian(lambda b: kaiser(9, b))(np.array(0.0)).tolist() == [0.0] * 9


@pytest.mark.parametrize(
    ("name", "args", "kwargs", "words"),
    [
        ("insert", (X, 13, 1.0), {}, "index 13 is out of range"),
        ("insert", (X, 1, np.ones(3)), {"axis": 0}, "cannot write shape [1, 3] to the [1, 4] elements"),
        ("insert", (X, [[1]], 1.0), {}, "places in one axis"),
        ("insert", (X, 1, 1j), {}, "cannot write complex numbers"),
        ("delete", (X, 3), {"axis": 0}, "index 3 is out of range for axis 0 of size 3"),
        ("delete", (X, [True, False]), {"axis": 0}, "a mask of shape [2] does not fit an axis of size 3"),
        ("delete", (X, 0), {"axis": 2}, "axis 2 is out of range"),
        ("resize", (X, (-1, 2)), {}, "a size can't be negative"),
        ("trim_zeros", (X[0],), {"trim": "x"}, "trim is 'f', 'b' or 'fb'"),
        ("block", ([[X], X],), {}, "nest equally deep"),
        ("block", ([[]],), {}, "none may be empty"),
        ("block", ([(X, X)],), {}, "lists, not tuples"),
        ("select", ([X > 1], [X, X]), {}, "1 conditions are given for 2 values"),
        ("select", ([X], [X]), {}, "a condition must be of bools"),
        ("choose", (np.array([3]), [X[0], X[1]]), {}, "there is no value 3 of 2"),
        ("compress", ([1, 1, 1, 1], X), {"axis": 0}, "4 conditions are given for an axis of size 3"),
        ("take", (X, [12]), {}, "index 12 is out of range for axis 0 of size 12"),
        ("take", (X, [0]), {"mode": "nearest"}, "unknown mode 'nearest'"),
        ("pad", (X, 1, "edge"), {"constant_values": 3}, "mode 'edge' does not take constant_values"),
        ("pad", (X, 1, "mean"), {"stat_length": 0}, "stat_length must be at least 1"),
        ("pad", (X, 1, "reflect"), {"reflect_type": "both"}, "reflect_type is 'even' or 'odd'"),
        ("pad", (X, -1), {}, "a width can't be negative"),
        ("unravel_index", ([12], (3, 4)), {}, "index 12 is out of range"),
        ("ravel_multi_index", (([3], [0]), (3, 4)), {}, "index 3 is out of range for axis 0 of size 3"),
        ("ravel_multi_index", (([3],), (3, 4)), {}, "1 indices are given for 2 axes"),
        ("tril_indices_from", (X[0],), {}, "takes a matrix"),
        ("diag_indices_from", (X,), {}, "all of one length"),
        ("rollaxis", (X, 0, 3), {}, "there is no place 3"),
        ("geomspace", (0.0, 1.0), {}, "neither end may be 0"),
        ("asarray_chkfinite", ([1.0, np.inf],), {}, "an infinity or a nan"),
        ("kaiser", (3, [1.0]), {}, "beta must be a number"),
        ("hanning", (-1,), {}, "can't be negative"),
        ("vander", (X,), {}, "takes a vector"),
        ("broadcast_shapes", ((2,), (3,)), {}, "cannot broadcast shapes [2] and [3]"),
    ],
)
def test_errors_say_what_and_where(name, args, kwargs, words):
    with pytest.raises(GradcliError) as caught:
        numpy_(name)(*args, **kwargs)
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: lookup("torch.nn.functional", "pad")(X, (4, 0), "reflect"), "too wide to be reflected from axis 1"),
        (lambda: lookup("torch.nn.functional", "pad")(X, (5, 0), "circular"), "wrapping around more than once"),
        (lambda: lookup("torch.nn.functional", "pad")(X[0], (1, 0), "reflect"), "2 widths are given for a border"),
        (lambda: lookup("torch", "combinations")(X), "takes a vector"),
        (lambda: lookup("torch", "as_strided")(X, (3, 4), (4, 2)), "goes beyond the 12 elements"),
        (lambda: lookup("torch", "view_as_complex")(X), "takes pairs along the last axis"),
        (lambda: lookup("torch", "complex")(X, 1j * X), "takes real numbers"),
        (lambda: lookup("jax.lax", "dynamic_slice")(X, [0, 0], [4, 4]), "does not fit into shape [3, 4]"),
        (lambda: lookup("jax.lax", "slice")(X, [0, 0], [4, 4]), "0 to 4 by 1 does not fit an axis of size 3"),
        (
            lambda: lookup("numpy.lib.stride_tricks", "sliding_window_view")(X, (4, 2)),
            "a window of 4 does not fit axis 0",
        ),
    ],
)
def test_others_say_so_too(call, words):
    with pytest.raises(GradcliError) as caught:
        call()
    assert words in caught.value.message


@pytest.mark.parametrize(
    "call",
    [
        lambda: numpy_("resize")(X, 10**10),
        lambda: lookup("torch", "combinations")(np.zeros(1000), 6),
        lambda: lookup("torch", "cartesian_prod")(*[np.zeros(1000)] * 4),
        lambda: numpy_("indices")((10**5, 10**5)),
        lambda: numpy_("tril_indices")(10**6),
        lambda: numpy_("pad")(X, 10**9, "linear_ramp"),
        lambda: numpy_("pad")(X, 10**9, "mean"),
        lambda: lookup("jax.lax", "pad")(X, 0.0, [(0, 0, 10**9), (0, 0, 10**9)]),
        lambda: numpy_("vander")(np.zeros(10**4), 10**6),
        lambda: lookup("torch", "as_strided")(X, (10**10,), (0,)),
    ],
)
def test_the_cost_is_known_before_memory_is_spent(call):
    budget.open(64 << 20)
    try:
        with pytest.raises(LimitReached):
            call()
    finally:
        budget.open(None)


def test_a_wrong_keyword_is_named():
    with pytest.raises(ArgumentError, match="has no argument 'fill'"):
        numpy_("pad")(X, 1, fill=3)
