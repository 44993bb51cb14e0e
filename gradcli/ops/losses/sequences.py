"""Connectionist temporal classification: how likely it is that frames spell a sequence of labels."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, dtype_of, ndim_of, shape_of
from gradcli.ops.arguments import integer, integers, settled
from gradcli.ops.elementwise import logaddexp, where
from gradcli.ops.function import case
from gradcli.ops.indexing import getitem
from gradcli.ops.kinds import fits
from gradcli.ops.losses.folding import fold_of, folded
from gradcli.ops.one_node import one_node
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.pieces import concatenated
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped


def _spelled(targets: Any, lengths: Any, rows: int) -> Any:
    """The labels of every row, [batch, longest]; given in rows, or one after another."""
    given = np.asarray(settled(as_core(targets)))
    if given.dtype.kind not in "iu":
        raise ArgumentError(f"ctc_loss: targets must be integers, not {given.dtype}")
    longest = int(max(lengths, default=0))
    if given.ndim == 2:
        if len(given) != rows or given.shape[1] < longest:
            raise ShapeError(f"ctc_loss: targets of shape {fits(given.shape)} for {rows} rows of up to {longest}")
        return given[:, :longest]
    if given.ndim != 1 or len(given) != sum(lengths):
        raise ShapeError(f"ctc_loss: {sum(lengths)} targets in a line, not shape {fits(given.shape)}")
    made = np.zeros((rows, longest), np.int64)
    for row, n, end in zip(made, lengths, np.cumsum(lengths), strict=True):
        row[:n] = given[end - n : end]
    return made


def _with_blanks(labels: Any, blank: int) -> tuple[Any, Any]:
    """Labels with a blank around each, and which places may be reached from two before: labels that differ."""
    made = np.full((len(labels), 2 * labels.shape[1] + 1), blank)
    made[:, 1::2] = labels
    leaps = np.zeros(made.shape, bool)
    leaps[:, 3::2] = labels[:, 1:] != labels[:, :-1]
    return made, leaps


class _Paths(NamedTuple):
    """Log-likelihoods of all paths that end at each place of each row, and which places can be reached at all."""

    alpha: CoreValue
    alive: Any

    def shifted(self, by: int, allowed: Any) -> _Paths:
        """The same for the places that lie `by` places on."""
        rows, places = self.alive.shape
        kept = max(places - by, 0)
        edge = np.zeros((rows, places - kept), dtype_of(self.alpha))
        moved = concatenated([edge, getitem.call(self.alpha, (slice(None), slice(0, kept)))], 1)
        alive = np.concatenate([edge.astype(bool), self.alive[:, :kept]], 1)
        return _Paths(moved, alive & allowed)

    def with_others(self, other: _Paths) -> _Paths:
        """All paths of two kinds; nothing is made of what can't be reached."""
        both = self.alive & other.alive
        left, right = (where(both, paths.alpha, 0.0) for paths in (self, other))
        one = where(self.alive, self.alpha, other.alpha)
        return _Paths(where(both, logaddexp(left, right), one), self.alive | other.alive)

    def followed_by(self, seen: CoreValue) -> _Paths:
        """The same with a frame more."""
        return _Paths(where(self.alive, self.alpha + seen, 0.0), self.alive)


def _forward(frames: CoreValue, places: Any, leaps: Any, lengths: Any) -> _Paths:
    """All that each row's frames can spell.

    Source: Graves et al. 2006, "Connectionist Temporal Classification", equations (5) to (8).
    """
    rows = np.arange(len(places))[:, None]
    start = np.broadcast_to(np.arange(places.shape[1]) < 2, places.shape)
    paths = _Paths(np.zeros(places.shape, dtype_of(frames)), start)
    for t in range(int(max(lengths, default=0))):
        seen = getitem.call(frames, (t, rows, places))
        before = paths
        if t:
            paths = paths.with_others(paths.shifted(1, True)).with_others(before.shifted(2, leaps))
        paths = paths.followed_by(seen)
        going = (t < lengths)[:, None]
        if not going.all():
            paths = _Paths(where(going, paths.alpha, before.alpha), np.where(going, paths.alive, before.alive))
    return paths


