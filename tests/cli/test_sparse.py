"""`--sparse`: the dense derivative's nonzeros, in forms that others read, and judged by the oracle."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import scipy.sparse as sp

ROOT = Path(__file__).parent.parent.parent
ROSENBROCK = "sum(100*(x[1:] - x[:-1]**2)**2 + (1 - x[:-1])**2)"


def triplets(text: str) -> list[tuple[int, int, float]]:
    return [(int(row), int(column), float(value)) for row, column, value in map(str.split, text.splitlines())]


def test_lines_of_row_column_value(gradcli):
    done = gradcli("jacobian", "--sparse", "x[1:]**2 * x[0]", "x=1,2,3")
    assert done.code == 0
    assert done.out == "0 0 4.0\n0 1 4.0\n1 0 9.0\n1 2 6.0\n"
    assert done.err == ("jacobian: 2 x 3, 4 nonzeros (67% of all); 2 colours of columns: 2 products instead of 2\n")


def test_zeros_are_left_out_and_nothing_else(gradcli):
    done = gradcli("jacobian", "--sparse", "x**2", "x=1,0,-3")
    assert done.out == "0 0 2.0\n2 2 -6.0\n"
    assert gradcli("jacobian", "--sparse", "0*x", "x=1,2").out == ""


def test_several_inputs_and_outputs_have_headings(gradcli):
    assert (
        gradcli("jacobian", "--sparse", "x*y", "x=1,2", "y=3,4").out == "# x\n0 0 3.0\n1 1 4.0\n# y\n0 0 1.0\n1 1 2.0\n"
    )
    done = gradcli("jacobian", "--sparse", "a = x**2\nb = sum(x)\na, b", "x=1,2")
    assert done.out == "# a x\n0 0 2.0\n1 1 4.0\n# b x\n0 0 1.0\n0 1 1.0\n"
    done = gradcli("hessian", "--sparse", "sum(x)*y", "x=1,2", "y=3")
    assert done.out == "# x x\n# x y\n0 0 1.0\n1 0 1.0\n# y x\n0 0 1.0\n0 1 1.0\n# y y\n"


def test_every_matrix_is_reported_by_the_name_of_its_output(gradcli):
    done = gradcli("hessian", "--sparse", "a = x[0]**2\nb = x[0]*x[1]\na, b", "x=1,2")
    assert done.out == "# a x x\n0 0 2.0\n# b x x\n0 1 1.0\n1 0 1.0\n"
    assert [line.split(";")[0] for line in done.err.splitlines()] == [
        "hessian of a: 2 x 2, 1 nonzero (25% of all)",
        "hessian of b: 2 x 2, 2 nonzeros (50% of all)",
    ]


def test_what_went_wrong_inside_a_rule_is_named_by_what_it_does(gradcli):
    done = gradcli("hessian", "nan*sum(x**2)", "x=1,2")
    assert done.out == "nan 0.0\n0.0 nan\n"
    assert done.err.startswith("warning: the hessian x x is nan at [0, 0]; it first arose in multiply\n")


def test_rows_and_columns_of_matrices_are_counted_in_c_order(gradcli):
    dense = np.array(
        json.loads(gradcli("jacobian", "A.T * 2", "A=ones((2,3))", "--format", "json").out)["jacobian"]["A"]
    )
    matrix = dense.reshape(6, 6)
    assert triplets(gradcli("jacobian", "--sparse", "A.T * 2", "A=ones((2,3))").out) == [
        (int(i), int(j), matrix[i, j]) for i, j in np.argwhere(matrix)
    ]


def test_json_stands_where_the_dense_arrays_stand(gradcli):
    done = gradcli("jacobian", "--sparse", "x**2", "x=1,2", "--format", "json")
    entries = {"shape": [2, 2], "row": [0, 1], "column": [0, 1], "value": [2.0, 4.0]}
    assert json.loads(done.out) == {"value": [1.0, 4.0], "jacobian": {"x": entries}}
    done = gradcli("hessian", "--sparse", "x**3*y", "x=1", "y=2", "--format", "json")
    found = json.loads(done.out)["hessian"]
    assert found["x"]["y"] == {"shape": [1, 1], "row": [0], "column": [0], "value": [3.0]}
    assert found["y"]["y"]["value"] == []
    done = gradcli("jacobian", "--sparse", "x, 2*x", "x=1,2", "--format", "json")
    assert [part["x"]["value"] for part in json.loads(done.out)["jacobian"]] == [[1.0, 1.0], [2.0, 2.0]]


def test_scipy_reads_the_npz(gradcli, tmp_path):
    path = tmp_path / "J.npz"
    assert gradcli("jacobian", "--sparse", "x*y[:2]", "x=1,2", "y=3,4,5", "-o", str(path)).code == 0
    found = sp.load_npz(path)
    assert found.toarray().tolist() == [[3, 0, 1, 0, 0], [0, 4, 0, 2, 0]]
    assert (found.format, found.has_canonical_format) == ("csr", True)


def test_scipy_reads_the_matrix_market(gradcli, tmp_path):
    path = tmp_path / "J.mtx"
    assert gradcli("jacobian", "--sparse", "exp(x[1:])", "x=0.1,0.2,0.3", "-o", str(path)).code == 0
    assert path.read_text().startswith("%%MatrixMarket matrix coordinate real general\n2 3 2\n")
    assert scipy.io.mmread(path).toarray().tolist() == [[0, np.exp(0.2), 0], [0, 0, np.exp(0.3)]]
    done = gradcli("hessian", "--sparse", ROSENBROCK, "x=linspace(0.5,1,5)", "--format", "mtx")
    (tmp_path / "H.mtx").write_text(done.out)
    assert done.out.startswith("%%MatrixMarket matrix coordinate real symmetric\n5 5 9\n")
    dense = json.loads(gradcli("hessian", ROSENBROCK, "x=linspace(0.5,1,5)", "--format", "json").out)["hessian"]["x"][
        "x"
    ]
    assert scipy.io.mmread(tmp_path / "H.mtx").toarray() == pytest.approx(np.array(dense), rel=1e-14)


def test_a_file_says_where_its_columns_come_from(gradcli, tmp_path):
    done = gradcli("jacobian", "--sparse", "x*y", "x=1,2", "y=3,4", "-o", str(tmp_path / "J.npz"))
    assert done.err.splitlines()[1] == "jacobian: columns, from 0: x 0-1, y 2-3"
    done = gradcli("hessian", "--sparse", "x*y", "x=1", "y=3", "-o", str(tmp_path / "H.mtx"))
    assert done.err.splitlines()[1] == "hessian: columns, from 0: x 0-0, y 1-1"


def test_a_tridiagonal_system_takes_three_products(gradcli):
    done = gradcli("jacobian", "--sparse", "u[:-2] - 2*u[1:-1] + u[2:]", "u=zeros(1000)")
    assert len(done.out.splitlines()) == 3 * 998
    assert "2,994 nonzeros (0.3% of all); 3 colours of columns: 3 products instead of 998" in done.err


def test_the_bundle_adjustment(gradcli):
    sample = ROOT / "samples" / "programs" / "bundle_adjustment"
    words = (f"{sample}.grad", "--data", f"{sample}.npz", "--wrt", "cams,points,weights")
    sparse = gradcli("jacobian", "--sparse", *words, "--format", "json")
    dense = json.loads(gradcli("jacobian", *words, "--format", "json").out)["jacobian"]
    assert "14 colours of columns" in sparse.err or "15 colours of columns" in sparse.err
    for name, entries in json.loads(sparse.out)["jacobian"].items():
        found = sp.coo_array((entries["value"], (entries["row"], entries["column"])), shape=entries["shape"])
        assert found.toarray() == pytest.approx(np.array(dense[name]).reshape(entries["shape"]), rel=1e-12, abs=1e-12)


def test_float32(gradcli):
    assert gradcli("jacobian", "--sparse", "x*x", "x=0.1,3", "--dtype", "float32").out == "0 0 0.2\n1 1 6.0\n"


def test_what_is_not_finite_is_the_answer_and_is_named(gradcli):
    done = gradcli("jacobian", "--sparse", "sqrt(x)", "x=1,0")
    assert done.out == "0 0 0.5\n1 1 inf\n"
    assert "warning: the jacobian x is inf at [1, 1]; it first arose in sqrt" in done.err


def test_what_is_not_known_is_said(gradcli):
    program = "f = custom_gradient(lambda x: x**2, lambda g, y, x: (2*x*g,))\nf(x)"
    done = gradcli("jacobian", "--sparse", program, "x=1,2")
    assert done.out == "0 0 2.0\n1 1 4.0\n"
    assert "note: a derivative given by hand does not say what depends on what" in done.err


def test_the_layout_of_a_terminal(gradcli):
    done = gradcli("jacobian", "--sparse", "x[1:]*x[:-1]", "x=linspace(1,2,20)", "--color", "always")
    assert "colours" in done.out and "nonzeros" in done.out and "shortened from 38 entries" in done.out
    assert done.err == ""


@pytest.mark.parametrize(
    ("words", "message", "mend"),
    [
        (("--sparse", "--format", "csv"), "csv holds no sparse matrix", "leave out --sparse"),
        (("--sparse", "-o", "J.npy"), "npy holds no sparse matrix", "text, json, npz and mtx do"),
        (("-o", "J.mtx"), "mtx (MatrixMarket) holds one sparse matrix", "jacobian --sparse"),
        (("--format", "mtx"), "mtx (MatrixMarket) holds one sparse matrix", "hessian --sparse"),
    ],
)
def test_forms_that_do_not_fit(gradcli, tmp_path, monkeypatch, words, message, mend):
    monkeypatch.chdir(tmp_path)
    done = gradcli("jacobian", "x**2", "x=1,2", *words)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: {message}") and mend in done.err
    assert not list(tmp_path.iterdir())


def test_other_errors(gradcli):
    done = gradcli("hessian", "--sparse", "x**2", "x=1,2")
    assert done.code == 2 and "hessian needs a scalar" in done.err
    done = gradcli("hessian", "--sparse", "sum(x), sum(x**2)", "x=1,2", "--format", "mtx")
    assert done.code == 2 and "mtx holds one matrix, and there are 2 (0, 1)" in done.err and "--of" in done.err
    done = gradcli("jacobian", "--sparse", "x*1j", "x=1,2")
    assert done.code == 2 and "complex" in done.err
    done = gradcli("grad", "--sparse", "sum(x)", "x=1,2")
    assert done.code == 2 and "--sparse" in done.err
    done = gradcli("jacobian", "--sparse", "outer(x, x)", "x=ones(3000)", "--max-bytes", "100M")
    assert done.code == 2 and "--max-bytes" in done.err


def test_a_wrong_pattern_is_a_fault_of_gradclis_own(gradcli, monkeypatch):
    from gradcli.ops.dependence import Link
    from gradcli.ops.registry import lookup

    monkeypatch.setattr(
        lookup("", "exp").op, "depends", lambda op, operands, *_: [Link(np.full(operands[0].size, -1), None, 3)]
    )
    done = gradcli("jacobian", "--sparse", "exp(x)", "x=1,2,3")
    assert (done.code, done.out) == (70, "")
    assert "a product with the sparse derivative is 0 where a plain one is" in done.err


# --- check ------------------------------------------------------------------------------------------------------------


def test_check_judges_the_entries_and_the_zeros(gradcli):
    done = gradcli("check", "--sparse", "x[1:]*sin(x[:-1])", "x=linspace(0.1,1,40)", "--format", "json")
    report = json.loads(done.out)
    assert (done.code, report["ok"], report["derivative"]) == (0, True, "jacobian")
    assert report["inputs"]["x"]["elements"] == 39 * 40
    done = gradcli("check", "--sparse", ROSENBROCK, "x=linspace(0.5,1,30)")
    assert done.code == 0 and done.out.startswith("ok: the hessian equals SymPy's")
    assert "covered: 88 entries, and that all other elements are 0" in done.out
    done = gradcli("check", "--sparse", "a = x**2*y\nb = sum(x)\na, b", "x=1,2", "y=3")
    assert done.code == 0


def test_check_notices_a_wrong_entry_and_a_missing_one(gradcli, monkeypatch):
    from gradcli.cli import sparse

    def spoiled(change):
        def jacobian(target, course, honest=sparse.jacobian):
            found = honest(target, course)
            blocks = tuple(block._replace(entries=change(block.entries)) for block in found.blocks)
            return found._replace(blocks=blocks)

        return jacobian

    wrong = spoiled(lambda entries: entries._replace(values=entries.values * (1 + 1e-6)))
    fewer = spoiled(lambda e: e._replace(rows=e.rows[1:], columns=e.columns[1:], values=e.values[1:]))
    for change in (wrong, fewer):
        monkeypatch.setitem(sparse.COMPUTE, "jacobian", change)
        done = gradcli("check", "--sparse", "x[1:]*sin(x[:-1])", "x=linspace(0.1,1,10)")
        assert done.code == 1 and done.out.startswith("MISMATCH")


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("sum(x)", "x=1,2", "--derivative", "gradient"), "no --derivative gradient"),
        (("x*x", "x=1,2", "--against", "x=1"), "no --against x=1"),
        (("x*x", "x=1,2", "--method", "numeric"), "no --method numeric"),
    ],
)
def test_check_refuses_what_is_dense(gradcli, words, what):
    done = gradcli("check", "--sparse", *words)
    assert (done.code, done.out) == (2, "")
    assert what in done.err and "leave out --sparse" in done.err
