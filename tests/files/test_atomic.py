"""`-o FILE`: whole or as it was."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gradcli.files import atomic
from gradcli.files.atomic import write_whole
from gradcli.graph.errors import GradcliError


def fault(path: object) -> tuple[str, str | None]:
    with pytest.raises(GradcliError) as caught:
        write_whole(str(path), [b"new"])
    return caught.value.message, caught.value.mend


def test_new_file_has_the_umasks_mode(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_whole(str(tmp_path / "a"), [b"new"])
    finally:
        os.umask(before)
    assert (tmp_path / "a").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["a"]


def test_mode_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    path.chmod(0o751)
    write_whole(str(path), [b"new"])
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o751


def test_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a").write_text("old")
    (tmp_path / "link").symlink_to("d/a")
    (tmp_path / "dangling").symlink_to("d/b")
    write_whole(str(tmp_path / "link"), [b"new"])
    write_whole(str(tmp_path / "dangling"), [b"new"])
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "dangling").is_symlink()
    assert (tmp_path / "d" / "a").read_bytes() == b"new"
    assert (tmp_path / "d" / "b").read_bytes() == b"new"


def test_a_failure_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_text("old")

    def no_space(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic.os, "fsync", no_space)
    assert fault(path)[0] == f"cannot write '{path}': No space left on device"
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a"]


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(atomic.os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_whole(str(tmp_path / "a"), [b"new"])
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit there")
def test_a_real_file_size_limit(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    script = (
        "import resource, sys\n"
        "from gradcli.files.atomic import write_whole\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n    write_whole('a', [bytes(5000)])\n"
        "except Exception as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "cannot write 'a': File too large\n"
    assert (tmp_path / "a").read_text() == "old"
    assert os.listdir(tmp_path) == ["a"]


def test_what_is_no_regular_file_is_written_to_straight(tmp_path: Path) -> None:
    write_whole("/dev/null", [b"new"])
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    os.mkfifo(tmp_path / "pipe")
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    write_whole(str(tmp_path / "pipe"), [b"new"])
    reader.join()
    assert found == [b"new"]
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_an_open_descriptor(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    write_whole(f"/dev/fd/{writer}", [b"new"])
    os.close(writer)
    assert os.read(reader, 10) == b"new"
    os.close(reader)


def test_an_open_file_goes_on_where_it_stands(tmp_path: Path) -> None:
    with open(tmp_path / "a", "w+b", buffering=0) as stream:
        stream.write(b"before ")
        write_whole(f"/dev/fd/{stream.fileno()}", [b"an", b"swer"])
        stream.write(b" after")
    assert (tmp_path / "a").read_bytes() == b"before answer after"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_full_device() -> None:
    assert fault("/dev/full")[0] == "cannot write '/dev/full': No space left on device"


def test_a_folder_that_is_missing_or_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    assert fault(tmp_path / "reslts" / "a") == (
        f"cannot write '{tmp_path}/reslts/a': there is no folder '{tmp_path}/reslts'",
        f"did you mean '{tmp_path}/results'?",
    )
    assert fault(tmp_path / "results")[0] == f"cannot write '{tmp_path}/results': it is a directory"
    (tmp_path / "file").write_text("")
    assert fault(tmp_path / "file" / "a")[0] == f"cannot write '{tmp_path}/file/a': Not a directory"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_read_only(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "a").chmod(0o444)
    assert fault(tmp_path / "a")[0] == f"cannot write '{tmp_path}/a': it is read-only"
    assert (tmp_path / "a").read_text() == "old"
