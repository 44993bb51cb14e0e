"""`@FILE`: which files are read, how one is chosen, and what each fault is called."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import numpy as np
import pytest

from gradcli.files.sources import StandardInput
from gradcli.files.values import read_reference
from gradcli.graph.errors import GradcliError


def read(reference: object, dtype: str | None = None, stdin: bytes = b"") -> np.ndarray:
    text = str(reference)
    return read_reference(text, f"x=@{text}", dtype=dtype, stdin=StandardInput(io.BytesIO(stdin)))


def fault(reference: object, stdin: bytes = b"") -> tuple[str, str | None]:
    with pytest.raises(GradcliError) as caught:
        read(reference, stdin=stdin)
    return caught.value.message, caught.value.mend


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_suffixes_decide_in_any_case(here: Path) -> None:
    (here / "a.JSON").write_text("[1, 2]")
    (here / "a.Csv").write_text("1,2\n3,4\n")
    np.save(here / "b.npy", np.arange(3))
    np.savez(here / "c.npz", x=np.arange(2))
    assert read("a.JSON").tolist() == [1.0, 2.0]
    assert read("a.Csv").tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert read("b.npy").tolist() == [0, 1, 2]
    assert read("c.npz").tolist() == [0, 1]


def test_float_dtype_is_the_runs_for_text_and_the_files_own_for_npy(here: Path) -> None:
    (here / "a.json").write_text("[1, 2]")
    (here / "a.txt").write_text("1 2\n")
    np.save(here / "a.npy", np.array([1.0]))
    assert read("a.json").dtype == np.float64
    assert read("a.json", dtype="float32").dtype == np.float32
    assert read("a.txt", dtype="float32").dtype == np.float32
    assert read("a.npy", dtype="float32").dtype == np.float64


def test_bools_stay_bools_whatever_the_float_dtype(here: Path) -> None:
    (here / "a.json").write_text("[true, false]")
    assert read("a.json", dtype="float32").dtype == np.bool_


def test_unknown_suffix_is_refused(here: Path) -> None:
    (here / "a.xls").write_text("1")
    assert fault("a.xls")[0] == (
        "cannot tell what 'a.xls' holds, expected one of .npy .npz .json .csv .tsv .txt .dat"
    )


def test_missing_file_names_the_nearest(here: Path) -> None:
    (here / "train.csv").write_text("1\n")
    assert fault("trian.csv") == ("no such file: 'trian.csv'", "did you mean 'train.csv'?")
    assert fault("data/train.csv") == ("no such file: 'data/train.csv'", "there is no folder 'data'")
    assert fault("zzz.csv") == ("no such file: 'zzz.csv'", None)


def test_nothing_after_the_at_sign() -> None:
    assert fault("")[0] == "x=@ names no file, expected @FILE"


def test_directory(here: Path) -> None:
    (here / "d.csv").mkdir()
    assert fault("d.csv")[0] == "'d.csv' is a directory, expected a file or a pipe"


def test_device() -> None:
    assert fault("/dev/zero")[0] == "'/dev/zero' is a device, expected a file or a pipe"


def test_address_is_never_fetched() -> None:
    assert fault("http://127.0.0.1:1/a.csv")[0] == (
        "'http://127.0.0.1:1/a.csv' is an address, and gradcli reads files only"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_permission(here: Path) -> None:
    (here / "a.csv").write_text("1\n")
    (here / "a.csv").chmod(0)
    assert fault("a.csv")[0] == "cannot read 'a.csv': Permission denied"


def test_control_and_bidi_characters_of_a_path_are_escaped(here: Path) -> None:
    assert fault("a\n\x1b[31m\u202eb.csv")[0] == r"no such file: 'a\n\x1b[31m\u202eb.csv'"


def test_impossible_paths() -> None:
    assert fault("a\0b.csv")[0] == r"cannot read 'a\x00b.csv': embedded null byte"
    assert fault("a" * 300 + ".csv")[0].endswith(": File name too long")


def test_link_to_a_file_and_a_loop(here: Path) -> None:
    (here / "a.csv").write_text("1,2\n")
    (here / "l.csv").symlink_to("a.csv")
    (here / "loop.csv").symlink_to("loop.csv")
    assert read("l.csv").tolist() == [1.0, 2.0]
    assert fault("loop.csv")[0] == "cannot read 'loop.csv': Too many levels of symbolic links"


def test_colon_belongs_to_the_name_where_such_a_file_is(here: Path) -> None:
    (here / "t.csv:x.csv").write_text("5\n")
    (here / "t.csv").write_text("x,y\n1,2\n3,4\n")
    assert read("t.csv:x.csv").tolist() == 5.0
    assert read("t.csv:y").tolist() == [2.0, 4.0]
    assert fault("t.csv:")[0] == "'@t.csv:' ends in a colon, expected a key after it"
    assert fault("u.csv:y") == ("no such file: 'u.csv'", "did you mean 't.csv'?")


def through_pipe(path: Path, content: bytes) -> np.ndarray:
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(content,))
    writer.start()
    try:
        return read(path)
    finally:
        writer.join()


def test_pipes_of_every_kind_are_told_by_their_content(here: Path) -> None:
    npy, npz = io.BytesIO(), io.BytesIO()
    np.save(npy, np.arange(3))
    np.savez(npz, a=np.arange(4))
    assert through_pipe(here / "p1", npy.getvalue()).tolist() == [0, 1, 2]
    assert through_pipe(here / "p2", npz.getvalue()).tolist() == [0, 1, 2, 3]
    assert through_pipe(here / "p3", b"[[1, 2]]").tolist() == [[1.0, 2.0]]
    assert through_pipe(here / "p4", b"x y\n1 2\n3 4\n").tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert through_pipe(here / "p5", b"7").tolist() == 7.0


def test_open_descriptor(here: Path) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"1 2\n")
    os.close(writer)
    try:
        assert read(f"/dev/fd/{reader}").tolist() == [1.0, 2.0]
    finally:
        os.close(reader)


def test_file_without_suffix_is_told_by_its_content(here: Path) -> None:
    (here / "a").write_text('{"x": [1]}')
    (here / "b").write_text("1 2\n")
    with open(here / "c", "wb") as stream:
        np.save(stream, np.arange(2))
    assert read("a:x").tolist() == [1.0]
    assert read("b").tolist() == [1.0, 2.0]
    assert read("c").tolist() == [0, 1]


def test_standard_input_is_json_and_one_readers_alone() -> None:
    assert read("-", stdin=b"[1, 2]").tolist() == [1.0, 2.0]
    assert read("-:a.b", stdin=b'{"a": {"b": 3}}').tolist() == 3.0
    stdin = StandardInput(io.BytesIO(b"[1]"))
    stdin.read("the program")
    with pytest.raises(GradcliError) as caught:
        read_reference("-", "x=@-", stdin=stdin)
    assert caught.value.message == "only one thing may read standard input, not both the program and x=@-"


def test_standard_input_that_is_no_json() -> None:
    assert fault("-", stdin=b"1 2")[0] == "standard input, line 1, column 3: this is no JSON: extra data"
