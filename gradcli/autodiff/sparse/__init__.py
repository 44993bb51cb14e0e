"""Sparse Jacobians and Hessians, at a cost that follows their nonzeros.

rows        which inputs each element of a value depends on, as boolean rows
pattern     these rows carried through the graph of a run, by what each op says of itself
entries     the entries of a pattern
colouring   which columns, or rows, one product can find together
clashes     the colouring of any columns that clash
products    products of a run with many directions
verify      a product with what was found, beside a plain one
jacobian    all of it: `sparse_jacobian`, `sparse_hessian`
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
