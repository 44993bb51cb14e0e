"""Write what PyTorch prints, and how it fails, for every program; needs the real torch 2.13.

    python tests/transcripts/generate.py            all of them
    python tests/transcripts/generate.py 23 24      those whose names begin so

The programs are those of this folder and of samples/tutorials. `.out` is what one prints, with the values that its
cells show where it is a notebook; `.err` is the exception's type and words where it raises.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

import torch

HERE = Path(__file__).parent
TUTORIALS = HERE.parents[1] / "samples" / "tutorials"
#: Where the outputs of the tutorials are kept: beside their test.
TUTORIALS_OUT = HERE.parent / "samples" / "tutorials"


def cells(path: Path) -> list[str]:
    """The texts to be run one after another."""
    if path.suffix != ".ipynb":
        return [path.read_text()]
    notebook = json.loads(path.read_text())
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def run_cell(text: str, name: str, variables: dict[str, Any], show: bool) -> None:
    """Run a text, and print the value of its last expression where a notebook shows it."""
    tree = ast.parse(text, name)
    last = tree.body.pop() if show and tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), variables)
    if isinstance(last, ast.Expr):
        value = eval(compile(ast.Expression(last.value), name, "eval"), variables)
        if value is not None:
            print(repr(value))


def played(path: Path) -> tuple[str, str | None]:
    """What a program prints, and how it ends."""
    torch.set_default_dtype(torch.float32)
    torch.set_printoptions(profile="default")
    torch.set_grad_enabled(True)
    out, error = io.StringIO(), None
    variables: dict[str, Any] = {"__name__": "__main__"}
    with contextlib.redirect_stdout(out), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for text in cells(path):
                run_cell(text, path.name, variables, path.suffix == ".ipynb")
        except Exception as raised:
            error = "".join(traceback.format_exception_only(raised))
    return out.getvalue(), error


def write(path: Path, folder: Path) -> None:
    """Play a program and keep what came of it in a folder."""
    out, error = played(path)
    (folder / f"{path.stem}.out").write_text(out)
    kept = folder / f"{path.stem}.err"
    if error is None:
        kept.unlink(missing_ok=True)
    else:
        kept.write_text(error)


def main(beginnings: list[str]) -> None:
    assert torch.__version__.startswith("2.13."), torch.__version__
    for programs, folder in ((HERE, HERE), (TUTORIALS, TUTORIALS_OUT)):
        for path in sorted(programs.iterdir()):
            if path.suffix in (".grad", ".ipynb") and (not beginnings or path.name.startswith(tuple(beginnings))):
                write(path, folder)


if __name__ == "__main__":
    main(sys.argv[1:])
