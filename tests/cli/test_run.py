"""`gradcli run`: scripts and notebooks, what they print, how they fail, and their backward passes step by step."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from gradcli import __version__

SCRIPT = """\
import torch

x = torch.ones(2, requires_grad=True)
y = x * 3
out = (y * y).sum()
out.backward()
print(x.grad)
"""


def notebook(*cells: str) -> str:
    """A notebook of code cells, with prose between."""
    found = []
    for cell in cells:
        found.append({"cell_type": "markdown", "source": ["# prose\n"]})
        found.append({"cell_type": "code", "source": cell.splitlines(keepends=True)})
    return json.dumps({"cells": found})


def test_prints_go_to_standard_output(gradcli: Callable, tmp_path: Path) -> None:
    for suffix in (".py", ".grad"):
        path = tmp_path / f"script{suffix}"
        path.write_text(SCRIPT)
        assert gradcli("run", str(path)) == (0, "tensor([18., 18.])\n", "")
    assert gradcli("run", "-", stdin=SCRIPT) == (0, "tensor([18., 18.])\n", "")


def test_elsewhere_they_go_to_standard_error(gradcli: Callable, tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(SCRIPT + "out.detach()\n")
    assert gradcli("eval", str(path)) == (0, "18.0\n", "tensor([18., 18.])\n")


def test_values_for_inputs(gradcli: Callable) -> None:
    done = gradcli("run", "x.requires_grad_(); sum(x*x).backward(); print(x.grad, k)", "x=1,2", "k=3")
    assert done == (0, "tensor([2., 4.]) tensor(3.)\n", "")
    done = gradcli("run", "print(x)")
    assert done.code == 2
    assert "x" in done.err


def test_what_was_printed_before_an_error_is_there(gradcli: Callable) -> None:
    done = gradcli("run", "import torch\nprint('first')\nx = torch.ones(2, requires_grad=True)\nx += 1")
    assert (done.code, done.out) == (2, "first\n")
    assert done.err == (
        "error: a leaf Variable that requires grad is being used in an in-place operation.\n"
        "  --> <program>:4:1\n"
        "  |\n"
        "4 | x += 1\n"
        "  | ^^^^^^\n"
    )


def test_prints_as_it_goes() -> None:
    import subprocess
    import sys

    command = [sys.executable, "-m", "gradcli", "run", "print('before')\nwhile True: pass", "--max-steps", "1e15"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"before\n"
    assert process.poll() is None
    process.terminate()
    process.communicate(timeout=20)


def test_a_closed_pipe_ends_it_quietly(shell: Callable) -> None:
    import subprocess
    import sys

    command = [sys.executable, "-m", "gradcli", "run", "while True: print('y')"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None and child.stderr is not None
        assert child.stdout.readline() == b"y\n"
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait(30) == 141


def test_a_script_shows_no_values_by_itself(gradcli: Callable) -> None:
    assert gradcli("run", "1 + 1") == (0, "", "")


def test_a_notebook_shows_the_value_that_ends_a_cell(gradcli: Callable, tmp_path: Path) -> None:
    path = tmp_path / "lesson.ipynb"
    cells = (
        "import torch\nx = torch.ones(2)\nx",
        "x.sum()\nx * 2",
        "x * 3;",
        "y = x * 4",
        "print('printed')\n'a text'",
        "None",
        "if True:\n    x",
        "%timeit x\n(x.sum(), 2, [1])  # shown",
        "x.shape",
    )
    path.write_text(notebook(*cells))
    assert gradcli("run", str(path)) == (
        0,
        "tensor([1., 1.])\ntensor([2., 2.])\nprinted\n'a text'\n(tensor(2.), 2, [1])\ntorch.Size([2])\n",
        "",
    )


def test_a_notebook_breaks_long_lists_as_jupyter_does(gradcli: Callable, tmp_path: Path) -> None:
    path = tmp_path / "lesson.ipynb"
    path.write_text(notebook("import torch\n(torch.eye(2), torch.tensor(27.0))", "{'a': list(range(40)), 'b': [1, 2]}"))
    numbers = ",\n".join(f"  {i}" for i in range(40))[2:]
    assert gradcli("run", str(path)).out == (
        "(tensor([[1., 0.],\n         [0., 1.]]),\n tensor(27.))\n"
        + "{'a': ["
        + numbers.replace("\n  ", "\n       ")
        + "],\n 'b': [1, 2]}\n"
    )


def test_an_error_of_a_notebook_shows_its_line(gradcli: Callable, tmp_path: Path) -> None:
    path = tmp_path / "lesson.ipynb"
    path.write_text(notebook("x = 1\nx", "y = sine(x)"))
    done = gradcli("run", str(path))
    assert done.code == 2
    assert "y = sine(x)\n" in done.err


def test_the_version_is_that_of_the_followed_pytorch(gradcli: Callable) -> None:
    assert gradcli("run", "import torch\nprint(torch.__version__)").out == f"2.13.0+gradcli.{__version__}\n"


def test_nothing_steers_the_terminal(gradcli: Callable) -> None:
    done = gradcli("run", "print('\\x1b[31m\\u202eé한\\t\\u3000.')")
    assert done.out == "\\x1b[31m\\u202eé한\t\u3000.\n"


def test_the_trace_shows_every_step(gradcli: Callable) -> None:
    done = gradcli("run", SCRIPT, "--trace")
    assert done == (
        0,
        "backward  line 6: out.backward()\n"
        "  SumBackward0  line 5: (y * y).sum()\n"
        "    gradient  tensor(1.)\n"
        "    rule      sum(x, axis, dtype, keepdims, initial, where): g broadcast along axis, 0 outside of where\n"
        "    to        MulBackward0  tensor([1., 1.])\n"
        "  MulBackward0  line 5: y * y\n"
        "    gradient  tensor([1., 1.])\n"
        "    rule      multiply(x, y): g times y, x\n"
        "    to        MulBackward0  tensor([3., 3.])\n"
        "    to        MulBackward0  tensor([3., 3.])\n"
        "  MulBackward0  line 4: x * 3\n"
        "    gradient  tensor([6., 6.])\n"
        "    rule      multiply(x, y): g times y, x\n"
        "    to        AccumulateGrad  tensor([18., 18.])\n"
        "  AccumulateGrad  line 3: torch.ones(2, requires_grad=True)\n"
        "    gradient  tensor([18., 18.])\n"
        "    rule      added to .grad\n"
        "tensor([18., 18.])\n",
        "",
    )


def test_the_graph_of_a_script_has_pytorchs_names(gradcli: Callable) -> None:
    done = gradcli("graph", SCRIPT)
    assert done == (
        0,
        "out = SumBackward0  float32 ()  18\n"
        "└─ MulBackward0  float32 (2,)  [9. 9.]\n"
        "   ├─ %1 MulBackward0  float32 (2,)  [3. 3.]\n"
        "   │  └─ x  float32 (2,)  [1. 1.]\n"
        "   └─ %1\n",
        "tensor([18., 18.])\n",
    )
    with_gradients = gradcli("graph", SCRIPT, "--grad").out
    assert "out = SumBackward0  float32 ()  18  grad 1\n" in with_gradients
    assert "x  float32 (2,)  [1. 1.]  grad [18. 18.]\n" in with_gradients


def test_the_graph_of_a_script_without_results_is_of_its_last_variables(gradcli: Callable) -> None:
    program = "import torch\nx = torch.ones(2, requires_grad=True)\ny = x * 2\nz = y.exp()\nw = x.sin()\nk = 3"
    document = json.loads(gradcli("graph", program, "--format", "json").out)
    assert [result["name"] for result in document["results"]] == ["z", "w"]
    assert [node["op"] for node in document["nodes"]] == ["input", "MulBackward0", "ExpBackward0", "SinBackward0"]


def test_a_script_that_follows_pytorch_without_a_tape_is_drawn_as_any_other(gradcli: Callable) -> None:
    done = gradcli("graph", "import torch\nprint('once')\ny = torch.sin(x)\ny", "x=0")
    assert done == (0, "y = sin  float32 ()  0\n└─ x  float32 ()  0\n", "once\n")


TRAINED = """
import torch
w = torch.zeros(2, requires_grad=True)
for i in range(5):
    loss = ((w - target) ** 2).sum()
    loss.backward()
    with torch.no_grad():
        w -= 0.1 * w.grad
    w.grad = None
