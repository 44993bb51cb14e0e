"""A batch of rows: what all rows have is a value, what differs tells the rows apart."""

from __future__ import annotations

import numpy as np
import pytest

from gradcli.autodiff import Linearized
from gradcli.autodiff.batch import Batched
from gradcli.autodiff.levels import opened
from gradcli.autodiff.reverse import ReverseLevel
from gradcli.autodiff.rows import RowLevel, RowsDiffer, all_rows, settled
from gradcli.graph.state import state
from gradcli.graph.values import OPERATORS, concrete
from gradcli.ops.elementwise import sin


def test_what_all_rows_have_is_a_value() -> None:
    with opened(RowLevel) as level:
        level.size = 3
        x = Batched(level, np.array([[1.0, np.nan]] * 3))
        np.testing.assert_array_equal(concrete(x), [1.0, np.nan])
        empty = Batched(level, np.zeros((3, 0)))
        assert concrete(empty).shape == (0,)


def test_what_differs_tells_which_rows_agree() -> None:
    with opened(RowLevel) as level:
        level.size = 5
        x = Batched(level, np.array([0.0, 1.0, 0.0, -0.0, 1.0]))
        with pytest.raises(RowsDiffer) as caught:
            concrete(x)
    assert [group.tolist() for group in caught.value.groups] == [[0, 2], [1, 4], [3]]


@pytest.mark.parametrize("other", [np.float64(2.0), np.ones(3), np.ones((2, 3)), 2.0])
def test_ranks_are_aligned_behind_the_rows(other: object) -> None:
    rows = np.arange(4.0)
    matrix = np.arange(8.0).reshape(4, 2, 1)
    with opened(RowLevel) as level:
        level.size = 4
        x, y = Batched(level, rows), Batched(level, matrix)
        found = [OPERATORS["*"](x, other), OPERATORS["*"](other, y), OPERATORS["+"](x, y)]
    for i in range(4):
        expected = [rows[i] * other, other * matrix[i], rows[i] + matrix[i]]  # type: ignore[operator]
        for value, wanted in zip(found, expected, strict=True):
            np.testing.assert_array_equal(value.value[i], wanted)


def test_derivatives_of_a_batch_are_those_of_its_rows() -> None:
    points = np.linspace(-2, 2, 9)
    with opened(RowLevel) as level:
        level.size = 9
        run = Linearized(lambda x: [sin(x) * x], [Batched(level, points)])
        (slope,) = run.pull([np.ones(())])
        assert isinstance(settled(slope), Batched)
    np.testing.assert_array_equal(slope.value, np.cos(points) * points + np.sin(points))


def test_pytorch_promotes_by_the_ranks_of_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "torch_semantics", True)
    with opened(RowLevel) as level:
        level.size = 2
        scalar = Batched(level, np.array([1.0, 2.0]))
        found = OPERATORS["*"](scalar, np.ones(3, np.float32))
    assert (found.dtype, found.shape) == (np.float32, (3,))


def test_the_rows_below_a_value_that_is_being_differentiated() -> None:
    with opened(RowLevel) as level, opened(ReverseLevel) as above:
        level.size = 2
        rows = np.array([1.0, 2.0])
        assert all_rows(above.leaf(Batched(level, rows))) is rows
        assert all_rows(above.leaf(np.ones(()))) is None
