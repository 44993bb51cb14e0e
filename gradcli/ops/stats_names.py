"""The distributions of scipy.stats and jax.scipy.stats that the table has; each is a module to a program."""

from __future__ import annotations

DISTRIBUTIONS = tuple(
    ["bernoulli", "beta", "binom", "cauchy", "chi2", "dirichlet", "expon", "gamma", "geom", "gumbel_r", "halfcauchy", "halfnorm", "invgamma", "laplace", "logistic", "lognorm", "multinomial", "multivariate_normal", "nbinom", "norm", "pareto", "poisson", "t", "truncnorm", "uniform", "vonmises", "weibull_min", "wishart"]
)
