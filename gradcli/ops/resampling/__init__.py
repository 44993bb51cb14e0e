"""Images in other sizes, and read at other places."""

from gradcli.ops.resampling import interpolation, sampling, shuffles

__all__ = ["interpolation", "sampling", "shuffles"]
