"""Sine, cosine, tangent and cotangent of angles in degrees, exact at the multiples of 90."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.function import case
from gradcli.ops.kinds import elementwise
from gradcli.ops.registry import elementwise_function
from gradcli.ops.special.values import Array, real

_DEGREE = 0.017453292519943295


def _halves(x: Array) -> tuple[Array, Array]:
    """x as a whole number of half turns, odd or not, and what is left of it in [-90, 90]: neither is rounded."""
    rest = np.fmod(x, 360.0)
    count = np.rint(rest / 180.0)
    return count % 2 != 0, rest - 180.0 * count


def _sine(off: Array) -> Array:
    return np.where(np.abs(off) == 30.0, np.copysign(0.5, off), np.sin(_DEGREE * off))


def _sindg(x: Array) -> Array:
    odd, off = _halves(x)
    near = np.where(np.abs(off) > 45.0, np.copysign(np.cos(_DEGREE * (90.0 - np.abs(off))), off), _sine(off))
    return np.where(odd, -near, near)


def _cosdg(x: Array) -> Array:
    odd, off = _halves(x)
    off = np.abs(off)
    near = np.where(off > 45.0, _sine(90.0 - off), np.cos(_DEGREE * off))
    return np.where(odd, -near, near)


def _tangent(off: Array) -> Array:
    """Of |off| <= 45."""
    return np.where(np.abs(off) == 45.0, np.sign(off), np.tan(_DEGREE * off))


def _tandg(x: Array) -> Array:
    off = _halves(x)[1]
    rest = 90.0 - np.abs(off)
    return np.where(rest < 45.0, np.sign(off) / _tangent(np.minimum(rest, 45.0)), _tangent(np.clip(off, -45.0, 45.0)))


def _cotdg(x: Array) -> Array:
    off = _halves(x)[1]
    rest = 90.0 - np.abs(off)
    beyond = np.copysign(_tangent(np.minimum(rest, 45.0)), off)
    return np.where(rest < 45.0, beyond, 1.0 / _tangent(np.clip(off, -45.0, 45.0)))


def _op(name: str, value: Callable[[Array], Array], slope: Any, meaning: Any, doc: str) -> Op:
    def exact(S: Any, x: Any) -> Any:
        return meaning(S, S.pi * x / 180)

    return elementwise(name, real(value), slope, meaning=exact, doc=doc)


SINDG: Op = _op(
    "sindg", _sindg, lambda y, x: _DEGREE * bind(COSDG, x), lambda S, t: S.sin(t), "Sine of an angle in degrees."
)
COSDG: Op = _op(
    "cosdg", _cosdg, lambda y, x: -_DEGREE * bind(SINDG, x), lambda S, t: S.cos(t), "Cosine of an angle in degrees."
)


def _squared(y: CoreValue) -> CoreValue:
    return 1 + y * y


TANDG: Op = _op(
    "tandg", _tandg, lambda y, x: _DEGREE * _squared(y), lambda S, t: S.tan(t), "Tangent of an angle in degrees."
)
COTDG: Op = _op(
    "cotdg",
    _cotdg,
    lambda y, x: -_DEGREE * _squared(y),
    lambda S, t: S.cos(t) / S.sin(t),
    "Cotangent of an angle in degrees.",
)
_LINE = (-300.0, 300.0)
_TURNS = (case(np.array([0.0, -0.0, 30.0, 45.0, -60.0, 179.5, 400.0])),)
sindg = elementwise_function(
    SINDG, derivative="pi/180*cosdg(x)", where="scipy", domain=_LINE, cases=_TURNS, family="special"
)
cosdg = elementwise_function(
    COSDG, derivative="-pi/180*sindg(x)", where="scipy", domain=_LINE, cases=_TURNS, family="special"
)
tandg = elementwise_function(
    TANDG,
    derivative="pi/180*(1 + tandg(x)**2)",
    where="scipy",
    domain=(-80.0, 80.0),
    defined="cosdg(x) != 0",
    cases=(case(np.array([0.0, -0.0, 45.0, -89.0, 91.0, 181.0, 300.0])),),
    family="special",
)
cotdg = elementwise_function(
    COTDG,
    derivative="-pi/180*(1 + cotdg(x)**2)",
    where="scipy",
    domain=(10.0, 170.0),
    defined="sindg(x) != 0",
    cases=(case(np.array([1.0, 45.0, -89.0, 91.0, 181.0, 300.0])),),
    family="special",
)
