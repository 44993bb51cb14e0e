"""A sparse derivative put to the test: its product with a random vector beside a plain one of the same run."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gradcli.autodiff.linearize import Linearized
from gradcli.autodiff.sparse.products import Product, Space
from gradcli.graph.values import Array


class WrongProduct(RuntimeError):
    """A sparse derivative is not what a plain product with it says: gradcli itself is at fault."""


class Matrix(NamedTuple):
    """The entries of a matrix."""

    rows: Array
    columns: Array
    values: Array


class _Products(NamedTuple):
    """A product with a matrix, the plain one, and the sum of the absolute values of what was added up."""

    got: Array
    plain: Array
    scale: Array


class _Difference(NamedTuple):
    place: int
    got: float
    plain: float


def verify(matrix: Matrix, run: Linearized, seed: int = 0) -> Array:
    """Compare a random combination of a derivative's rows with what a reverse sweep of the run gives.

    Where they differ a combination of the columns, by a forward push, decides: of a derivative that rounding has
    spoiled the two modes may differ, but an entry that is missing is missing in both.

    Returns:
        for every column whether the reverse sweep is NaN or infinite there, and the matrix is not.

    Raises:
        WrongProduct: both differ by more than rounding.
    """
    outputs, inputs = Space(run.values), Space(run.primals)
    generator = np.random.default_rng(seed)
    turned = Matrix(matrix.columns, matrix.rows, matrix.values)
    eps = max((float(np.finfo(dtype).eps) for dtype in (*inputs.dtypes, *outputs.dtypes)), default=0.0)
    swept = _products(turned, run.pull, outputs, inputs, generator)
    found = _difference(swept, eps)
    if found is None or _difference(_products(matrix, run.push, inputs, outputs, generator), eps) is None:
        return np.isfinite(swept.got) & ~np.isfinite(swept.plain)
    raise WrongProduct(
        f"a product with the sparse derivative is {found.got:g} where a plain one is {found.plain:g}, at column "
        f"{found.place}; the pattern of an op may be too small"
    )


def _products(
    matrix: Matrix, product: Product, given: Space, found: Space, generator: np.random.Generator
) -> _Products:
    """The matrix times a random vector, and the product with it."""
    vector = generator.uniform(0.5, 1.0, given.size)
    with np.errstate(all="ignore"):
        plain = found.joined(product(given.parted(vector)))
        shares = matrix.values * vector[matrix.columns]
        got = np.bincount(matrix.rows, weights=shares, minlength=found.size)
        scale = np.bincount(matrix.rows, weights=np.abs(shares), minlength=found.size)
    return _Products(got, plain, scale)


def _difference(made: _Products, eps: float) -> _Difference | None:
    """Where two products differ by more than rounding, if they do."""
    got, plain, scale = made
    with np.errstate(all="ignore"):
        known = np.isfinite(plain) & np.isfinite(got)
        allowed = eps**0.5 * (scale + np.abs(plain)) + 1e3 * eps * scale[known].max(initial=0)
        wrong = np.flatnonzero(known & (np.abs(plain - got) > allowed + np.finfo(np.float64).tiny))
    if not len(wrong):
        return None
    return _Difference(int(wrong[0]), float(got[wrong[0]]), float(plain[wrong[0]]))
