"""Indexing: reads and writes against NumPy, every law for every form of index, and what errors say."""

import numpy as np
import pytest

import gradcli.ops  # noqa: F401
from gradcli import autodiff
from gradcli.autodiff.batch import Batched, BatchLevel
from gradcli.autodiff.levels import opened
from gradcli.graph.errors import AbstractValue, ArgumentError, BatchedBranch, DtypeError, ShapeError
from gradcli.graph.recording import Recording
from gradcli.graph.values import OPERATORS
from gradcli.ops.indexing import getitem, setitem
from gradcli.ops.registry import FUNCTIONS, lookup

ROOMS = (
    "choosing",
    "filling",
    "indexing",
    "masks",
    "part_writes",
    "putting",
    "repeating",
    "scattering",
    "selecting",
)
OURS = [f for f in FUNCTIONS if f.call.__module__.removeprefix("gradcli.ops.") in ROOMS]
CASES = [(f, c) for f in OURS for c in f.cases]

ALL = slice(None)
A = np.array([[0], [2]])
B = np.array([1, 1, -1])
MASK = np.arange(24).reshape(3, 2, 4) % 3 == 0

INDICES = [
    0,
    -1,
    np.int64(2),
    np.array(1),
    (0, 1, 2),
    (0, 1, -1),
    slice(1, None),
    slice(None, None, -1),
    slice(5, 0, -2),
    slice(np.int64(0), np.float64(2.0)),
    slice(2, 2),
    (..., 1),
    (1, ...),
    (..., slice(1, 3)),
    (None, 0, None, ..., None),
    None,
    ...,
    (),
    (slice(1, 3), 0, slice(None, None, 2)),
    [0, 2],
    [],
    np.array([], dtype=int),
    B,
    A,
    A.T,
    (A, ALL),
    (ALL, np.array([1, 0, 1])),
    (ALL, [1, 0], [3, 3]),
    ([0, 1], ALL, [2, 2]),
    (0, ALL, [1, 2, 2]),
    (ALL, 0, [1, 2]),
    ([1, 2], 0),
    ([1, 2], None, 0),
    ([1, 2], ..., 0),
    (..., [1, 0], 0),
    (None, [1, 2], ..., None),
    (ALL, None, [1, 0]),
    (A, ALL, B),
    (A, np.array([0, 1, 1])),
    (slice(0, 2), A - 1, slice(None, None, -1)),
    (A, ALL, slice(1, 3)),
    (ALL, ALL, A),
    (ALL, ALL, np.array([[3, 3], [3, 0]])),
    (np.array(2), ALL, [0, 1]),
    (np.array(2), ALL, np.array(1)),
    [1.0, 0.0],
    2.0,
    np.array(1.0),
    np.array([2.0, 0.0]),
    MASK,
    MASK[:, :, 0],
    (MASK[:, :, 0], 1),
    (MASK[:, :, 0], [0]),
    (ALL, MASK[0]),
    (0, MASK[0]),
    (MASK[:, 0, 0], slice(0, 1)),
    (MASK[:, 0, 0], ALL, [0, 1] if MASK[:, 0, 0].sum() == 2 else [0]),
    [True, False, True],
    np.zeros((3, 2), dtype=bool),
    True,
    False,
    np.array(True),
    (True, 0),
    (slice(1, 2), True),
    range(2),
]
READS = [(X, i) for i in INDICES for X in [np.arange(24.0).reshape(3, 2, 4) / 7]]


def as_numpy(index):
    """The same index as NumPy takes it: integral floats become integers."""
    if isinstance(index, tuple):
        return tuple(as_numpy(i) for i in index)
    if isinstance(index, slice):
        return slice(*(None if e is None else int(e) for e in (index.start, index.stop, index.step)))
    if isinstance(index, range | list | float | np.ndarray):
        found = np.asarray(index if len(np.shape(index)) == 0 or len(index) else np.zeros(0, int))
        return found.astype(int) if found.dtype.kind == "f" else found
    return index


def ids(pairs):
    return [f"{i}" for i in range(len(pairs))]


@pytest.mark.parametrize(("function", "case"), CASES, ids=[f"{f.name}-{i}" for i, (f, _) in enumerate(CASES)])
def test_laws(function, case, laws, make_call):
    laws.all(make_call(function, case.args, case.kwargs))


