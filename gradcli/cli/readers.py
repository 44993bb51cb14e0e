"""What the word of an option says: whole and real numbers, sizes in bytes, names."""

from __future__ import annotations

from gradcli.graph.errors import GradcliError


def whole(text: str, least: int, most: int | None = None) -> int:
    """A whole number such as `1000`, `1_000` or `1e7` in the range.

    Raises:
        GradcliError: it is something else.
    """
    wanted = f"a whole number from {least:,}" + (f" to {most:,}" if most is not None else " on")
    try:
        number = float(text) if "e" in text.lower() else int(text)
    except ValueError:
        raise GradcliError(f"{text!r} is not {wanted}") from None
    if number != number or abs(number) >= 2**63 or int(number) != number or number < least:
        raise GradcliError(f"{text!r} is not {wanted}")
    if most is not None and number > most:
        raise GradcliError(f"{text!r} is not {wanted}")
    return int(number)


def real(text: str, least: float, including: bool) -> float:
    """A finite number not below `least`.

    Raises:
        GradcliError: it is something else.
    """
    wanted = f"a finite number {'of at least' if including else 'above'} {least:g}"
    try:
        number = float(text)
    except ValueError:
        raise GradcliError(f"{text!r} is not {wanted}") from None
    if not (number >= least if including else number > least) or number == float("inf"):
        raise GradcliError(f"{text!r} is not {wanted}")
    return number


def byte_count(text: str) -> int:
    """A size such as `500M`, `2G`, `4 GiB` or `1000000`, where K, M, G and T are powers of 1024.

    Raises:
        GradcliError: it is something else.
    """
    wanted = "a size such as 500M, 2G or 1000000"
    number = text.strip().upper().removesuffix("B").removesuffix("I").strip()
    scale = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}.get(number[-1:], 1)
    try:
        size = float(number if scale == 1 else number[:-1]) * scale
    except ValueError:
        raise GradcliError(f"{text!r} is not {wanted}") from None
    if not 1 <= size < 2**62:
        raise GradcliError(f"{text!r} is not {wanted}")
    return int(size)


def names(text: str) -> tuple[str, ...]:
    """The names of a comma list, NFKC-normalised.

    Raises:
        GradcliError: one is no name, or stands there twice.
    """
    found: list[str] = []
    for part in text.split(","):
        name = normalise(part)
        if name is None:
            raise GradcliError(f"{part.strip()!r} is not a name", mend="names with commas between: x,y")
        if name in found:
            raise GradcliError(f"{name!r} is given twice")
        found.append(name)
    return tuple(found)


def normalise(text: str) -> str | None:
    """The text as a name of the language, NFKC-normalised, or None when it is no name."""
    text = text.strip()
    if not text.isascii():
        from unicodedata import normalize

        text = normalize("NFKC", text)
    return text if text.isidentifier() else None


def one_name(text: str) -> str:
    """A single name, NFKC-normalised.

    Raises:
        GradcliError: it is none, or a list.
    """
    found = names(text)
    if len(found) > 1:
        raise GradcliError(f"{text!r} is not one name")
    return found[0]