def _likelihood(paths: _Paths, ends: Any) -> _Paths:
    """What ends on the last label or on the blank after it; of no labels, on the blank."""
    rows = np.arange(len(ends))
    found = []
    for at, there in ((2 * ends, ends >= 0), (np.maximum(2 * ends - 1, 0), ends > 0)):
        found.append(_Paths(getitem.call(paths.alpha, (rows, at)), paths.alive[rows, at] & there))
    return found[0].with_others(found[1])


def _lengths(name: str, given: Any, rows: int, most: int) -> Any:
    found = np.asarray(integers(given, f"ctc_loss: {name}"))
    if found.shape != (rows,) or (rows and not 0 <= found.min() <= found.max() <= most):
        raise ArgumentError(f"ctc_loss: {name} are {rows} integers from 0 to {most}, not {found.tolist()[:8]}")
    return found


_FRAMES = np.log(np.array([[0.2, 0.3, 0.5], [0.6, 0.1, 0.3], [0.25, 0.5, 0.25], [0.1, 0.2, 0.7]]))
_BATCH = np.stack([_FRAMES, _FRAMES[::-1]], 1)


@function(
    family="loss",
    where="F",
    derivative="vjp: -g times the probability of each label at each frame, given the sequence",
    kinks="a sequence that can't be spelled in so many frames: inf (or 0, with zero_infinity), with derivative 0",
    source="Graves et al. 2006, Connectionist Temporal Classification, equations (5) to (8)",
    cases=(
        case(_BATCH, np.array([[1, 2], [2, 2]]), [4, 3], [2, 1]),
        case(_BATCH, np.array([1, 2, 2]), [4, 4], [1, 2], reduction="none"),
        case(_FRAMES, np.array([1, 1]), 4, 2, reduction="sum"),
        case(_BATCH, np.array([[1], [0]]), [3, 4], [0, 1], 2),
        case(_BATCH, np.array([[1, 1], [1, 2]]), [2, 4], [2, 2], zero_infinity=True),
    ),
)
def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: Any = 0,
    reduction: Any = "mean",
    zero_infinity: Any = False,
) -> CoreValue:
    """Minus the log-likelihood that frames, [length, batch, classes], spell targets; its mean is over their lengths."""
    x = to_float(as_core(log_probs))
    if ndim_of(x) not in (2, 3) or not shape_of(x)[-1]:
        raise ShapeError(f"ctc_loss takes [length, batch, classes] or [length, classes], not shape {fits(shape_of(x))}")
    frames = x if ndim_of(x) == 3 else reshaped(x, (shape_of(x)[0], 1, shape_of(x)[1]))
    length, rows, classes = shape_of(frames)
    none = integer(blank, "ctc_loss: blank")
    if not 0 <= none < classes:
        raise ArgumentError(f"ctc_loss: blank must be in label range, 0 to {classes - 1}, not {none}")
    inputs = _lengths("input_lengths", input_lengths, rows, length)
    ends = _lengths("target_lengths", target_lengths, rows, np.iinfo(np.int64).max)
    given = np.asarray(settled(as_core(targets)))
    labels = _spelled(given.reshape(1, -1) if ndim_of(x) == 2 and given.ndim == 1 else given, ends, rows)
    if labels.size and not 0 <= labels.min() <= labels.max() < classes:
        raise ArgumentError(f"ctc_loss: a target is out of range, there are {classes} classes")
    places, leaps = _with_blanks(labels, none)
    spelled = _likelihood(_forward(frames, places, leaps, inputs), ends)
    losses = where(spelled.alive, -spelled.alpha, 0.0 if zero_infinity else np.inf)
    losses = one_node("CtcLoss", losses if ndim_of(x) == 3 else losses[0], x)
    fold = fold_of(reduction)
    if fold == "mean":
        each = np.maximum(ends, 1).astype(dtype_of(x))
        return folded(losses / (each if ndim_of(x) == 3 else each[0]), fold)
    return folded(losses, fold)
