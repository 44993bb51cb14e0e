"""Programs and the words that PyTorch 2.13 printed for them: values, flags, versions, histories and errors.

`golden/programs.txt` holds programs, each with its output after `>>>`; a node prints as the tree of its next functions.
`golden/nodes.txt` holds expressions over the tensors below, each with its tree.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcli.graph.errors import GradcliError
from gradcli.language import Program, Source
from gradcli.language.options import RunOptions
from gradcli.tensor.grad_fn import GradFn

GOLDEN = Path(__file__).parent / "golden"
PROGRAMS = [part.split("\n>>>\n") for part in (GOLDEN / "programs.txt").read_text().rstrip("\n").split("\n===\n")]
NODES = [line.split(" => ") for line in (GOLDEN / "nodes.txt").read_text().splitlines()]
TENSORS = """
import torch
import torch.nn.functional as F
x = torch.tensor([1., 2., 3.], requires_grad=True)
A = torch.tensor([[1., 2., 3.], [4., 5., 6.]], requires_grad=True)
B = torch.tensor([[1., 2.], [3., 4.], [5., 7.]], requires_grad=True)
S = torch.tensor([[2., .3], [.3, 1.]], requires_grad=True)
T = torch.arange(24.).reshape(2, 3, 4).requires_grad_()
m = torch.tensor([True, False, True])
i = torch.tensor([0, 2])
"""


def tree(fn):
    if fn is None:
        return "None"
    parts = [tree(f) + (f"#{index}" if index else "") for f, index in fn.next_functions]
    return f"{fn.name()}({', '.join(parts)})"


def printed(program, monkeypatch):
    monkeypatch.setattr(GradFn, "__repr__", tree)
    pieces = []
    try:
        Program.parse(Source("program", program)).run({}, options=RunOptions(print_to=pieces.append))
    except GradcliError as error:
        pieces.append(f"error: {error.message}\n")
    return "".join(pieces)


def lines(text):
    return [line.strip() for line in text.strip().splitlines()]


@pytest.mark.parametrize(("program", "expected"), PROGRAMS, ids=[p[0].replace("\n", "; ")[-60:] for p in PROGRAMS])
def test_program(program, expected, monkeypatch):
    assert lines(printed("import torch\n" + program, monkeypatch)) == lines(expected)


@pytest.mark.parametrize(("expression", "expected"), NODES, ids=[node[0] for node in NODES])
def test_nodes(expression, expected, monkeypatch):
    program = f"{TENSORS}r = {expression}\nif isinstance(r, (tuple, list)): r = r[0]\nprint(r.grad_fn)\n"
    found = printed(program, monkeypatch).strip().replace("torch::autograd::", "")
    assert found == expected
