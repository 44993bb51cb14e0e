"""The byte limit, and how errors name it."""

from __future__ import annotations

import numpy as np
import pytest

from gradcli.graph.bind import bind
from gradcli.graph.budget import Budget, budget, readable
from gradcli.graph.errors import LimitReached
from gradcli.ops.elementwise import MUL


def test_readable():
    assert readable(999) == "999 bytes"
    assert readable(4 << 30) == "4.0 GiB"
    assert readable(8_000_000_000_000) == "7.3 TiB"


def test_one_allocation_past_the_limit_is_refused_before_it_is_made():
    own = Budget()
    own.open(1_000_000)
    with pytest.raises(LimitReached, match=r"limit reached: --max-bytes: zeros needs 7\.6 MiB; .* of 976\.6 KiB are"):
        own.charge(8_000_000, "zeros")


def test_no_limit_is_no_limit():
    Budget().charge(1 << 60)


def test_memory_that_is_given_back_can_be_used_again():
    own = Budget()
    own.open(200_000_000)
    for _ in range(20):
        own.charge(50_000_000)
        held = np.ones(50_000_000 // 8)
        del held


def test_memory_that_is_kept_counts():
    own = Budget()
    own.open(120_000_000)
    held = []
    with pytest.raises(LimitReached):
        for _ in range(10):
            own.charge(40_000_000)
            held.append(np.ones(40_000_000 // 8))
    assert 1 <= len(held) <= 3


def test_broadcasting_is_foreseen():
    budget.open(1_000_000)
    try:
        with pytest.raises(LimitReached, match=r"multiply needs 74\.5 GiB"):
            bind(MUL, np.ones((100_000, 1)), np.ones((1, 100_000)))
    finally:
        budget.open(None)
