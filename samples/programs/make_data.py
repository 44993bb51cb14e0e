"""Writes the data of the samples in this folder, from random numbers of fixed seeds.

    python samples/programs/make_data.py

Only NumPy is needed. Every sample's function takes sizes, so that the benchmarks can ask for larger data of its kind.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent

Data = dict[str, np.ndarray]


def gaussian_mixture(components: int = 3, dimensions: int = 2, points: int = 8, seed: int = 1) -> Data:
    """Points and the parameters of a mixture."""
    rng = np.random.default_rng(seed)
    triangle = dimensions * (dimensions + 1) // 2
    return {
        "alphas": rng.standard_normal(components),
        "means": rng.standard_normal((components, dimensions)),
        "icf": 0.5 * rng.standard_normal((components, triangle)),
        "x": rng.standard_normal((points, dimensions)),
    }


def lstm(layers: int = 2, text: str = "a grad in a gradcli", seed: int = 2) -> Data:
    """A text as character numbers, in the order of first appearance, and a network for it."""
    rng = np.random.default_rng(seed)
    alphabet = list(dict.fromkeys(text))
    size = len(alphabet)
    return {
        "weights": 0.5 * rng.standard_normal((layers, 4, size)),
        "biases": 0.5 * rng.standard_normal((layers, 4, size)),
        "embed": rng.standard_normal(size),
        "scale": rng.standard_normal(size),
        "shift": rng.standard_normal(size),
        "memory": 0.1 * rng.standard_normal((layers, 2, size)),
        "text": np.array([alphabet.index(letter) for letter in text]),
    }


def log_sum_exp(size: int = 12, seed: int = 3) -> Data:
    """Numbers."""
    return {"x": 3 * np.random.default_rng(seed).standard_normal(size)}


def polynomial(points: int = 15, seed: int = 4) -> Data:
    """A noisy cubic."""
    rng = np.random.default_rng(seed)
    x = np.linspace(-2, 2, points)
    return {"x": x, "y": 1 - 2 * x + 0.5 * x**3 + 0.2 * rng.standard_normal(points)}


def runge_kutta(places: int = 8, seed: int = 5) -> Data:
    """A state near rest."""
    return {"start": 8 + 0.5 * np.random.default_rng(seed).standard_normal(places)}


def bundle_adjustment(cameras: int = 3, points: int = 8, observations: int = 18, seed: int = 7) -> Data:
    """Cameras around a cloud of points, near the solution; the first camera is not turned.

    Every point is observed, if there are observations enough, and none twice by the same camera.
    """
    rng = np.random.default_rng(seed)
    cams = np.zeros((cameras, 11))
    cams[:, 0:3] = 0.3 * rng.standard_normal((cameras, 3))
    cams[0, 0:3] = 0
    cams[:, 3:6] = [0, 0, -6] + 0.5 * rng.standard_normal((cameras, 3))
    cams[:, 6] = 500 + 20 * rng.standard_normal(cameras)
    cams[:, 7:9] = [320, 240] + 5 * rng.standard_normal((cameras, 2))
    cams[:, 9:11] = [-0.1, 0.01] + 0.01 * rng.standard_normal((cameras, 2))
    once = np.arange(points) * cameras + np.arange(points) % cameras
    pairs = np.concatenate([once, rng.permutation(cameras * points)])
    _, first = np.unique(pairs, return_index=True)
    pairs = np.sort(pairs[np.sort(first)][:observations])
    return {
        "cams": cams,
        "points": rng.standard_normal((points, 3)),
        "weights": 1 + 0.1 * rng.standard_normal(observations),
        "camera": pairs % cameras,
        "point": pairs // cameras,
        "features": [320, 240] + 60 * rng.standard_normal((observations, 2)),
    }


def newton(students: int = 14, seed: int = 8) -> Data:
    """Who passed an exam."""
    rng = np.random.default_rng(seed)
    hours, rest = rng.uniform(0, 5, students), rng.uniform(4, 9, students)
    return {
        "hours": hours.round(2),
        "rest": rest.round(2),
        "passed": (hours + 0.5 * rest + rng.standard_normal(students) > 6).astype(float),
    }


def fixed_point(size: int = 4, seed: int = 9) -> Data:
    """A map that contracts."""
    rng = np.random.default_rng(seed)
    W = rng.standard_normal((size, size))
    return {"W": 0.5 * W / np.linalg.norm(W, 2), "b": rng.standard_normal(size)}


def neural_ode(times: int = 6, hidden: int = 5, seed: int = 10) -> Data:
    """Points on a spiral and a small network."""
    rng = np.random.default_rng(seed)
    t = 0.2 * np.arange(times)
    spiral = np.exp(-0.1 * t)[:, None] * np.stack([np.cos(2 * t), np.sin(2 * t)], axis=1)
    return {
        "path": 1.5 * spiral,
        "W1": 0.4 * rng.standard_normal((hidden, 2)),
        "b1": 0.1 * rng.standard_normal(hidden),
        "W2": 0.4 * rng.standard_normal((2, hidden)),
        "b2": 0.1 * rng.standard_normal(2),
    }


def hmc(size: int = 4, chain: int = 6, seed: int = 11) -> Data:
    """A start and the random numbers of a chain."""
    rng = np.random.default_rng(seed)
    return {
        "start": rng.standard_normal(size),
        "momenta": rng.standard_normal((chain, size)),
        "uniforms": rng.uniform(size=chain),
    }


def kalman(times: int = 12, seed: int = 12) -> Data:
    """A noisy track with two positions unseen."""
    rng = np.random.default_rng(seed)
    velocity = np.cumsum(0.2 * rng.standard_normal((times, 2)), axis=0)
    seen = np.cumsum(velocity, axis=0) + 0.5 * rng.standard_normal((times, 2))
    seen[[times // 3, times // 2]] = np.nan
    return {"east": seen[:, 0], "north": seen[:, 1]}


def attention(length: int = 6, d: int = 8, heads: int = 2, hidden: int = 12, seed: int = 13) -> Data:
    """A sequence of vectors and the block's weights."""
    rng = np.random.default_rng(seed)
    width = d // heads
    return {
        "x": rng.standard_normal((length, d)),
        **{name: rng.standard_normal((heads, d, width)) / d**0.5 for name in ("Wq", "Wk", "Wv")},
        "Wo": rng.standard_normal((heads, width, d)) / d**0.5,
        "W1": rng.standard_normal((d, hidden)) / d**0.5,
        "b1": 0.1 * rng.standard_normal(hidden),
        "W2": rng.standard_normal((hidden, d)) / hidden**0.5,
        "b2": 0.1 * rng.standard_normal(d),
        "gain": 1 + 0.1 * rng.standard_normal((2, d)),
    }


