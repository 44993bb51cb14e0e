"""Normalisation of values, by their mean and their standard deviation and in other ways."""

from gradcli.ops.normalisation import channels, last_axes

__all__ = ["channels", "last_axes"]
