"""A colouring of columns that clash, on arrays alone, however large.

In a round every column that waits proposes the colour which is free for it by its rank among those that wait beside it,
and of two that clash the one of higher priority keeps it. Afterwards whole classes are coloured anew, one after the
other, which never takes more colours and often fewer. Source of that: Culberson's iterated greedy colouring (1992).
"""

from __future__ import annotations

import numpy as np

from gradcli.autodiff.sparse.entries import Entries, colour_count, order_by
from gradcli.graph.values import Array

#: Passes of recolouring that do not help before it is left.
_PATIENCE = 2
#: Rounds in which equals are taken by their numbers.
_IN_ORDER = 2
#: The seed of the order in which equals are taken.
_SEED = 7


class Clashes:
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
        while colour_count(colours) > least and waiting and colour_count(colours) * 64 < len(self._columns):
            better = self._recoloured(colours, generator)
            waiting = _PATIENCE if colour_count(better) < colour_count(colours) else waiting - 1
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
        count = colour_count(colours)
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
