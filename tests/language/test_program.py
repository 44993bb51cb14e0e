"""Results, declared inputs, dimensions, defaults and dtypes."""

from __future__ import annotations

import numpy as np
import pytest

from gradcli import autodiff
from gradcli.graph.errors import GradcliError
from gradcli.language import Program, RunOptions, Source, evaluate_literal

OPTIONS = RunOptions()


def run(text: str, options: RunOptions = OPTIONS, **given):
    program = Program.parse(Source("<program>", text))
    return program.run(program.resolve(given, options=options), options=options)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x**2", 9),
        ("y = x\nx**2\nz = 1", 9),
        ("y = x\nz = y*2", 6),
        ("z = zeros(2)\nz[0] = x\nz[1] += 1", [3, 1]),
        ("'''words'''\ny = x", 3),
        ("if x > 1:\n    x + 1\nelse:\n    x - 1", 4),
        ("x*5\nNone", 15),
        ("x*5\nprint(x)", 15),
        ("def f(x): return x*7", 21),
        ("x*5\ndef f(x): return x*7", 21),
        ("def f(x, k=2): return x**k", 9),
        ("lambda x: x*2", 6),
        ("f = lambda x: x*2", 6),
        ("[x, 2*x]", [3, 6]),
        ("[[x, 1], [2, x]]", [[3, 1], [2, 3]]),
    ],
)
def test_result(text, expected):
    result = run(text, RunOptions(print_to=lambda words: None), x=3.0)
    assert not result.is_tuple
    assert np.array_equal(result.cores()[0], expected)


def test_a_tuple_gives_several_outputs():
    result = run("a, b = x, 2*x", x=3.0)
    assert result.is_tuple
    assert result.names == ("a", "b")
    assert result.cores() == (3.0, 6.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("print(1)", "the program has no result"),
        ("import numpy", "the program has no result"),
        ("sin", "the result is the function 'sin'"),
        ("grad(sin)", r"the result is the function 'grad\(sin\)'"),
        ("{'a': 1}", "the result is a dict, not a number or a tensor"),
        ("y = 'a'", "the result is a text, not a number or a tensor"),
        ("1, (2, 3)", "the result is a tuple of tuples"),
        ("[[1, 2], [3]]", "a list of unequal parts is no array"),
    ],
)
def test_no_result(text, message):
    with pytest.raises(GradcliError, match=message):
        run(text, RunOptions(print_to=lambda words: None)).cores()


def test_of_picks_another_output():
    assert run("y = x\nz = 2*x", RunOptions(of="y"), x=3.0).cores() == (3.0,)
    with pytest.raises(GradcliError, match="no variable 'q'"):
        run("y = x", RunOptions(of="q"), x=3.0)


def test_dimensions():
    result = run("X: float[n, d]\nw: float[d] = zeros(d)\nX @ w, n*d", X=np.ones((2, 3)))
    assert np.array_equal(result.cores()[0], [0, 0])
    assert result.cores()[1] == 6
    assert run("X: float[n, d + 1]\nw: float[d]\nsum(X[:, 1:] @ w)", X=np.ones((2, 3)), w=np.ones(2)).cores() == (4.0,)
    assert run("x: float[n]\nn", x=np.ones(4), n=4.0).cores() == (4,)
    assert run("w: float[n] = ones(n)\nsum(w)", n=3.0).cores() == (3.0,)


@pytest.mark.parametrize(
    ("axis", "size"), [("n + 1", 4), ("1 + n", 4), ("2*n + 1", 2), ("n - 2", 7), ("9 - n", 4), ("n*5", 1), ("n + m", 2)]
)
def test_a_dimension_in_an_expression(axis, size):
    extra = "\ny: float[m]\nn + 0*sum(y)" if "m" in axis else "\nn"
    values = {"y": np.ones(3)} if "m" in axis else {}
    assert run(f"x: float[{axis}]{extra}", x=np.ones(5), **values).cores() == (size,)


def test_a_dimension_that_no_size_fits():
    with pytest.raises(GradcliError, match="missing dimension 'n'"):
        run("x: float[2*n]\nn", x=np.ones(5))
    with pytest.raises(GradcliError, match=r"declared float\[n \+ 1\], where n is 4 \(from y\)"):
        run("y: float[n]\nx: float[n + 1]\nn", x=np.ones(4), y=np.ones(4))


def test_declared_kinds():
    assert run("k: int\nx[k]", x=np.array([5.0, 6.0]), k=1.0).cores() == (6.0,)
    assert run("k: int\nk/2", k=3.0).cores() == (1.5,)
    assert run("m: bool[n]\nx[m]", x=np.array([5.0, 6.0]), m=np.array([0.0, 1.0])).cores()[0] == [6.0]
    assert run("z: complex\nz*z", z=2.0).cores()[0].dtype == np.complex128
    assert run("x: float\nx", x=np.float32(0.1)).cores()[0].dtype == np.float32
    assert run("x: float\nx", x=np.int64(1)).cores()[0].dtype == np.float64


def test_defaults_may_use_earlier_inputs_and_imports():
    text = "import numpy as np\nx: float = 2.0\ny: float = np.sqrt(x*8)\ny"
    assert run(text).cores() == (4.0,)
    assert run(text, x=0.5).cores() == (2.0,)
    with pytest.raises(GradcliError, match="made of 'k', which the program assigns"):
        run("k = 2\nx: float = k*1.0\nx")


