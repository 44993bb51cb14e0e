"""Which modules declare the names of the families that are loaded when one of their names is first asked for.

Most programs use none of them, and a cold start would pay for all. `python tests/ops/test_on_demand.py` writes this
table anew; a test compares it.
"""

from __future__ import annotations

#: Name, of a function, a method or an attribute -> the modules of `gradcli.ops` that declare it, blanks between.
DECLARED_IN: dict[str, str] = {}
