"""How names and words of files are shown in messages."""

from __future__ import annotations

from collections.abc import Iterable

from gradcli.language.diagnostics import escaped


def shown(text: str, limit: int = 160) -> str:
    """`text` fit for a message: control and bidi characters escaped, a long one cut in the middle."""
    plain = escaped(text)
    if len(plain) <= limit:
        return plain
    half = (limit - 3) // 2
    return f"{plain[:half]}...{plain[-half:]}"


def quoted(text: str, limit: int = 60) -> str:
    """`text` in single quotes, escaped and cut like `shown`."""
    return f"'{shown(text, limit)}'"


def listed(names: Iterable[str], most: int = 8) -> str:
    """Names for a message: `x, y, z`, or the first `most` of them and how many more there are."""
    known = list(names)
    text = ", ".join(shown(name, 40) for name in known[:most])
    return text if len(known) <= most else f"{text} and {len(known) - most} more"