def test_a_float_default_of_a_parameter_is_an_input_and_an_integer_is_not():
    program = Program.parse(Source("p", "def f(x, a=2.0, n=3): return a*x**n"))
    assert list(program.resolve({"x": 2.0})) == ["x", "a"]
    assert program.run(program.resolve({"x": 2.0})).cores() == (16.0,)
    assert program.run(program.resolve({"x": 2.0, "n": 2.0})).cores() == (8.0,)


def test_missing_inputs():
    program = Program.parse(Source("p", "x + y"))
    with pytest.raises(GradcliError, match="missing inputs 'x', 'y'"):
        program.resolve({})
    with pytest.raises(GradcliError, match="missing input 'y'"):
        program.run({"x": 1.0})
    with pytest.raises(GradcliError, match="missing dimension 'n'"):
        run("w: float[n] = ones(n)\nsum(w)")


def test_dtypes():
    assert run("x*0.1", RunOptions(dtype="float32"), x=1.0).cores()[0].dtype == np.float32
    assert run("zeros(2)", RunOptions(dtype="float32")).cores()[0].dtype == np.float32
    assert run("import torch\ntorch.ones(2)*x", x=1.0).cores()[0].dtype == np.float32
    assert run("x*2", x=np.ones(2, np.float32)).cores()[0].dtype == np.float32


def test_options_fill_in_the_programs_dtype():
    assert Program.parse(Source("p", "import torch\nx")).options(RunOptions()).dtype == "float32"
    assert Program.parse(Source("p", "x")).options(RunOptions()).dtype == "float64"
    assert Program.parse(Source("p", "import torch\nx")).options(RunOptions(dtype="float64")).dtype == "float64"


def test_function_for_autodiff():
    program = Program.parse(Source("p", "sum(x**2)*k"))
    values = program.resolve({"x": np.array([1.0, 2.0]), "k": 3.0})
    f = program.function(["x"], values)
    assert f(values["x"]) == 15.0
    assert np.array_equal(autodiff.grad(f)(values["x"]), [6.0, 12.0])
    assert np.array_equal(autodiff.hessian(f)(values["x"]), [[6.0, 0.0], [0.0, 6.0]])


def test_the_same_seed_gives_the_same_numbers():
    first, again = run("randn(3)").cores()[0], run("randn(3)").cores()[0]
    assert np.array_equal(first, again)
    assert not np.array_equal(first, run("randn(3)", RunOptions(seed=1)).cores()[0])


def test_prints_go_where_they_are_told():
    said: list[str] = []
    run("print('a', 1.5, [1, 'b'], sep='-', end='!')\nprint()", RunOptions(print_to=said.append))
    assert said == ["a-1.5-[1, 'b']!", "\n"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", 3.0),
        ("1,2,3", [1.0, 2.0, 3.0]),
        ("[[1, 2], [3, 4]]", [[1.0, 2.0], [3.0, 4.0]]),
        (" 1.5", 1.5),
        ("-1,2", [-1.0, 2.0]),
        ("linspace(0, 1, 3)", [0.0, 0.5, 1.0]),
        ("eye(2)", [[1.0, 0.0], [0.0, 1.0]]),
        ("2*pi/pi", 2.0),
        ("arange(3)", [0.0, 1.0, 2.0]),
        ("[True, False]", [True, False]),
        ("1 + 2j", 1 + 2j),
    ],
)
def test_values(text, expected):
    found = evaluate_literal(text, "x", RunOptions())
    assert np.array_equal(found, expected)
    assert found.dtype == np.asarray(expected).dtype


def test_values_take_the_dtype():
    assert evaluate_literal("1,2", "x", RunOptions(dtype="float32")).dtype == np.float32
    assert evaluate_literal("[0.5]", "x", RunOptions(dtype="float32")).dtype == np.float32


def test_random_values_differ_by_name_and_repeat():
    a, b = (evaluate_literal("randn(2)", name, RunOptions()) for name in "ab")
    assert not np.array_equal(a, b)
    assert np.array_equal(a, evaluate_literal("randn(2)", "a", RunOptions()))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the value of 'x' is empty"),
        ("y + 1", "'y' has no value here: a VALUE has no inputs"),
        ("a = 3", "a VALUE is one expression"),
        ("'text'", "a VALUE is a number or an array"),
        ("sin", "the result is the function 'sin'"),
        ("[1, 2", "was never closed"),
        ("[[1, 2], [3]]", "unequal parts"),
    ],
)
def test_no_values(text, message):
    with pytest.raises(GradcliError, match=message):
        evaluate_literal(text, "x", RunOptions())


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a = x\nb = x\na, b", ("a", "b")),
        ("a = x\na, 2*a", (None, None)),
        ("a = x\na, a", (None, None)),
        ("a = x\na", ("a",)),
        ("a = x\nb = x\na, b\nprint(3)", ("a", "b")),
        ("a = x\na\nb = 2*x", ("a",)),
    ],
)
def test_outputs_bear_the_names_of_their_variables(text, names):
    assert run(text, RunOptions(print_to=lambda words: None), x=3.0).names == names


def test_the_lowest_integer():
    assert run("-9223372036854775808").cores()[0] == -(2**63)
    with pytest.raises(GradcliError, match="integers have up to 64 bits"):
        run("9223372036854775808")
    with pytest.raises(GradcliError, match="integers have up to 64 bits"):
        run("-9223372036854775808**1")


def test_a_file_name_as_value_gets_a_hint():
    with pytest.raises(GradcliError) as caught:
        evaluate_literal("data.csv", "x", RunOptions())
    assert caught.value.mend == "a file is given as x=@data.csv"
