"""Every sample does what its comment says, and its derivative is proved."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

SAMPLES = Path(__file__).parents[2] / "samples"
PATHS = [*SAMPLES.glob("*.grad"), *SAMPLES.glob("programs/*.grad")]
NAMES = sorted(path.relative_to(SAMPLES).with_suffix("").as_posix() for path in PATHS)

Gradcli = Callable[..., tuple[int, str, str]]


def commands(name: str) -> list[list[str]]:
    """The commands in a sample's comment, as words after `gradcli`."""
    text = (SAMPLES / f"{name}.grad").read_text()
    return [shlex.split(line)[1:] for line in re.findall(r"^#     (gradcli .*)$", text, re.MULTILINE)]


PROOFS = [(name, words) for name in NAMES for words in commands(name) if words[0] == "check"]
OTHERS = [(name, words) for name in NAMES for words in commands(name) if words[0] != "check"]


def labels(cases: list[tuple[str, list[str]]]) -> list[str]:
    return [f"{name}-{words[0]}" for name, words in cases]


@pytest.mark.parametrize("name", NAMES)
def test_begins_with_what_it_is_and_how_to_run_it(name: str) -> None:
    lines = (SAMPLES / f"{name}.grad").read_text().splitlines()
    assert re.match(r"# \S.{20,}", lines[0])
    called = [words[0] for words in commands(name)]
    assert "check" in called
    assert called[0] != "check"
    assert all(words[1] == f"samples/{name}.grad" for words in commands(name))


@pytest.mark.parametrize(("name", "words"), OTHERS, ids=labels(OTHERS))
def test_runs(gradcli: Gradcli, name: str, words: list[str]) -> None:
    code, out, err = gradcli(*words)
    assert (code, "error" in err) == (0, False)
    assert out
    assert not err or "--sparse" in words


@pytest.mark.parametrize(("name", "words"), PROOFS, ids=labels(PROOFS))
def test_is_proved(gradcli: Gradcli, name: str, words: list[str]) -> None:
    code, out, err = gradcli(*words, "--format", "json")
    assert (code, err) == (0, "")
    assert json.loads(out)["ok"] is True


def gradient(gradcli: Gradcli, *words: str) -> dict[str, np.ndarray]:
    code, out, err = gradcli("grad", *words, "--format", "json")
    assert (code, err) == (0, "")
    return {name: np.array(values) for name, values in json.loads(out)["grad"].items()}


def test_tutorial(gradcli: Gradcli) -> None:
    code, out, _ = gradcli(*commands("tutorial")[0])
    assert (code, out) == (0, "4.5 4.5\n4.5 4.5\n")
    assert gradcli(*commands("tutorial")[1])[1] == "d out/d x[i] = 3/2*(x[i] + 2)\n"


def test_line_is_flat_at_the_least_squares_solution(gradcli: Gradcli) -> None:
    x, y = np.loadtxt(SAMPLES / "line.csv", delimiter=",", skiprows=1, unpack=True)
    slope, intercept = np.polyfit(x, y, 1)
    words = ["samples/line.grad", "--data", "samples/line.csv", "--wrt", "slope,intercept"]
    found = gradient(gradcli, *words, f"slope={slope}", f"intercept={intercept}")
    assert abs(found["slope"]) < 1e-12
    assert abs(found["intercept"]) < 1e-13


def test_logistic(gradcli: Gradcli) -> None:
    study, sleep, passed = np.loadtxt(SAMPLES / "logistic.csv", delimiter=",", skiprows=1, unpack=True)
    X, w, b = np.stack([study, sleep], axis=1), np.array([0.4, -0.1]), -1.0
    wrong = 1 / (1 + np.exp(-(X @ w + b))) - passed
    words = ["samples/logistic.grad", "--data", "samples/logistic.csv", "--wrt", "w,b", "w=0.4,-0.1", "b=-1"]
    found = gradient(gradcli, *words)
    np.testing.assert_allclose(found["w"], X.T @ wrong / len(X) + 0.1 * w, rtol=1e-13)
    np.testing.assert_allclose(found["b"], wrong.mean(), rtol=1e-13)


def test_gaussian_process(gradcli: Gradcli) -> None:
    x, y = np.loadtxt(SAMPLES / "gaussian_process.csv", delimiter=",", skiprows=1, unpack=True)
    K = np.exp(-(np.subtract.outer(x, x) ** 2) / 2) + 0.2**2 * np.eye(len(x))
    _, logdet = np.linalg.slogdet(K)
    likelihood = y @ np.linalg.solve(K, y) / 2 + logdet / 2 + len(x) / 2 * np.log(2 * np.pi)
    words = ["samples/gaussian_process.grad", "--data", "samples/gaussian_process.csv"]
    code, out, _ = gradcli("eval", *words)
    assert code == 0
    np.testing.assert_allclose(float(out), likelihood, rtol=1e-12)
    inverse = np.linalg.inv(K)
    alpha = inverse @ y
    by_noise = 0.5 * np.trace((inverse - np.outer(alpha, alpha)) @ (2 * 0.2 * np.eye(len(x))))
    np.testing.assert_allclose(gradient(gradcli, *words)["noise"], by_noise, rtol=1e-10)


def test_rosenbrock(gradcli: Gradcli) -> None:
    assert gradcli("eval", "samples/rosenbrock.grad", "x=1,1,1")[1] == "0.0\n"
    np.testing.assert_allclose(gradient(gradcli, "samples/rosenbrock.grad", "x=-1.2,1")["x"], [-215.6, -88], rtol=1e-14)
    assert gradcli("hessian", "samples/rosenbrock.grad", "x=1,1")[1] == "802.0 -400.0\n-400.0 200.0\n"


def test_logsumexp_is_the_softmax(gradcli: Gradcli) -> None:
    found = gradient(gradcli, "samples/logsumexp.grad", "x=1000,1001,1002")["x"]
    np.testing.assert_allclose(found, np.exp([-2, -1, 0]) / np.exp([-2, -1, 0]).sum(), rtol=1e-15)


def test_pendulum_of_small_swings_is_harmonic(gradcli: Gradcli) -> None:
    words = ["samples/pendulum.grad", "angle=1e-6", "damping=0", "g=1", "h=0.01", "steps=100"]
    code, out, _ = gradcli("eval", *words)
    assert code == 0
    np.testing.assert_allclose(float(out), 1e-6 * np.cos(1), rtol=1e-9)
    found = gradient(gradcli, *words)
    np.testing.assert_allclose(found["angle"], np.cos(1), rtol=1e-9)
    np.testing.assert_allclose(found["velocity"], np.sin(1), rtol=1e-9)
    np.testing.assert_allclose(found["length"], 1e-6 * np.sin(1) / 2, rtol=1e-8)


def test_matrix_calculus(gradcli: Gradcli) -> None:
    x, A = np.array([1.0, 2]), np.array([[2.0, 1], [0, 3]])
    found = gradient(gradcli, *commands("matrix_quadratic")[0][1:])
    np.testing.assert_array_equal(found["x"], (A + A.T) @ x)
    np.testing.assert_array_equal(found["A"], np.outer(x, x))

    A, B = np.array([[1.0, 2], [3, 4]]), np.array([[0.0, 1], [1, 1]])
    found = gradient(gradcli, *commands("matrix_trace")[0][1:])
    np.testing.assert_array_equal(found["X"], A.T @ B.T)

    A = np.array([[4.0, 1], [2, 3]])
    found = gradient(gradcli, *commands("matrix_logdet")[0][1:])
    np.testing.assert_allclose(found["A"], np.linalg.inv(A).T, rtol=1e-14)
