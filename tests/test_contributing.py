"""The op that CONTRIBUTING adds in five lines works as it says there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

USE = """
from gradcli.cli.main import run
code = run(["grad", "versin(x)", "x=1"]) or run(["check", "versin(x)*y", "x=1", "y=2", "--quiet"])
assert code == 0
"""


def test_the_op_of_the_guide(tmp_path: Path) -> None:
    (declaration,) = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)
    assert len(declaration.splitlines()) <= 5
    script = tmp_path / "guide.py"
    script.write_text("from gradcli.ops.elementwise.trigonometry import *\n" + IMPORTS + declaration + USE)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0.8414709848078965\n", "")


IMPORTS = """
import numpy as np
from gradcli.ops.kinds import elementwise
from gradcli.ops.registry import elementwise_function
"""