@pytest.mark.parametrize("index", INDICES, ids=ids(INDICES))
def test_a_read_is_numpys(index, laws, make_call):
    x = np.arange(24.0).reshape(3, 2, 4) / 7
    expected = x[as_numpy(index)]
    got = getitem(x, index)
    assert np.shape(got) == np.shape(expected)
    np.testing.assert_array_equal(got, expected)
    laws.all(make_call(lambda x: getitem(x, index), (x,), {}), second=False)


@pytest.mark.parametrize("index", INDICES, ids=ids(INDICES))
def test_a_write_is_numpys(index, laws, make_call):
    x = np.arange(24.0).reshape(3, 2, 4) / 7
    expected = x.copy()
    target = np.shape(x[as_numpy(index)])
    v = np.random.default_rng(0).uniform(-1, 1, target)
    expected[as_numpy(index)] = v
    np.testing.assert_array_equal(setitem(x, index, v), expected)
    expected[as_numpy(index)] = -1.5
    np.testing.assert_array_equal(setitem(x, index, -1.5), expected)
    laws.all(make_call(lambda x, v: setitem(x, index, v), (x, v), {}), second=False)


@pytest.mark.parametrize("index", [(A, ALL, B), ([0, 0, 0],), (ALL, [1, 1]), (0, ALL, [3, 0, 3]), (A, ALL, A.T)])
def test_second_derivatives_of_reads_and_writes(index, laws, make_call):
    x = np.random.default_rng(0).uniform(-1, 1, (3, 2, 4))
    v = np.random.default_rng(1).uniform(-1, 1, x[index].shape)
    laws.second_derivatives(make_call(lambda x: getitem(x, index), (x,), {}))
    laws.second_derivatives(make_call(lambda x, v: setitem(x, index, v), (x, v), {}))


def test_values_broadcast_to_what_is_written():
    x = np.zeros((3, 4))
    for index, v in [(ALL, np.arange(4.0)), (1, np.ones((1, 4))), ((ALL, [0, 2]), np.ones((3, 1))), (0, 2)]:
        expected = x.copy()
        expected[index] = v
        np.testing.assert_array_equal(setitem(x, index, v), expected)
    with pytest.raises(ShapeError, match=r"cannot write shape \[3\] to the \[4\] elements"):
        setitem(x, 0, np.ones(3))
    with pytest.raises(ShapeError, match="cannot write"):
        setitem(x, 0, np.ones((2, 4)))


def test_a_write_keeps_the_dtype():
    assert setitem(np.zeros(3, np.int64), 0, 2.75).tolist() == [2, 0, 0]
    assert setitem(np.zeros(3, np.float32), 0, np.float64(0.1)).dtype == np.float32


def test_of_several_writes_to_one_place_the_last_holds_and_has_the_derivative():
    x = np.zeros(3)
    v = np.array([1.0, 2.0, 3.0])
    assert setitem(x, [1, 1, 0], v).tolist() == [3, 2, 0]
    g = autodiff.grad(lambda v: OPERATORS["sum_to"](setitem(x, [1, 1, 0], v) * np.array([5.0, 7.0, 9.0]), ()))(v)
    assert g.tolist() == [0, 7, 5]
    # Whatever the layout of indices and values in memory, the order is that of the elements.
    places = np.asfortranarray(np.array([[0, 1], [1, 0]]))
    values = np.array([[1.0, 2.0], [3.0, 4.0]])
    for order in "CF":
        got = setitem(np.zeros(2), places, values.copy(order=order)[::-1][::-1])
        assert got.tolist() == [4, 3]


def test_a_mask_and_a_number_need_no_values():
    """So a write through a mask can be batched and derived, where a read through one can't."""
    with opened(BatchLevel) as level:
        level.size = 2
        x = Batched(level, np.array([[1.0, -1.0], [-2.0, 3.0]]))
        y = setitem(x, OPERATORS["<"](x, 0.0), 0.0)
        assert y.value.tolist() == [[1, 0], [0, 3]]
        with pytest.raises(BatchedBranch):
            getitem(x, OPERATORS["<"](x, 0.0))
    rows = setitem(np.ones((2, 3)), np.array([True, False]), 0.0)
    assert rows.tolist() == [[0, 0, 0], [1, 1, 1]]


