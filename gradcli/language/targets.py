"""What stands on the left of an assignment, or after `for`: names, elements, attributes, and tuples of them."""

from __future__ import annotations

import ast

from gradcli.graph.state import state
from gradcli.language import attributes, subscripts
from gradcli.language.diagnostics import ProgramError
from gradcli.language.frames import Frame
from gradcli.language.machine import Machine
from gradcli.language.operations import listed
from gradcli.language.values import LanguageValue


class Targets(Machine):
    """Binding values to targets."""

    def bind(self, target: ast.expr, value: LanguageValue, frame: Frame) -> None:
        """Assign a value.

        Raises:
            GradcliError: the target can't take it.
        """
        if type(target) is ast.Name:
            frame.values[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            self._unpack(target, value, frame)
        elif isinstance(target, ast.Subscript):
            holder = self.evaluate(target.value, frame)
            index = self.evaluate(target.slice, frame)
            state.span = self.spans[target]
            subscripts.write(holder, index, value)
        elif isinstance(target, ast.Attribute):
            holder = self.evaluate(target.value, frame)
            state.span = self.spans[target]
            attributes.assign(holder, target.attr, value)
        else:
            raise ProgramError("this cannot be assigned", span=self.spans[target])

    def _unpack(self, target: ast.Tuple | ast.List, value: LanguageValue, frame: Frame) -> None:
        state.span = self.spans[target]
        parts = target.elts
        items = listed(value, "an unpacking")
        star = next((i for i, part in enumerate(parts) if isinstance(part, ast.Starred)), None)
        if star is None:
            if len(items) != len(parts):
                raise ProgramError(f"{len(parts)} names for {len(items)} values", span=self.spans[target])
        else:
            after = len(parts) - star - 1
            if len(items) < star + after:
                raise ProgramError(f"at least {star + after} values are needed, not {len(items)}", span=state.span)
            items = [*items[:star], items[star : len(items) - after], *items[len(items) - after :]]
        for part, item in zip(parts, items, strict=True):
            self.bind(part.value if isinstance(part, ast.Starred) else part, item, frame)


def names_of(target: ast.expr) -> tuple[str, ...]:
    """The variables that an assignment changes: of `y[0] = 1`, y."""
    if isinstance(target, ast.Name):
        return (target.id,)
    if isinstance(target, ast.Subscript | ast.Attribute):
        return names_of(target.value)
    if isinstance(target, ast.Tuple | ast.List):
        return tuple([name for part in target.elts for name in names_of(part)])
    return names_of(target.value) if isinstance(target, ast.Starred) else ()
