"""The errors that are the user's to mend; every one of them ends a command with exit code 2."""

from __future__ import annotations

from typing import Any


class GradcliError(Exception):
    """A fault in the user's program, data or options.

    Attributes:
        message: what is wrong, one sentence without a full stop.
        mend: what to do about it, in a few words, or None.
        span: where it is in the source; the language fills it in when the raiser can't know.
        notes: further lines for the report.
    """

    def __init__(self, message: str, *, mend: str | None = None, span: Any = None, notes: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend
        self.span = span
        self.notes = notes


class ShapeError(GradcliError):
    """Shapes that an operation cannot join."""


class DtypeError(GradcliError):
    """A dtype that an operation does not take."""


class DomainError(GradcliError):
    """A value outside what an operation can work on, such as a singular matrix."""


class ArgumentError(GradcliError):
    """A function called with arguments it does not have."""


class NotDifferentiable(GradcliError):
    """A derivative asked of something that has none."""


class AutogradError(GradcliError):
    """A misuse of the tape, in PyTorch's words."""


class BatchedBranch(GradcliError):
    """A batched program that branches on a batched value; the caller splits the batch.

    Attributes:
        level: the batch's level.
    """

    level: Any = None


class AbstractValue(GradcliError):
    """A program run on shapes alone that needs a number."""


class LimitReached(GradcliError):
    """A limit of the command was met; `limit` is the option that sets it."""

    def __init__(self, limit: str, message: str, *, mend: str | None = None, span: Any = None) -> None:
        super().__init__(
            f"limit reached: {limit}: {message}", mend=mend or f"raise {limit} if this is meant", span=span
        )
        self.limit = limit
