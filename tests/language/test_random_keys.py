"""`jax.random`: keys decide the numbers, alone and wherever they are used."""

from __future__ import annotations

import numpy as np
import pytest

from gradcli.autodiff import trees
from gradcli.graph.errors import GradcliError
from gradcli.graph.values import concrete
from gradcli.language import Program, Source
from gradcli.language.options import RunOptions
from gradcli.tensor import Tensor

HEAD = "import jax\nimport jax.numpy as jnp\nfrom jax import random\nkey = random.PRNGKey(0)\n"


def value(text: str, seed: int = 0):
    result = Program.parse(Source("test", HEAD + text)).run({}, options=RunOptions(seed=seed))
    return [np.asarray(concrete(x.value) if isinstance(x, Tensor) else x) for x in trees.leaves(list(result.outputs))]


def test_the_same_key_gives_the_same_numbers():
    a, _, c = value("random.normal(key, (3,)), random.uniform(key), random.normal(key, (3,))")
    assert a.tolist() == c.tolist()
    assert a.tolist() == value("random.normal(key, (3,))", seed=5)[0].tolist()


def test_keys_differ_and_their_numbers_are_independent():
    text = "ks = random.split(key, 400)\njax.vmap(lambda k: random.normal(k, (5,)))(ks), ks, random.fold_in(key, 1)"
    numbers, keys, folded = value(text)
    assert keys.shape == (400, 2) and len({tuple(k) for k in keys} | {tuple(folded), (0, 0)}) == 402
    assert np.abs(np.corrcoef(numbers.T) - np.eye(5)).max() < 0.15
    assert abs(numbers.mean()) < 0.08 and abs(numbers.std() - 1) < 0.06


def test_vmap_and_loops_draw_what_each_key_draws():
    text = "ks = random.split(key, 3)\nf = lambda k: random.uniform(k, (2,), minval=-1., maxval=1.)\n"
    mapped, one, scanned = value(
        text + "jax.vmap(f)(ks), jnp.stack([f(k) for k in ks]), jax.lax.scan(lambda c, k: (c, f(k)), 0, ks)[1]"
    )
    assert mapped.tolist() == one.tolist() == scanned.tolist()
    assert (np.abs(mapped) <= 1).all()


@pytest.mark.parametrize(
    ("text", "mean", "spread"),
    [
        ("random.bernoulli(key, 0.3, (4000,))", 0.3, 0.46),
        ("random.randint(key, (4000,), 2, 5)", 3.0, 0.82),
        ("random.rademacher(key, (4000,))", 0.0, 1.0),
        ("random.exponential(key, (4000,))", 1.0, 1.0),
        ("random.gumbel(key, (4000,))", 0.577, 1.28),
        ("random.laplace(key, (4000,))", 0.0, 1.41),
        ("random.gamma(key, 2.0, (4000,))", 2.0, 1.41),
        ("random.beta(key, 2.0, 2.0, (4000,))", 0.5, 0.22),
        ("random.poisson(key, 3.0, (4000,))", 3.0, 1.73),
        ("random.categorical(key, jnp.log(jnp.array([.2, .8])), shape=(4000,))", 0.8, 0.4),
        ("random.choice(key, jnp.array([1., 5.]), (4000,), p=jnp.array([.25, .75]))", 4.0, 1.73),
        ("random.multivariate_normal(key, jnp.ones(2), 4*jnp.eye(2), (2000,))", 1.0, 2.0),
        ("random.permutation(key, 100)", 49.5, 28.87),
        ("random.choice(key, 10, (10,), replace=False)", 4.5, 2.87),
    ],
)
def test_distributions(text, mean, spread):
    (found,) = value(text)
    assert abs(found.mean() - mean) < 0.1
    assert abs(found.std() - spread) < 0.1


def test_derivatives_pass_through():
    found = value("jax.grad(lambda m, s: jnp.mean(m + s*random.normal(key, (9,))), (0, 1))(1., 2.)")
    noise = value("jnp.mean(random.normal(key, (9,)))")
    np.testing.assert_allclose(found, [1.0, noise[0]], rtol=1e-14)
    unit, slope = value("random.uniform(key), jax.grad(lambda h: random.uniform(key, maxval=h))(3.)")
    assert unit == slope


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("random.normal(3)", r"normal\(\) takes a key, not an integer"),
        ("random.normal(random.split(key))", "takes a key, not a tensor"),
        ("random.normal(shape=(3,))", "needs its argument 'key'"),
        ("random.nomal(key)", "no 'nomal'"),
        ("random.split(key, 10**12)", "max-bytes"),
        ("random.normal(key, (10**12,))", "max-bytes"),
    ],
)
def test_errors(text, words):
    with pytest.raises(GradcliError, match=words):
        value(text)
