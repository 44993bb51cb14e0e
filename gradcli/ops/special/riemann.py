"""Riemann's zeta function less 1."""

from __future__ import annotations

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.ops.function import case
from gradcli.ops.kinds import elementwise
from gradcli.ops.registry import elementwise_function
from gradcli.ops.special.values import Array, real
from gradcli.ops.special.zeta import ZETA

#: Beyond this all is below the range of floats.
_ALL = 2000.0


def _zetac(x: Array) -> Array:
    from scipy import special

    return np.where(x > 1, special.zeta(np.clip(x, 1.0, _ALL), 2.0), special.zetac(x))


ZETAC: Op = elementwise(
    "zetac",
    real(_zetac),
    lambda y, x: bind(ZETA, x, 2.0, n=1),
    meaning=lambda S, x: S.zeta(0, 0, x, 2),
    saves=(0,),
    doc="Riemann's zeta function less 1: the sum of k**-x over k from 2.",
)
zetac = elementwise_function(
    ZETAC,
    derivative="vjp: -g times the sum of log(k)/k**x over k from 2",
    where="scipy",
    domain=(1.3, 6.0),
    defined="x > 1",
    source="DLMF 25.11.7",
    cases=(case(np.array([1.05])),),
    family="special",
)
