"""Fourier transforms: complex cotangents in PyTorch's convention, lengths and norms, and the modules that have them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcli.autodiff import vjp
from gradcli.graph.errors import GradcliError
from gradcli.graph.values import concrete
from gradcli.language import Program, Source
from gradcli.ops.registry import lookup

Z = np.array([1.0 + 2.0j, -0.5 + 1.0j, 2.0 - 1.0j])
G = np.array([0.5 - 1.0j, 2.0 + 0.25j, -1.0 + 1.0j])


def transform(name: str) -> Any:
    found = lookup("numpy.fft", name)
    assert found is not None
    return found


def run(text: str, **values: Any) -> Any:
    (found,) = Program.parse(Source("test", text)).run(values).cores()
    return np.asarray(concrete(found))


def matrix(n: int, sign: int) -> Any:
    """The transform's matrix."""
    places = np.arange(n)
    return np.exp(sign * 2j * np.pi * np.outer(places, places) / n)


@pytest.mark.parametrize(
    ("name", "norm", "factor", "sign"),
    [
        ("fft", None, 1.0, -1),
        ("fft", "ortho", 3**-0.5, -1),
        ("fft", "forward", 1 / 3, -1),
        ("ifft", None, 1 / 3, 1),
        ("ifft", "forward", 1.0, 1),
    ],
)
def test_a_cotangent_meets_the_conjugate_transpose(name, norm, factor, sign):
    value, pullback = vjp(lambda z: transform(name)(z, norm=norm), Z)
    np.testing.assert_allclose(value, factor * matrix(3, sign) @ Z, rtol=1e-14)
    np.testing.assert_allclose(pullback(G)[0], factor * matrix(3, sign).conj().T @ G, rtol=1e-14)


def test_the_cotangent_of_a_real_value_is_real():
    _, pullback = vjp(transform("fft"), Z.real.copy())
    (share,) = pullback(G)
    assert share.dtype == np.float64
    np.testing.assert_allclose(share, (matrix(3, -1).conj().T @ G).real, rtol=1e-14)


def test_what_a_real_transform_drops_has_no_derivative():
    """The imaginary part of the mean, and of the highest of an even number of frequencies."""
    _, pullback = vjp(lambda z: transform("irfft")(z, 4), Z)
    share = pullback(np.array([1.0, 2.0, -1.0, 0.5]))[0]
    assert share[0].imag == share[2].imag == 0
    assert share[1].imag != 0


def test_a_length_cuts_off_or_pads():
    x = np.array([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(transform("rfft")(x, 2), np.fft.rfft(x[:2]))
    np.testing.assert_allclose(transform("fft")(x, 5), np.fft.fft(x, 5), rtol=1e-14)
    _, pullback = vjp(lambda z: transform("rfft")(z, 2), x)
    assert pullback(np.array([1.0 + 0j, 1.0 + 0j]))[0].tolist() == [2, 0, 0]


@pytest.mark.parametrize(
    "text",
    [
        "np.fft.rfft(x)",
        "import numpy.fft as nf\nnf.rfft(x)",
        "from numpy.fft import rfft\nrfft(x)",
        "from scipy import fft\nfft.rfft(x)",
        "import scipy.fft\nscipy.fft.rfft(x)",
        "import jax.numpy as jnp\njnp.fft.rfft(x)",
        "import torch\ntorch.fft.rfft(x)",
        "from torch import fft\nfft.rfft(x, dim=-1)",
        "rfft(x)",
    ],
)
def test_the_modules_that_have_it(text):
    x = np.array([1.0, 2.0, 4.0])
    np.testing.assert_allclose(run(text, x=x), np.fft.rfft(x), rtol=1e-6)


def test_bare_signals():
    np.testing.assert_allclose(run("scipy.signal.convolve(x, x, 'same')", x=np.arange(3.0)), [0, 1, 4])
    np.testing.assert_allclose(
        run("from scipy.signal import convolve2d\nconvolve2d(x, x)", x=np.ones((1, 2))), [[1, 2, 1]]
    )


@pytest.mark.parametrize(
    ("name", "args", "words"),
    [
        ("rfft", (Z,), "rfft expects a real input tensor, but got complex128"),
        ("fft", (Z, 0), "a transform has at least 1 element, not 0"),
        ("fft", (Z, None, -1, "unit"), "norm is 'backward', 'ortho' or 'forward', not 'unit'"),
        ("fft", (np.array(1.0),), "takes a value with at least one axis"),
        ("fft", (Z, None, 1), "axis 1 is out of range"),
        ("fft2", (Z,), "out of range"),
        ("fftn", (np.ones((2, 2)), [2], [0, 1]), "1 lengths are given for 2 axes"),
        ("fftn", (np.ones((2, 2)), None, [0, 0]), "is given twice"),
        ("irfft", (Z[:1],), "at least 1 element, not 0"),
        ("fftfreq", (0,), "n is at least 1"),
    ],
)
def test_wrong_arguments(name, args, words):
    with pytest.raises(GradcliError, match=words):
        transform(name)(*args)


def test_types_of_cosine_transforms():
    found = lookup("scipy.fft", "dct")
    assert found is not None
    with pytest.raises(GradcliError, match="type is 1, 2, 3 or 4, not 5"):
        found(np.ones(3), 5)
    with pytest.raises(GradcliError, match="type 1 takes at least 2 elements"):
        found(np.ones(1), 1)
