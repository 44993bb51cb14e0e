"""interp, unwrap and searchsorted: on and beside the sample points, far out, and what errors say."""

import numpy as np
import pytest

from gradcli import autodiff
from gradcli.graph.errors import GradcliError
from gradcli.ops.registry import lookup

interp = lookup("numpy", "interp")
unwrap = lookup("numpy", "unwrap")
XP = np.array([0.0, 1.0, 3.0])
FP = np.array([2.0, 4.0, 0.0])
INF = np.inf


def slopes(x, *more, **words):
    return autodiff.jacobian(lambda x: interp(x, XP, FP, *more, **words))(np.asarray(x, float)).diagonal().tolist()


def test_on_a_point_the_slope_is_that_to_the_right_and_at_the_end_that_to_the_left():
    assert slopes([0.0, 0.5, 1.0, 2.0, 3.0]) == [2, 2, -2, -2, -2]
    assert slopes([-1.0, 3.5]) == [0, 0]


def test_values_on_points_are_theirs():
    xp, fp = np.array([0.1, 0.7, 1e17]), np.array([1 / 3, 1 / 7, 1e-300])
    assert interp(xp, xp, fp).tolist() == fp.tolist()
    for x in (-1.0, 0.3, 5.0, 2e17, np.nan, INF, -INF):
        np.testing.assert_array_equal(interp(np.array(x), xp, fp), np.interp(x, xp, fp))


def test_shares_do_not_cancel_near_a_point():
    near = 1.0 - 2.0**-50
    found = autodiff.grad(lambda fp: interp(np.array(near), XP, fp))(FP)
    assert found.tolist() == [2.0**-50, near, 0.0]  # of the left point, exactly what is left


def test_a_step_between_equal_points_and_infinite_values():
    xp, fp = np.array([0.0, 1.0, 1.0, 2.0]), np.array([0.0, 0.0, 5.0, 5.0])
    x = np.array([0.5, 1.0, 1.5])
    assert interp(x, xp, fp).tolist() == np.interp(x, xp, fp).tolist() == [0, 5, 5]
    assert autodiff.jacobian(lambda x: interp(x, xp, fp))(x).diagonal().tolist() == [0, 0, 0]
    assert np.isfinite(autodiff.jacobian(lambda xp: interp(x, xp, fp))(xp)).all()
    fp = np.array([-INF, 0.0, 1.0])
    np.testing.assert_array_equal(interp(np.array([0.0, 0.5, 2.0]), XP, fp), np.interp([0.0, 0.5, 2.0], XP, fp))


def test_ends_and_periods():
    left, right = np.array(-5.0), np.array(7.0)
    shares = autodiff.grad(lambda a, b: interp(np.array(-1.0), XP, FP, a, b), (0, 1))(left, right)
    assert [float(s) for s in shares] == [1, 0]
    x = np.linspace(-9, 9, 37)
    np.testing.assert_allclose(
        interp(x, [3.5, 0.0, 1.0], [0.0, 2.0, 4.0], period=5), np.interp(x, [3.5, 0, 1], [0, 2, 4], period=5)
    )


def test_numbers_far_out_and_tiny():
    for scale in (1e300, 1e-300, 5e-324):
        xp, fp = XP * scale, FP
        x = np.array([0.0, 1.0, 3.0]) * scale
        np.testing.assert_array_equal(interp(x, xp, fp), FP)
    assert float(autodiff.grad(lambda x: interp(x, XP * 1e300, FP))(np.array(2e300))) == pytest.approx(-2e-300)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (([0.5], XP, FP[:2]), "no two vectors of one length"),
        (([0.5], [], []), "there are no sample points"),
        (([0.5], XP * 1j, FP), "sample points are real numbers"),
        (([0.5j], XP, FP), "x is of real numbers"),
        (([0.5], XP, FP, None, None, 0), "the period must be a number, and not 0"),
    ],
)
def test_errors(args, words):
    with pytest.raises(GradcliError) as caught:
        interp(*args)
    assert words in caught.value.message


# --- unwrap ----------------------------------------------------------------------------------------------------------


def test_unwrap_is_numpys_and_passes_every_derivative():
    x = np.random.default_rng(0).uniform(-20, 20, (4, 50))
    for words in ({}, {"axis": 0}, {"period": 3.0}, {"discont": 5.0}):
        np.testing.assert_allclose(unwrap(x, **words), np.unwrap(x, **words), rtol=0, atol=1e-13)
    found = autodiff.jacobian(unwrap)(x[0])
    np.testing.assert_array_equal(found, np.eye(50))
    assert unwrap(np.array([0, 1, 2, -1, 0]), period=4).tolist() == np.unwrap([0, 1, 2, -1, 0], period=4).tolist()


def test_unwrap_in_the_period():
    found = autodiff.jacobian(lambda p: unwrap(np.array([0.0, 3.0, 6.0]), period=p))(np.array(4.0))
    assert found.tolist() == [0, -1, -2]


# --- searchsorted ----------------------------------------------------------------------------------------------------


def test_searchsorted_sides_and_nan():
    search = lookup("numpy", "searchsorted")
    line = np.array([0.0, 1.0, 1.0, 2.0, np.nan])
    for v in (-INF, 0.0, 1.0, 1.5, 2.0, INF, np.nan):
        for side in ("left", "right"):
            assert int(search(line, v, side)) == int(np.searchsorted(line, v, side))
    with pytest.raises(GradcliError, match="side is 'left' or 'right', not 'middle'"):
        search(line, 1.0, "middle")
    with pytest.raises(GradcliError, match="one axis, not shape"):
        search(np.zeros((2, 2)), 1.0)
    with pytest.raises(GradcliError, match="rise or fall"):
        lookup("numpy", "digitize")(1.0, [0.0, 2.0, 1.0])
    with pytest.raises(GradcliError, match="do not match"):
        lookup("torch", "searchsorted")(np.zeros((2, 3)), np.zeros((3, 1)))


def test_points_that_are_all_one():
    one, values = np.ones(2), np.array([2.0, 3.0])
    x = np.array([0.5, 1.0, 1.5])
    assert interp(x, one, values).tolist() == np.interp(x, one, values).tolist() == [2, 3, 3]
    assert autodiff.jacobian(lambda x: interp(x, one, values))(x).diagonal().tolist() == [0, 0, 0]
    assert autodiff.jacobian(lambda fp: interp(x, one, fp))(values).tolist() == [[1, 0], [0, 1], [0, 1]]


def test_unwrap_where_either_way_is_as_short():
    x = np.array([0.0, 2.0, 0.0])
    assert unwrap(x, period=4.0).tolist() == np.unwrap(x, period=4.0).tolist()
    np.testing.assert_array_equal(autodiff.jacobian(lambda x: unwrap(x, period=4.0))(x), np.eye(3))
