"""docs/accuracy.md: gradcli's answers on it are right, are what it gives today, and at least ten peers' are not."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def _loaded(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


answers = _loaded("peer_answers")


@pytest.mark.parametrize("case", answers.CASES, ids=lambda case: case.title)
def test_gradcli_is_right(case: Any) -> None:
    wanted = answers.exact(case)
    assert answers.is_right(answers.gradclis(case), wanted), wanted


def test_the_page_has_the_recorded_answers() -> None:
    written = answers.PAGE.read_text()
    assert [title for title in re.findall("^## (.*)$", written, re.MULTILINE)] == [c.title for c in answers.CASES]
    recorded = answers.recorded()
    for case in answers.CASES:
        for peer in answers.PEERS:
            assert answers.in_words(recorded[peer]["answers"][case.title]) in written


def test_at_least_ten_cases_show_a_peer_that_is_wrong() -> None:
    recorded = answers.recorded()

    def wrong(case: Any, peer: str) -> bool:
        answer = recorded[peer]["answers"][case.title]
        return answer is not None and not answers.is_right(answer, answers.exact(case))

    assert sum(any(wrong(case, peer) for peer in answers.PEERS) for case in answers.CASES) >= 10
    for peer in answers.PEERS:
        assert any(wrong(case, peer) for case in answers.CASES)
