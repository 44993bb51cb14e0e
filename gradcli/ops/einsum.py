"""Einstein's summation, with any number of operands.

The op itself takes subscripts in one form only: an output is given, there is no ellipsis, and no axis of length 1
broadcasts. `einsum` brings what a program writes to that form.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.budget import budget
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, Spec, count_of, dtype_of, shape_of
from gradcli.ops.arguments import integer
from gradcli.ops.function import case
from gradcli.ops.kinds import conj, expanded, fits, multilinear
from gradcli.ops.operands import as_core
from gradcli.ops.product_dependence import summed_products
from gradcli.ops.products import check_same_dtype
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#: Two operands with fewer products than this are summed in one pass, which has no overhead.
_SMALL = 1 << 12


def _parts(subscripts: str) -> tuple[list[str], str]:
    terms, _, output = subscripts.partition("->")
    return terms.split(","), output


def _lengths(terms: Sequence[str], shapes: Sequence[tuple[int, ...]]) -> dict[str, int]:
    """How long the axis of every letter is."""
    found: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for letter, n in zip(term, shape, strict=True):
            if found.setdefault(letter, n) != n:
                listed = " and ".join(fits(s) for s in shapes)
                raise ShapeError(
                    f"einsum cannot join shapes {listed} by '{','.join(terms)}'",
                    mend=f"index {letter} has lengths {found[letter]} and {n}",
                )
    return found


# --- the op ----------------------------------------------------------------------------------------------------------


def _einsum(*xs: Any, subscripts: str) -> Any:
    if len(xs) > 2:
        # On the greedy path no intermediate has more elements than the largest operand or the result. At the widest
        # point two of them and a transposed copy exist.
        largest = max(*(np.size(x) for x in xs), count_of(_einsum_shape(*xs, subscripts=subscripts).shape))
        budget.charge(3 * largest * max(x.dtype.itemsize for x in xs), "einsum")
        return np.einsum(subscripts, *xs, optimize="greedy")
    if len(xs) == 2:
        terms, _ = _parts(subscripts)
        work = 1
        for n in _lengths(terms, [x.shape for x in xs]).values():
            work *= n
        if work > _SMALL:
            return np.einsum(subscripts, *xs, optimize=True)
    return np.array(np.einsum(subscripts, *xs))  # of one operand NumPy may make a view


def _einsum_shape(*xs: CoreValue, subscripts: str) -> Spec:
    terms, output = _parts(subscripts)
    lengths = _lengths(terms, [shape_of(x) for x in xs])
    return Spec(tuple(lengths[letter] for letter in output), np.result_type(*(dtype_of(x) for x in xs)))


def _unused(used: str) -> str:
    """A letter that is not in use.

    Raises:
        ArgumentError: all are.
    """
    for letter in _LETTERS:
        if letter not in used:
            return letter
    raise ArgumentError("einsum has more than 52 indices at once")


def _cotangent(i: int, g: CoreValue, *xs: CoreValue, subscripts: str) -> CoreValue:
    """The sum with g in the place of operand i and i's indices as the output.

    An index that i repeats is put on the diagonal by an identity matrix; one that is i's alone is spread along it.
    """
    terms, output = _parts(subscripts)
    used = "".join(terms) + output
    own, lengths = terms[i], _lengths(terms, [shape_of(x) for x in xs])
    factors = [g] + [conj(x) for j, x in enumerate(xs) if j != i]
    into = [output] + [term for j, term in enumerate(terms) if j != i]
    wanted = ""
    for letter in own:
        if letter in wanted:
            fresh = _unused(used)
            used += fresh
            into.append(letter + fresh)
            factors.append(np.eye(lengths[letter], dtype=dtype_of(g)))
            letter = fresh
        wanted += letter
    reached = set("".join(into))
    found = bind(EINSUM, *factors, subscripts=f"{','.join(into)}->{''.join(c for c in wanted if c in reached)}")
    return expanded(
        reshaped(found, tuple(n if c in reached else 1 for c, n in zip(wanted, shape_of(xs[i]), strict=True))),
        shape_of(xs[i]),
    )


def _batch(xs: Sequence[CoreValue], batched: Sequence[bool], params: dict[str, Any], size: int) -> CoreValue:
    terms, output = _parts(params["subscripts"])
    b = _unused("".join(terms) + output)
    front = [b + term if flag else term for term, flag in zip(terms, batched, strict=True)]
    return bind(EINSUM, *xs, subscripts=f"{','.join(front)}->{b}{output}")


def _laid_out(i: int) -> Any:
    return ("ViewBackward0", (("PermuteBackward0", (i,)),))


def _node(operands: Sequence[CoreValue], params: dict[str, Any]) -> Any:
    """PyTorch lays the operands out for a product of stacks; of one operand it permutes and sums the axes."""
    (*rest, first), output = _parts(params["subscripts"])
    if rest:
        product: Any = _laid_out(0)
        for i in range(1, len(operands)):
            product = ("ViewBackward0", (("BmmBackward0", (product, _laid_out(i))),))
        return ("ViewBackward0", (("PermuteBackward0", (product,)),))
    permuted = ("PermuteBackward0", (0,))
    return permuted if len(set(first)) == len(output) else ("SumBackward1", (permuted,))


EINSUM = multilinear(
    "einsum",
    _einsum,
    _einsum_shape,
    transposes=_cotangent,
    batch=_batch,
    torch=_node,
    saves=(0, 1),
    depends=summed_products,
    doc="Sum of products over named indices.",
)


# --- what programs write ---------------------------------------------------------------------------------------------


def _checked(text: str, count: int) -> tuple[list[str], str | None]:
    """Terms and output (None if none is given) of subscripts as a program writes them."""
    compact = "".join(text.split())
    left, arrow, output = compact.partition("->")
    terms = left.split(",")
    for term in (*terms, output):
        rest = term.replace("...", "", 1)
        if not all(c in _LETTERS for c in rest):
            raise ArgumentError(f"einsum: '{text[:60]}' has something that is no index in '{term[:40]}'")
    if len(terms) != count:
        raise ArgumentError(f"einsum: '{text[:60]}' is for {len(terms)} operands, {count} are given")
    return terms, output if arrow else None


def _explicit(text: str, shapes: Sequence[tuple[int, ...]]) -> tuple[list[str], str]:
    """Subscripts with letters for the ellipses and with an output."""
    terms, output = _checked(text, len(shapes))
    free = [c for c in _LETTERS[::-1] if c not in text]
    extra = [len(shape) - len(term.replace("...", "")) for term, shape in zip(terms, shapes, strict=True)]
    for term, shape, more in zip(terms, shapes, extra, strict=True):
        if more < 0 or (more and "..." not in term):
            raise ShapeError(f"einsum: '{term}' has {len(term.replace('...', ''))} indices for shape {fits(shape)}")
    most = max(more if "..." in term else 0 for term, more in zip(terms, extra, strict=True))
    if most > len(free):
        raise ArgumentError("einsum has more than 52 indices at once")
    dots = "".join(free[:most])
    named = [term.replace("...", dots[most - more :]) for term, more in zip(terms, extra, strict=True)]
    if output is None:
        letters = "".join(term.replace("...", "") for term in terms)
        return named, dots + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    return named, output.replace("...", dots)


def _check_output(text: str, terms: Sequence[str], output: str) -> None:
    for c in output:
        if c not in "".join(terms):
            raise ArgumentError(f"einsum: output index {c} of '{text[:60]}' is in no operand")
        if output.count(c) > 1:
            raise ArgumentError(f"einsum: output index {c} of '{text[:60]}' stands twice")


def _without_singletons(terms: list[str], xs: list[CoreValue]) -> tuple[list[str], list[CoreValue]]:
    """Axes of length 1 that would broadcast against longer ones, taken away."""
    longest: dict[str, int] = {}
    for term, x in zip(terms, xs, strict=True):
        for letter, n in zip(term, shape_of(x), strict=True):
            if longest.get(letter, 1) == 1:
                longest[letter] = n
    for i, (term, x) in enumerate(zip(terms, xs, strict=True)):
        shape = shape_of(x)
        kept = [j for j, letter in enumerate(term) if shape[j] != 1 or longest[letter] == 1]
        if len(kept) < len(term):
            xs[i] = reshaped(x, tuple(shape[j] for j in kept))
            terms[i] = "".join(term[j] for j in kept)
    return terms, xs


def _from_lists(words: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    """Subscripts and operands of the form that names indices by numbers: x, [0, 1], y, [1, 2], and perhaps an output.

    Raises:
        ArgumentError: there are no such lists.
    """
    lists = [*words[1::2], *(words[-1:] if len(words) % 2 and len(words) > 1 else ())]
    if len(words) < 2 or not all(isinstance(x, list | tuple | range) for x in lists):
        raise ArgumentError("einsum takes its subscripts as text first", mend="einsum('ij,jk->ik', x, y)")
    terms = ["".join(_letter(i) for i in x) for x in lists]
    if len(words) % 2:
        return f"{','.join(terms[:-1])}->{terms[-1]}", tuple(words[:-1:2])
    return ",".join(terms), tuple(words[::2])


def _letter(index: Any) -> str:
    """The letter for a number, in the order of the numbers."""
    if index is Ellipsis:
        return "..."
    place = integer(index, "einsum: an index")
    if not 0 <= place < len(_LETTERS):
        raise ArgumentError(f"einsum: an index is a number from 0 to {len(_LETTERS) - 1}, not {place}")
    return sorted(_LETTERS)[place]


@function(
    family="linalg",
    where="numpy torch",
    op=EINSUM,
    derivative="vjp: einsum with g in the operand's place and its indices as the output",
    cases=(
        case("ij,jk->ik", (2, 3), (3, 4)),
        case("ij,jk", (2, 3), (3, 4)),
        case("ii", (3, 3)),
        case("ii->i", (3, 3)),
        case("iij->j", (2, 2, 3)),
        case("ij->", (2, 3)),
        case("ij->ji", (2, 3)),
        case("i,i", (3,), (3,)),
        case("i,j->ij", (2,), (3,)),
        case("...ij,...jk->...ik", (4, 2, 3), (3, 2)),
        case("b...,b...->...", (2, 3, 2), (2, 3, 2)),
        case("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)),
        case("i,ij,j", (2,), (2, 3), (3,)),
        case("ij,i->j", (2, 3), (1,)),
        case("iii->i", (2, 2, 2)),
        case(",i->i", (), (3,)),
        case("ij,jk->ik", (20, 21), (21, 22)),
        case((2, 3), [0, 1], (3, 4), [1, 2]),
        case((2, 3), [1, 0], [0]),
        case((4, 2, 3), [Ellipsis, 0, 1], (3,), [1]),
    ),
)
def einsum(subscripts: Any, *operands: Any, optimize: Any = None) -> CoreValue:
    """Sum of products over named indices: 'ij,jk->ik' is the product of two matrices; so is x, [0, 1], y, [1, 2]."""
    if not isinstance(subscripts, str):
        subscripts, operands = _from_lists((subscripts, *operands))
    if len(operands) == 1 and isinstance(operands[0], list | tuple):
        operands = tuple(operands[0])
    if not operands:
        raise ArgumentError("einsum needs an operand")
    xs = [as_core(x) for x in operands]
    check_same_dtype(*xs)
    terms, output = _explicit(subscripts, [shape_of(x) for x in xs])
    _check_output(subscripts, terms, output)
    terms, xs = _without_singletons(terms, xs)
    return bind(EINSUM, *xs, subscripts=f"{','.join(terms)}->{output}")
