"""The standard logistic and Gumbel log-densities, whose sums of plain functions would cancel or overflow."""

from __future__ import annotations

import numpy as np

from gradcli.graph.op import Op
from gradcli.ops.elementwise import expm1, tanh
from gradcli.ops.kinds import elementwise
from gradcli.ops.special.values import Array, real


def _logistic(z: Array) -> Array:
    size = np.abs(z)
    return -size - 2 * np.log1p(np.exp(-size))


LOGISTIC: Op = elementwise(
    "logistic_log_density",
    real(_logistic),
    lambda y, z: -tanh(0.5 * z),
    meaning=lambda S, z: -z - 2 * S.log1p(S.exp(-z)),
    saves=(0,),
    doc="-z - 2*log(1 + exp(-z)).",
)
GUMBEL: Op = elementwise(
    "gumbel_log_density",
    real(lambda z: -z - np.exp(-z)),
    lambda y, z: expm1(-z),
    meaning=lambda S, z: -z - S.exp(-z),
    saves=(0,),
    doc="-z - exp(-z).",
)
