"""The distributions of scipy.stats and jax.scipy.stats that the table has; each is a module to a program."""

from __future__ import annotations

_CONTINUOUS = """
    beta cauchy chi2 dirichlet expon gamma gumbel_r halfcauchy halfnorm invgamma laplace logistic lognorm
    multivariate_normal norm pareto t truncnorm uniform vonmises weibull_min wishart
"""
_DISCRETE = "bernoulli binom geom multinomial nbinom poisson"
DISTRIBUTIONS = (*_CONTINUOUS.split(), *_DISCRETE.split())
