"""Colouring: which columns of a sparse matrix can be found together in one product with it.

Columns of one colour have no row in common, so one product with their sum gives all their entries. Of a symmetric
matrix each entry need be readable once, in its row or in its column: a star colouring.

A band is tried first, whose colours go round; `clashes` colours anything else. Source: Gebremedhin, Manne and Pothen,
"What color is your Jacobian?", SIAM Review 47 (2005).
"""

from __future__ import annotations

import numpy as np

from gradcli.autodiff.sparse.clashes import Clashes
from gradcli.autodiff.sparse.entries import Entries, colour_count, order_by
from gradcli.graph.values import Array

#: As many rows and columns are looked at before a colouring is tried on all.
_SAMPLE = 1000
#: The colours of wider symmetric bands are found as those of any matrix.
_WIDEST = 64


def coloured_columns(entries: Entries) -> Array:
    """A colour for each column, such that no two of one colour share a row; -1 for an empty column."""
    least = _most(entries.rows, entries.shape[0])
    found = _cyclic(entries, least)
    if found is not None:
        return found
    return Clashes(entries, None).coloured(least)


def coloured_symmetric(entries: Entries) -> Array:
    """A colour for each row and column of a symmetric matrix, such that `readable` holds for each entry in one place.

    Empty rows get -1.
    """
    entries = _with_diagonal(entries)
    sizes = np.bincount(entries.rows, minlength=entries.shape[0])
    found = _cyclic_symmetric(entries, int(sizes.max(initial=0)))
    # A star colouring in which the rows with most entries are hubs: their neighbours may share a colour, they may not.
    order = np.lexsort((np.arange(len(sizes)), -sizes))
    rank = np.empty(len(sizes), np.int64)
    rank[order] = np.arange(len(sizes))
    early = rank[entries.columns] <= rank[entries.rows]
    if found is not None and colour_count(found) <= 3:
        return found
    star = Clashes(entries, early).coloured(1)
    return star if found is None or colour_count(star) < colour_count(found) else found


def readable(entries: Entries, colours: Array) -> Array:
    """For each entry, whether no other of its row has the colour of its column."""
    width = colour_count(colours)
    keys = entries.rows * width + colours[entries.columns]
    if entries.shape[0] * width <= 64 * len(keys) + 1024:
        return np.asarray(np.bincount(keys, minlength=1)[keys] == 1)
    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return np.asarray(counts[inverse] == 1)


def _with_diagonal(entries: Entries) -> Entries:
    """The entries and, in rows that have some, the diagonal: a row's own colour must not be its neighbour's."""
    bare = np.zeros(entries.shape[0], np.bool_)
    bare[entries.rows] = True
    bare[entries.rows[entries.rows == entries.columns]] = False
    missing = np.flatnonzero(bare)
    if not len(missing):
        return entries
    keys = np.concatenate([entries.rows * entries.shape[1] + entries.columns, missing * (entries.shape[1] + 1)])
    return Entries(*np.divmod(np.sort(keys, kind="stable"), entries.shape[1]), entries.shape)


def _most(labels: Array, count: int) -> int:
    return int(np.bincount(labels, minlength=count).max(initial=0))


# --- colourings of bands ----------------------------------------------------------------------------------------------


def _cyclic(entries: Entries, width: int) -> Array | None:
    """0, 1, .., width - 1, 0, 1, ..: the least possible for a band; None where it is no colouring."""
    colours = _counted(entries.shape[1], width)
    end = np.searchsorted(entries.rows, _SAMPLE)
    top = Entries(entries.rows[:end], entries.columns[:end], entries.shape)
    return _if_good(entries, colours, every=True) if readable(top, colours).all() else None


def _cyclic_symmetric(entries: Entries, most: int) -> Array | None:
    if most > _WIDEST:
        return None
    for width in range(min(2, most), most + 1):
        colours = _counted(entries.shape[1], width)
        if _sampled(entries, colours) and (found := _if_good(entries, colours, every=False)) is not None:
            return found
    return None


def _sampled(entries: Entries, colours: Array) -> bool:
    """Whether a corner of the matrix speaks for a colouring."""
    end = np.searchsorted(entries.rows, _SAMPLE)
    inside = entries.columns[:end] < _SAMPLE
    corner = Entries(entries.rows[:end][inside], entries.columns[:end][inside], entries.shape)
    return bool(_each_readable(corner, colours).all())


def _counted(columns: int, width: int) -> Array:
    return np.arange(columns) % max(width, 1)


def _if_good(entries: Entries, colours: Array, *, every: bool) -> Array | None:
    good = readable(entries, colours) if every else _each_readable(entries, colours)
    if not good.all():
        return None
    used = np.zeros(len(colours), np.bool_)
    used[entries.columns] = True
    return np.where(used, colours, -1)


def _each_readable(entries: Entries, colours: Array) -> Array:
    """For each entry of a symmetric matrix, whether it can be read in its row or in its column."""
    own = readable(entries, colours)
    mirrored = np.empty_like(own)
    mirrored[order_by(entries.columns, entries.shape[1])] = own
    return own | mirrored
