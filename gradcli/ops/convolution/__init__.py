"""Convolutions, of signals and in neural networks, and the patches that they are made of."""

from gradcli.ops.convolution import lax, layers, patches, signals

__all__ = ["lax", "layers", "patches", "signals"]
