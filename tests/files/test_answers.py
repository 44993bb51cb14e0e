"""Answers out: every form, to the character."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcli.files.answers import Answer, choose_format, deliver, encode
from gradcli.files.json_text import json_line
from gradcli.files.text import text_of
from gradcli.graph.errors import GradcliError

HESSIAN = Answer(
    [(("x", "x"), np.eye(2)), (("x", "y"), np.array([1.5, 2])), (("y", "x"), np.array([1.5, 2])), (("y", "y"), 7.0)],
    {"value": 1.0, "hessian": {"x": {"x": np.eye(2)}}},
)


def encoded(answer: Answer, form: str) -> bytes:
    return b"".join(encode(answer, form))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.5, "1.5\n"),
        (np.float64(0.1), "0.1\n"),
        (np.float32(0.1), "0.1\n"),
        (np.float32(16777216), "16777216.0\n"),
        (np.float16(0.1), "0.1\n"),
        (1e16, "1e+16\n"),
        (5e-324, "5e-324\n"),
        (-0.0, "-0.0\n"),
        (float("nan"), "nan\n"),
        (float("-inf"), "-inf\n"),
        (3, "3\n"),
        (True, "true\n"),
        (1 - 2j, "1.0-2.0j\n"),
        (complex("nan+infj"), "nan+infj\n"),
        (np.complex64(0.1 + 0.2j), "0.1+0.2j\n"),
        ("text", "text\n"),
        (None, "None\n"),
        ([np.array([1, 2]), 3.0], "1 2\n3.0\n"),
        ({"a": 1, "b": (2, 3)}, "# a\n1\n# b\n2\n3\n"),
        (np.array([1, 2, 3]), "1 2 3\n"),
        (np.array([True, False]), "true false\n"),
        (np.array([]), "\n"),
        (np.array([[1.0, 2], [3, 4]]), "1.0 2.0\n3.0 4.0\n"),
        (np.zeros((2, 0)), "\n\n"),
        (np.zeros((0, 2)), ""),
        (np.arange(8).reshape(2, 2, 2), "0 1\n2 3\n\n4 5\n6 7\n"),
        (np.arange(4).reshape(2, 2, 1, 1), "0\n\n1\n\n2\n\n3\n"),
        (np.asfortranarray([[1, 2], [3, 4]]), "1 2\n3 4\n"),
        (np.array([1, 2], ">i4"), "1 2\n"),
    ],
)
def test_text(value: object, text: str) -> None:
    assert text_of(value) == text


def test_text_of_several_results() -> None:
    assert encoded(HESSIAN, "text").decode() == (
        "# x x\n1.0 0.0\n0.0 1.0\n# x y\n1.5 2.0\n# y x\n1.5 2.0\n# y y\n7.0\n"
    )
    assert encoded(Answer([(("x",), np.arange(2))], {}), "text") == b"0 1\n"


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128])
@pytest.mark.parametrize("shape", [(9,), (9, 1), (1, 9), (5, 3), (3, 2, 2), (2, 3, 5), (2, 2, 9), (2, 1, 2, 3)])
def test_large_arrays_are_written_in_pieces(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...], dtype: type
) -> None:
    array = (np.arange(np.prod(shape)) / 7).astype(dtype).reshape(shape)
    array.flat[4] = np.nan
    answer = Answer([(("x",), array), (("y",), array[0])], {"value": 1.0, "grad": {"x": array, "y": [array[0], "ü"]}})
    whole = {form: encoded(answer, form) for form in ("text", "json", "csv")}
    for module in ("text", "json_text", "csv_text"):
        monkeypatch.setattr(f"gradcli.files.{module}.AT_A_TIME", 4)
    for form, expected in whole.items():
        pieces = list(encode(answer, form))
        assert b"".join(pieces) == expected
        assert len(pieces) > 2
    assert json.loads(whole["json"])["grad"]["y"][1] == "ü"


@given(st.floats())
def test_every_float64_reads_back(number: float) -> None:
    back = float(text_of(number))
    assert back == number or (back != back and number != number)


@given(st.floats(width=32))
def test_float32_has_no_more_digits_than_it_needs(number: float) -> None:
    single = np.float32(number)
    text = text_of(single).strip()
    assert np.float32(text) == single or np.isnan(single)
    assert not np.isfinite(single) or len(Decimal(text).normalize().as_tuple().digits) <= 9
    assert json_line(single) == (f"{text}\n" if np.isfinite(single) else json_line(number))


@pytest.mark.parametrize(
    ("document", "line"),
    [
        ({"value": 27.0, "shape": [], "dtype": "float64"}, '{"value": 27.0, "shape": [], "dtype": "float64"}'),
        ({"grad": {"x": np.full((2, 2), 4.5)}}, '{"grad": {"x": [[4.5, 4.5], [4.5, 4.5]]}}'),
        ([np.nan, np.inf, -np.inf], '["NaN", "Infinity", "-Infinity"]'),
        (np.array([[1, np.nan], [-np.inf, 0]]), '[[1.0, "NaN"], ["-Infinity", 0.0]]'),
        (np.array(np.nan), '"NaN"'),
        (np.float32(0.1), "0.1"),
        (np.array([0.1, np.inf], np.float32), '[0.1, "Infinity"]'),
        (1 + 2j, "[1.0, 2.0]"),
        (np.array([1 + 2j, complex("nan")]), '[[1.0, 2.0], ["NaN", 0.0]]'),
        (np.array([True, False]), "[true, false]"),
        (np.int64(3), "3"),
        (np.zeros((2, 0)), "[[], []]"),
        ((1, None, "ü", True), '[1, null, "ü", true]'),
    ],
)
def test_json(document: object, line: str) -> None:
    assert json_line(document) == line + "\n"


@pytest.mark.parametrize(
    ("results", "text"),
    [
        ([(("x",), 1.5)], "x\n1.5\n"),
        ([(("x",), np.array([1, 2]))], "x\n1\n2\n"),
        ([(("b",), 0.5), (("w",), np.array([1.0, 2.0]))], "b,w\n0.5,1.0\n,2.0\n"),
        ([(("A",), np.array([[1, 2], [3, 4], [5, 6]]))], "A.0,A.1\n1,2\n3,4\n5,6\n"),
        ([(("T",), np.arange(8).reshape(2, 2, 2))], "T.0.0,T.0.1,T.1.0,T.1.1\n0,1,2,3\n4,5,6,7\n"),
        ([(("x",), np.array([np.nan, -np.inf]))], "x\nnan\n-inf\n"),
        ([(("x",), np.zeros((0, 2)))], "x.0,x.1\n"),
    ],
)
def test_csv(results: list[tuple[tuple[str, ...], object]], text: str) -> None:
    assert encoded(Answer(results, {}), "csv").decode() == text


def test_csv_of_a_hessian() -> None:
    assert encoded(HESSIAN, "csv").decode() == "x.x.0,x.x.1,x.y,y.x,y.y\n1.0,0.0,1.5,1.5,7.0\n0.0,1.0,2.0,2.0,\n"


def test_npy() -> None:
    array = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    back = np.load(io.BytesIO(encoded(Answer([(("x",), array)], {}), "npy")))
    assert back.tolist() == array.tolist()
    with pytest.raises(GradcliError) as caught:
        encoded(HESSIAN, "npy")
    assert caught.value.message == "npy holds one array, and the answer has 4 (x,x, x,y, y,x, y,y); use npz"


def test_npz_has_a_result_per_name_and_the_same_bytes_every_time() -> None:
    data = encoded(HESSIAN, "npz")
    archive = np.load(io.BytesIO(data))
    assert sorted(archive) == ["x,x", "x,y", "y,x", "y,y"]
    assert archive["x,y"].tolist() == [1.5, 2.0]
    assert data == encoded(HESSIAN, "npz")


def test_npz_takes_any_name() -> None:
    archive = np.load(io.BytesIO(encoded(Answer([(("file",), 1.0), (("allow_pickle",), 2.0)], {}), "npz")))
    assert (archive["file"], archive["allow_pickle"]) == (1.0, 2.0)


@pytest.mark.parametrize("form", ["npy", "npz", "csv"])
def test_what_is_no_number_is_refused(form: str) -> None:
    for value in ("text", None, [[1], [1, 2]]):
        with pytest.raises(GradcliError) as caught:
            encoded(Answer([(("value",), value)], {}), form)
        assert caught.value.message == f"{form} holds arrays of numbers, and value is none"


def test_format_is_the_option_else_the_suffix_else_text() -> None:
    assert choose_format("json", "a.npy") == "json"
    assert choose_format(None, "a.NPZ") == "npz"
    assert choose_format(None, "a.txt") == "text"
    assert choose_format(None, "a.out") == "text"
    assert choose_format(None, None) == "text"


class Terminal(io.BytesIO):
    def isatty(self) -> bool:
        return True


def test_delivery(tmp_path: Path) -> None:
    pipe = io.BytesIO()
    deliver([b"\x93NUMPY"], None, "npy", pipe)
    deliver([b"!"], "-", "npy", pipe)
    assert pipe.getvalue() == b"\x93NUMPY!"
    deliver([b"1\n"], str(tmp_path / "a"), "text", pipe)
    assert (tmp_path / "a").read_bytes() == b"1\n"
    with pytest.raises(GradcliError) as caught:
        deliver([b"\x93NUMPY"], None, "npy", Terminal())
    assert caught.value.message == (
        "npy is binary and standard output is a terminal; give a file (-o answer.npy) or a pipe"
    )
