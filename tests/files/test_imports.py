"""Reading files costs a cold start nothing until a file is read."""

from __future__ import annotations

import subprocess
import sys


def test_importing_files_loads_no_reader() -> None:
    script = "import sys, gradcli.files; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    late = {"csv", "zipfile", "json", "tempfile", "difflib", "sympy", "scipy", "rich", "typer", "subprocess"}
    assert late & set(loaded) == set()
