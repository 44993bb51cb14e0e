"""Reductions that leave nan out: nothing of it comes through, and a slice without numbers has an answer."""

import numpy as np
import pytest

from gradcli.autodiff import grad
from gradcli.graph.errors import DomainError
from gradcli.ops.registry import lookup

NAN = np.nan
X = np.array([[1.0, NAN, 3.0], [NAN, NAN, NAN]])


def numpy_(name):
    return lookup("numpy", name)


@pytest.mark.parametrize("name", ["nansum", "nanprod", "nanmean", "nanvar", "nanstd", "nanmax", "nanmin", "nanmedian"])
def test_a_slice_without_numbers(name):
    with np.errstate(all="ignore"), pytest.warns() if name not in ("nansum", "nanprod") else np.errstate():
        wanted = getattr(np, name)(X, axis=1)
    with np.errstate(all="ignore"):
        found = numpy_(name)(X, axis=1)
        slope = grad(lambda v: numpy_("nansum")(numpy_(name)(v, axis=1)))(X)
    np.testing.assert_allclose(found, wanted)
    assert slope[0][1] == 0.0 and not np.isnan(slope[0]).any()


def test_nan_has_derivative_zero():
    x = np.array([2.0, NAN, 3.0])
    assert grad(numpy_("nansum"))(x).tolist() == [1, 0, 1]
    assert grad(numpy_("nanprod"))(x).tolist() == [3, 0, 2]
    assert grad(numpy_("nanmean"))(x).tolist() == [0.5, 0, 0.5]
    assert grad(numpy_("nanstd"))(x).tolist() == [-0.5, 0, 0.5]
    assert grad(numpy_("nanmax"))(x).tolist() == [0, 0, 1]
    assert grad(lambda v: numpy_("nancumsum")(v)[1])(x).tolist() == [1, 0, 0]
    assert grad(lambda v: numpy_("nancumprod")(v)[2])(x).tolist() == [3, 0, 2]
    assert grad(lookup("torch", "nanmean"))(x).tolist() == [0.5, 0, 0.5]


def test_integers_hold_no_nan():
    x = np.array([2, 5, 3])
    assert numpy_("nansum")(x) == 10 and numpy_("nanmax")(x) == 5 and numpy_("nanargmin")(x) == 0
    assert numpy_("nanmedian")(x) == 3.0 and numpy_("nanvar")(x) == pytest.approx(np.var(x))


def test_no_number_stands_nowhere():
    with pytest.raises(DomainError, match="a slice holds no number"):
        numpy_("nanargmax")(X, axis=1)
    assert numpy_("nanargmax")(X) == 2


def test_masks_and_beginnings():
    mask = np.array([True, True, False])
    assert numpy_("nansum")(X[0], where=mask, initial=0.5) == 1.5
    assert numpy_("nanmax")(X[0], where=mask, initial=-5.0) == 1.0
    assert numpy_("nanmean")(X[0], where=mask) == 1.0
