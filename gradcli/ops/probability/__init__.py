"""Logarithms of densities, as scipy.stats has them, and random numbers through which derivatives pass."""

from gradcli.ops.probability import continuous, counts, densities, discrete, multivariate, outcomes, sampling

__all__ = ["continuous", "counts", "densities", "discrete", "multivariate", "outcomes", "sampling"]
