"""Colouring: which columns of a sparse matrix can be found together in one product with it.

Columns of one colour have no row in common, so one product with their sum gives all their entries. Of a symmetric
matrix each entry need be readable once, in its row or in its column: a star colouring.

All of it runs on arrays. In a round every column that waits proposes the colour which is free for it by its rank among
those that wait beside it, and of two that clash the one of higher priority keeps it; afterwards whole classes are
coloured anew, one after the other, which never takes more colours and often fewer. Sources: Gebremedhin, Manne and
Pothen, "What color is your Jacobian?", SIAM Review 47 (2005); for the second pass Culberson's iterated greedy (1992).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gradcli.graph.values import Array

#: Passes of recolouring that do not help before it is left.
_PATIENCE = 2
#: Rounds in which equals are taken by their numbers.
_IN_ORDER = 2
#: As many rows and columns are looked at before a colouring is tried on all.
_SAMPLE = 1000
#: The colours of wider symmetric bands are found as those of any matrix.
_WIDEST = 64
#: The seed of the order in which equals are taken.
_SEED = 7


class Entries(NamedTuple):
    """The entries of a boolean matrix, row by row, in rising order of columns.

    Attributes:
        rows: the row of each.
        columns: the column of each.
        shape: of the matrix.
    """

    rows: Array
    columns: Array
    shape: tuple[int, int]

    @property
    def turned(self) -> Entries:
        """Those of the transpose."""
        order = order_by(self.columns, self.shape[1])
        return Entries(self.columns[order], self.rows[order], self.shape[::-1])


def order_by(labels: Array, count: int) -> Array:
    """The order that puts labels from 0 to count - 1 in rising order, equal ones as they stand: by counting them."""
    from scipy.sparse import csr_array

    if not len(labels):
        return np.zeros(0, np.int64)
    index = np.int32 if max(len(labels), count) < 2**31 else np.int64
    one_row = csr_array((np.arange(len(labels)), labels.astype(index), np.array([0, len(labels)], index)), (1, count))
    return np.asarray(one_row.tocsc().data)


def coloured_columns(entries: Entries) -> Array:
    """A colour for each column, such that no two of one colour share a row; -1 for an empty column."""
    least = _most(entries.rows, entries.shape[0])
    found = _cyclic(entries, least)
    if found is not None:
        return found
    return _Clashes(entries, None).coloured(least)


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
    if found is not None and _count(found) <= 3:
        return found
    star = _Clashes(entries, early).coloured(1)
    return star if found is None or _count(star) < _count(found) else found


def readable(entries: Entries, colours: Array) -> Array:
    """For each entry, whether no other of its row has the colour of its column."""
    width = _count(colours)
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


def _count(colours: Array) -> int:
    return int(colours.max(initial=-1)) + 1


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


# --- colourings of anything -------------------------------------------------------------------------------------------


class _Clashes:
    """Which columns clash: two entries of one row, unless both are late ones (see `coloured_symmetric`)."""

    def __init__(self, entries: Entries, early: Array | None) -> None:
        self._shape = entries.shape
        self._sizes = np.bincount(entries.columns, minlength=entries.shape[1])
        by_column = order_by(entries.columns, entries.shape[1])
        self._rows = entries.rows[by_column]
        self._columns = entries.columns[by_column]
        self._early = np.ones(len(by_column), np.bool_) if early is None else early[by_column]
        self._parted = early is not None

    def coloured(self, least: int) -> Array:
        """A colouring; `least` is a number of colours that none can undercut."""
        colours = self._in_rounds()
        generator = np.random.default_rng(_SEED)
        waiting = _PATIENCE
        while _count(colours) > least and waiting and _count(colours) * 64 < len(self._columns):
            better = self._recoloured(colours, generator)
            waiting = _PATIENCE if _count(better) < _count(colours) else waiting - 1
            colours = better
        return colours

    # - in rounds -

    def _in_rounds(self) -> Array:
        """Columns of many entries first; equals by their numbers, and after two rounds, to save time, at random."""
        colours = np.full(self._shape[1], -1, np.int64)
        taken = _Taken(self._shape[0], self._parted)
        waits = np.ones(len(self._columns), np.bool_)
        priority = self._priority(None)
        by_row = self._by_row(priority)
        turn = 0
        while waits.any():
            live = np.flatnonzero(waits)
            if turn == _IN_ORDER:
                priority = self._priority(np.random.default_rng(_SEED))
                by_row = self._by_row(priority)
            by_row = by_row[waits[by_row]]
            proposed = self._proposed(live, by_row, taken)
            keeps = self._winners(live, proposed, priority)
            colours[keeps] = proposed[keeps]
            settled = live[colours[self._columns[live]] >= 0]
            taken.add(self._rows[settled], colours[self._columns[settled]], self._early[settled])
            waits[settled] = False
            turn += 1
        return colours

    def _priority(self, generator: np.random.Generator | None) -> Array:
        """The place of every column in the order in which they are served."""
        ties = np.arange(self._shape[1]) if generator is None else generator.random(self._shape[1])
        priority = np.empty(self._shape[1], np.int64)
        priority[np.lexsort((ties, -self._sizes))] = np.arange(self._shape[1])
        return priority

    def _by_row(self, priority: Array) -> Array:
        """The entries row by row, and in a row by priority."""
        order = order_by(priority[self._columns], self._shape[1])
        return order[order_by(self._rows[order], self._shape[0])]

    def _proposed(self, live: Array, by_row: Array, taken: _Taken) -> Array:
        """For every column that waits the free colour which its rank among those that wait in its rows gives it."""
        rows, columns = self._rows[live], self._columns[live]
        begins = np.flatnonzero(np.diff(columns, prepend=-1))
        places = np.empty(len(self._columns), np.int64)
        places[by_row] = self._places(by_row)
        proposed = np.full(self._shape[1], -1, np.int64)
        blocked = taken.blocked(rows, self._early[live], begins)
        proposed[columns[begins]] = _free(blocked, np.maximum.reduceat(places[live], begins))
        return proposed

    def _places(self, by_row: Array) -> Array:
        """How many early entries come before each in its row."""
        counts: Array = np.cumsum(self._early[by_row]) - self._early[by_row]
        first = np.flatnonzero(np.diff(self._rows[by_row], prepend=-1))
        return np.asarray(counts - np.repeat(counts[first], np.diff(np.append(first, len(by_row)))))

    def _winners(self, live: Array, proposed: Array, priority: Array) -> Array:
        """The columns whose proposal clashes with none of higher priority."""
        columns, early = self._columns[live], self._early[live]
        width = int(proposed.max(initial=0)) + 1
        keys, count = self._rows[live] * width + proposed[columns], self._shape[0] * width
        if count > 64 * len(keys) + 1024:
            _, keys = np.unique(keys, return_inverse=True)
            count = int(keys.max(initial=-1)) + 1
        own = priority[columns]
        fine = own <= _first(keys[early], own[early], count)[keys]
        if self._parted:  # an early entry gives way to a late one too, a late one to none of its kind
            fine &= ~early | (own <= _first(keys, own, count)[keys])
        begins = np.flatnonzero(np.diff(columns, prepend=-1))
        return np.asarray(columns[begins][np.logical_and.reduceat(fine, begins)])

    # - class by class -

    def _recoloured(self, colours: Array, generator: np.random.Generator) -> Array:
        """The classes of a colouring, taken in another order, each column given the first colour that is free."""
        count = _count(colours)
        sizes = np.bincount(colours[colours >= 0], minlength=count)
        order = np.argsort(-sizes, kind="stable") if generator.random() < 0.5 else np.arange(count)[::-1]
        position = np.empty(count, np.int64)
        position[order] = np.arange(count)
        turns = position[colours[self._columns]]
        by_class = order_by(turns, count)
        ends = np.cumsum(np.bincount(turns, minlength=count))
        taken = _Taken(self._shape[0], self._parted)
        found = np.full_like(colours, -1)
        start = 0
        for end in ends.tolist():
            live = by_class[start:end]
            start = end
            if not len(live):
                continue
            rows, columns = self._rows[live], self._columns[live]
            begins = np.flatnonzero(np.diff(columns, prepend=-1))
            blocked = taken.blocked(rows, self._early[live], begins)
            found[columns[begins]] = _free(blocked, np.zeros(len(begins), np.int64))
            taken.add(rows, found[columns], self._early[live])
        return found


def _first(keys: Array, priority: Array, count: int) -> Array:
    """The least priority under each key."""
    found = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(found, keys, priority)
    return found


class _Taken:
    """The colours that stand in each row, as bits; apart from all of them, those of the early entries."""

    def __init__(self, rows: int, parted: bool) -> None:
        self._rows = rows
        self._all = np.zeros((1, rows), np.uint64)
        self._early = np.zeros((1, rows), np.uint64) if parted else None

    def add(self, rows: Array, colours: Array, early: Array) -> None:
        """Note what colours came to which rows."""
        words = int(colours.max(initial=0)) // 64 + 1
        self._all = _grown(self._all, words)
        _mark(self._all, rows, colours)
        if self._early is not None:
            self._early = _grown(self._early, words)
            _mark(self._early, rows[early], colours[early])

    def blocked(self, rows: Array, early: Array, begins: Array) -> Array:
        """The bits of the colours that each column may not have; its entries begin at `begins`."""
        found = []
        for word in range(len(self._all)):
            bits = self._all[word][rows]
            if self._early is not None:
                bits = np.where(early, bits, self._early[word][rows])
            found.append(np.bitwise_or.reduceat(bits, begins))
        return np.array(found)


def _grown(bits: Array, words: int) -> Array:
    if words <= len(bits):
        return bits
    return np.concatenate([bits, np.zeros((words - len(bits), bits.shape[1]), np.uint64)])


def _mark(bits: Array, rows: Array, colours: Array) -> None:
    for word in range(len(bits)):
        inside = colours // 64 == word
        if not inside.any():
            continue
        np.bitwise_or.at(bits[word], rows[inside], np.uint64(1) << (colours[inside] % 64).astype(np.uint64))


def _free(blocked: Array, place: Array) -> Array:
    """For every column the colour number `place` among those whose bit is not set."""
    found = np.full(blocked.shape[1], -1, np.int64)
    left = place.copy()
    for word, bits in enumerate(blocked):
        open_ = np.flatnonzero(found < 0)
        if not len(open_):
            return found
        free = ~bits[open_]
        counts = np.bitwise_count(free).astype(np.int64)
        inside = left[open_] < counts
        chosen = open_[inside]
        found[chosen] = 64 * word + _nth_bit(free[inside], left[chosen])
        left[open_[~inside]] -= counts[~inside]
    rest = found < 0
    found[rest] = 64 * len(blocked) + left[rest]
    return found


def _nth_bit(bits: Array, n: Array) -> Array:
    """The place of set bit number n, counted from the lowest: by halves."""
    place = np.zeros(len(bits), np.int64)
    bits, left = bits.copy(), n.copy()
    for half in (32, 16, 8, 4, 2, 1):
        low = bits & np.uint64((1 << half) - 1)
        counts = np.bitwise_count(low).astype(np.int64)
        above = left >= counts
        left[above] -= counts[above]
        place[above] += half
        bits = np.where(above, bits >> np.uint64(half), low)
    return place


def directions(colours: Array, first: int, last: int) -> tuple[Array, Array]:
    """Which columns have the colours first to last - 1, and which of these colours each has, from 0."""
    columns = np.flatnonzero((colours >= first) & (colours < last))
    return columns, colours[columns] - first


def colour_count(colours: Array) -> int:
    """How many colours there are."""
    return _count(colours)


def entries_of(rows: Any) -> Entries:
    """The entries of compressed rows."""
    lengths = np.diff(rows.starts)
    numbers = np.repeat(np.arange(len(lengths)), lengths)
    return Entries(numbers, rows.columns.astype(np.int64), (len(lengths), rows.width))
