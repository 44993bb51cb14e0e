"""Sparse Jacobians and Hessians, at a cost that follows their nonzeros.

rows        which inputs each element of a value depends on, as boolean rows
pattern     these rows carried through the graph of a run, by what each op says of itself
colouring   which columns, or rows, one product can find together
products    products of a run with many directions
jacobian    all of it: `sparse_jacobian`, `sparse_hessian`, and what verifies them
"""

from gradcli.autodiff.sparse.jacobian import (
    Course,
    Sparse,
    sparse_derivative,
    sparse_hessian,
    sparse_jacobian,
    sparse_symmetric,
)

__all__ = ["Course", "Sparse", "sparse_derivative", "sparse_hessian", "sparse_jacobian", "sparse_symmetric"]