def test_reading_through_a_mask_guards_it():
    with Recording() as recording:
        x = recording.input("x", np.array([1.0, -1.0, 2.0]))
        y = getitem(x, x > 0)
    assert y.value.tolist() == [1, 2]
    assert len(recording.guards) == 1
    assert recording.guards[0].value.tolist() == [True, False, True]


def test_an_integer_of_the_graph_stays_in_the_graph():
    with Recording() as recording:
        x = recording.input("x", np.array([1.0, -1.0, 2.0]))
        k = recording.input("k", np.array(2))
        y = getitem(x, k)
    assert y.value == 2.0 and y.shape == ()
    assert k in y.inputs and not recording.guards


def test_a_float_of_the_graph_may_be_an_index():
    with Recording() as recording:
        x = recording.input("x", np.array([1.0, -1.0, 2.0]))
        k = recording.input("k", np.array(2.0))
        y = getitem(x, k)
        z = getitem(x, recording.input("ks", np.array([0.0, 2.0])))
    assert y.value == 2.0 and z.value.tolist() == [1, 2]
    assert recording.guards[0].node is k


def test_derivatives_of_the_tape_pass_through_reads_and_writes():
    def f(x):
        y = setitem(x, slice(1, 3), getitem(x, [0, 0]) * 2.0)
        return OPERATORS["sum_to"](y * y, ())

    g = autodiff.grad(f)(np.array([1.0, 5.0, 7.0]))
    assert g.tolist() == [2 + 2 * 2 * 2 * 2, 0, 0]


def test_scatter_adds_duplicates_in_every_dtype():
    for dtype in (np.float32, np.float64, np.complex64, np.complex128):
        _, pull = autodiff.vjp(lambda x: getitem(x, [0, 0, 2]), np.zeros(3, dtype))
        (g,) = pull(np.array([1, 2, 3], dtype))
        assert g.dtype == dtype and g.tolist() == [3, 0, 3]


def test_a_large_gather_is_fast_in_reverse():
    import time

    x = np.zeros((1000, 64))
    places = np.random.default_rng(0).integers(0, 1000, 20_000)
    _, pull = autodiff.vjp(lambda x: getitem(x, places), x)
    start = time.perf_counter()
    pull(np.ones((20_000, 64)))
    assert time.perf_counter() - start < 1.0


@pytest.mark.parametrize(
    ("index", "kind", "words"),
    [
        (3, ShapeError, "index 3 is out of range for axis 0 of size 3"),
        (-4, ShapeError, "index -4 is out of range for axis 0 of size 3"),
        ((0, 5), ShapeError, "index 5 is out of range for axis 1 of size 2"),
        (([0, 5],), ShapeError, "index 5 is out of range for axis 0 of size 3"),
        ((..., np.array([0, -7])), ShapeError, "index -7 is out of range for axis 2 of size 4"),
        ((0, 0, 0, 0), ShapeError, "too many indices: shape [3, 2, 4] has 3 axes, the index asks for 4"),
        ((MASK, 0), ShapeError, "too many indices"),
        (1.5, ArgumentError, "an index must be an integer, not 1.5"),
        ("a", ArgumentError, "an index must be an integer, not 'a'"),
        ([0.5], ArgumentError, "an index must be an integer"),
        ((..., ...), ArgumentError, "one ellipsis"),
        (slice(None, None, 0), ArgumentError, "can't be 0"),
        (slice(0.5, 1), ArgumentError, "the end of a slice must be an integer, not 0.5"),
        (([0, 1], [0, 1, 0]), ShapeError, "index arrays of shapes [2] and [3] do not broadcast"),
        (np.array([True, False]), ShapeError, "a mask of shape [2] does not fit shape [3, 2, 4]"),
        ((0, np.array([[True]])), ShapeError, "it would have to be [2, 4]"),
        (np.array([1j]), ArgumentError, "an index must be an integer"),
    ],
)
def test_errors_say_what_and_where(index, kind, words):
    for call in (lambda: getitem(np.zeros((3, 2, 4)), index), lambda: setitem(np.zeros((3, 2, 4)), index, 1.0)):
        with pytest.raises(kind) as caught:
            call()
        assert words in f"{caught.value.message} {caught.value.mend}"


