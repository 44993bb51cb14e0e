"""JSON in: strict, into float64, every fault with its line or key."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from gradcli.files.json_files import read_json, read_json_all
from gradcli.files.json_text import json_line
from gradcli.graph.errors import GradcliError


def read(text: str | bytes, key: str | None = None) -> np.ndarray:
    return read_json(text if isinstance(text, bytes) else text.encode(), "a.json", key)


def fault(text: str | bytes, key: str | None = None) -> tuple[str, str | None]:
    with pytest.raises(GradcliError) as caught:
        read(text, key)
    return caught.value.message, caught.value.mend


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", 3.0),
        ("[1, 2.5, -3e2]", [1.0, 2.5, -300.0]),
        ("[[1, 2], [3, 4]]", [[1.0, 2.0], [3.0, 4.0]]),
        ("[]", []),
        ("[[], []]", [[], []]),
        ("\ufeff[1]", [1.0]),
        ("[\r\n1,\r\n2]\r\n", [1.0, 2.0]),
        ('["Infinity", 1, "-Infinity"]', [math.inf, 1.0, -math.inf]),
        ("9007199254740993", 9007199254740992.0),
        ("-0", -0.0),
    ],
)
def test_numbers_become_float64(text: str, expected: object) -> None:
    array = read(text)
    assert array.dtype == np.float64
    assert repr(array.tolist()) == repr(expected)


def test_nan_is_a_string() -> None:
    assert np.isnan(read('"NaN"'))
    assert fault("[1, NaN]")[0] == 'a.json: NaN is no JSON; write it as a string: "NaN"'
    assert fault("-Infinity")[0] == 'a.json: -Infinity is no JSON; write it as a string: "-Infinity"'


def test_bools() -> None:
    array = read("[[true], [false]]")
    assert array.dtype == np.bool_
    assert array.tolist() == [[True], [False]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a.json is empty, expected JSON"),
        (" \n", "a.json is empty, expected JSON"),
        ("[1, 2", "a.json, line 1, column 6: this is no JSON: expecting ',' delimiter"),
        ("[1,\n 2,]", "a.json, line 2, column 4: this is no JSON: expecting value"),
        ("[1]]", "a.json, line 1, column 4: this is no JSON: extra data"),
        ("[[1, 2], [3]]", "a.json[1]: expected a list of 2 like those before it, found a list of 1"),
        ("[[[1], [2]], [[3], [4, 5]]]", "a.json[1][1]: expected a list of 1 like those before it, found a list of 2"),
        ("[[1], 2]", "a.json[1]: expected a list of 1 like those before it, found the number 2"),
        ("[1, [2]]", "a.json[1]: expected a number, found a list of 1"),
        ("[1, null]", "a.json[1]: expected a number, found null"),
        ("[1, true]", "a.json[1]: expected a number, found true"),
        ('[[1, "two"]]', "a.json[0][1]: expected a number, found the string 'two'"),
        ('[{"a": 1}]', "a.json[0]: expected a number, found an object"),
        ('"x"', "a.json: expected a number, found the string 'x'"),
        ("1" + "0" * 400, "a.json: the number is beyond what a float64 holds (1.8e308)"),
        ("[1, -1e999]", "a.json[1]: the number is beyond what a float64 holds (1.8e308)"),
        ('["NaN", 1e999]', "a.json[1]: the number is beyond what a float64 holds (1.8e308)"),
        ('{"x": 1, "x": 2}', "a.json has the key 'x' twice"),
        ("{" + "".join(f'"{n}": 1, ' for n in range(30_000)) + '"x": 1, "x": 2}', "a.json has the key 'x' twice"),
        ('{"x": 1, "y": 2}', "a.json holds an object, expected numbers; choose with @a.json:x (keys: x, y)"),
        ("{}", "a.json holds an object, expected numbers"),
        ("[" * 65 + "]" * 65, "a.json: lists nested 65 deep, expected at most 64"),
        ("[" * 200_000, "a.json: nested 200000 deep, expected at most 80"),
        ('{"a":' * 100_000, "a.json: nested 100000 deep, expected at most 80"),
    ],
)
def test_faults(text: str, message: str) -> None:
    assert fault(text)[0] == message


def test_brackets_in_strings_are_no_nesting() -> None:
    document = json.dumps({"comment": "[" * 500 + '\\"[', "x": [1]})
    assert read(document, "x").tolist() == [1.0]


def test_other_encodings() -> None:
    assert fault("[1]".encode("utf-16"))[0] == "a.json is UTF-16 text, expected UTF-8"
    assert fault(b'[1,\n"\xff"]')[0] == "a.json, line 2: byte 0xff is not UTF-8 text"


def test_keys() -> None:
    text = '{"x": [1, 2], "grad": {"x": 3}, "a.b": 4, "ﬁt": 5}'
    assert read(text, "x").tolist() == [1.0, 2.0]
    assert read(text, "grad.x").tolist() == 3.0
    assert read(text, "a.b").tolist() == 4.0
    assert read(text, "fit").tolist() == 5.0
    assert fault(text, "gard") == ("a.json has no key 'gard'; its keys are x, grad, a.b, fit", "did you mean 'grad'?")
    assert fault(text, "grad.y")[0] == "a.json:grad has no key 'y'; its keys are x"
    assert fault("[1]", "x")[0] == "a.json holds a list of 1, expected an object with the key 'x'"
    assert fault('{"x": [1, "a"]}', "x")[0] == "a.json:x[1]: expected a number, found the string 'a'"


def test_all_of_an_object_passes_over_what_is_not_wanted() -> None:
    found = read_json_all(b'{"x": 1, "comment": "text", "w": [1, 2]}', "a.json", {"x", "w"}.__contains__)
    assert {name: array.tolist() for name, array in found.items()} == {"x": 1.0, "w": [1.0, 2.0]}
    with pytest.raises(GradcliError, match=r"^a\.json holds a list of 1, expected an object like"):
        read_json_all(b"[1]", "a.json", bool)
    with pytest.raises(GradcliError, match=r"^a\.json has the key 'fi' twice$"):
        read_json_all('{"ﬁ": 1, "fi": 2}'.encode(), "a.json", bool)


@given(arrays(np.float64, array_shapes(min_dims=0, min_side=1), elements=st.floats()))
def test_float64_round_trip(array: np.ndarray) -> None:
    back = read(json_line(array))
    assert back.shape == array.shape
    assert np.array_equal(back, array, equal_nan=True)
    assert np.array_equal(np.signbit(back), np.signbit(array) & ~np.isnan(array))


@given(arrays(np.float32, array_shapes(min_dims=0, min_side=1), elements=st.floats(width=32)))
def test_float32_round_trip(array: np.ndarray) -> None:
    back = read(json_line(array)).astype(np.float32)
    assert np.array_equal(back, array, equal_nan=True)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        read(data)
    except GradcliError as error:
        assert "a.json" in error.message
