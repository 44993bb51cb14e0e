"""Layers of neural networks where something is missing, masked, equal, huge or wrong; what they cost; how they look."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import numpy as np
import pytest

from gradcli.autodiff import grad, jvp, vjp
from gradcli.graph.budget import budget
from gradcli.graph.errors import GradcliError, LimitReached
from gradcli.graph.state import state
from gradcli.language import Program, Source
from gradcli.ops.convolution.values import convolved
from gradcli.ops.pooling.geometry import Adaptive, Sliding, taps
from gradcli.ops.registry import lookup
from gradcli.ops.resampling.maps import Map, taps_of


@pytest.fixture(autouse=True)
def _quiet():
    with np.errstate(all="ignore"):
        yield


def layer(name: str) -> Any:
    found = lookup("torch.nn.functional", name)
    assert found is not None, name
    return found


def gradient_of_sum(f: Any, x: Any) -> Any:
    y, pullback = vjp(f, x)
    return np.asarray(pullback(np.ones_like(y))[0])


def printed(text: str) -> list[str]:
    """What a program prints."""
    lines: list[str] = []
    program = Program.parse(Source("program", text))
    from gradcli.language import RunOptions

    program.run({}, options=RunOptions(print_to=lines.append))
    return "".join(lines).split("\n")


# --- convolution -----------------------------------------------------------------------------------------------------


def slid(x: Any, w: Any, stride: Any, pads: Any, dilation: Any, spread: Any) -> Any:
    """The convolution's definition, with loops; the value already surrounded."""
    rank = x.ndim - 2
    wide = np.zeros((*x.shape[:2], *(s * (n - 1) + 1 for n, s in zip(x.shape[2:], spread, strict=True))))
    wide[(..., *(slice(None, None, s) for s in spread))] = x
    wide = np.pad(wide, [(0, 0), (0, 0), *pads])
    spans = [d * (k - 1) + 1 for k, d in zip(w.shape[2:], dilation, strict=True)]
    counts = [(n - span) // s + 1 for n, span, s in zip(wide.shape[2:], spans, stride, strict=True)]
    made = np.zeros((x.shape[0], w.shape[0], *counts))
    for place in np.ndindex(*counts):
        steps = zip(place, stride, spans, dilation, strict=True)
        window = wide[(..., *(slice(p * s, p * s + span, d) for p, s, span, d in steps))]
        made[(..., *place)] = np.tensordot(window, w, (range(1, rank + 2), range(1, rank + 2)))
    return made


@pytest.mark.parametrize("seed", range(12))
def test_both_ways_of_convolving_are_the_definition(seed):
    """Few outputs are scattered, many gathered; lengths, gaps and pads are drawn."""
    draw = np.random.default_rng(seed)
    rank = int(draw.integers(1, 3))

    def some(low, high):
        return tuple(int(n) for n in draw.integers(low, high, rank))

    inputs, outputs = ((8, 1), (1, 8))[seed % 2]
    x = draw.normal(size=(2, inputs, *some(3, 7)))
    w = draw.normal(size=(outputs, inputs, *some(1, 4)))
    pads = tuple((int(a), int(b)) for a, b in draw.integers(2, 5, (rank, 2)))
    dilation, spread, stride = some(1, 3), some(1, 3), some(1, 3) if seed % 3 else (1,) * rank
    how = {"stride": stride, "pads": pads, "dilation": dilation, "spread": spread}
    found = convolved(x, w, **how, groups=1, turned=False)
    np.testing.assert_allclose(found, slid(x, w, **how), rtol=1e-12, atol=1e-12)


def test_a_convolution_lays_out_a_part_at_a_time():
    x, w = np.ones((1, 4, 300, 300)), np.ones((2, 4, 5, 5))
    try:
        budget.open(40_000_000)  # all windows side by side would take 70 million bytes
        found = layer("conv2d")(x, w)
    finally:
        budget.limit_bytes = None
    assert found.shape == (1, 2, 296, 296)
    assert (found == 100).all()


def test_what_a_layer_makes_is_foreseen():
    try:
        budget.open(1_000_000)
        with pytest.raises(LimitReached, match="max-bytes"):
            layer("interpolate")(np.ones((1, 1, 10, 10)), size=(1000, 1000))
        with pytest.raises(LimitReached, match="max-bytes"):
            layer("unfold")(np.ones((1, 10, 100, 100)), 10)
    finally:
        budget.limit_bytes = None


@pytest.mark.parametrize(
    ("name", "args", "how", "words"),
    [
        ("conv1d", ((2, 3, 3), (3, 2, 3)), {}, "expected input.* to have 2 channels, but got 3 channels"),
        ("conv1d", ((2, 2, 3), (3, 2, 5)), {}, "a window of 5 elements does not fit into 3"),
        ("conv1d", ((2, 2, 7), (3, 2, 3)), {"padding": "same", "stride": 2}, "not supported for strided"),
        ("conv1d", ((2, 2, 7), (3, 2, 3)), {"padding": "most"}, "padding is 'same', 'valid' or integers"),
        ("conv1d", ((2, 2, 7), (3, 2, 3)), {"stride": 0}, "stride is at least 1"),
        ("conv2d", ((2, 2, 7, 7), (3, 2, 3, 3)), {"stride": (1, 2, 3)}, "stride is one integer, or 2 of them"),
        ("conv2d", ((2, 2, 7), (3, 2, 3)), {}, "takes an input with 3 or 4 axes and a weight with 4"),
        ("conv1d", ((2, 2, 7), (3, 2, 3), (2,)), {}, "a bias has one number for each of 3 outputs"),
        ("conv_transpose1d", ((1, 1, 3), (1, 1, 2)), {"output_padding": 2}, "output padding must be smaller"),
        ("max_pool2d", ((1, 1, 4, 4), 2), {"padding": 2}, "pad should be at most half of effective kernel size"),
        ("max_pool2d", ((1, 1, 4, 4), 5), {}, "a window of .5, 5. does not fit into shape .4, 4."),
        ("avg_pool2d", ((1, 1, 4, 4), 2), {"divisor_override": 0}, "divisor must be not zero"),
        ("avg_pool2d", ((4, 4), 2), {}, "takes an input with 3 or 4 axes"),
        ("adaptive_avg_pool2d", ((1, 1, 4, 4), 0), {}, "output_size is at least 1"),
        ("max_unpool1d", ((1, 1, 2), np.array([[[0, 9]]]), 2), {}, "index 9 is out of range"),
        ("fold", ((1, 8, 21), (5, 6), 2), {}, "an image of .5, 6. has 4 x 5 windows"),
        ("fold", ((1, 7, 20), (5, 6), 2), {}, "7 rows .* are no multiple of the 4 elements"),
        ("unfold", ((1, 1, 3, 3), 4), {}, "a window of 4 x 4 elements does not fit into 3 x 3"),
        ("interpolate", ((1, 1, 3),), {}, "either size or scale_factor should be defined"),
        ("interpolate", ((1, 1, 3), 2), {"mode": "bilinear"}, "mode 'bilinear' takes 4 axes"),
        ("interpolate", ((1, 1, 3), 2), {"align_corners": True}, "align_corners option can only be set with"),
        ("interpolate", ((1, 1, 3),), {"scale_factor": 0.1}, "nothing is left at this scale"),
        ("interpolate", ((1, 1, 3),), {"scale_factor": -1}, "a scale factor is a number above 0"),
        ("pixel_shuffle", ((1, 3, 2, 2), 2), {}, "not divisible by 4"),
        ("channel_shuffle", ((1, 3, 2), 2), {}, "must be divisible by groups"),
        ("grid_sample", ((1, 1, 3, 3), (2, 1, 1, 2)), {}, "does not fit an input"),
        ("grid_sample", ((1, 1, 3, 3), (1, 1, 1, 2), "cubic"), {}, "is not known"),
        ("affine_grid", ((2, 2, 3), (1, 1, 2, 2)), {}, "takes matrices of shape"),
        ("layer_norm", ((2, 3), [4]), {}, "Given normalized_shape=.4., expected input with shape"),
        ("layer_norm", ((2, 3), [3]), {"eps": -1}, "eps is at least 0"),
        ("group_norm", ((2, 6, 1), 4), {}, "to be divisible by num_groups"),
        ("batch_norm", ((1, 6), None, None), {"training": True}, "Expected more than 1 value per channel"),
        ("batch_norm", ((2, 6), None, None), {}, "running_mean and running_var to be defined"),
        ("embedding", (np.array([3]), (3, 2)), {}, "index 3 is out of range for a table of 3 rows"),
        ("embedding", (np.array([0.5]), (3, 2)), {}, "takes integer indices"),
        ("embedding", (np.array([0]), (3, 2)), {"padding_idx": 3}, "padding_idx 3 must be within"),
        ("embedding", (np.array([0]), (3, 2)), {"max_norm": 1.0}, "max_norm, which changes the weight"),
        ("embedding_bag", (np.array([0]), (3, 2)), {}, "takes a matrix of indices, or a vector of them with offsets"),
        ("embedding_bag", (np.array([0]), (3, 2), [1]), {}, "has to be 0"),
        ("scaled_dot_product_attention", ((2, 3), (2, 4), (2, 4)), {}, "cannot join queries, keys and values"),
        ("bilinear", ((2, 3), (2, 3), (4, 3, 2)), {}, "does not fit inputs"),
        ("dropout", ((3,), 1.5), {}, "dropout probability has to be between 0 and 1, but got 1.5"),
        ("dropout2d", ((3,),), {}, "Expected 3D or 4D input"),
    ],
)
def test_wrong_arguments(name, args, how, words):
    with pytest.raises(GradcliError, match=words):
        layer(name)(*_given(name, args), **how)


#: Which arguments of a function are tuples, and no shapes.
PLAIN = {"fold": (1,), "affine_grid": (1,), "interpolate": (), "adaptive_avg_pool2d": (1,)}


def _given(name: str, args: Any) -> list[Any]:
    plain = PLAIN.get(name, ())
    return [np.ones(a) if isinstance(a, tuple) and i not in plain else a for i, a in enumerate(args)]


@pytest.mark.parametrize(
    ("args", "how", "words"),
    [
        (((1, 2, 5), (3, 2, 2), [1], "MOST"), {}, "padding is SAME, SAME_LOWER, VALID or pairs"),
        (((1, 2, 5), (3, 2, 2), [1], [[1, 1], [1, 1]]), {}, "padding is a pair for each of 1 axes"),
        (((1, 2, 5), (3, 2, 2), [1], "SAME", [2]), {}, "with lhs_dilation the padding must be pairs"),
        (((1, 2, 5), (3, 2, 2), [1], "SAME"), {"dimension_numbers": ["NCW", "OIH", "NCW"]}, "one letter for each axis"),
        (((1, 2, 5), (3, 2, 2), [1], "SAME"), {"dimension_numbers": ["NCHW", "OIHW", "NCHW"]}, "three words of 3"),
        (((1, 2, 5), (3, 2, 2), [1], "SAME"), {"batch_group_count": 2}, "batch_group_count is not here"),
        (((2, 5), (3, 2), [1], "SAME"), {}, "at least 3"),
    ],
)
def test_wrong_arguments_of_jaxs_convolution(args, how, words):
    function = lookup("jax.lax", "conv_general_dilated")
    assert function is not None
    with pytest.raises(GradcliError, match=words):
        function(*(np.ones(a) if isinstance(a, tuple) else a for a in args), **how)


# --- pools -----------------------------------------------------------------------------------------------------------


def test_the_first_of_ties_is_chosen_row_by_row():
    x = np.array([[[[1.0, 2.0], [2.0, 2.0]]]])
    _, places = layer("max_pool2d")(x, 2, return_indices=True)
    assert places.tolist() == [[[[1]]]]
    assert gradient_of_sum(lambda z: layer("max_pool2d")(z, 2), x).ravel().tolist() == [0, 1, 0, 0]


def test_elements_of_minus_infinity_are_chosen_before_padding():
    x = np.full((1, 1, 3), -inf)
    values, places = layer("max_pool1d")(x, 2, 2, 1, return_indices=True)
    assert values.tolist() == [[[-inf, -inf]]]
    assert places.tolist() == [[[0, 1]]]


def test_a_nan_is_the_largest_of_its_window():
    assert np.isnan(layer("max_pool1d")(np.array([[[1.0, nan, 5.0, 2.0]]]), 2)[0, 0, 0])


def test_a_window_of_zeros_has_a_norm_of_zero_and_a_flat_derivative():
    x = np.zeros((1, 1, 4))
    assert layer("lp_pool1d")(x, 2.0, 2).tolist() == [[[0, 0]]]
    assert gradient_of_sum(lambda z: layer("lp_pool1d")(z, 2.0, 2), x).tolist() == [[[0, 0, 0, 0]]]


def test_adaptive_windows_share_an_axis():
    assert taps(Adaptive(3), 5).T.tolist() == [[0, 1, -1], [1, 2, 3], [3, 4, -1]]
    assert taps(Sliding(3, 2, 1, 1, 2), 4).T.tolist() == [[-1, 0, 1], [1, 2, 3]]


# --- images ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "count"), [(3, 9), (7, 5), (10, 3), (49, 7)])
def test_nearest_elements_are_those_of_whole_numbers(n, count):
    """In floats 49/7*i may fall below a whole number."""
    found = taps_of(Map("nearest", n, count, False, count), n).places[0]
    assert found.tolist() == [i * n // count for i in range(count)]


def test_weights_of_neighbours_sum_to_one():
    for kind in ("linear", "cubic"):
        map_ = taps_of(Map(kind, 7, 11, False, 11), 7)
        assert (map_.numerators.sum(axis=0) == map_.denominator).all()


def test_the_gradient_of_nearest_elements_counts_how_often_each_is_read():
    """PyTorch's counts differently from its own value in three dimensions with a fractional factor."""
    x = np.zeros((1, 1, 2, 6, 7))
    f = lambda z: layer("interpolate")(z, scale_factor=2.3)  # noqa: E731
    read = [f(np.eye(84)[i].reshape(x.shape)).sum() for i in (0, 40, 83)]
    assert [gradient_of_sum(f, x).ravel()[i] for i in (0, 40, 83)] == read
    assert read[0] == 27


def test_places_that_are_no_numbers_read_nothing():
    x, grid = np.ones((1, 1, 2, 2)), np.array([[[[nan, 0.0], [inf, 0.0], [1e300, -1e300]]]])
    assert layer("grid_sample")(x, grid).tolist() == [[[[0, 0, 0]]]]
    assert np.isfinite(gradient_of_sum(lambda z: layer("grid_sample")(z, grid), x)).all()


# --- normalisation ---------------------------------------------------------------------------------------------------


def test_numbers_of_any_size_are_normalised():
    for size in (1.0, 1e200, 1e-200):
        found = layer("layer_norm")(size * np.array([1.0, 2.0, 4.0]), [3], eps=0.0)
        np.testing.assert_allclose(found, np.array([-4, -1, 5]) / 14**0.5, rtol=1e-15)
    found = layer("rms_norm")(np.array([3e200, 4e200]), [2])
    np.testing.assert_allclose(found, np.array([0.6, 0.8]) * 2**0.5, rtol=1e-15)


def test_equal_numbers_are_normalised_to_zero():
    x = np.full((1, 3), 2.0)
    assert layer("layer_norm")(x, [3]).tolist() == [[0, 0, 0]]
    found = gradient_of_sum(lambda z: layer("layer_norm")(z, [3]) * np.array([1.0, 0, 0]), x)
    np.testing.assert_allclose(found, np.array([[2, -1, -1]]) / 3 / 1e-5**0.5, rtol=1e-15)


def test_two_numbers_hardly_move_what_they_are_normalised_to():
    """What is left of the derivative is eps/(variance + eps) of its terms, to the last digits."""
    x, eps = np.array([[1.0, 3.0]]), 1e-5
    found = gradient_of_sum(lambda z: layer("layer_norm")(z, [2], eps=eps) * np.array([1.0, 0.0]), x)
    exact = eps / (1 + eps) ** 1.5 / 2
    np.testing.assert_allclose(found, [[exact, -exact]], rtol=1e-15)


def test_directions_of_vectors_nearly_along_an_axis():
    x, v = np.array([[1.0, 1e-9]]), np.array([[0.8, 0.6]])
    exact = 1e-9 * (1e-9 * 0.8 - 0.6) / (1 + 1e-18) ** 1.5  # across x, in its first element
    found = gradient_of_sum(lambda z: layer("cosine_similarity")(z, v), x)
    np.testing.assert_allclose(found[0, 0], exact, rtol=1e-14)


def test_running_statistics_move_while_training_and_are_used_after():
    text = """
import torch
import torch.nn.functional as F
x = torch.arange(12.).reshape(2, 3, 2)
mean, var = torch.zeros(3), torch.ones(3)
F.batch_norm(x, mean, var, training=True, momentum=0.5)
print(mean.tolist(), var.tolist())
print(F.batch_norm(x, running_mean=mean, running_var=var, eps=0.0)[0, 0, 0].item())
"""
    found = printed(text)
    assert found[0].startswith("[1.75, 2.75, 3.75] [6.666666")
    assert float(found[1]) == pytest.approx(-1.75 / (20 / 3) ** 0.5, rel=1e-6)


# --- tables and attention --------------------------------------------------------------------------------------------


def test_the_padding_row_has_its_value_and_no_derivative():
    w, index = np.arange(6.0).reshape(3, 2), np.array([1, 2, 1])
    f = lambda z: layer("embedding")(index, z, padding_idx=-2)  # noqa: E731
    assert f(w).tolist() == [[2, 3], [4, 5], [2, 3]]
    assert gradient_of_sum(f, w).tolist() == [[0, 0], [0, 0], [1, 1]]
    assert jvp(f, (w,), (np.ones((3, 2)),))[1].tolist() == [[0, 0], [1, 1], [0, 0]]


def test_a_batch_of_tables_read_at_a_batch_of_indices():
    from gradcli.autodiff.batch import Batched, BatchLevel
    from gradcli.autodiff.levels import opened
    from gradcli.graph.bind import bind
    from gradcli.ops.embeddings import ROWS, ROWS_BACK

    w, index = np.arange(12.0).reshape(2, 3, 2), np.array([[0, 2], [1, 1]])
    with opened(BatchLevel) as level:
        level.size = 2
        both = bind(ROWS, Batched(level, w), Batched(level, index), padding=1)
        back = bind(ROWS_BACK, Batched(level, np.ones((2, 2, 2))), Batched(level, index), count=3)
    assert both.value.tolist() == [w[b][index[b]].tolist() for b in range(2)]
    assert back.value.tolist() == [[[1, 1], [0, 0], [1, 1]], [[0, 0], [2, 2], [0, 0]]]


def test_the_padding_row_of_a_batch_of_tables_has_no_derivative():
    from gradcli.autodiff.vmap import vmap

    w, index = np.ones((2, 3, 2)), np.array([[0, 2], [1, 1]])

    def f(tables):
        rows = vmap(lambda t, i: layer("embedding")(i, t, padding_idx=1))(tables, index)
        return rows

    assert gradient_of_sum(f, w)[..., 0].tolist() == [[1, 0, 1], [0, 0, 0]]


def test_an_empty_bag_is_zero():
    w = np.ones((3, 2))
    for mode in ("sum", "mean", "max"):
        found = layer("embedding_bag")(np.array([0, 1]), w, [0, 0, 2], mode=mode)
        assert found[0].tolist() == found[2].tolist() == [0, 0]


def test_attention_to_nothing_is_zero_and_leaves_no_nan():
    q = np.random.default_rng(0).normal(size=(2, 3))
    mask = np.array([[True, False], [False, False]])
    f = lambda z: layer("scaled_dot_product_attention")(z, z, z, mask)  # noqa: E731
    assert f(q)[1].tolist() == [0, 0, 0]
    assert np.isfinite(gradient_of_sum(f, q)).all()


def test_attention_to_scores_of_any_size():
    k, v = np.array([[1e4], [-1e4]]), np.array([[1.0], [2.0]])
    f = lambda z: layer("scaled_dot_product_attention")(z, k, v)  # noqa: E731
    assert f(np.array([[1e4], [-1e4]])).tolist() == [[1], [2]]
    assert gradient_of_sum(f, np.array([[1e4], [0.0]])).tolist() == [[0], [-5e3]]


def test_draws_come_from_the_seed():
    for name in ("dropout", "alpha_dropout", "gumbel_softmax"):
        found = []
        for _ in range(2):
            state.generator = np.random.default_rng(3)
            found.append(layer(name)(np.ones((2, 8)), **({"training": True} if "dropout" in name else {})).tolist())
        assert found[0] == found[1]


def test_whole_channels_are_dropped():
    state.generator = np.random.default_rng(1)
    found = layer("dropout2d")(np.ones((4, 5, 2, 2)), 0.5)
    assert set(np.unique(found)) == {0, 2}
    assert (found == found[:, :, :1, :1]).all()


def test_a_hard_choice_is_one_hot_and_has_the_soft_ones_derivative():
    x = np.array([0.1, 0.7, 0.2])

    def drawn(hard):
        def f(z):
            state.generator = np.random.default_rng(5)
            return layer("gumbel_softmax")(z, hard=hard)

        return f

    assert sorted(drawn(True)(x).tolist()) == [0, 0, 1]
    weights = np.array([1.0, 2.0, 3.0])
    soft, hard = (grad(lambda z, f=f: lookup("numpy", "sum")(f(z) * weights))(x) for f in (drawn(False), drawn(True)))
    assert soft.tolist() == hard.tolist()


# --- how they look ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("F.conv2d(R(1, 2, 4, 4), R(3, 2, 2, 2))", "ConvolutionBackward0"),
        ("F.max_pool1d(R(1, 2, 4), 2)", "SqueezeBackward1"),
        ("F.adaptive_avg_pool2d(R(1, 2, 4, 4), 1)", "MeanBackward1"),
        ("F.interpolate(R(1, 2, 4, 4), scale_factor=2, mode='bilinear')", "UpsampleBilinear2DBackward0"),
        ("F.grid_sample(R(1, 2, 4, 4), R(1, 2, 2, 2))", "GridSampler2DBackward0"),
        ("F.layer_norm(R(2, 3), [3])", "NativeLayerNormBackward0"),
        ("F.batch_norm(R(2, 3), torch.zeros(3), torch.ones(3))", "NativeBatchNormBackward0"),
        ("F.embedding(torch.tensor([0]), R(2, 3), padding_idx=0)", "EmbeddingBackward0"),
        (
            "F.scaled_dot_product_attention(*[R(1, 2, 3, 4) for i in range(3)])",
            "ScaledDotProductFlashAttentionForCpuBackward0",
        ),
        ("F.multi_margin_loss(R(2, 3), torch.tensor([0, 1]))", "MultiMarginLossBackward0"),
        ("torch.fft.ifft(R(4))", "ConjBackward0"),
        ("torch.fft.irfft(R(4))", "FftC2RBackward0"),
    ],
)
def test_nodes_have_pytorchs_names(text, node):
    program = f"""
import torch
import torch.nn.functional as F
def R(*sizes):
    return torch.randn(sizes, requires_grad=True)
print({text}.grad_fn.name())
"""
    assert printed(program)[0] == node
