"""Losses: how far predictions are from targets, folded to their mean or sum, or element by element."""

from gradcli.ops.losses import binary, classes, densities, margins, pairs, sequences

__all__ = ["binary", "classes", "densities", "margins", "pairs", "sequences"]
