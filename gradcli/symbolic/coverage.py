"""Which method covers which elements: the chain rule all, and one closed formula those of a small program as well."""

from __future__ import annotations

from collections.abc import Mapping

from mpmath import libmp
from mpmath.libmp import fzero

from gradcli.symbolic.closed import is_small, proved_whole
from gradcli.symbolic.derivatives import Matrix, Place
from gradcli.symbolic.functions import Raw, defined, to_float
from gradcli.symbolic.point import RegularPoint
from gradcli.symbolic.scalars import Unprovable
from gradcli.symbolic.task import parts_of

#: The two count as equal to this part of the element.
_EQUAL = 1e-20

#: What covers derivatives beside a point where equations are singular.
BESIDE_THE_POINT = (
    "all elements: what exact derivatives tend to along paths away from the point, where the equations of a "
    "result are singular"
)


def compared(point: RegularPoint, derivative: str) -> tuple[str, ...]:
    """Compare the chain rule with the closed formula, if there is one; what covers which elements, in sentences.

    Raises:
        Unprovable: the two differ, so that neither is believed.
    """
    digits = point.matrix.digits
    whole = _by_formula(point, derivative)
    confirmed = 0 if whole is None else _confirmed(point, whole)
    if whole is None or (whole and not confirmed):
        return (
            "all elements: each operation's partial derivatives from SymPy, accumulated along the graph by a chain "
            f"rule of the oracle's own, to {digits} digits",
        )
    how_many, again = "all", "the same again"
    if confirmed < len(whole):  # a formula may be undefined where the program has a value
        how_many, again = f"{confirmed:,} of {len(whole):,}", "all elements"
    return (
        f"{how_many} elements: one closed formula, differentiated by SymPy, to {digits} digits",
        f"{again}: each operation's partial derivatives from SymPy, accumulated along the graph",
    )


def of_some_rows(covered: tuple[str, ...], matrix: Matrix) -> tuple[str, ...]:
    """The sentences, where some rows were too much to be looked at."""
    count = len(matrix.rows)
    part = f"{count - len(matrix.unseen):,} of {count:,} rows, chosen at random"
    return (f"{part}, and of them {covered[0]}", *covered[1:])


def _by_formula(point: RegularPoint, derivative: str) -> Mapping[Place, Raw] | None:
    """The derivatives, by row and number of the column, by one formula of the whole; None where it would be large."""
    matrix, graph = point.matrix, point.lowered.graph
    results = [index for cells in point.lowered.outputs for x in cells.ravel() for index in parts_of(x)]
    order = 2 if derivative == "hessian" else 1
    if point.tied or not is_small(graph, results, len(matrix.columns) ** order):
        return None
    evaluation = matrix.evaluation
    return proved_whole(graph, results, matrix.columns, evaluation.decisions, evaluation.precision + 64, order)


def _confirmed(point: RegularPoint, whole: Mapping[Place, Raw]) -> int:
    """For how many elements the closed formula and the chain rule agree."""
    matrix, confirmed = point.matrix, 0
    for (r, number), value in whole.items():
        column = matrix.columns[number]
        mine = matrix.base[r].get(column, fzero)
        if not (defined(mine) and defined(value)):
            continue
        if not _agree(mine, value, point.rounding[r].get(column, 0.0), matrix.bits):
            raise Unprovable("the closed formula and the chain rule disagree; please report this program")
        confirmed += 1
    return confirmed


def _agree(mine: Raw, value: Raw, rounding: float, bits: int) -> bool:
    gap = abs(to_float(libmp.mpf_sub(mine, value, bits, "n")))
    vanishes = mine == fzero and gap < 2.0 ** -(bits // 2)
    return vanishes or gap <= _EQUAL * max(abs(to_float(mine)), rounding)
