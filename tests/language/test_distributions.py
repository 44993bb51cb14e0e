"""torch.distributions: what PyTorch 2.13 computes (distributions.json, in float64), says and prints."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from gradcli.autodiff import jacobian
from gradcli.graph.errors import GradcliError
from gradcli.language import Program, RunOptions, Source

GOLDEN = json.loads((Path(__file__).parent / "distributions.json").read_text())
TORCH = "import torch\nimport torch.distributions as D\nT = torch.tensor\n"
DOUBLE = TORCH + "torch.set_default_dtype(torch.float64)\n"


def run(text: str, **given):
    program = Program.parse(Source("<program>", text))
    return program.run(program.resolve(given))


def value(text: str, **given):
    return np.asarray(run(text, **given).cores()[0])


@pytest.mark.parametrize(("made", "at", "shown", "batch", "event", "facts"), GOLDEN["distributions"])
def test_distributions_are_pytorchs(made, at, shown, batch, event, facts):
    names = list(facts)
    outputs = ", ".join(f"d.{name}" for name in names)
    result = run(f"{DOUBLE}d = D.{made}\nv = {at}\n({outputs},)")
    for name, found in zip(names, result.cores(), strict=True):
        # PyTorch's Bessel functions are approximations to 1e-7.
        rtol = 1e-5 if made.startswith("VonMises") else 2e-12
        np.testing.assert_allclose(found, facts[name], rtol=rtol, atol=1e-14, err_msg=f"{made}.{name}")
    assert run(f"{DOUBLE}d = D.{made}\nrepr(d) == {shown!r}").outputs == (True,)
    assert run(f"{DOUBLE}d = D.{made}\n[*d.batch_shape], [*d.event_shape]").outputs == (batch, event)


@pytest.mark.parametrize(("p", "q", "expected"), GOLDEN["divergences"])
def test_divergences_are_pytorchs(p, q, expected):
    found = value(f"{DOUBLE}D.kl_divergence(D.{p}, D.{q})")
    np.testing.assert_allclose(found, expected, rtol=1e-12)


# --- derivatives -----------------------------------------------------------------------------------------------------

#: Per kind, its parameters made of x, y > 0, and a value.
LOG_PROBS = [
    "Normal(x, y).log_prob(T(0.3))",
    "LogNormal(x, y).log_prob(T(0.3))",
    "Uniform(-x, y).log_prob(T(0.3))",
    "Exponential(x*y).log_prob(T(0.3))",
    "Laplace(x, y).log_prob(T(0.3))",
    "Gamma(x, y).log_prob(T(0.3))",
    "Chi2(x + y).log_prob(T(0.3))",
    "Beta(x, y).log_prob(T(0.3))",
    "StudentT(x, y, x*y).log_prob(T(0.3))",
    "Dirichlet(torch.stack([x, y])).log_prob(T([0.3, 0.7]))",
    "MultivariateNormal(torch.stack([x, y]), torch.eye(2)*x + y).log_prob(T([0.3, 0.7]))",
    "MultivariateNormal(torch.stack([x, y]), precision_matrix=torch.eye(2)*x + y).log_prob(T([0.3, 0.7]))",
    "Cauchy(x, y).log_prob(T(0.3))",
    "Gumbel(x, y).log_prob(T(0.3))",
    "HalfNormal(x*y).log_prob(T(0.3))",
    "HalfCauchy(x*y).log_prob(T(0.3))",
    "Pareto(x*y/9, y).log_prob(T(0.3))",
    "Weibull(x, y).log_prob(T(0.3))",
    "VonMises(x, y).log_prob(T(0.3))",
    "InverseGamma(x, y).log_prob(T(0.3))",
    "Poisson(x*y).log_prob(T(2.0))",
    "Bernoulli(x*y/9).log_prob(T(1.0))",
    "Bernoulli(logits=x - y).log_prob(T(0.0))",
    "Binomial(3, x*y/9).log_prob(T(2.0))",
    "Geometric(logits=x - y).log_prob(T(2.0))",
    "NegativeBinomial(y, x/9).log_prob(T(2.0))",
    "Categorical(torch.stack([x, y])).log_prob(T(1))",
    "Categorical(logits=torch.stack([x, y])).log_prob(T(1))",
    "Multinomial(3, logits=torch.stack([x, y])).log_prob(T([1.0, 2.0]))",
]
RSAMPLES = [
    "Normal(x, y)",
    "LogNormal(x, y)",
    "Uniform(-x, y)",
    "Exponential(x*y)",
    "Laplace(x, y)",
    "Gamma(x, y)",
    "Chi2(x + y)",
    "Beta(x, y)",
    "StudentT(x, y, x*y)",
    "Dirichlet(torch.stack([x, y]))",
    "MultivariateNormal(torch.stack([x, y]), torch.eye(2)*x + y)",
    "Cauchy(x, y)",
    "Gumbel(x, y)",
    "HalfNormal(x*y)",
    "HalfCauchy(x*y)",
    "Pareto(x, y)",
    "Weibull(x, y)",
    "InverseGamma(x, y)",
    "Independent(D.Normal(torch.stack([x, y]), y), 1)",
]
OTHERS = [
    "Gamma(x, y).entropy()",
    "Beta(x, y).entropy()",
    "Categorical(logits=torch.stack([x, y])).entropy()",
    "Normal(x, y).cdf(T(0.3))",
    "Laplace(x, y).icdf(T(0.3))",
    "kl_divergence(D.Gamma(x, y), D.Gamma(y, x))",
    "kl_divergence(D.MultivariateNormal(torch.stack([x, y]), torch.eye(2)*x), "
    "D.MultivariateNormal(torch.zeros(2), torch.eye(2)*x + y))",
]


@pytest.mark.parametrize("text", [*LOG_PROBS, *[f"{made}.rsample((2,)).sum()" for made in RSAMPLES], *OTHERS])
def test_derivatives_are_those_of_the_value(text):
    """The derivative by x and y against a central difference; the draws are the same each time."""
    program = Program.parse(Source("<program>", f"{DOUBLE}D.{text}"))
    at = {"x": np.array(1.2), "y": np.array(1.9)}
    given = program.function(["x", "y"], at, options=RunOptions())
    step = 1e-5
    for i, name in enumerate("xy"):
        moved = [np.asarray(given(*({**at, name: at[name] + d}[k] for k in "xy"))) for d in (step, -step)]
        slope = jacobian(given, argnums=i)(*at.values())
        np.testing.assert_allclose(slope, (moved[0] - moved[1]) / (2 * step), rtol=1e-6, atol=1e-8)


def test_samples_are_constants():
    program = f"{DOUBLE}x = T(2.0, requires_grad=True)\nd = D.Normal(x, 1.0)\n"
    assert run(program + "d.sample().requires_grad, d.rsample().requires_grad").outputs == (False, True)


# --- draws -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "made",
    [
        "Normal(T(1.0), 2.0)",
        "LogNormal(0.1, 0.3)",
        "Uniform(1.0, 3.0)",
        "Exponential(2.0)",
        "Laplace(1.0, 2.0)",
        "Gamma(0.5, 2.0)",
        "Chi2(3.0)",
        "Beta(0.5, 2.0)",
        "StudentT(9.0, 1.0, 2.0)",
        "Dirichlet(T([0.5, 1.0, 2.0]))",
        "MultivariateNormal(T([1.0, 2.0]), T([[2.0, 0.3], [0.3, 0.5]]))",
        "Gumbel(1.0, 2.0)",
        "HalfNormal(2.0)",
        "Pareto(1.0, 9.0)",
        "Weibull(1.0, 2.0)",
        "InverseGamma(9.0, 2.0)",
        "Poisson(3.5)",
        "Bernoulli(0.3)",
        "Bernoulli(logits=0.3)",
        "Binomial(7, 0.3)",
        "Geometric(0.3)",
        "NegativeBinomial(3.5, 0.3)",
        "Multinomial(4, T([0.1, 0.6, 0.3]))",
    ],
)
def test_draws_have_the_mean_and_variance_of_their_distribution(made):
    draws, mean, variance = run(f"{TORCH}d = D.{made}\nd.sample((20000,)), d.mean, d.variance").cores()
    assert draws.dtype == np.float32
    assert np.all(abs(draws.mean(0) - mean) < 5 * np.sqrt(variance / 20000))
    np.testing.assert_allclose(draws.var(0), variance, rtol=0.2)


def test_draws_of_classes():
    drawn = value(TORCH + "D.Categorical(T([[0.1, 0.0, 0.9], [0.0, 1.0, 0.0]])).sample((3000,))")
    assert drawn.dtype == np.int64 and drawn.shape == (3000, 2)
    assert set(drawn[:, 0]) == {0, 2} and set(drawn[:, 1]) == {1}
    assert 0.07 < np.mean(drawn[:, 0] == 0) < 0.13


def test_draws_are_in_the_support_in_float32_too():
    text = "(d.sample((20000,)) > 0).all(), (d.sample((20000,)) < float('inf')).all()"
    assert all(run(f"{TORCH}d = D.Gamma(0.001, 1.0)\n{text}").cores())


# --- what PyTorch says -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "D.Normal(T([0.0, 0.0]), T([1.0, -1.0]))",
            "Expected parameter scale (Tensor of shape (2,)) of distribution Normal(loc: torch.Size([2]), scale: "
            "torch.Size([2])) to satisfy the constraint GreaterThan(lower_bound=0.0), but found invalid values:\n"
            "tensor([ 1., -1.])",
        ),
        (
            "D.Uniform(2.0, 1.0)",
            "Expected parameter low (Tensor of shape ()) of distribution Uniform(low: 2.0, high: 1.0) to satisfy the "
            "constraint LessThan(upper_bound=1.0), but found invalid values:\n2.0",
        ),
        (
            "D.MultivariateNormal(torch.zeros(2), -torch.eye(2))",
            "Expected parameter covariance_matrix (Tensor of shape (2, 2)) of distribution MultivariateNormal(loc: "
            "torch.Size([2]), covariance_matrix: torch.Size([2, 2])) to satisfy the constraint PositiveDefinite(), but "
            "found invalid values:\ntensor([[-1., -0.],\n        [-0., -1.]])",
        ),
        (
            "D.Exponential(1.0).log_prob(T(-1.0))",
            "Expected value argument (Tensor of shape ()) to be within the support (GreaterThanEq(lower_bound=0.0)) of "
            "the distribution Exponential(rate: 1.0), but found invalid values:\n-1.0",
        ),
        (
            "D.Categorical(T([0.2, 0.8])).log_prob(T(2))",
            "Expected value argument (Tensor of shape ()) to be within the support (IntegerInterval(lower_bound=0, "
            "upper_bound=1)) of the distribution Categorical(probs: torch.Size([2])), but found invalid values:\n2",
        ),
        (
            "D.Normal(torch.zeros(2), 1.0).log_prob(torch.zeros(3))",
            "Value is not broadcastable with batch_shape+event_shape: torch.Size([3]) vs torch.Size([2]).",
        ),
        (
            "D.Dirichlet(torch.ones(2)).log_prob(torch.ones(3)/3)",
            "The right-most size of value must match event_shape: torch.Size([3]) vs torch.Size([2]).",
        ),
        ("D.Normal(0.0, 1.0).log_prob(1.0)", "The value argument to log_prob must be a Tensor"),
        ("D.Bernoulli()", "Either `probs` or `logits` must be specified, but not both."),
        ("D.Categorical(T(1.0))", "`probs` parameter must be at least one-dimensional."),
        (
            "D.Normal([0.0], 1.0)",
            "Input arguments must all be instances of Number, torch.Tensor or objects implementing __torch_function__.",
        ),
        ("D.Bernoulli(0.5).rsample()", "NotImplementedError: Bernoulli(probs: 0.5) has no rsample"),
        ("D.Poisson(1.0).entropy()", "NotImplementedError: Poisson does not implement entropy"),
        (
            "D.kl_divergence(D.Normal(0.0, 1.0), D.Uniform(0.0, 1.0))",
            "No KL(p || q) is implemented for p type Normal and q type Uniform",
        ),
        (
            "D.Independent(D.Normal(0.0, 1.0), 1)",
            "Expected reinterpreted_batch_ndims <= len(base_distribution.batch_shape), actual 1 vs 0",
        ),
        ("D.Normal(0.0, 1.0).log_pro(T(1.0))", "unknown attribute '.log_pro'"),
        ("D.Norml(0.0, 1.0)", "module 'torch.distributions' has no 'Norml' here"),
        ("D.Normal(0.0, 1.0) + 1", "'+' cannot join a distribution and an integer"),
    ],
)
def test_errors(text, message):
    with pytest.raises(GradcliError) as caught:
        value(TORCH + text)
    assert caught.value.message.startswith(message)


def test_without_validation_a_density_is_zero_off_the_support():
    assert value(TORCH + "D.HalfNormal(1.0, validate_args=False).log_prob(T(-1.0))") == -math.inf
    assert value(TORCH + "D.Uniform(0.0, 1.0).log_prob(T(1.0))") == -math.inf


@pytest.mark.parametrize(
    "text",
    [
        "from torch.distributions import Normal\nisinstance(Normal(0.0, 1.0), Normal)",
        "from torch.distributions.normal import Normal\nisinstance(Normal(0.0, 1.0), torch.distributions.Distribution)",
        "not isinstance(torch.distributions.Normal(0.0, 1.0), torch.distributions.Laplace)",
        "torch.distributions.Normal(0.0, 1.0).has_rsample",
        "D = torch.distributions\nD.Independent(D.Normal(torch.zeros(2), 1.0), 1).base_dist.has_rsample",
    ],
)
def test_names(text):
    assert run("import torch\n" + text).outputs == (True,)


# --- random numbers by their other names -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "torch.bernoulli(T([0.0, 1.0])).tolist() == [0, 1]",
        "torch.bernoulli(torch.zeros(2), p=1.0).tolist() == [1, 1]",
        "sorted(torch.multinomial(torch.ones(3), 3).tolist()) == [0, 1, 2]",
        "torch.multinomial(T([[0.0, 1.0], [1.0, 0.0]]), 2, replacement=True).tolist() == [[1, 1], [0, 0]]",
        "T([0.0, 1.0]).multinomial(1).tolist() == [1]",
        "torch.poisson(torch.zeros(2)).tolist() == [0, 0]",
        "torch.normal(torch.zeros(2, 1), torch.ones(3)).shape == (2, 3)",
        "torch.normal(mean=1.0, std=0.0, size=(2,)).tolist() == [1, 1]",
        "torch.normal(2.0, torch.zeros(2, dtype=torch.float64)).dtype == torch.float64",
        "torch.rand(2, generator=None).shape == (2,)",
        "torch.equal(torch.randn(2, generator=torch.Generator().manual_seed(3)), "
        "torch.randn(2, generator=torch.Generator().manual_seed(3)))",
    ],
)
def test_random_numbers_of_torch(text):
    assert run(TORCH + text).outputs == (True,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("torch.normal(torch.zeros(2), -1.0)", "normal expects std >= 0.0, but found std -1"),
        ("torch.multinomial(torch.ones(2), 3)", "cannot sample n_sample > prob_dist.size(-1) samples without replace"),
        ("torch.multinomial(T([1.0, -1.0]), 1)", "probability tensor contains either `inf`, `nan` or element < 0"),
        ("torch.multinomial(torch.zeros(2), 1)", "invalid multinomial distribution (sum of probabilities <= 0)"),
        ("torch.multinomial(torch.ones(1, 1, 1), 1)", "prob_dist must be 1 or 2 dim"),
        ("torch.poisson(T([-1.0]))", "invalid Poisson rate, expected rate to be non-negative"),
        ("torch.bernoulli(T([2.0]))", "bernoulli expects p to be in [0, 1]"),
        ("torch.randn(2, generator=3)", "randn(): generator= takes a generator, not an integer"),
    ],
)
def test_errors_of_torchs_random_numbers(text, message):
    with pytest.raises(GradcliError) as caught:
        value(TORCH + text)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("r.normal(1.0, 2.0, size=3)", np.random.default_rng(5).normal(1.0, 2.0, size=3)),
        ("r.standard_normal((2, 2))", np.random.default_rng(5).standard_normal((2, 2))),
        ("r.random(3)", np.random.default_rng(5).random(3)),
        ("r.uniform(1, 2, 3)", np.random.default_rng(5).uniform(1, 2, 3)),
        ("r.integers(0, 10, size=4)", np.random.default_rng(5).integers(0, 10, size=4)),
        ("r.integers(3, size=9, endpoint=True)", np.random.default_rng(5).integers(3, size=9, endpoint=True)),
        ("r.exponential(2.0, 3)", np.random.default_rng(5).exponential(2.0, 3)),
        ("r.permutation(5)", np.random.default_rng(5).permutation(5)),
        ("r.choice([10, 20, 30], 4)", np.random.default_rng(5).choice([10, 20, 30], 4)),
    ],
)
def test_numpys_generators_give_numpys_numbers(text, expected):
    np.testing.assert_allclose(value(f"import numpy as np\nr = np.random.default_rng(5)\n{text}"), expected, rtol=1e-15)


def test_choice():
    assert sorted(value("np.random.choice(4, 4, replace=False)").tolist()) == [0, 1, 2, 3]
    assert set(value("np.random.choice([5, 6, 7], 50, p=[0.5, 0, 0.5])").tolist()) == {5, 7}
    assert value("np.random.choice([5, 6, 7], (2, 3))").shape == (2, 3)
    with pytest.raises(GradcliError, match="a and p must have same size"):
        value("np.random.choice(3, p=[1.0])")
    with pytest.raises(GradcliError, match="larger sample than population"):
        value("np.random.choice(3, 4, replace=False)")
