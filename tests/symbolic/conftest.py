"""Makes `recorded`, the helpers beside these tests, importable, and `table`, the calls of the op table's tests."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "ops"))
