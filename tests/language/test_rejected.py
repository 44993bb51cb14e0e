"""Programs that must fail, each with the exact message that it earns.

`rejected/NAME.grad` is the program; a first line `# given: x=1,2` gives it values; `rejected/NAME.err` is the message.
Run this file as a script to write the messages anew, and read the difference.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcli.graph.errors import GradcliError
from gradcli.language import Program, RunOptions, Source, evaluate_literal, render

FOLDER = Path(__file__).parent / "rejected"
OPTIONS = RunOptions(print_to=lambda text: None)


def shown(path: Path) -> str:
    """What is shown when a program fails."""
    data = path.read_bytes()
    first = data.decode().split("\n")[0]
    words = first.removeprefix("# given: ").split() if first.startswith("# given: ") else []
    try:
        program = Program.parse(Source.from_bytes(path.name, data))
        given = {name: evaluate_literal(text, name, OPTIONS) for name, text in (word.split("=", 1) for word in words)}
        program.run(program.resolve(given, options=OPTIONS), options=OPTIONS).cores()
    except GradcliError as error:
        return render(error) + "\n"
    raise AssertionError(f"{path.name} did not fail")


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.grad")), ids=lambda path: path.stem)
def test_message(path):
    assert shown(path) == path.with_suffix(".err").read_text(encoding="utf-8")


if __name__ == "__main__":
    for program in sorted(FOLDER.glob("*.grad")):
        program.with_suffix(".err").write_text(shown(program), encoding="utf-8")
