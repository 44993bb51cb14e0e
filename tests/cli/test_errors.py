"""Wrong command lines, programs and values: the exact message, and exit code 2."""

from __future__ import annotations

from collections.abc import Callable

import pytest


def test_an_unknown_option_is_pointed_at(gradcli: Callable) -> None:
    done = gradcli("eval", "x**2", "--fromat", "json", "x=3")
    assert done.code == 2
    assert done.out == ""
    assert done.err == (
        "error: unknown option '--fromat'\n"
        "  --> <command line>:1:21\n"
        "  |\n"
        "1 | gradcli eval 'x**2' --fromat json x=3\n"
        "  |                     ^^^^^^^^ did you mean '--format'?\n"
    )


def test_an_unknown_command(gradcli: Callable) -> None:
    done = gradcli("evla", "x")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "error: unknown command 'evla'\n"
        "  --> <command line>:1:9\n"
        "  |\n"
        "1 | gradcli evla x\n"
        "  |         ^^^^ did you mean 'eval'?\n"
    )


@pytest.mark.parametrize(
    "word",
    ["\x1b[31mred", "a\u202eb", "[bold]x[/bold]", "\udce9", "x" * 100_000, "a\nb\nc --zz", ":smile:", "{0}", "%s"],
)
def test_hostile_words_stay_words(gradcli: Callable, word: str) -> None:
    for words in ((word,), ("eval", "1", word), ("eval", word), ("eval", "1", f"--{word}"), ("eval", f"{word}.grad")):
        done = gradcli(*words)
        assert done.code == 2, words
        assert done.out == ""
        assert done.err.startswith("error: ")
        assert len(done.err) < 4000
        assert not set(done.err) & {"\x1b", "\u202e"}
        assert "Traceback" not in done.err


def test_a_name_that_stands_nowhere(gradcli: Callable) -> None:
    done = gradcli("eval", "alpha**2", "alpah=3")
    assert done.code == 2
    assert done.err == (
        "error: 'alpah' stands nowhere in the program\n"
        "  --> <command line>:1:25\n"
        "  |\n"
        "1 | gradcli eval 'alpha**2' alpah=3\n"
        "  |                         ^^^^^^^ did you mean 'alpha'?\n"
    )


def test_a_missing_file(gradcli: Callable) -> None:
    done = gradcli("eval", "model.grad")
    assert done.code == 2
    assert done.err.startswith("error: no such file: 'model.grad'\n  --> <command line>:1:14\n")


@pytest.mark.parametrize(
    ("words", "message", "column"),
    [
        (("eval", "./nowhere"), "no such file: './nowhere'", 14),
        (("eval", "/dev/null"), "'/dev/null' is a device, expected a file or a pipe", 14),
        (("eval", "x", "x=@nowhere.csv"), "no such file: 'nowhere.csv'", 16),
        (("eval", "x", "--data", "nowhere.csv"), "no such file: 'nowhere.csv'", 23),
        (("vjp", "x", "x=1", "-v", "@nowhere.csv"), "no such file: 'nowhere.csv'", 22),
        (("check", "x", "x=1", "--against", "x=@nowhere.csv"), "no such file: 'nowhere.csv'", 31),
        (("vjp", "x", "x=1,2", "-v", "y=1,1"), "vjp takes each -v without a name", 24),
    ],
)
def test_a_fault_of_a_word_is_shown_in_the_command_line(
    gradcli: Callable, words: tuple[str, ...], message: str, column: int
) -> None:
    done = gradcli(*words)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: {message}\n  --> <command line>:1:{column}\n"), done.err


