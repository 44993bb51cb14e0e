"""`.npy` and `.npz` in: numbers only, and nothing unpacked that was not weighed."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gradcli.files.data import read_data
from gradcli.files.sources import StandardInput
from gradcli.files.values import read_reference
from gradcli.graph.budget import budget
from gradcli.graph.errors import GradcliError, LimitReached


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def small_budget() -> Iterator[None]:
    budget.open(1 << 26)
    yield
    budget.open(None)


def read(reference: str) -> np.ndarray:
    return read_reference(reference, f"x=@{reference}", stdin=StandardInput())


def fault(reference: str) -> tuple[str, str | None]:
    with pytest.raises(GradcliError) as caught:
        read(reference)
    return caught.value.message, caught.value.mend


def npy(shape: str, descr: str = "'<f8'", data: bytes = b"", fortran: bool = False) -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + data


@pytest.mark.parametrize("dtype", ["?", "i1", "u1", "i4", "i8", "u8", "f4", "f8", "c8", "c16"])
def test_dtypes_are_kept(dtype: str) -> None:
    array = np.array([[1, 0], [0, 1]]).astype(dtype)
    np.save("a.npy", array)
    back = read("a.npy")
    assert back.dtype == array.dtype
    assert back.tolist() == array.tolist()


def test_half_floats_become_float32() -> None:
    np.save("a.npy", np.array([0.1, 2], np.float16))
    back = read("a.npy")
    assert back.dtype == np.float32
    assert back.tolist() == np.array([0.1, 2], np.float16).tolist()


def test_byte_order_and_memory_order() -> None:
    array = np.arange(24.0).reshape(2, 3, 4)
    np.save("big.npy", array.astype(">f8"))
    np.save("fortran.npy", np.asfortranarray(array))
    for name in ("big.npy", "fortran.npy"):
        back = read(name)
        assert back.dtype.isnative
        assert back.tolist() == array.tolist()


def test_scalars_and_empty_arrays() -> None:
    np.save("s.npy", np.float64(3))
    np.save("e.npy", np.zeros((0, 3)))
    assert read("s.npy").shape == ()
    assert read("s.npy") == 3.0
    assert read("e.npy").shape == (0, 3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a.npy is no .npy file: it is empty, expected b'\\x93NUMPY'"),
        (b"hello there", "a.npy is no .npy file: it begins with b'hello th', expected b'\\x93NUMPY'"),
        (b"\x93NUMPY\x09\x00", "a.npy has .npy version 9.0, expected 1.0 or 2.0"),
        (npy("(3,)", data=bytes(23)), "a.npy is truncated: it has 23 bytes of numbers, expected 24"),
        (npy("(10**9,)"), None),
        (npy("(100000000000,)"), "a.npy is truncated: it has 0 bytes of numbers, expected 800000000000"),
        (npy("(0, " + "9" * 30 + ")"), "a.npy: its header has the impossible shape (0, " + "9" * 30 + ")"),
        (npy("(-1,)"), "a.npy: its header has the impossible shape (-1,)"),
        (npy("(" + "1," * 65 + ")", data=bytes(8)), None),
        (npy("(1,)", "'<f16'", bytes(16)), "a.npy holds float128 values; save it as float64"),
        (npy("(1,)", "'|O'"), "a.npy holds object values; expected bools, integers, floats or complex numbers"),
        (npy("(1,)", "'<U4'"), "a.npy holds <U4 values; expected bools, integers, floats or complex numbers"),
        (npy("(1,)", "'<M8[D]'"), None),
        (npy("(1,)", "[('a', '<f8')]"), None),
        (b"\x93NUMPY\x01\x00\xff\xff", "a.npy: its .npy header has 65535 bytes, expected at most 10000"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff", "a.npy: its .npy header has 4294967295 bytes, expected at most 10000"),
        (b"\x93NUMPY\x01\x00\x10", "a.npy: its .npy header is damaged: it ends early"),
        (npy("(1,)")[:40], "a.npy: its .npy header is damaged: it ends early"),
        (npy("__import__('os')"), "a.npy: its .npy header is damaged: it describes no array"),
    ],
)
def test_faults(here: Path, content: bytes, message: str | None) -> None:
    (here / "a.npy").write_bytes(content)
    found = fault("a.npy")[0]
    assert found.startswith("a.npy")
    assert message is None or found == message


def test_pickles_are_refused(here: Path) -> None:
    np.save("a.npy", np.array([{"x": 1}]), allow_pickle=True)
    assert fault("a.npy")[0].startswith("a.npy holds object values")


def test_a_long_header_from_a_pipe_is_weighed(small_budget: None) -> None:
    from gradcli.files.numpy_files import read_npy

    with pytest.raises(LimitReached) as caught:
        read_npy(io.BytesIO(npy("(100000000000,)")), "a.npy")
    assert caught.value.limit == "--max-bytes"


def test_a_key_of_an_npy() -> None:
    np.save("a.npy", np.zeros(2))
    assert fault("a.npy:x")[0] == "a.npy holds one array without a name, not 'x'"


def test_npz() -> None:
    np.savez("one.npz", weights=np.arange(3))
    np.savez_compressed("two.npz", x=np.arange(3), y=np.eye(2))
    np.savez("none.npz")
    assert read("one.npz").tolist() == [0, 1, 2]
    assert read("two.npz:y").tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert fault("two.npz")[0] == (
        "two.npz holds 2 arrays, expected one; choose with @two.npz:x (it has x, y)"
    )
    assert fault("one.npz:weihgts") == (
        "one.npz has no array 'weihgts'; it has weights",
        "did you mean 'weights'?",
    )
    assert fault("none.npz")[0] == "none.npz holds no array"


def test_npz_that_is_none(here: Path) -> None:
    (here / "a.npz").write_bytes(b"not a zip")
    assert fault("a.npz")[0] == "a.npz is no intact .npz file: File is not a zip file"


def test_truncated_npz(here: Path) -> None:
    np.savez("a.npz", x=np.arange(1000))
    data = (here / "a.npz").read_bytes()
    (here / "a.npz").write_bytes(data[: len(data) // 2])
    assert fault("a.npz")[0].startswith("a.npz is no intact .npz file: ")


def test_corrupt_member(here: Path) -> None:
    np.savez_compressed("a.npz", x=np.random.default_rng(0).standard_normal(1000))
    data = bytearray((here / "a.npz").read_bytes())
    data[3000] ^= 0xFF
    (here / "a.npz").write_bytes(data)
    assert fault("a.npz")[0].startswith("a.npz is no intact .npz file: ")


def test_zip_bomb_is_weighed_before_it_is_unpacked(here: Path, small_budget: None) -> None:
    with zipfile.ZipFile("bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", npy("(20000000,)", data=bytes(160_000_000)))
    assert (here / "bomb.npz").stat().st_size < 1_000_000
    with pytest.raises(LimitReached) as caught:
        read("bomb.npz")
    assert caught.value.message.startswith("limit reached: --max-bytes: the array in bomb.npz:x needs 152.6 MiB")


def test_member_that_promises_more_than_it_holds(here: Path) -> None:
    with zipfile.ZipFile("a.npz", "w") as archive:
        archive.writestr("x.npy", npy("(4,)", data=bytes(16)))
    assert fault("a.npz")[0] == "a.npz:x is truncated: it has 16 bytes of numbers, expected 32"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_that_stand_twice(here: Path) -> None:
    with zipfile.ZipFile("a.npz", "w") as archive:
        archive.writestr("x.npy", npy("()", data=bytes(8)))
        archive.writestr("x.npy", npy("()", data=bytes(8)))
    assert fault("a.npz")[0] == "a.npz holds 'x' twice"


def test_data_takes_the_wanted_arrays_and_looks_at_no_other(here: Path) -> None:
    np.savez("a.npz", x=np.arange(2), note=np.array(["text"]), y=np.float32(0.5))
    found = read_data("a.npz", stdin=StandardInput(), wanted={"x", "y"}.__contains__)
    assert {name: (array.dtype.name, array.tolist()) for name, array in found.items()} == {
        "x": ("int64", [0, 1]),
        "y": ("float32", 0.5),
    }
