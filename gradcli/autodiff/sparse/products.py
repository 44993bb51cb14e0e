"""Products of a run with several directions at once: in batches bounded by bytes, or one by one where batches fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from gradcli.autodiff.batch import Batched, BatchLevel
from gradcli.autodiff.levels import opened
from gradcli.graph.errors import BatchedBranch
from gradcli.graph.values import Array, CoreValue, Shape, concrete, count_of

#: What maps vectors (None is zero), one per place, to vectors: `push` or `pull` of a run.
Product = Callable[[Sequence[CoreValue | None]], Sequence[CoreValue]]

#: Directions run as one batch while the widest value of the batch stays below this: larger ones fall out of the cache,
#: and then a batch is slower than its directions one by one.
CACHED_BYTES = 1 << 20


class Space:
    """Several values side by side, as one vector.

    Attributes:
        shapes: theirs.
        dtypes: theirs.
        ends: where each begins, and the last ends.
    """

    def __init__(self, values: Sequence[CoreValue]) -> None:
        self.shapes: list[Shape] = [tuple(x.shape) for x in values]
        self.dtypes = [x.dtype for x in values]
        self.ends = np.cumsum([0, *(count_of(shape) for shape in self.shapes)])

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return int(self.ends[-1])

    def parted(self, vector: Array) -> list[Array]:
        """A vector as the values that it stands for."""
        return [
            vector[begin:end].reshape(shape).astype(dtype)
            for begin, end, shape, dtype in zip(self.ends, self.ends[1:], self.shapes, self.dtypes, strict=False)
        ]

    def joined(self, values: Sequence[CoreValue]) -> Array:
        """Values as one vector."""
        parts = [np.asarray(concrete(x)).reshape(-1) for x in values]
        return np.concatenate(parts) if parts else np.zeros(0)


def compressed(
    product: Product, given: Space, found: Space, colours: Array, widest: int
) -> Iterator[tuple[int, Array]]:
    """For a few colours at a time the first of them, and the products with the sums of their unit vectors.

    Args:
        product: the run.
        given: what it takes.
        found: what it gives.
        colours: a colour from 0 for each of the numbers that it takes, -1 for none.
        widest: elements of the largest value of the run.
    """
    count = int(colours.max(initial=-1)) + 1
    at_once = max(1, min(count, CACHED_BYTES // (8 * max(1, widest))))
    first = 0
    while first < count:
        last = min(first + at_once, count)
        try:
            made = _at(product, given, found, colours, first, last)
        except BatchedBranch:
            if last - first == 1:
                raise
            at_once = 1
            continue
        yield first, made
        first = last


def _at(product: Product, given: Space, found: Space, colours: Array, first: int, last: int) -> Array:
    """The products with colours first to last - 1, one per row."""
    size = last - first
    vectors = [_sums(given, i, colours, first, last) for i in range(len(given.shapes))]
    if size == 1:
        return found.joined(product([None if v is None else v[0] for v in vectors]))[None]
    with opened(BatchLevel) as level:
        level.size = size
        parts = product([None if v is None else Batched(level, v) for v in vectors])
    made = np.empty((size, found.size), dtype=np.result_type(*found.dtypes))
    for part, begin, end in zip(parts, found.ends, found.ends[1:], strict=False):
        payload = level.payload(part)
        whole = concrete(part)[None] if payload is None else concrete(payload)
        made[:, begin:end] = whole.reshape(len(whole), -1)
    return made


def _sums(given: Space, place: int, colours: Array, first: int, last: int) -> Array | None:
    """For each of some colours the sum of its unit vectors in one of the values; None where none has one there."""
    own = colours[given.ends[place] : given.ends[place + 1]]
    chosen = np.flatnonzero((own >= first) & (own < last))
    if not len(chosen):
        return None
    made = np.zeros((last - first, len(own)), dtype=given.dtypes[place])
    made[own[chosen] - first, chosen] = 1
    return made.reshape(last - first, *given.shapes[place])
