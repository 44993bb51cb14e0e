"""What the references of the samples share: running a command on a sample, and complex steps."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

PROGRAMS = Path(__file__).parents[3] / "samples" / "programs"

Arrays = dict[str, np.ndarray]


@pytest.fixture
def data() -> Callable[[str], Arrays]:
    """A sample's data, by the sample's name."""

    def read(name: str) -> Arrays:
        if (PROGRAMS / f"{name}.npz").exists():
            with np.load(PROGRAMS / f"{name}.npz") as file:
                return dict(file)
        if (PROGRAMS / f"{name}.csv").exists():
            table = np.genfromtxt(PROGRAMS / f"{name}.csv", delimiter=",", names=True)
            return {column: np.atleast_1d(table[column]) for column in table.dtype.names}
        return {key: np.array(values) for key, values in json.loads((PROGRAMS / f"{name}.json").read_text()).items()}

    return read


class Answer(NamedTuple):
    """A value and its derivatives by input (of a Hessian: by pairs of inputs)."""

    value: np.ndarray
    by: dict[str, Any]


@pytest.fixture
def answer(gradcli: Callable[..., Any]) -> Callable[..., Answer]:
    """Run `gradcli COMMAND` on a sample with its data and more words."""

    def run(command: str, name: str, *words: str) -> Answer:
        files = [path for path in PROGRAMS.glob(f"{name}.*") if path.suffix != ".grad"]
        given = [word for path in files for word in ("--data", str(path))]
        code, out, err = gradcli(command, str(PROGRAMS / f"{name}.grad"), *given, *words, "--format", "json")
        assert (code, err) == (0, "")
        found = json.loads(out)
        return Answer(np.array(found["value"]), arrays(found.get(command, {})))

    return run


def arrays(found: Any) -> Any:
    """Nested lists as arrays, inside of dicts."""
    return {key: arrays(value) for key, value in found.items()} if isinstance(found, dict) else np.array(found)


@pytest.fixture
def complex_step() -> Callable[..., Arrays]:
    """The derivative of a NumPy function by each of some arguments: Im f(x + ih)/h, exact to rounding.

    Lyness and Moler: Numerical differentiation of analytic functions, 1967. Shape: f's, then the argument's.
    """

    def derivatives(f: Callable[..., np.ndarray], given: Arrays, *names: str) -> Arrays:
        found = {}
        for name in names:
            x = np.asarray(given[name])
            columns = []
            for i in range(x.size):
                moved = x.astype(complex)
                moved.reshape(-1)[i] += 1e-200j
                columns.append(np.asarray(f(**{**given, name: moved})).imag / 1e-200)
            found[name] = np.moveaxis(np.array(columns), 0, -1).reshape(columns[0].shape + x.shape)
        return found

    return derivatives


@pytest.fixture
def agree() -> Callable[[Any, Any], None]:
    """Two arrays, or dicts of them, are equal to 1e-10 relative, and where terms cancel, to the largest's rounding."""

    def compare(found: Any, expected: Any) -> None:
        if isinstance(expected, dict):
            assert set(found) == set(expected)
            for key in expected:
                compare(found[key], expected[key])
            return
        expected = np.asarray(expected)
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-14 * np.max(np.abs(expected)))

    return compare
