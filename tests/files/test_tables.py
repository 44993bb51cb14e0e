"""Tables of numbers in: separators, prose, headers, and the line of every fault."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from gradcli.files.tables import read_table
from gradcli.files.text import text_of
from gradcli.graph.errors import GradcliError


def whole(text: str | bytes) -> np.ndarray:
    return read_table(text if isinstance(text, bytes) else text.encode(), "t.csv").whole()


def column(text: str, key: str) -> np.ndarray:
    return read_table(text.encode(), "t.csv").column(key)


def fault(text: str | bytes, key: str | None = None) -> tuple[str, str | None]:
    with pytest.raises(GradcliError) as caught:
        table = read_table(text if isinstance(text, bytes) else text.encode(), "t.csv")
        if key is None:
            table.whole()
        else:
            table.column(key)
    return caught.value.message, caught.value.mend


@pytest.mark.parametrize(
    "text",
    [
        "1,2\n3,4\n",
        "1, 2\n3, 4",
        "1;2\r\n3;4\r\n",
        "1\t2\r3\t4\r",
        "1 2\n3 4",
        "  1   2  \n\n  3\t4  \n\n",
        "# a comment\n1 2\n% another\n3 4 # to the end\n",
        "\ufeff1,2\n3,4\n",
        "x,y\n1,2\n3,4\n",
        "x y\n1 2\n3 4\n",
        "# x y\n1 2\n3 4\n",
        '"x","y"\n"1","2"\n"3","4"\n',
        "1.0e0 2E0\n3. +4\n",
        "Measured in 1999 by\nA, B and C\n\nData:  y   x\n  1  2\n  3  4\n",
        "first name\tsecond name\n1\t2\n3\t4\n",
        ",0\n1,2\n3,4\n",
    ],
)
def test_one_table_in_many_dresses(text: str) -> None:
    table = whole(text)
    assert table.dtype == np.float64
    assert table.tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_shapes() -> None:
    assert whole("1\n2\n3\n").tolist() == [1.0, 2.0, 3.0]
    assert whole("1 2 3\n").tolist() == [1.0, 2.0, 3.0]
    assert whole("x,y,z\n1,2,3\n").tolist() == [[1.0, 2.0, 3.0]]
    assert whole("x\n1\n2\n").tolist() == [1.0, 2.0]
    assert whole("x\n1\n").tolist() == [1.0]
    assert whole("7\n").shape == ()


def test_nan_and_inf_are_numbers() -> None:
    assert repr(whole("nan,inf\n-inf,-0\n").tolist()) == "[[nan, inf], [-inf, -0.0]]"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "t.csv is empty, expected a table of numbers"),
        ("\n \n# nothing\n", "t.csv is empty, expected a table of numbers"),
        ("no numbers\nat all\n", "t.csv has no line of numbers, expected a table of them; line 1 is 'no numbers'"),
        ("1,2\n3\n", "t.csv, line 2: 1 cell, expected 2"),
        ("1,2\n\n# c\n3,4,5\n", "t.csv, line 4: 3 cells, expected 2"),
        ("x,y\n1,2\n3,abc\n", "t.csv, line 3, column 'y': expected a number, found 'abc'"),
        ("x,y\nNA,NA\n3,4\n", "t.csv, line 2, column 'x': expected a number, found 'NA'"),
        ("x,y\n1,abc\n3,4\n", "t.csv, line 2, column 'y': expected a number, found 'abc'"),
        (
            "1,2\n3,\n",
            "t.csv, line 2, column 1: expected a number, the cell is empty (a missing number is written nan)",
        ),
        ("1 2\n3 x\n", "t.csv, line 2, column 1: expected a number, found 'x'"),
        ("1 x\n3 4\n", "t.csv, line 1: expected 2 numbers or names of columns, found 'x' among numbers"),
        ("1,2\n3,1_0\n", "t.csv, line 2, column 1: expected a number, found '1_0'"),
        ("1,2\n3,٣\n", "t.csv, line 2, column 1: expected a number, found '٣'"),
        ("1,2\n3,1e999\n", "t.csv, line 2, column 1: '1e999' is beyond what a float64 holds (1.8e308)"),
        ("1,2\n3,\x1b[31m\n", r"t.csv, line 2, column 1: expected a number, found '\x1b[31m'"),
        ("1 2\n3 true\n", "t.csv, line 2, column 1: expected a number, found 'true'"),
        ("1,2\n3,5%\n", "t.csv, line 2, column 1: expected a number, found '5%'"),
    ],
)
def test_faults(text: str, message: str) -> None:
    assert fault(text)[0] == message


def test_decimal_commas_get_a_hint() -> None:
    assert fault("x;y\n1;2\n1;2,5\n") == (
        "t.csv, line 3, column 'y': expected a number, found '2,5'",
        "write decimals with a point: 1.5",
    )


def test_encodings() -> None:
    assert fault("1 2".encode("utf-16"))[0] == "t.csv is UTF-16 text, expected UTF-8"
    assert fault("1,2\n3,°\n".encode("latin-1"))[0] == "t.csv, line 2: byte 0xb0 is not UTF-8 text"


def test_columns_by_name_and_number() -> None:
    text = "name,y,x\nann,1,2\nbob,3,4\n"
    assert column(text, "x").tolist() == [2.0, 4.0]
    assert column(text, "1").tolist() == [1.0, 3.0]
    assert fault(text, "name")[0] == "t.csv, line 2, column 'name': expected a number, found 'ann'"
    assert fault(text)[0] == "t.csv, line 2, column 'name': expected a number, found 'ann'"
    assert fault(text, "nmae") == ("t.csv has no column 'nmae'; its columns are name, y, x", "did you mean 'name'?")
    assert fault(text, "3")[0] == "t.csv has no column '3'; its columns are name, y, x"
    assert fault("1 2\n", "2")[0] == "t.csv has no column '2'; its columns are 0 to 1"
    assert fault("1 2\n", "-1")[0] == "t.csv has no column '-1'; its columns are 0 to 1"


def test_names_are_normalised() -> None:
    assert column("ﬁt,y\n1,2\n3,4\n", "fit").tolist() == [1.0, 3.0]


def test_duplicate_names_are_a_fault_only_where_they_are_asked_for() -> None:
    text = "x,y,x\n1,2,3\n4,5,6\n"
    assert column(text, "y").tolist() == [2.0, 5.0]
    assert column(text, "2").tolist() == [3.0, 6.0]
    assert whole(text).shape == (2, 3)
    assert fault(text, "x")[0] == "t.csv has two columns named 'x'; choose by number: 0 or 2"


def test_all_columns_pass_over_what_is_not_wanted() -> None:
    table = read_table(b"name,y,x\nann,1,2\nbob,3,4\n", "t.csv")
    found = table.columns({"x", "y", "z"}.__contains__)
    assert {name: array.tolist() for name, array in found.items()} == {"y": [1.0, 3.0], "x": [2.0, 4.0]}
    with pytest.raises(GradcliError, match=r"^t\.csv has no header row, expected names above the numbers$"):
        read_table(b"1,2\n", "t.csv").columns(bool)


def test_a_bad_line_below_prose_is_no_prose() -> None:
    assert fault("title\n1 2\n3 oops\n5 6\n")[0] == "t.csv, line 3, column 1: expected a number, found 'oops'"


@given(arrays(np.float64, array_shapes(min_dims=2, max_dims=2, min_side=2), elements=st.floats()))
def test_float64_text_round_trip(array: np.ndarray) -> None:
    assert np.array_equal(whole(text_of(array)), array, equal_nan=True)


@given(arrays(np.float32, st.integers(2, 9), elements=st.floats(width=32)))
def test_float32_text_round_trip(array: np.ndarray) -> None:
    assert np.array_equal(whole(text_of(array)).astype(np.float32), array, equal_nan=True)


@given(st.text("01 ,;.\t\n\"#%xe-", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        whole(text)
    except GradcliError as error:
        assert error.message.startswith("t.csv")
