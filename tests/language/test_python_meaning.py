"""Programs in the part of the language that is plain Python: they mean what Python says they mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcli.language import Program, RunOptions, Source

#: Separated by lines of three dashes; each leaves its answer in `out`.
PROGRAMS = (Path(__file__).parent / "python_meaning.txt").read_text(encoding="utf-8").rstrip("\n").split("\n---\n")


@pytest.mark.parametrize("text", PROGRAMS)
def test_same_as_python(text):
    theirs: dict[str, object] = {}
    exec(text, theirs)
    result = Program.parse(Source("p", text)).run({}, options=RunOptions(of="out"))
    ours = result.outputs if result.is_tuple else result.outputs[0]
    assert repr(ours) == repr(theirs["out"])


@pytest.mark.parametrize("text", ["1/0", "1//0", "1 % 0", "0 ** -1", "0.0 ** -1", "1.0 / 0.0"])
def test_division_by_zero(text):
    from gradcli.graph.errors import DomainError

    with pytest.raises(DomainError, match="division by zero"):
        Program.parse(Source("p", text)).run({})
