"""Pools: what windows that slide over the last axes hold, by its mean, its largest element or its norm."""

from gradcli.ops.pooling import adaptive, averages, largest, norms, unpooling

__all__ = ["adaptive", "averages", "largest", "norms", "unpooling"]