def test_a_traced_index_out_of_range_says_so_too():
    with Recording() as recording, pytest.raises(ShapeError, match="index 7 is out of range for axis 0 of size 3"):
        getitem(recording.input("x", np.zeros(3)), recording.input("k", np.array([0, 7])))


@pytest.mark.parametrize(
    ("spelling", "args", "kwargs", "expected"),
    [
        ("numpy.take", (np.arange(6.0).reshape(2, 3), [0, 2]), {"axis": 1}, [[0, 2], [3, 5]]),
        ("torch.take", (np.arange(6.0).reshape(2, 3), np.array([[0, 5]])), {}, [[0, 5]]),
        ("torch.index_select", (np.arange(6.0).reshape(2, 3), 1, np.array([2, 0])), {}, [[2, 0], [5, 3]]),
        ("torch.masked_select", (np.arange(3.0), np.array([True, False, True])), {}, [0, 2]),
        ("torch.masked_fill", (np.arange(3.0), np.array([True, False, True]), 9), {}, [9, 1, 9]),
        ("torch.narrow", (np.arange(6.0).reshape(2, 3), 1, 1, 2), {}, [[1, 2], [4, 5]]),
        ("torch.select", (np.arange(6.0).reshape(2, 3), 1, 2), {}, [2, 5]),
        ("numpy.repeat", (np.arange(3.0), [1, 0, 2]), {}, [0, 2, 2]),
        ("numpy.repeat", (np.arange(4.0).reshape(2, 2), 2), {"axis": 0}, [[0, 1], [0, 1], [2, 3], [2, 3]]),
        ("torch.repeat_interleave", (np.arange(2.0), 2), {}, [0, 0, 1, 1]),
        ("numpy.take_along_axis", (np.arange(6.0).reshape(2, 3), np.array([[2], [0]]), 1), {}, [[2], [3]]),
        ("numpy.extract", (np.array([True, False]), np.arange(2.0)), {}, [0]),
    ],
)
def test_other_spellings(spelling, args, kwargs, expected):
    module, _, name = spelling.rpartition(".")
    np.testing.assert_array_equal(lookup(module, name)(*args, **kwargs), expected)


def test_node_names_are_pytorchs():
    x = np.zeros((3, 2, 4))
    with Recording() as recording:
        node = recording.input("x", x)
        seen = {}
        for word, index in {
            "Select": 0,
            "Slice": slice(1, 3),
            "Unsqueeze": None,
            "Index": ([0, 1],),
            "Alias": ...,
        }.items():
            y = getitem(node, index)
            seen[word] = y.op.torch(y.inputs, y.params)
    assert seen == {word: word + "Backward0" for word in seen}


def test_the_operator_is_the_function():
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(OPERATORS["[]"](x, -1), x[-1])
    with pytest.raises(ShapeError, match="index 2 is out of range for axis 0 of size 2"):
        OPERATORS["[]"](x, 2)
    with pytest.raises(ShapeError, match="too many indices"):
        OPERATORS["[]"](np.float64(1), 0)


def test_shapes_alone_are_enough_for_all_but_masks():
    with Recording(abstract=True) as recording:
        x = recording.input("x", np.zeros((3, 4)))
        k = recording.input("k", np.array([0, 1]))
        assert getitem(x, (k, slice(1, 3))).shape == (2, 2)
        assert setitem(x, (slice(None), k), 1.0).shape == (3, 4)
        assert setitem(x, x > 0, 1.0).shape == (3, 4)
        with pytest.raises(AbstractValue):
            getitem(x, x > 0)


def test_derivatives_inside_a_recording_are_regions():
    with Recording() as recording:
        x = recording.input("x", np.array([1.0, 2.0, 3.0]))
        g = autodiff.grad(lambda x: OPERATORS["sum_to"](getitem(x, [0, 0, 2]) * 2.0, ()))(x)
    assert g.value.tolist() == [4, 0, 2]


def test_complex_numbers_are_not_written_to_reals():
    with pytest.raises(DtypeError, match="cannot write complex numbers to float64"):
        setitem(np.zeros(3), 0, 1j)
    assert setitem(np.zeros(3, complex), 0, 1j)[0] == 1j
