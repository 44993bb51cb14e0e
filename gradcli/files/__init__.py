"""What comes in from files and goes out to them: VALUEs and `--data` to arrays, arrays to text and bytes."""

from __future__ import annotations

from gradcli.files.answers import Answer, choose_format, deliver, encode
from gradcli.files.data import read_data
from gradcli.files.sources import StandardInput
from gradcli.files.values import read_reference, read_value

__all__ = [
    "Answer",
    "StandardInput",
    "choose_format",
    "deliver",
    "encode",
    "read_data",
    "read_reference",
    "read_value",
]
