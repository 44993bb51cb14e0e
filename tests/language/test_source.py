"""Text, places in it, and how errors are shown."""

from __future__ import annotations

import json

import pytest

from gradcli.graph.errors import GradcliError
from gradcli.language import Program, ProgramError, Source, Span, normalised, render
from gradcli.language.diagnostics import escaped, nearest


def test_line_ends_and_byte_order_mark():
    source = Source.from_bytes("a.grad", b"\xef\xbb\xbfx = 1\r\ny = 2\rz")
    assert source.lines == ["x = 1", "y = 2", "z"]


def test_an_indented_block_is_moved_to_the_margin():
    assert Source("p", "\n    x = 1\n    if x:\n        y = 2\n").text == "\nx = 1\nif x:\n    y = 2\n"
    assert Source("p", "  x**2").text == "x**2"
    assert Source("p", "x = 1\n  y").text == "x = 1\n  y"


def test_not_utf8():
    with pytest.raises(GradcliError, match=r"a\.grad is not UTF-8 text: byte 0xff on line 2"):
        Source.from_bytes("a.grad", b"x = 1\n\xff")


def test_notebook():
    cells = [
        {"cell_type": "markdown", "source": ["# words"]},
        {"cell_type": "code", "source": ["%matplotlib inline\n", "x = 2"]},
        {"cell_type": "code", "source": "x**3"},
    ]
    source = Source.from_bytes("a.ipynb", json.dumps({"cells": cells}).encode())
    assert source.text == "# %matplotlib inline\nx = 2\nx**3"
    assert Program.parse(source).run({}).cores()[0] == 8
    for bad in (b"{}", b"[1]", b'{"cells": [{"cell_type": "code"}]}', b"x"):
        with pytest.raises(GradcliError, match=r"a\.ipynb is not a notebook"):
            Source.from_bytes("a.ipynb", bad)


def test_names_are_normalised():
    assert normalised("ﬁt") == "fit"
    assert list(Program.parse(Source("p", "ﬁt*2")).inputs) == ["fit"]


def test_columns_are_characters():
    source = Source("p", "名前 = 1; y = unknown(名前)")
    with pytest.raises(ProgramError) as caught:
        Program.parse(source)
    span = caught.value.span
    assert (span.line, span.column, span.end_column) == (1, 13, 20)


def test_render_without_a_span():
    error = GradcliError("no such file", mend="look again", notes=("a note",))
    assert render(error) == "error: no such file\n  = look again\n  = a note"


def test_render_keeps_below_four_thousand_characters():
    source = Source("n" * 5_000, "x" * 100_000)
    span = Span(source, 1, 50_000, 1, 60_000)
    error = ProgramError("m" * 10_000, mend="w" * 10_000, span=span, notes=("o" * 10_000,) * 10)
    shown = render(error)
    assert len(shown) < 4_000
    assert max(len(line) for line in shown.split("\n")[3:4]) <= 80


@pytest.mark.parametrize("width", [40, 80])
@pytest.mark.parametrize("column", [1, 30, 75, 79, 80, 81, 150, 199])
def test_the_caret_stands_under_its_character(width, column):
    text = "".join(chr(ord("a") + i % 26) for i in range(199)) + "\N{CJK UNIFIED IDEOGRAPH-540D}"
    shown = render(ProgramError("m", span=Span(Source("p", text), 1, column, 1, column + 1)), width).split("\n")
    line, carets = shown[3], shown[4]
    assert line[carets.index("^")] == text[column - 1]


def test_invisible_characters_are_escaped():
    assert escaped("a\x1b[0m\u202eb\u200b\U000e0041") == "a\\x1b[0m\\u202eb\\u200b\\U000e0041"
    assert "\x1b" not in render(GradcliError("\x1b]0;x\x07", notes=("\x9b",)))
    assert "[bold]x[/bold]" in render(GradcliError("[bold]x[/bold]"))


def test_nearest():
    assert nearest("sine", ["cos", "sin", "tan"]) == "sin"
    assert nearest("Sin", ["sin", "sinh"]) == "sin"
    assert nearest("q", ["x"]) is None
