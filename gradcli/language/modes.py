"""Whether what runs is tracked: `no_grad`, `enable_grad`, `inference_mode`, `set_grad_enabled`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gradcli.graph.state import state
from gradcli.language.arguments import matched
from gradcli.language.operations import truth
from gradcli.language.values import Arguments, Builtin, FunctionValue, GradSwitch, Keywords, LanguageValue

if TYPE_CHECKING:
    from gradcli.language.machine import Machine


def _switch_to(tracks: bool) -> None:
    state.constant_below = -1 if tracks else state.newest_level


@contextmanager
def switched(switch: GradSwitch) -> Iterator[None]:
    """A `with` block under a switch."""
    before = state.constant_below if switch.before is None else switch.before
    _switch_to(switch.tracks)
    try:
        yield
    finally:
        state.constant_below = before


def under_switch(switch: GradSwitch) -> Builtin:
    """The decorator `@no_grad()`: it makes of a function one whose calls run under the switch."""

    def decorate(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
        (function,) = args
        assert isinstance(function, FunctionValue)

        def call(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
            with switched(switch):
                return run.call(function, args, kwargs)

        return Builtin(function.name, call)

    return Builtin("no_grad", decorate)


def _no_grad(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    matched("no_grad", args, kwargs, ())
    return GradSwitch(False)


def _enable_grad(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    matched("enable_grad", args, kwargs, ())
    return GradSwitch(True)


def _inference_mode(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    on = truth(matched("inference_mode", args, kwargs, ("mode",)).get("mode", True))
    return GradSwitch(not on)


def _set_grad_enabled(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """On at once; as the head of a `with` block, until its end."""
    switch = GradSwitch(
        truth(matched("set_grad_enabled", args, kwargs, ("mode",), 1)["mode"]), before=state.constant_below
    )
    _switch_to(switch.tracks)
    return switch


def _is_grad_enabled(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    matched("is_grad_enabled", args, kwargs, ())
    return state.constant_below < 0


MODES: dict[str, Builtin] = {
    name: Builtin(name, call)
    for name, call in {
        "no_grad": _no_grad,
        "enable_grad": _enable_grad,
        "inference_mode": _inference_mode,
        "set_grad_enabled": _set_grad_enabled,
        "is_grad_enabled": _is_grad_enabled,
    }.items()
}
