"""What a program gave."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gradcli.graph.errors import GradcliError
from gradcli.graph.values import CoreValue
from gradcli.language.diagnostics import ProgramError
from gradcli.language.source import Span
from gradcli.language.values import FunctionValue, LanguageValue, ModuleValue, array, describe


class Result:
    """What a program gave.

    Attributes:
        outputs: the values: one, several for a tuple, none for a program that only prints.
        is_tuple: whether they were a tuple.
        names: per output, the variable that held it, or None.
        span: the place in the program that the outputs come from, or None.
        variables: the program's variables at its end.
    """

    __slots__ = ("is_tuple", "names", "outputs", "span", "variables")

    def __init__(
        self,
        outputs: tuple[LanguageValue, ...],
        is_tuple: bool,
        names: tuple[str | None, ...],
        span: Span | None = None,
    ) -> None:
        self.outputs = outputs
        self.is_tuple = is_tuple
        self.names = names
        self.span = span
        self.variables: Mapping[str, LanguageValue] = {}

    def cores(self) -> tuple[CoreValue, ...]:
        """The outputs as arrays or traced values: Python numbers and lists become arrays.

        Raises:
            ProgramError: there is no result, or one is no number, tensor or list of them.
        """
        if not self.outputs:
            raise ProgramError("the program has no result", mend="end it with an expression", span=self.span)
        return tuple([self._core(x) for x in self.outputs])

    def _core(self, x: LanguageValue) -> CoreValue:
        if isinstance(x, FunctionValue):
            raise ProgramError(f"the result is {describe(x)}", mend=f"call it: {x.name}(...)", span=self.span)
        if x is None or isinstance(x, str | dict | ModuleValue | np.dtype):
            raise ProgramError(f"the result is {describe(x)}, not a number or a tensor", span=self.span)
        if isinstance(x, tuple):
            raise ProgramError("the result is a tuple of tuples", mend="return one tuple", span=self.span)
        try:
            return array(x, "the result")
        except GradcliError as error:
            if error.span is None:
                error.span = self.span
            raise
