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


class _Difference(NamedTuple):
    place: int
    got: float
    plain: float


def verify(matrix: Matrix, run: Linearized, seed: int = 0) -> None:
    """Compare a random combination of a derivative's rows with what a reverse sweep of the run gives.

    Where they differ a combination of the columns, by a forward push, decides: of a derivative that rounding has
    spoiled the two modes may differ, but an entry that is missing is missing in both.

    Raises:
        WrongProduct: both differ by more than rounding.
    """
    outputs, inputs = Space(run.values), Space(run.primals)
    generator = np.random.default_rng(seed)
    turned = Matrix(matrix.columns, matrix.rows, matrix.values)
    found = _difference(turned, run.pull, outputs, inputs, generator)
    if found is None or _difference(matrix, run.push, inputs, outputs, generator) is None:
        return
    raise WrongProduct(
        f"a product with the sparse derivative is {found.got:g} where a plain one is {found.plain:g}, at column "
        f"{found.place}; the pattern of an op may be too small"
    )


def _difference(
    matrix: Matrix, product: Product, given: Space, found: Space, generator: np.random.Generator
) -> _Difference | None:
    """Where the matrix times a random vector differs from the product with it, if it does."""
    vector = generator.uniform(0.5, 1.0, given.size)
    with np.errstate(all="ignore"):
        plain = found.joined(product(given.parted(vector)))
        shares = matrix.values * vector[matrix.columns]
        got = np.bincount(matrix.rows, weights=shares, minlength=found.size)
        scale = np.bincount(matrix.rows, weights=np.abs(shares), minlength=found.size)
        known = np.isfinite(plain) & np.isfinite(got)
        eps = max((float(np.finfo(dtype).eps) for dtype in (*given.dtypes, *found.dtypes)), default=0.0)
        allowed = eps**0.5 * (scale + np.abs(plain)) + 1e3 * eps * scale[known].max(initial=0)
        wrong = np.flatnonzero(known & (np.abs(plain - got) > allowed + np.finfo(np.float64).tiny))
    if not len(wrong):
        return None
    return _Difference(int(wrong[0]), float(got[wrong[0]]), float(plain[wrong[0]]))
