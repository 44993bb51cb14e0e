"""What is measured of each sample: which derivative, by which inputs, on which data. Needs no package."""

from __future__ import annotations

import string
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

#: No settings.
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Problem(NamedTuple):
    """A derivative of a sample.

    Attributes:
        command: grad, jacobian or hessian.
        wrt: the inputs that it is taken by.
        settings: inputs that are no data, the same for both sizes.
        larger: arguments for the sample's function in samples/programs/make_data.py.
        larger_settings: settings that differ for the larger data.
        sparse: whether only the nonzeros are computed; the sample is then the name's part before `_sparse`.
    """

    command: str
    wrt: tuple[str, ...]
    settings: Mapping[str, Any] = NOTHING
    larger: Mapping[str, Any] = NOTHING
    larger_settings: Mapping[str, Any] = NOTHING
    sparse: bool = False


TEXT = "".join(string.ascii_lowercase[(i * i + 3 * i) % 14] for i in range(200))

PROBLEMS: dict[str, Problem] = {
    "gaussian_mixture": Problem(
        "grad",
        ("alphas", "means", "icf"),
        {"wishart_gamma": 1.0, "wishart_m": 0},
        {"components": 25, "dimensions": 10, "points": 1000},
    ),
    "lstm": Problem("grad", ("weights", "biases", "embed", "scale", "shift"), NOTHING, {"text": TEXT}),
    "log_sum_exp": Problem("grad", ("x",), NOTHING, {"size": 300}),
    "polynomial": Problem("hessian", ("c",), {"c": [1.0, -1.0, 0.5, 0.25]}, {"points": 10_000}),
    "runge_kutta": Problem(
        "jacobian", ("start",), {"forcing": 8.0, "h": 0.05, "steps": 20}, {"places": 40}, {"steps": 100}
    ),
    "saddle": Problem(
        "grad",
        ("start", "twist"),
        {"start": [1.0, 0.5], "twist": 0.3, "rate": 0.2, "steps": 5, "climbs": 6},
        NOTHING,
        {"steps": 20, "climbs": 20},
    ),
    "bundle_adjustment": Problem(
        "jacobian", ("cams", "points", "weights"), NOTHING, {"cameras": 5, "points": 30, "observations": 100}
    ),
    "bundle_adjustment_sparse": Problem(
        "jacobian",
        ("cams", "points", "weights"),
        NOTHING,
        {"cameras": 49, "points": 7_776, "observations": 31_843},
        sparse=True,
    ),
    "newton": Problem("jacobian", ("ridge", "hours"), {"ridge": 0.1}, {"students": 200}),
    "fixed_point": Problem("jacobian", ("W", "b"), {"tolerance": 1e-15}, {"size": 16}),
    "neural_ode": Problem(
        "grad", ("W1", "b1", "W2", "b2"), {"between": 0.2, "substeps": 4}, {"times": 50, "hidden": 50}
    ),
    "hmc": Problem("grad", ("start", "step"), {"step": 0.15, "leaps": 10}, {"size": 20, "chain": 30}),
    "kalman": Problem("hessian", ("jolt", "noise"), {"jolt": 0.1, "noise": 0.5}, {"times": 100}),
    "attention": Problem(
        "grad",
        ("Wq", "Wk", "Wv", "Wo", "W1", "b1", "W2", "b2", "gain"),
        NOTHING,
        {"length": 64, "d": 64, "heads": 4, "hidden": 256},
    ),
    "pinn": Problem("grad", ("W1", "b1", "W2", "b2", "w3"), {"nu": 0.1, "points": 11}, {"hidden": 16}, {"points": 101}),
    "skinning": Problem("jacobian", ("pose",), NOTHING, {"fingers": 5, "vertices": 500, "matches": 200}),
}


def sample_of(name: str) -> str:
    """The sample that a problem is about."""
    return name.removesuffix("_sparse")
