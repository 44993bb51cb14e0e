"""Rows read from files: their values, their groups, their faults, and no more memory than a block needs."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gradcli.files.rows import Chunk, RowReader, open_rows
from gradcli.files.rows.lines import Lines
from gradcli.files.rows.stacks import Stacks
from gradcli.files.rows.writing import PerRow, csv_rows, csv_titles, flattened, json_rows
from gradcli.files.sources import StandardInput
from gradcli.graph.errors import GradcliError

OPENED: list[RowReader] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Close what a test has opened."""
    yield
    while OPENED:
        OPENED.pop().close()


def reader(path: Path | str, wanted: str = "xywA", dtype: str | None = None, stdin: bytes = b"") -> RowReader:
    found = open_rows(
        str(path),
        wanted=lambda name: name in wanted,
        only=lambda: "x",
        dtype=dtype,
        stdin=StandardInput(io.BytesIO(stdin)),
    )
    OPENED.append(found)
    return found


def written(path: Path, data: bytes | str) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def chunks(source: RowReader, nbytes: int = 1 << 16) -> list[Chunk]:
    found = []
    while (block := source.take(nbytes)) is not None:
        found.append(source.chunk(block))
    return found


def only_chunk(source: RowReader) -> Chunk:
    (chunk,) = chunks(source)
    return chunk


def column(source: RowReader, name: str = "x", nbytes: int = 1 << 16) -> list[object]:
    """One input's values in all rows, by their places."""
    found: list[object] = []
    for chunk in chunks(source, nbytes):
        assert not chunk.faults
        rows: dict[int, object] = {}
        for group in chunk.groups:
            rows |= dict(zip(group.places.tolist(), group.columns[name].tolist(), strict=True))
        found += [rows[place] for place in range(chunk.size)]
    return found


def faults(source: RowReader) -> dict[str, str]:
    """What is wrong with which row."""
    found = {}
    while (block := source.take(1 << 16)) is not None:
        for place, error in source.chunk(block).faults.items():
            found[source.where(block, place)] = error.message
    return found


# --- tables ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nbytes", [1, 7, 1 << 16])
def test_a_table_in_blocks_of_any_size(tmp_path: Path, nbytes: int) -> None:
    path = written(tmp_path / "t.csv", "name,x,y\n" + "".join(f"n{i},{i}.5,{-i}\n" for i in range(50)))
    assert column(reader(path), "x", nbytes) == [i + 0.5 for i in range(50)]
    assert reader(path).names == ("x", "y")


@pytest.mark.parametrize(
    "text",
    [
        "x;y\n1;2\n3;4\n",
        "x\ty\n1\t2\n3\t4\n",
        "x y\n1 2\n3 4\n",
        "x, y\r\n1, 2\r\n3, 4",
        "\ufeffx,y\n1,2\n3,4\n",
        '"x","y"\n"1",2\n3,"4"\n',
        "# a comment\n\nx,y\n1,2\n# another\n\n3,4 # and one\n",
        "x,y\n1,2\n   \n3,4\n\n",
    ],
)
def test_the_same_table_in_many_dresses(tmp_path: Path, text: str) -> None:
    path = written(tmp_path / "t.csv", text)
    assert column(reader(path), "x") == [1.0, 3.0]
    assert column(reader(path), "y") == [2.0, 4.0]


