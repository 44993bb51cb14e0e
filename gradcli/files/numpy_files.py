"""Reading `.npy` and `.npz`: numbers only, sizes weighed before anything is unpacked."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, BinaryIO

import numpy as np

from gradcli.files.names import listed, quoted, shown
from gradcli.files.sources import NPY_MAGIC
from gradcli.graph.budget import budget
from gradcli.graph.errors import GradcliError
from gradcli.language.diagnostics import did_you_mean
from gradcli.language.source import normalised

if TYPE_CHECKING:
    import zipfile

#: By the two bytes of the version.
HEADER_READERS: dict[bytes, Callable[..., Any]] = {
    b"\x01\x00": np.lib.format.read_array_header_1_0,
    b"\x02\x00": np.lib.format.read_array_header_2_0,
}
#: A longer header describes no array of plain numbers.
LONGEST_HEADER = 10_000
#: Rank at which NumPy itself stops.
MOST_AXES = 64
#: Half floats are read as the next width, which holds them all; other dtypes are kept.
WIDENED = {"float16": "float32"}


def read_npy(stream: IO[bytes], name: str, size: int | None = None) -> np.ndarray:
    """The array in an open `.npy`, in the machine's byte order.

    Its dtype is kept, except that float16 becomes float32. `size` is the length of the whole stream, where
    that is known: then a header that promises more is found out before anything is allocated.

    Raises:
        GradcliError: not an `.npy`, damaged, truncated, or not of plain numbers.
        LimitReached: the header promises more than the budget holds.
    """
    shape, fortran, dtype = read_header(stream, name)
    count = math.prod(shape)
    nbytes = count * dtype.itemsize
    if size is not None and size - stream.tell() < nbytes:
        raise _truncated(name, nbytes, size - stream.tell())
    budget.charge(nbytes, f"the array in {shown(name)}")
    flat = np.empty(count, dtype)
    _fill(stream, flat, name)
    array = flat.reshape(shape[::-1]).transpose() if fortran else flat.reshape(shape)
    native = array.astype(dtype.newbyteorder("="), copy=False)
    return native.astype(WIDENED.get(native.dtype.name, native.dtype), copy=False)


def read_npz(stream: BinaryIO, name: str, key: str | None) -> np.ndarray:
    """The array `key` of an open `.npz`, or the only array in it.

    Raises:
        GradcliError: not an `.npz`, no such array, several to choose from, or as `read_npy`.
    """
    with _archive(stream, name) as members:
        if key is None:
            if len(members) != 1:
                raise GradcliError(_choose(name, members))
            (key,) = members
        elif normalised(key) not in members:
            there = f"it has {listed(members)}" if members else "it has none"
            mend = did_you_mean(key, list(members))
            raise GradcliError(f"{shown(name)} has no array {quoted(key)}; {there}", mend=mend)
        return members[normalised(key)]()


def read_npz_all(stream: BinaryIO, name: str, wanted: Callable[[str], bool]) -> dict[str, np.ndarray]:
    """The wanted arrays of an open `.npz`, by name; the others are not looked at."""
    with _archive(stream, name) as members:
        return {key: read() for key, read in members.items() if wanted(key)}


def _choose(name: str, members: dict[str, Any]) -> str:
    if not members:
        return f"{shown(name)} holds no array"
    example = next(iter(members))
    choice = f"choose with @{shown(name)}:{shown(example)} (it has {listed(members)})"
    return f"{shown(name)} holds {len(members)} arrays, expected one; {choice}"


@contextmanager
def _archive(stream: BinaryIO, name: str) -> Iterator[dict[str, Callable[[], np.ndarray]]]:
    """The arrays of a zip file by name, each as a function that reads it."""
    import zipfile
    import zlib

    broken = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError)
    unusual = (NotImplementedError, RuntimeError)
    try:
        with zipfile.ZipFile(stream) as archive:
            yield _members(archive, name)
    except (*broken, *unusual) as error:
        raise GradcliError(f"{shown(name)} is no intact .npz file: {shown(str(error))}") from None


def _members(archive: zipfile.ZipFile, name: str) -> dict[str, Callable[[], np.ndarray]]:
    members: dict[str, Callable[[], np.ndarray]] = {}
    for info in archive.infolist():
        if not info.filename.endswith(".npy"):
            continue
        key = normalised(info.filename.removesuffix(".npy"))
        if key in members:
            raise GradcliError(f"{shown(name)} holds {quoted(key)} twice")

        def read(info: zipfile.ZipInfo = info, key: str = key) -> np.ndarray:
            with archive.open(info) as member:
                return read_npy(member, f"{name}:{key}", info.file_size)

        members[key] = read
    return members


def read_header(stream: IO[bytes], name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether in Fortran order, and dtype of an `.npy`; the stream is left at the numbers.

    Raises:
        GradcliError: it is damaged, or not of plain numbers.
    """
    head = stream.read(8)
    if head[:6] != NPY_MAGIC or len(head) < 8:
        found = f"begins with {head!r}" if head else "is empty"
        raise GradcliError(f"{shown(name)} is no .npy file: it {found}, expected {NPY_MAGIC!r}")
    if head[6:] not in HEADER_READERS:
        raise GradcliError(f"{shown(name)} has .npy version {head[6]}.{head[7]}, expected 1.0 or 2.0")
    header = _header_bytes(stream, 2 if head[6] == 1 else 4, name)
    try:
        # A header that Python 2 wrote is read with a warning, which is nobody's concern here.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            shape, fortran, dtype = HEADER_READERS[head[6:]](io.BytesIO(header))
    except Exception:  # NumPy's parser raises all kinds of them on hostile bytes
        raise GradcliError(f"{shown(name)}: its .npy header is damaged: it describes no array") from None
    _expect_numbers(dtype, name)
    span = math.prod(max(1, length) for length in shape) * dtype.itemsize
    if len(shape) > MOST_AXES or any(length < 0 for length in shape) or span >= 1 << 62:
        raise GradcliError(f"{shown(name)}: its header has the impossible shape {shown(str(shape))}")
    return shape, fortran, dtype


def _header_bytes(stream: IO[bytes], prefix: int, name: str) -> bytes:
    """A header with the `prefix` bytes of its length in front, which is weighed before the rest is read."""
    length = stream.read(prefix)
    promised = int.from_bytes(length, "little")
    if promised > LONGEST_HEADER:
        raise GradcliError(f"{shown(name)}: its .npy header has {promised} bytes, expected at most {LONGEST_HEADER}")
    header = stream.read(promised)
    if len(length) < prefix or len(header) < promised:
        raise GradcliError(f"{shown(name)}: its .npy header is damaged: it ends early")
    return length + header


def _expect_numbers(dtype: np.dtype[Any], name: str) -> None:
    plain = dtype.kind in "biufc" and dtype.names is None
    if plain and dtype.itemsize <= (16 if dtype.kind == "c" else 8):
        return
    mend = "save it as float64" if plain else "expected bools, integers, floats or complex numbers"
    raise GradcliError(f"{shown(name)} holds {shown(str(dtype))} values; {mend}")


def _truncated(name: str, promised: int, there: int) -> GradcliError:
    return GradcliError(f"{shown(name)} is truncated: it has {there} bytes of numbers, expected {promised}")


def _fill(stream: IO[bytes], flat: np.ndarray, name: str) -> None:
    """Read exactly the bytes of `flat`."""
    target = flat.view(np.uint8).data
    done = 0
    while done < len(target):
        chunk = stream.read(min(1 << 20, len(target) - done))
        if not chunk:
            raise _truncated(name, len(target), done)
        target[done : done + len(chunk)] = chunk
        done += len(chunk)
