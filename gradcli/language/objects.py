"""What has members of its own and is no tensor: distributions, generators of random numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from gradcli.language.values import LanguageValue


class ObjectValue:
    """Something with attributes and methods.

    Attributes:
        described: what it is, in words for an error message.
        methods: its methods, by name: (it, args, kwargs) -> value.
    """

    __slots__ = ()

    described: ClassVar[str] = "an object"
    methods: ClassVar[Mapping[str, Any]] = {}

    def attribute(self, name: str) -> LanguageValue:
        """What an attribute holds; `Ellipsis` when there is none of the name.

        Raises:
            GradcliError: it has no value.
        """
        return ...

    def text(self) -> str:
        """What `print` shows."""
        return f"<{self.described.split(' ', 1)[-1]}>"


def has_member(name: str) -> bool:
    """Whether such a value has an attribute or a method of a name."""
    from gradcli.language.distributions.distribution import MEMBERS
    from gradcli.language.generators import GENERATOR_METHODS

    return name in MEMBERS or name in GENERATOR_METHODS or name in ("defvjp", "defjvp", "defjvps")