def pinn(hidden: int = 4, seed: int = 14) -> Data:
    """A small network."""
    rng = np.random.default_rng(seed)
    return {
        "W1": rng.standard_normal(hidden),
        "b1": 0.5 * rng.standard_normal(hidden),
        "W2": rng.standard_normal((hidden, hidden)) / hidden**0.5,
        "b2": 0.1 * rng.standard_normal(hidden),
        "w3": rng.standard_normal(hidden),
    }


def skinning(fingers: int = 2, joints: int = 3, vertices: int = 10, matches: int = 12, seed: int = 15) -> Data:
    """A hand of a palm and fingers, in a pose, and the points a camera saw."""
    rng = np.random.default_rng(seed)
    bones = 1 + fingers * joints
    parent = np.array([-1] + [0 if j % joints == 0 else j for j in range(bones - 1)])
    share = rng.uniform(size=(vertices, bones)) ** 4
    return {
        "pose": 0.3 * rng.standard_normal((2 + bones, 3)),
        "parent": parent,
        "offset": rng.standard_normal((bones, 3)) + np.array([0, 1, 0]),
        "skin": 2 * rng.standard_normal((vertices, 3)),
        "share": share / share.sum(axis=1, keepdims=True),
        "match": rng.integers(0, vertices, matches),
        "seen": 2 * rng.standard_normal((matches, 3)),
    }


def write_csv(path: Path, data: Mapping[str, np.ndarray]) -> None:
    """Write columns under a header row."""
    rows = zip(*[column.tolist() for column in data.values()], strict=True)
    path.write_text("".join(",".join(map(str, row)) + "\n" for row in [tuple(data), *rows]))


def write_json(path: Path, data: Mapping[str, np.ndarray]) -> None:
    """Write an object with a line per array."""
    lines = [f"{json.dumps(name)}: {json.dumps(values.tolist())}" for name, values in data.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def write_npz(path: Path, data: Mapping[str, np.ndarray]) -> None:
    """Write the arrays as they are."""
    arrays: dict[str, Any] = dict(data)
    np.savez(path, **arrays)


FORMS: dict[str, Callable[[Path, Mapping[str, Any]], None]] = {
    ".csv": write_csv,
    ".json": write_json,
    ".npz": write_npz,
}

#: Every sample with data, and the form it comes in.
SAMPLES: dict[Callable[..., Data], str] = {
    gaussian_mixture: ".json",
    lstm: ".json",
    log_sum_exp: ".csv",
    polynomial: ".csv",
    runge_kutta: ".csv",
    bundle_adjustment: ".npz",
    newton: ".csv",
    fixed_point: ".json",
    neural_ode: ".json",
    hmc: ".json",
    kalman: ".csv",
    attention: ".npz",
    pinn: ".json",
    skinning: ".npz",
}


def main() -> None:
    """Write every file."""
    for made, suffix in SAMPLES.items():
        FORMS[suffix](HERE / f"{made.__name__}{suffix}", made())


if __name__ == "__main__":
    main()
