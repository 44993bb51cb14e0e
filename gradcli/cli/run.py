"""`gradcli run`: a script from its first line to its last; what it prints is the answer."""

from __future__ import annotations

import sys

from gradcli.cli.progress import make_way
from gradcli.cli.session import open_session
from gradcli.cli.words import Invocation

_BIDI = [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C]
_ESCAPES = {code: f"\\x{code:02x}" for code in [*range(0x20), *range(0x7F, 0xA0)] if chr(code) not in "\n\t"}
_ESCAPES |= {code: f"\\u{code:04x}" for code in _BIDI}


def run(invocation: Invocation) -> int:
    """Run the script; what was printed before an error is there."""
    session = open_session(invocation)
    options = session.options._replace(print_to=write, display=True)
    if invocation.values["trace"]:
        from gradcli.cli.trace import traced

        with traced(write):
            session.program.run(session.values(), options=options)
    else:
        session.program.run(session.values(), options=options)
    return 0


def write(text: str) -> None:
    """Print what the script prints, at once, to standard output; characters that steer a terminal are escaped.

    Raises:
        OSError: it cannot be written.
    """
    if sys.stdout is not None:
        make_way(text)
        sys.stdout.write(text if text.isascii() and text.isprintable() else text.translate(_ESCAPES))
        sys.stdout.flush()
