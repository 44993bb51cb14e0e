"""Errors of programs, and how every error is shown: its place, the line with carets under it, and the mend."""

from __future__ import annotations

from typing import NamedTuple

from gradcli.graph.errors import GradcliError
from gradcli.language.source import Span

_MESSAGE_LIMIT = 1_800
_MEND_LIMIT = 400
_NOTE_LIMIT = 300
_NOTES = 4
_NAME_LIMIT = 200
_TAB = "    "


class ProgramError(GradcliError):
    """A fault in the program, at a place that the language knows."""


def render(error: GradcliError, width: int = 80) -> str:
    """An error with its place in the source and the mend, without a final line feed, below 4,000 characters.

    Control and bidi characters are shown escaped; a long source line is cut to `width` columns around the caret.
    """
    lines = ["error: " + _clipped(escaped(error.message, keep="\n"), _MESSAGE_LIMIT)]
    mend = _clipped(escaped(error.mend or ""), _MEND_LIMIT)
    margin = "  "
    if isinstance(error.span, Span):
        margin = " " * (len(str(error.span.line)) + 1)
        lines += _excerpt(error.span, mend, margin, width)
    elif mend:
        lines.append(f"{margin}= {mend}")
    lines += [f"{margin}= {_clipped(escaped(note), _NOTE_LIMIT)}" for note in error.notes[:_NOTES]]
    return "\n".join(lines)


def escaped(text: str, keep: str = "") -> str:
    """Text with its control, bidi and other invisible characters written as escapes, those in `keep` excepted."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else _escape(c) for c in text)


def nearest(word: str, candidates: list[str]) -> str | None:
    """The candidate that is most probably meant by a mistyped word, or None."""
    import difflib

    if not 1 < len(word) <= 64:
        return None
    folded = {c.lower(): c for c in reversed(candidates)}
    if word.lower() in folded:
        return folded[word.lower()]
    found = difflib.get_close_matches(word, candidates, n=1, cutoff=0.7)
    return found[0] if found else None


def did_you_mean(word: str, candidates: list[str]) -> str | None:
    """`did you mean 'sin'?`, or None when nothing is near."""
    found = nearest(word, candidates)
    return None if found is None else f"did you mean '{found}'?"


class _Cell(NamedTuple):
    text: str
    columns: int


def _excerpt(span: Span, mend: str, margin: str, width: int) -> list[str]:
    number = str(span.line)
    text = span.source.line(span.line)
    start = max(0, span.column - 1)
    stop = span.end_column - 1 if span.end_line == span.line else len(text.rstrip())
    shown, offset, carets = _window(text, start, max(stop, start + 1), width - len(margin) - 2)
    name = _clipped(escaped(span.source.name), _NAME_LIMIT)
    under = " " * offset + "^" * carets + (f" {mend}" if mend else "")
    return [
        f"{margin}--> {name}:{span.line}:{span.column}",
        f"{margin}|",
        f"{number} | {shown}",
        f"{margin}| {under}",
    ]


def _window(text: str, start: int, stop: int, width: int) -> tuple[str, int, int]:
    """The part of a line to show, how many columns stand before the caret, and how many carets there are."""
    # Far-off characters can't be shown, so a line of a megabyte is not measured whole.
    first = max(0, start - width)
    cells = [_cell(c) for c in text[first : start + width]]
    start -= first
    stop = min(stop - first, len(cells)) if stop - first <= len(cells) else len(cells)
    before = sum(cell.columns for cell in cells[:start])
    total = sum(cell.columns for cell in cells)
    cut_end = first + len(cells) < len(text)
    low, high = 0, len(cells)
    lead = trail = ""
    if first or cut_end or total > width:
        if first or before > width * 2 // 3:
            lead = "..."
            room = width // 3
            while low < start and sum(c.columns for c in cells[low:start]) > room:
                low += 1
        taken = len(lead)
        high = low
        while high < len(cells) and taken + cells[high].columns <= width:
            taken += cells[high].columns
            high += 1
        if high < len(cells) or cut_end:
            trail = "..."
            while high > start + 1 and taken + 3 > width:
                high -= 1
                taken -= cells[high].columns
    shown = lead + "".join(cell.text for cell in cells[low:high]) + trail
    offset = len(lead) + sum(cell.columns for cell in cells[low:start])
    carets = sum(cell.columns for cell in cells[start : min(stop, high)])
    return shown.rstrip(), offset, max(1, carets)


def _cell(character: str) -> _Cell:
    if character == "\t":
        return _Cell(_TAB, len(_TAB))
    if not character.isprintable():
        text = _escape(character)
        return _Cell(text, len(text))
    if character.isascii():
        return _Cell(character, 1)
    import unicodedata

    if unicodedata.combining(character):
        return _Cell(character, 0)
    return _Cell(character, 2 if unicodedata.east_asian_width(character) in "WF" else 1)


def _escape(character: str) -> str:
    code = ord(character)
    if character in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[character]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _clipped(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."