((w - target) ** 2).sum()
"""


def test_a_program_that_trains_is_differentiated_and_proved(gradcli: Callable) -> None:
    """What `backward()` leaves in `.grad` is a constant to the derivatives that commands take."""
    done = gradcli("grad", "-", "target=1,2", "--format", "json", stdin=TRAINED)
    found = json.loads(done.out)["grad"]["target"]
    assert all(abs(a - 2 * 0.8**5 * t) < 1e-6 for a, t in zip(found, (1, 2), strict=True))
    done = gradcli("check", "-", "target=1,2", stdin=TRAINED)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("ok: the gradient equals SymPy's")


def test_a_graph_of_gradients_that_would_lose_an_input_is_refused(gradcli: Callable) -> None:
    program = """
import torch
w = torch.ones(2, requires_grad=True)
g, = torch.autograd.grad((w * a).sum(), w, create_graph=True)
(g ** 2).sum()
"""
    done = gradcli("eval", "-", "a=1,2", stdin=program)
    assert (done.code, done.out) == (0, "5.0\n")
    for command in ("grad", "check"):
        done = gradcli(command, "-", "a=1,2", stdin=program)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith("error: create_graph=True makes no graph of an input that is being differentiated\n")


def test_an_input_is_no_leaf_of_the_tape_while_a_command_differentiates(gradcli: Callable) -> None:
    program = "import torch\nx.requires_grad_()\n(x ** 2).sum().backward()\nx.grad"
    assert gradcli("eval", "-", "x=1,2", stdin=program).out == "2.0 4.0\n"
    done = gradcli("vjp", "-", "x=1,2", "-v", "1,1", stdin=program)
    assert done.code == 2
    assert "grad(f)(x) is the derivative" in done.err
