"""`gradcli graph` and `gradcli ops`: drawings, and labels that can't break out of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

PROGRAM = "y = x**2\nloss = sum(y) * 2\nloss"


def test_the_tree(gradcli: Callable) -> None:
    done = gradcli("graph", PROGRAM, "x=1,2")
    assert done == (
        0,
        "loss = multiply  float64 ()  10\n"
        "├─ sum(axis=(-1,))  float64 ()  5\n"
        "│  └─ power  float64 (2,)  [1. 4.]\n"
        "│     ├─ x  float64 (2,)  [1. 2.]\n"
        "│     └─ 2\n"
        "└─ 2\n",
        "",
    )


def test_gradients_of_every_node(gradcli: Callable) -> None:
    done = gradcli("graph", PROGRAM, "x=1,2", "--grad")
    assert done.code == 0
    assert "loss = multiply  float64 ()  10  grad 1\n" in done.out
    assert "power  float64 (2,)  [1. 4.]  grad [2. 2.]\n" in done.out
    assert "x  float64 (2,)  [1. 2.]  grad [4. 8.]\n" in done.out


def test_gradients_need_one_scalar(gradcli: Callable) -> None:
    assert gradcli("graph", "x**2", "x=1,2", "--grad").err.startswith("error: graph --grad needs a scalar")
    assert gradcli("graph", "x, x", "x=1", "--grad").err.startswith("error: --grad needs one result")


def test_a_node_used_twice_is_drawn_once(gradcli: Callable) -> None:
    done = gradcli("graph", "y = sin(x)\ny*y", "x=0")
    assert done.out == ("multiply  float64 ()  0\n├─ %1 sin  float64 ()  0\n│  └─ x  float64 ()  0\n└─ %1\n")


def test_a_deep_graph_is_drawn_in_pieces(gradcli: Callable) -> None:
    done = gradcli("graph", "for i in range(3000): x = sin(x)\nx", "x=1", stdin="")
    assert done.code == 0
    assert max(map(len, done.out.split("\n"))) < 200
    assert done.out.count(" sin  ") + done.out.count("─ sin  ") >= 3000 - 1


def test_several_results(gradcli: Callable) -> None:
    done = gradcli("graph", "y = sin(x)\ny, 2*y, 3.0", "x=0")
    assert done.out.startswith("0 = %1 sin  float64 ()  0\n└─ x  float64 ()  0\n1 = multiply")
    assert done.out.endswith("2 = 3\n")


def test_json(gradcli: Callable) -> None:
    done = gradcli("graph", "x**2", "x=3", "--grad", "--format", "json")
    assert json.loads(done.out) == {
        "nodes": [
            {"id": 0, "op": "input", "label": "x", "inputs": [], "shape": [],
             "dtype": "float64", "value": 3.0, "grad": 6.0},
            {"id": 1, "op": "power", "label": "power", "inputs": [{"node": 0}, {"constant": 2}], "shape": [],
             "dtype": "float64", "value": 9.0, "grad": 1.0, "line": 1, "column": 1},
        ],
        "results": [{"name": "value", "node": 1}],
    }  # fmt: skip


def test_dot(gradcli: Callable) -> None:
    assert gradcli("graph", "x**2", "x=3", "--format", "dot").out == (
        "digraph gradcli {\n"
        '  rankdir="TB";\n'
        '  node [shape="box", fontname="monospace"];\n'
        '  n0 [label="x\\nfloat64 ()\\n3", shape="ellipse"];\n'
        '  n1 [label="power\\nfloat64 ()\\n9"];\n'
        "  n0 -> n1;\n"
        '  c1_1 [label="2", shape="plaintext"];\n'
        "  c1_1 -> n1;\n"
        '  r0 [label="value", shape="plaintext"];\n'
        "  n1 -> r0;\n"
        "}\n"
    )


def test_mermaid(gradcli: Callable) -> None:
    assert gradcli("graph", "x**2", "x=1,2", "--format", "mermaid").out == (
        "flowchart TB\n"
        '  n0(["x<br/>float64 (2,)<br/>#91;1. 2.#93;"])\n'
        '  n1["power<br/>float64 (2,)<br/>#91;1. 4.#93;"]\n'
        "  n0 --> n1\n"
        '  c1_1["2"] --> n1\n'
        '  n1 --> r0["value"]\n'
    )


def test_the_suffix_decides(gradcli: Callable, tmp_path: Path) -> None:
    for suffix, beginning in (
        (".dot", "digraph"),
        (".gv", "digraph"),
        (".mmd", "flowchart"),
        (".json", "{"),
        (".txt", "power"),
    ):
        path = tmp_path / f"graph{suffix}"
        assert gradcli("graph", "x**2", "x=3", "-o", str(path)) == (0, "", "")
        assert path.read_text().startswith(beginning)
    done = gradcli("graph", "x**2", "x=3", "-o", str(tmp_path / "graph.npy"))
    assert done.code == 2
    assert done.err.startswith("error: graph gives text, dot, mermaid or json, not npy\n")


@pytest.mark.parametrize(
    "text", ['"];evil', "a\\", "</b><script>", 'a"b', "#quot;", "`x`", "\x1b[31m", "a\nb", "a--> b"]
)
def test_labels_stay_labels(text: str) -> None:
    from gradcli.cli.diagrams import dot, mermaid
    from gradcli.cli.graph import Drawing, Vertex

    vertex = Vertex(0, text, text, (), None, None, None, None)
    drawing = Drawing({0: vertex}, ((text, 0),))
    inside = dot(drawing).split('n0 [label="')[1].split("];\n")[0]
    assert "\x1b" not in dot(drawing) + mermaid(drawing)
    bare = inside.removesuffix('"').replace("\\\\", "").replace('\\"', "")
    assert '"' not in bare
    assert len(dot(drawing).strip().split("\n")) == 7
    label = mermaid(drawing).split("\n")[1].removeprefix('  n0["').removesuffix('"]')
    assert not set(label) & set('"<>[]`|{}&')


def test_ops_lists_and_explains(gradcli: Callable) -> None:
    done = gradcli("ops")
    assert (done.code, done.err) == (0, "")
    assert any(line.startswith("sin(x) ") and "cos(x)" in line for line in done.out.split("\n"))
    assert gradcli("ops", "sin").out == gradcli("ops", "np.sin").out
    one = json.loads(gradcli("ops", "sin", "--format", "json").out)
    assert (one["name"], one["derivative"]) == ("sin", "cos(x)")
    assert "torch.sin" in one["spellings"]
    every = json.loads(gradcli("ops", "--format", "json").out)["functions"]
    assert len(every) > 80
    assert all(entry["doc"] for entry in every)


def test_an_unknown_op(gradcli: Callable) -> None:
    done = gradcli("ops", "sine")
    assert done.code == 2
    assert done.err.startswith("error: unknown function 'sine'\n")
    assert done.err.endswith("^^^^ did you mean 'sin'?\n")
    assert gradcli("ops", "sin", "cos").err.startswith("error: ops takes one NAME\n")
