"""Calls of torch.nn.functional whose answers by PyTorch itself are kept in `layer_answers.json`.

Only NumPy is needed here, so that PyTorch's own interpreter can read the same calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

Array = Any


class LayerCall(NamedTuple):
    """A call of a function by its name, and how many of its float arrays PyTorch differentiates by (None: all)."""

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    by: int | None = None


def arrays(tree: Any) -> Iterator[Array]:
    """The float arrays of a call, in order."""
    if isinstance(tree, list | tuple):
        for part in tree:
            yield from arrays(part)
    elif isinstance(tree, dict):
        for part in tree.values():
            yield from arrays(part)
    elif isinstance(tree, np.ndarray) and tree.dtype.kind == "f":
        yield tree


def projected(x: Array, seed: int) -> list[float]:
    """Three random weighted sums of an array, by which two arrays can be told apart."""
    generator = np.random.default_rng(seed)
    return [float(np.sum(generator.normal(size=np.shape(x)) * x)) for _ in range(3)]


def weights(shape: tuple[int, ...], seed: int) -> Array:
    """The cotangent of a result."""
    return np.random.default_rng(1000 + seed).normal(size=shape)


class _Draw:
    """Random numbers of a section of calls."""

    def __init__(self, seed: int) -> None:
        self.generator = np.random.default_rng(seed)

    def normal(self, *shape: int) -> Array:
        return np.asarray(self.generator.normal(size=shape))

    def between(self, low: float, high: float, *shape: int) -> Array:
        return np.asarray(self.generator.uniform(low, high, size=shape))

    def integer(self, low: int, high: int) -> int:
        return int(self.generator.integers(low, high))

    def integers(self, low: int, high: int, count: int) -> tuple[int, ...]:
        return tuple(self.integer(low, high) for _ in range(count))

    def chance(self) -> bool:
        return bool(self.generator.random() < 0.5)

    def choice(self, words: list[Any]) -> Any:
        return words[self.integer(0, len(words))]


def _convolutions() -> Iterator[LayerCall]:
    draw = _Draw(1)
    for _ in range(24):
        rank, groups = draw.integer(1, 4), draw.integer(1, 3)
        inputs, outputs = groups * draw.integer(1, 3), groups * draw.integer(1, 3)
        kernel, lead = draw.integers(1, 4, rank), (2,) if draw.chance() else ()
        bias = draw.normal(outputs) if draw.chance() else None
        how = {
            "stride": draw.integers(1, 4, rank),
            "padding": draw.integers(0, 3, rank),
            "dilation": draw.integers(1, 3, rank),
            "groups": groups,
        }
        x = draw.normal(*lead, inputs, *draw.integers(6, 8, rank))
        yield LayerCall(f"conv{rank}d", (x, draw.normal(outputs, inputs // groups, *kernel), bias), how)
        x = draw.normal(*lead, inputs, *draw.integers(4, 6, rank))
        more = tuple(draw.integer(0, max(pair)) for pair in zip(how["stride"], how["dilation"], strict=True))
        how = {**how, "padding": 0, "output_padding": more}
        w = draw.normal(inputs, outputs // groups, *kernel)
        yield LayerCall(f"conv_transpose{rank}d", (x, w, bias), how)
    for kernel in (1, 2, 3, 4):
        x, w = draw.normal(1, 2, 7), draw.normal(2, 2, kernel)
        yield LayerCall("conv1d", (x, w), {"padding": "same", "dilation": 2})
    for stride in (1, 2):
        yield LayerCall("unfold", (draw.normal(2, 2, 5, 6), (2, 3)), {"padding": 1, "stride": stride, "dilation": 2})
    yield LayerCall("fold", (draw.normal(1, 8, 20), (5, 6), 2), {})


def _pools() -> Iterator[LayerCall]:
    draw = _Draw(2)
    for _ in range(18):
        rank = draw.integer(1, 4)
        shape = (*((2, 2) if draw.chance() else (2,)), *draw.integers(6, 9, rank))
        kernel, stride = draw.integers(2, 4, rank), draw.integers(1, 4, rank)
        padding, ceil = tuple(draw.integer(0, k // 2 + 1) for k in kernel), draw.chance()
        how = {"return_indices": draw.chance()}
        x = draw.normal(*shape)
        yield LayerCall(f"max_pool{rank}d", (x, kernel, stride, padding, draw.integers(1, 3, rank), ceil), how)
        tied = np.round(draw.normal(*shape))
        yield LayerCall(f"max_pool{rank}d", (tied, kernel, stride, padding, 1, ceil), {"return_indices": True})
        rest = {"divisor_override": draw.integer(1, 5)} if rank > 1 and draw.chance() else {}
        x = draw.normal(*shape)
        yield LayerCall(f"avg_pool{rank}d", (x, kernel, stride, padding, ceil, draw.chance()), rest)
        wanted = draw.integers(1, 10, rank)
        yield LayerCall(f"adaptive_avg_pool{rank}d", (draw.normal(*shape), wanted), {})
        tied = np.round(draw.normal(*shape))
        yield LayerCall(f"adaptive_max_pool{rank}d", (tied, wanted), {"return_indices": True})
        x, p = draw.between(0.1, 2.0, *shape), draw.choice([1.0, 2.0, 3.0, 0.5])
        size = kernel if rank > 1 else kernel[0]
        yield LayerCall(f"lp_pool{rank}d", (x, p, size, stride if rank > 1 else stride[0], ceil), {})


def _images() -> Iterator[LayerCall]:
    draw = _Draw(3)
    modes = {
        1: ["nearest", "linear", "area", "nearest-exact"],
        2: ["nearest", "bilinear", "bicubic", "area", "nearest-exact"],
        3: ["trilinear", "area"],
    }
    for _ in range(30):
        rank = draw.integer(1, 4)
        mode, lengths = draw.choice(modes[rank]), draw.integers(2, 8, rank)
        how: dict[str, Any] = {"mode": mode}
        if draw.chance():
            how["size"] = draw.integers(1, 12, rank)
        else:
            how["scale_factor"] = tuple(draw.choice([0.5, 1.0, 2.0, 1.5, 2.3]) for _ in range(rank))
            how["recompute_scale_factor"] = draw.chance()
        if mode in ("linear", "bilinear", "bicubic", "trilinear"):
            how["align_corners"] = draw.chance()
        yield LayerCall("interpolate", (draw.normal(1, 2, *lengths),), how)
    for _ in range(16):
        rank = draw.integer(2, 4)
        mode = draw.choice(["bilinear", "nearest", "bicubic"] if rank == 2 else ["bilinear", "nearest"])
        lengths, wanted = draw.integers(1, 6, rank), draw.integers(1, 4, rank)
        padding, corners = draw.choice(["zeros", "border", "reflection"]), draw.chance()
        grid = draw.normal(1, *wanted, rank)
        yield LayerCall("grid_sample", (draw.normal(1, 2, *lengths), grid, mode, padding, corners), {})
        yield LayerCall("affine_grid", (draw.normal(2, rank, rank + 1), (2, 3, *wanted), corners), {})
    yield LayerCall("pixel_shuffle", (draw.normal(1, 8, 2, 3), 2), {})
    yield LayerCall("pixel_unshuffle", (draw.normal(1, 2, 4, 6), 2), {})
    yield LayerCall("channel_shuffle", (draw.normal(1, 6, 2, 2), 3), {})


def _layers() -> Iterator[LayerCall]:
    draw = _Draw(4)
    for w, b in ((None, None), (draw.normal(6), None), (draw.normal(6), draw.normal(6))):
        yield LayerCall("layer_norm", (draw.normal(2, 3, 6), [6], w, b), {})
        yield LayerCall("group_norm", (draw.normal(2, 6, 3, 2), 3, w, b), {"eps": 0.1})
        yield LayerCall("instance_norm", (draw.normal(2, 6, 3, 2), None, None, w, b), {})
        yield LayerCall("batch_norm", (draw.normal(2, 6, 3, 2), None, None, w, b, True), {})
        yield LayerCall("batch_norm", (draw.normal(4, 6), None, None, w, b, True), {})
    yield LayerCall("rms_norm", (draw.normal(2, 3, 5), [5], draw.normal(5)), {})
    yield LayerCall("local_response_norm", (draw.normal(2, 6, 3, 2), 4, 0.5, 1.5, 2.0), {})
    yield LayerCall("normalize", (draw.normal(2, 3),), {"p": 3.0, "dim": 0})
    yield LayerCall("normalize", (np.zeros((2, 3)),), {})
    yield LayerCall("cosine_similarity", (draw.normal(4, 1, 3), draw.normal(2, 3)), {"dim": -1})
    yield LayerCall("pairwise_distance", (draw.normal(2, 3), draw.normal(3)), {"p": 1.0, "keepdim": True})
    yield LayerCall("embedding", (np.array([[1, 2], [0, 1]]), draw.normal(3, 4)), {"padding_idx": 1})
    for mode in ("sum", "mean", "max"):
        ends = {"include_last_offset": True, "padding_idx": 1}
        index, table = np.array([1, 2, 0, 1]), draw.normal(3, 4)
        yield LayerCall("embedding_bag", (np.array([[1, 2], [0, 1]]), table), {"mode": mode})
        yield LayerCall("embedding_bag", (index, table, np.array([0, 2, 2])), {"mode": mode})
        yield LayerCall("embedding_bag", (index, table, np.array([0, 3, 4])), {"mode": mode, **ends})
    q, k, v = draw.normal(2, 4, 3, 4), draw.normal(2, 2, 5, 4), draw.normal(2, 2, 5, 6)
    yield LayerCall("scaled_dot_product_attention", (q, k, v), {"enable_gqa": True})
    q, k, v = draw.normal(3, 4), draw.normal(5, 4), draw.normal(5, 6)
    for mask in (draw.normal(3, 5) > 0, np.zeros((3, 5), bool), draw.normal(3, 5)):
        yield LayerCall("scaled_dot_product_attention", (q, k, v), {"attn_mask": mask, "scale": 0.3})
    yield LayerCall("scaled_dot_product_attention", (q, k, v), {"is_causal": True})
    yield LayerCall("bilinear", (draw.normal(2, 3), draw.normal(2, 4), draw.normal(5, 3, 4), draw.normal(5)), {})
    yield LayerCall("conv_tbc", (draw.normal(5, 2, 3), draw.normal(2, 3, 4), draw.normal(4), 1), {})


def _losses() -> Iterator[LayerCall]:
    draw = _Draw(5)
    normal, between = draw.normal, draw.between
    for reduction in ("none", "mean", "sum"):
        how = {"reduction": reduction}
        for shape in ((4,), (2, 3)):
            x, y, p, q = normal(*shape), normal(*shape), between(0.05, 0.95, *shape), between(0.05, 0.95, *shape)
            signs = np.sign(normal(*shape))
            yield LayerCall("mse_loss", (x, y), how)
            yield LayerCall("l1_loss", (x, y), how)
            yield LayerCall("huber_loss", (x, y), {**how, "delta": 0.5})
            yield LayerCall("smooth_l1_loss", (x, y), {**how, "beta": 0.7})
            yield LayerCall("binary_cross_entropy", (p, q), how)
            yield LayerCall("binary_cross_entropy_with_logits", (x, p), how)
            yield LayerCall("soft_margin_loss", (x, signs), how, 1)
            yield LayerCall("kl_div", (x, p), how)
            yield LayerCall("kl_div", (x, y), {**how, "log_target": True})
            yield LayerCall("hinge_embedding_loss", (x, signs), how)
            yield LayerCall("margin_ranking_loss", (x, y, signs), {**how, "margin": 0.3})
            yield LayerCall("poisson_nll_loss", (x, 4 * p), {**how, "full": True})
            yield LayerCall("poisson_nll_loss", (p, 4 * q), {**how, "log_input": False, "eps": 0.1})
            yield LayerCall("gaussian_nll_loss", (x, y, p), {**how, "full": True})
            yield LayerCall("gaussian_nll_loss", (x, y, p * 1e-7), how)
        x, y, w = normal(2, 3), normal(2, 3), between(0.5, 2.0, 2, 3)
        for name in ("mse_loss", "l1_loss", "huber_loss"):
            yield LayerCall(name, (x, y), {**how, "weight": w})
        p, per_class = between(0.05, 0.95, 2, 3), between(0.5, 2.0, 3)
        yield LayerCall("binary_cross_entropy", (p, between(0.05, 0.95, 2, 3), per_class), how, 1)
        yield LayerCall("binary_cross_entropy_with_logits", (x, p, w), {**how, "pos_weight": per_class}, 1)
        yield LayerCall("multilabel_soft_margin_loss", (x, p, per_class), how)
        rows = np.array([0, 2, 1, 1])
        x = normal(4, 3)
        yield LayerCall("cross_entropy", (x, rows, per_class), {**how, "ignore_index": 1}, 1)
        yield LayerCall("cross_entropy", (x, rows, per_class), {**how, "label_smoothing": 0.2}, 1)
        yield LayerCall("cross_entropy", (x, between(0.0, 1.0, 4, 3), per_class), {**how, "label_smoothing": 0.2})
        yield LayerCall("cross_entropy", (normal(3), np.array(1)), how)
        planes = np.array([[0, 1, 2, 1], [2, 0, 1, 1]])
        yield LayerCall("cross_entropy", (normal(2, 3, 4), planes), how)
        yield LayerCall("nll_loss", (normal(2, 3, 4), planes, per_class), how, 1)
        yield LayerCall("nll_loss", (x, np.array([-100] * 4)), how)
        yield LayerCall("cosine_embedding_loss", (x, normal(4, 3), np.array([1, -1, 1, -1])), {**how, "margin": 0.1})
        yield LayerCall("multi_margin_loss", (x, rows), {**how, "p": 2, "margin": 0.7})
        yield LayerCall("multi_margin_loss", (x, rows, 1, 1.0, per_class), how, 1)
        marks = np.array([[0, 2, -1], [-1, 0, 1], [2, 1, 0], [1, -1, 0]])
        yield LayerCall("multilabel_margin_loss", (x, marks), how)
        far = {**how, "p": 1.0, "swap": True, "margin": 2.0}
        yield LayerCall("triplet_margin_loss", (x, normal(4, 3), normal(4, 3)), far)
        frames = normal(6, 3, 4)
        frames = frames - np.log(np.sum(np.exp(frames), -1, keepdims=True))
        labels = np.array([[1, 2, 2], [3, 3, 1], [1, 1, 1]])
        yield LayerCall("ctc_loss", (frames, labels, (6, 5, 6), (3, 2, 0)), how, 0)
    yield LayerCall("kl_div", (normal(4, 3), between(0.1, 0.9, 4, 3)), {"reduction": "batchmean"})
    yield LayerCall("mse_loss", (normal(3), normal(3)), {"size_average": False})


def layer_calls() -> list[LayerCall]:
    """All of them, in order."""
    return [*_convolutions(), *_pools(), *_images(), *_layers(), *_losses()]
