"""Answers of many rows as an .npz of stacked arrays, which wait in files of their own until the last row has come."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import IO

import numpy as np

from gradcli.files.sources import CHUNK
from gradcli.graph.errors import GradcliError
from gradcli.graph.values import Array


class Stacks:
    """Arrays that grow along their first axis, in constant memory."""

    def __init__(self) -> None:
        self._files: dict[str, IO[bytes]] = {}
        self._kinds: dict[str, tuple[tuple[int, ...], np.dtype[np.generic]]] = {}
        self._rows: dict[str, int] = {}

    def add(self, columns: Sequence[tuple[str, Array]]) -> None:
        """Put the arrays of further rows below those before.

        Raises:
            GradcliError: they can't be kept.
        """
        for name, array in columns:
            if name not in self._files:
                self._files[name] = _unnamed_file()
                self._kinds[name] = (array.shape[1:], array.dtype)
                self._rows[name] = 0
            try:
                self._files[name].write(np.ascontiguousarray(array, self._kinds[name][1]).tobytes())
            except OSError as error:
                raise _cannot_keep(error) from None
            self._rows[name] += len(array)

    def pieces(self) -> Iterator[bytes]:
        """The .npz, piece by piece."""
        import zipfile

        sink = _Sink()
        with zipfile.ZipFile(sink, "w", allowZip64=True) as archive:
            for name, file in self._files.items():
                file.seek(0)
                entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
                with archive.open(entry, "w", force_zip64=True) as member:
                    member.write(self._header(name))
                    while piece := file.read(CHUNK):
                        member.write(piece)
                        yield from sink.taken()
        yield from sink.taken()

    def close(self) -> None:
        """Let go of the files."""
        for file in self._files.values():
            file.close()

    def _header(self, name: str) -> bytes:
        shape, dtype = self._kinds[name]
        buffer = io.BytesIO()
        described = np.lib.format.dtype_to_descr(dtype)
        whole = {"descr": described, "fortran_order": False, "shape": (self._rows[name], *shape)}
        np.lib.format.write_array_header_1_0(buffer, whole)
        return buffer.getvalue()


def _unnamed_file() -> IO[bytes]:
    import tempfile

    try:
        return tempfile.TemporaryFile(prefix="gradcli-")
    except OSError as error:
        raise _cannot_keep(error) from None


def _cannot_keep(error: OSError) -> GradcliError:
    return GradcliError(
        f"cannot keep the answers for the .npz: {error.strerror or error}",
        mend="TMPDIR says where they are kept; --format csv keeps none",
    )


class _Sink(io.RawIOBase):
    """Takes what a zip file writes, which can't go back in it, and hands it on."""

    def __init__(self) -> None:
        self._held: list[bytes] = []

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Take some bytes."""
        self._held.append(bytes(data))
        return len(data)

    def taken(self) -> list[bytes]:
        """What came since the last time."""
        held, self._held = self._held, []
        return held
