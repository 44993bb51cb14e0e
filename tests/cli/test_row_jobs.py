"""How large the blocks of `--each` become."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gradcli.cli.row_jobs import Cost, Pace
from gradcli.files.rows import Block

ROW = 20
"""Bytes of a row."""


def sizes(seconds: Callable[[int], float], together: bool, peak: Callable[[int], int] = lambda rows: 0) -> list[int]:
    """Rows of one block after the other, where a block of n rows takes so many seconds."""
    pace = Pace()
    found = []
    for _ in range(12):
        rows = max(1, pace.nbytes // ROW)
        found.append(rows)
        pace.took(Block(1, 1, rows, b" " * ROW * rows), Cost(seconds(rows), peak(rows)), together)
    return found


def test_quick_rows_come_in_large_blocks() -> None:
    found = sizes(lambda rows: 1e-7 * rows, True)
    assert found[:3] == [1, 32, 128]
    assert found[-1] == Pace.LARGEST // ROW


def test_a_long_program_that_gains_by_batches_gets_them() -> None:
    found = sizes(lambda rows: 1.0 + 0.001 * rows, True)
    assert found[:4] == [1, 32, 128, 512]
    assert max(found) <= 8192


@pytest.mark.parametrize("together", [True, False])
def test_rows_that_gain_nothing_stay_in_small_blocks(together: bool) -> None:
    found = sizes(lambda rows: 0.3 * rows, together)
    assert max(found[2:]) <= 8
    assert not together or max(found) == 32
    assert together or max(found) == 1


def test_rows_one_by_one_are_answered_several_times_a_second() -> None:
    found = sizes(lambda rows: 0.0005 * rows, False)
    assert all(16 <= rows <= 256 for rows in found[4:])


def test_memory_ends_the_growth() -> None:
    found = sizes(lambda rows: 1e-7 * rows, True, lambda rows: (40 << 20) + rows * (4 << 20))
    assert max(found) == 512
    assert found[-1] == 128
