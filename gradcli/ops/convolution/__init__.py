"""Convolutions, of signals and in neural networks, and the patches that they are made of."""

from gradcli.ops.convolution import layers, patches, signals

__all__ = ["layers", "patches", "signals"]