@pytest.mark.parametrize(
    ("words", "place", "message"),
    [
        (("eval", "x", "x=None"), "x=:1:1", "a VALUE is a number or an array"),
        (("eval", "x", "x=[[1,2],[3]]"), "x=:1:1", "a list of unequal parts is no array: shapes [1] and [2]"),
        (("vjp", "x", "x=1", "-v", "1;2"), "-v:1:1", "a VALUE is one expression"),
        (("eval", "a = []\na.append(a)\na"), "<program>:3:1", "the result is nested more than 32 deep"),
    ],
)
def test_a_fault_of_a_value_is_shown_in_it(
    gradcli: Callable, words: tuple[str, ...], place: str, message: str
) -> None:
    done = gradcli(*words)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: {message}\n  --> {place}\n"), done.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("grad", "x**2", "x=1,2"), "grad needs a scalar, and the result has shape (2,)"),
        (("hessian", "x**2", "x=1,2"), "hessian needs a scalar, and the result has shape (2,)"),
        (("hvp", "x**2", "x=1,2", "-v", "1,1"), "hvp needs a scalar, and the result has shape (2,)"),
        (("grad", "x > 1", "x=1"), "the result is bool, which carries no derivative"),
        (("jacobian", "argmax(x)", "x=1,2"), "the result is int64, which carries no derivative"),
        (("grad", "2 + 3"), "there is nothing to differentiate: the program has no float input"),
        (("grad", "k: int\nk*2", "k=3"), "there is nothing to differentiate: the program has no float input"),
        (("grad", "x*y", "x=1", "y=2", "--wrt", "z"), "--wrt: 'z' is no input of the program"),
        (("grad", "k: int\nx**k", "x=1", "k=2", "--wrt", "k"),
         "--wrt: 'k' is int64, and integers and bools carry no gradient"),
        (("vjp", "x**2", "x=1,2"), "vjp needs one -v per output: 1 of shape (2,), and 0 given"),
        (("vjp", "x**2", "x=1,2", "-v", "1"), "-v has shape (), and the output has shape (2,)"),
        (("vjp", "x**2", "x=1,2", "-v", "1,2", "-v", "1,2"),
         "vjp needs one -v per output: 1 of shape (2,), and 2 given"),
        (("jvp", "x*y", "x=1", "y=2", "-v", "1"), "with several inputs each -v says which it is for"),
        (("jvp", "x*y", "x=1", "y=2", "-v", "x=1"), "jvp needs -v for 'y'"),
        (("jvp", "x*y", "x=1", "y=2", "-v", "x=1", "-v", "z=1"),
         "-v: 'z' is none of the inputs that are differentiated (x, y)"),
        (("jvp", "x*y", "x=1", "y=2", "-v", "x=1", "-v", "x=1"), "-v for 'x' is given twice"),
        (("jvp", "x**2", "x=1,2", "-v", "1,2,3"), "-v has shape (3,), and the input 'x' has shape (2,)"),
        (("jvp", "x**2", "x=1"), "jvp needs -v for 'x'"),
        (("eval", "f = sin\nf"), "the result is the function 'sin'"),
        (("eval", "x.dtype", "x=1"), "the result is the dtype float64, not a number or a tensor"),
    ],
)  # fmt: skip
def test_what_cannot_be_differentiated(gradcli: Callable, words: tuple[str, ...], message: str) -> None:
    done = gradcli(*words)
    assert (done.code, done.out) == (2, "")
    assert done.err.split("\n")[0] == f"error: {message}"
    assert done.err.split("\n")[1].startswith(("  --> ", "  = "))


def test_one_reader_of_standard_input(gradcli: Callable) -> None:
    for words in (
        ("eval", "-", "x=@-"),
        ("eval", "x + y", "x=@-", "y=@-"),
        ("eval", "x + y", "x=@-", "--data", "-"),
        ("vjp", "x", "x=@-", "-v", "@-"),
    ):
        done = gradcli(*words, stdin="x")
        assert done.code == 2, words
        assert done.err.startswith("error: only one thing may read standard input"), words


@pytest.mark.parametrize("words", [("jacobian",), ("jvp", "-v", "ones((2, 2))")])
def test_a_rule_that_refuses_names_its_place(gradcli: Callable, words: tuple[str, ...]) -> None:
    command, *rest = words
    done = gradcli(command, "3*qr(A)[0]", "A=zeros((2,2))", *rest)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "error: qr: the factors have no derivative where the first columns are linearly dependent\n"
        "  --> <program>:1:3\n"
        "  |\n"
        "1 | 3*qr(A)[0]\n"
        "  |   ^^^^^ as many of them as the matrix has rows, or all, must be independent\n"
    )


def test_a_word_that_numpy_does_not_know(gradcli: Callable) -> None:
    done = gradcli("eval", 'histogram(x, bins="foo")', "x=1,2")
    assert done.code == 2
    assert done.err.startswith(
        "error: histogram: bins is a number, a list of edges, or 'auto', 'doane', 'fd', 'rice', 'scott', 'sqrt', "
        "'stone' or 'sturges', not 'foo'\n"
    )
