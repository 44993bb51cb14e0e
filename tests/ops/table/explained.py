"""Functions that are less accurate than the rest, and why: see `benchmarks/accuracy.py`."""

from __future__ import annotations

#: Above these errors, in ulps and in terms of what nobody can avoid, a function is an offender.
LIMITS = {"value": 4.0, "vjp": 8.0, "jvp": 8.0}

#: Why an offender is one, and stays one: function -> words.
EXPLAINED: dict[str, str] = {}
