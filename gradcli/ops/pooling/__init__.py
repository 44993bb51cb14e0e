"""Pools: what windows that slide over the last axes hold, by its mean, its largest element or its norm."""

from gradcli.ops.pooling import averages, largest, unpooling

__all__ = ["averages", "largest", "unpooling"]
