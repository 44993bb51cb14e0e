"""Write NIST's nonlinear regressions as programs, with their data as CSV beside them.

    python samples/nist/generate.py FOLDER

FOLDER holds the problems as NIST publishes them (StRD, Nonlinear Regression: Misra1a.dat and so on). Every one of
them becomes NAME.grad and NAME.csv beside this file, and the certified numbers of all go into certified.json.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent

#: The model in its section: from the response to the noise, `+ e`, which ends it.
MODEL = r"\n\s*(y|log\[y\])\s*=\s*((?:.|\n)*?)\s*\+\s*e\s*\n"

#: NIST writes calls with brackets here and with parentheses there, and blanks as it likes.
NOTATION = [(r"\[", "("), (r"\]", ")"), (r"\( ", "("), (r" \)", ")")]


class Problem(NamedTuple):
    """One regression: its model as the language has it, its data and its certified answer.

    Attributes:
        name: the data set's name.
        difficulty: NIST's grade of it, such as `Lower`.
        response: what is fitted, `y` or `log(y)`.
        model: the right-hand side, in `x` (or `x1`, `x2`) and `b1`, `b2`, ..., in lines as NIST breaks it.
        columns: the names of the data's columns.
        rows: the data, as written.
        starts: NIST's two starting points.
        certified: the parameters, as written.
        rss: the residual sum of squares, as written.
    """

    name: str
    difficulty: str
    response: str
    model: list[str]
    columns: list[str]
    rows: list[list[str]]
    starts: list[list[float]]
    certified: dict[str, str]
    rss: str


def read_problem(text: str) -> Problem:
    """The problem in the text of one of NIST's files."""
    lines = text.splitlines()
    parameters = re.findall(r"^\s*(b\d+) =\s+(\S+)\s+(\S+)\s+(\S+)\s+\S+\s*$", text, re.MULTILINE)
    first, last = map(int, found(r"Data\s+\(lines\s+(\d+)\s+to\s+(\d+)\)", text))
    response, model = found(MODEL, text[text.index("\nModel:") :])
    return Problem(
        name=found(r"Dataset Name:\s+(\S+)", text)[0],
        difficulty=found(r"(\w+) Level of Difficulty", text)[0],
        response=translated(response),
        model=[translated(line.strip()) for line in model.splitlines()],
        columns=lines[first - 2].removeprefix("Data:").split(),
        rows=[line.split() for line in lines[first - 1 : last]],
        starts=[[float(row[place]) for row in parameters] for place in (1, 2)],
        certified={name: value for name, _, _, value in parameters},
        rss=found(r"Residual Sum of Squares:\s+(\S+)", text)[0],
    )


def found(pattern: str, text: str) -> tuple[str, ...]:
    """The groups of a pattern that has to be there."""
    match = re.search(pattern, text)
    if match is None:
        raise ValueError(f"this is none of NIST's files: {pattern!r} is not in it")
    return match.groups()


def translated(formula: str) -> str:
    """A formula of NIST's in the language."""
    for pattern, replacement in NOTATION:
        formula = re.sub(pattern, replacement, formula)
    return formula


def program(problem: Problem) -> str:
    """The problem as an expression file."""
    path = f"samples/nist/{problem.name}"
    wrt = ",".join(problem.certified)
    return "\n".join(
        [
            f"# {problem.name}: {problem.response} = {' '.join(problem.model)}",
            "#",
            f"# NIST StRD, nonlinear regression, {problem.difficulty.lower()} level of difficulty:"
            f" {len(problem.certified)} parameters, {len(problem.rows)} observations.",
            f"# At the certified parameters, the defaults, the residual sum of squares is {problem.rss},",
            "# and its gradient vanishes. `--of residual` gives the residuals, whose Jacobian a solver wants.",
            "#",
            f"#     gradcli eval {path}.grad --data {path}.csv",
            f"#     gradcli check {path}.grad --data {path}.csv --wrt {wrt}",
            "",
            *(f"{column}: float[n]" for column in problem.columns),
            *(f"{name}: float = {value}" for name, value in problem.certified.items()),
            "",
            f"model = {in_parentheses(problem.model)}",
            f"residual = {problem.response} - model",
            "rss = sum(residual**2)",
            "rss",
            "",
        ]
    )


def in_parentheses(lines: list[str]) -> str:
    """Lines of a formula as one expression."""
    return lines[0] if len(lines) == 1 else "\n".join(["(", *(f"    {line}" for line in lines), ")"])


def table(problem: Problem) -> str:
    """The data as CSV, every number in its shortest form."""
    rows = [problem.columns, *([repr(float(cell)) for cell in row] for row in problem.rows)]
    return "".join(",".join(row) + "\n" for row in rows)


def certified(problem: Problem) -> dict[str, object]:
    """The certified answer as data."""
    return {
        "parameters": {name: float(value) for name, value in problem.certified.items()},
        "rss": float(problem.rss),
        "observations": len(problem.rows),
        "starts": problem.starts,
    }


def main(folder: Path) -> None:
    """Write the files of every problem in a folder."""
    problems = [read_problem(path.read_text()) for path in sorted(folder.glob("*.dat"))]
    for problem in problems:
        (HERE / f"{problem.name}.grad").write_text(program(problem))
        (HERE / f"{problem.name}.csv").write_text(table(problem))
    answers = {problem.name: certified(problem) for problem in problems}
    (HERE / "certified.json").write_text(json.dumps(answers, indent=1) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
