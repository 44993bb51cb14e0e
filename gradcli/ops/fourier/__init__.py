"""Discrete Fourier transforms and their like."""

from gradcli.ops.fourier import frequencies, many_axes, one_axis, waves

__all__ = ["frequencies", "many_axes", "one_axis", "waves"]