def test_vectors_and_matrices_have_a_column_per_element(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", "w.1,A.0.0,A.0.1,w.0,A.1.0,A.1.1\n1,2,3,4,5,6\n7,8,9,10,11,12\n")
    (group,) = only_chunk(reader(path)).groups
    assert group.columns["w"].tolist() == [[4.0, 1.0], [10.0, 7.0]]
    assert group.columns["A"].tolist() == [[[2.0, 3.0], [5.0, 6.0]], [[8.0, 9.0], [11.0, 12.0]]]


def test_float32_and_special_numbers(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", "x\n0.1\nnan\n-inf\nInfinity\n1e-400\n")
    (group,) = only_chunk(reader(path, dtype="float32")).groups
    assert group.columns["x"].dtype == np.float32
    np.testing.assert_array_equal(group.columns["x"], np.array([0.1, np.nan, -np.inf, np.inf, 0], np.float32))


def test_what_is_wrong_with_rows_of_a_table(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", "x,y,name\n1,2,a\n\n3,,b\n1,5\n1_0,1,c\n1e999,1,d\n[1],1,e\n4,4,f\n")
    where = f"of {path}"
    assert faults(reader(path)) == {
        f"row 2 {where} (line 4)": "column 'y': expected a number, the cell is empty (a missing number is written nan)",
        f"row 3 {where} (line 5)": "2 cells, expected 3",
        f"row 4 {where} (line 6)": "column 'x': expected a number, found '1_0'",
        f"row 5 {where} (line 7)": "column 'x': '1e999' is beyond what a float64 holds (1.8e308)",
        f"row 6 {where} (line 8)": "column 'x': expected a number, found '[1]'",
    }
    chunk = only_chunk(reader(path))
    assert chunk.size == 7
    assert chunk.groups[0].places.tolist() == [0, 6]


def test_a_row_that_is_no_utf_8_is_the_only_one_at_fault(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", b"x,name\n1,a\n2,\xff\n3,c\n")
    chunk = only_chunk(reader(path))
    assert {place: error.message for place, error in chunk.faults.items()} == {
        1: "this line, line 1: byte 0xff is not UTF-8 text"
    }
    assert chunk.groups[0].columns["x"].tolist() == [1.0, 3.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty, expected a header row of names above rows of numbers"),
        ("# nothing\n\n", "is empty, expected a header row of names above rows of numbers"),
        ("1,2\n3,4\n", "has no header row, expected names above the numbers"),
        ("x,x\n1,2\n", "has two columns named 'x'"),
        ("w.0,w.2\n1,2\n", "has no column 'w.1', expected all elements of 'w'"),
        ("w,w.0\n1,2\n", ": the columns w, w.0 do not make one array"),
    ],
)
def test_headers_at_fault(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path / "t.csv", text)
    with pytest.raises(GradcliError) as caught:
        reader(path)
    assert caught.value.message.removeprefix(str(path)).strip() == message


# --- NDJSON ----------------------------------------------------------------------------------------------------------


def test_objects_alike_are_one_group(tmp_path: Path) -> None:
    path = written(tmp_path / "o.ndjson", '{"x": 1, "w": [1, 2.5], "id": 7}\n{"x": 2, "w": [3, 4], "id": 8}\n')
    (group,) = only_chunk(reader(path)).groups
    assert group.columns["x"].tolist() == [1.0, 2.0]
    assert group.columns["w"].tolist() == [[1.0, 2.5], [3.0, 4.0]]


def test_objects_unlike_are_groups_that_keep_their_places() -> None:
    text = b'{"x": 1}\n{"x": [1, 2]}\n{"x": 3, "y": 1}\n{"x": [3, 4]}\n{"x": "NaN"}\n{"x": [true, false]}\n'
    chunk = only_chunk(reader("-", stdin=text))
    found = {tuple(group.places.tolist()): {k: v.tolist() for k, v in group.columns.items()} for group in chunk.groups}
    assert repr(found[(0, 4)]) == "{'x': [1.0, nan]}"
    assert found[(1, 3)] == {"x": [[1.0, 2.0], [3.0, 4.0]]}
    assert found[(2,)] == {"x": [3.0], "y": [1.0]}
    assert found[(5,)] == {"x": [[True, False]]}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"x": 1', "column 8: this is no JSON: expecting ',' delimiter"),
        ('{"x": NaN}', 'NaN is no JSON; write it as a string: "NaN"'),
        ('{"x": 1, "x": 2}', "it has the key 'x' twice"),
        ('{"x": 1},{"x": 2}', "column 9: this is no JSON: extra data"),
        ("[1, 2]", 'it holds a list of 2, expected an object like {"x": [1, 2]}'),
        ('{"x": "a"}', "x: expected a number, found the string 'a'"),
        ('{"x": [[1, 2], [3]]}', "x[1]: expected a list of 2 like those before it, found a list of 1"),
        ('{"x": [1, true]}', "x[1]: expected a number, found true"),
        ('{"x": 1e999}', "x: the number is beyond what a float64 holds (1.8e308)"),
        ('{"x": null}', "x: expected a number, found null"),
    ],
)
def test_what_is_wrong_with_an_object(line: str, message: str) -> None:
    text = f'{{"x": 0.5}}\n\n{line}\n{{"x": 0.5}}\n'.encode()
    assert faults(reader("-", stdin=text)) == {"row 2 of standard input (line 3)": message}


def test_two_lines_are_never_taken_for_one_object() -> None:
    text = b'{"x": 1\n"y": 2}\n{"x": 1},{"x": 2}\n'
    assert len(faults(reader("-", stdin=text))) == 3


def test_a_byte_order_mark_and_windows_line_ends() -> None:
    assert column(reader("-", stdin=b'\xef\xbb\xbf{"x": 1}\r\n{"x": 2}\r\n')) == [1.0, 2.0]


def test_an_empty_file_of_objects_has_no_rows() -> None:
    assert chunks(reader("-", stdin=b"")) == []
    assert chunks(reader("-", stdin=b"\n \n")) == []


# --- arrays ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nbytes", [1, 100, 1 << 16])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_by_their_first_axis(tmp_path: Path, nbytes: int, order: str) -> None:
    w = np.asarray(np.arange(60.0).reshape(10, 2, 3), order=order)  # type: ignore[call-overload]
    np.savez(tmp_path / "a.npz", x=np.arange(10), w=w, other=np.zeros(3))
    source = reader(tmp_path / "a.npz")
    assert (source.total, source.names) == (10, ("x", "w"))
    assert column(source, "w", nbytes) == w.tolist()
    (group,) = only_chunk(reader(tmp_path / "a.npz")).groups
    assert group.columns["x"].dtype == np.int64


def test_an_npy_is_the_one_input(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert column(reader(tmp_path / "a.npy")) == [[1.0, 2.0], [3.0, 4.0]]


def test_compressed_and_big_endian(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", x=np.arange(4, dtype=">f8"))
    assert column(reader(tmp_path / "a.npz")) == [0.0, 1.0, 2.0, 3.0]


def test_arrays_at_fault(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros(3), w=np.zeros((4, 2)))
    with pytest.raises(GradcliError, match="x has 3 rows, and w has 4"):
        reader(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", x=np.zeros(()))
    with pytest.raises(GradcliError, match="is one number, expected an axis of rows"):
        reader(tmp_path / "b.npz")
    np.save(tmp_path / "c.npy", np.zeros(100))
    written(tmp_path / "c.npy", (tmp_path / "c.npy").read_bytes()[:-8])
    with pytest.raises(GradcliError, match="is truncated: it ends before its 100 rows do"):
        chunks(reader(tmp_path / "c.npy"))
    written(tmp_path / "d.npz", b"PK\x03\x04 and nothing")
    with pytest.raises(GradcliError, match="is no intact file of arrays"):
        reader(tmp_path / "d.npz")


def test_a_suffix_that_says_nothing(tmp_path: Path) -> None:
    with pytest.raises(GradcliError, match=r"cannot tell what rows '.*t\.xls' holds"):
        reader(written(tmp_path / "t.xls", "x\n1\n"))
    assert column(reader(written(tmp_path / "bare", '{"x": 1}\n'))) == [1.0]
    assert column(reader(written(tmp_path / "plain", "x\n1\n"))) == [1.0]


# --- pipes -----------------------------------------------------------------------------------------------------------


def test_a_pipe_gives_what_has_come() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as stream, os.fdopen(writing, "wb", buffering=0) as sender:
        lines = Lines(stream, "a pipe")
        assert lines.waits()
        sender.write(b"one\ntwo\nthr")
        assert not lines.waits()
        assert lines.take(1 << 16) == b"one\ntwo\n"
        assert lines.waits()
        sender.write(b"ee\n")
        assert lines.take(1 << 16) == b"three\n"
        assert lines.next_line == 4
        sender.close()
        assert lines.take(1 << 16) == b""


# --- answers ---------------------------------------------------------------------------------------------------------


def test_lines_of_json_are_those_of_single_answers() -> None:
    document = {
        "value": PerRow(np.array([1.5, np.inf])),
        "grad": {"100%": PerRow(np.array([[1.0, np.nan], [0.1, -0.0]])), "c": np.array([2.0])},
        "z": PerRow(np.array([1 + 2j, 3 - 1j])),
        "e": PerRow(np.zeros((2, 0))),
        "t": PerRow(np.arange(8).reshape(2, 2, 2)),
    }
    assert json_rows(document, 2) == [
        '{"value": 1.5, "grad": {"100%": [1.0, "NaN"], "c": [2.0]}, "z": [1.0, 2.0], "e": [], "t": [[0, 1], [2, 3]]}',
        '{"value": "Infinity", "grad": {"100%": [0.1, -0.0], "c": [2.0]}, "z": [3.0, -1.0], "e": [], '
        '"t": [[4, 5], [6, 7]]}',
    ]


def test_a_document_as_columns() -> None:
    document = {"value": [PerRow(np.array([1.0, 2.0])), np.array(5)], "grad": {"x": PerRow(np.eye(2))}}
    columns = flattened(document, 2, "csv")
    assert csv_titles(columns) == ("value.0", "value.1", "grad.x.0", "grad.x.1")
    assert csv_rows(columns) == ["1.0,5,1.0,0.0", "2.0,5,0.0,1.0"]
    with pytest.raises(GradcliError, match="csv holds arrays of numbers, and value is none"):
        flattened({"value": "a text"}, 2, "csv")


def test_stacks_make_an_npz_that_numpy_reads(tmp_path: Path) -> None:
    stacks = Stacks()
    stacks.add([("value", np.arange(3.0)), ("grad.x", np.ones((3, 2), np.float32))])
    stacks.add([("value", np.arange(2.0)), ("grad.x", np.zeros((2, 2), np.float32))])
    path = written(tmp_path / "a.npz", b"".join(stacks.pieces()))
    stacks.close()
    with np.load(path) as found:
        assert found["value"].tolist() == [0.0, 1.0, 2.0, 0.0, 1.0]
        assert found["grad.x"].shape == (5, 2)
        assert found["grad.x"].dtype == np.float32
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
