"""`jax.random`: random numbers of keys. The same key gives the same numbers, wherever and however often it is asked.

The functions, their arguments and their distributions are JAX's; the numbers are NumPy's (PCG64, seeded by the key),
not those that JAX draws. A key is two integers in a tensor, so it goes through loops, `scan` and `vmap` as any other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.graph.errors import ArgumentError
from gradcli.graph.values import OPERATORS, shape_of
from gradcli.language.arguments import matched
from gradcli.language.generators import Generator, drawn_by
from gradcli.language.operations import apply, as_index
from gradcli.language.values import Arguments, Keywords, LanguageValue, array, describe
from gradcli.ops import registry
from gradcli.tensor import Tensor

if TYPE_CHECKING:
    from gradcli.language.machine import Machine

Call = Callable[["Machine", Arguments, Keywords], LanguageValue]

#: What is made of a key: numbers, other keys, the key of a number. None of them tells of another.
_DRAWN, _SPLIT, _FOLDED = 1, 2, 3
_WORD = 2**32


def _words(name: str, key: LanguageValue) -> tuple[int, int]:
    """The integers of a key.

    Raises:
        ArgumentError: it is none.
    """
    x = array(key, name) if isinstance(key, Tensor) else None
    if x is None or shape_of(x) != (2,) or x.dtype.kind not in "iu":
        raise ArgumentError(
            f"{name}() takes a key, not {describe(key)}", mend="jax.random.PRNGKey(0) is one, split(key) gives more"
        )
    return as_index(Tensor(OPERATORS["[]"](x, 0))) % _WORD, as_index(Tensor(OPERATORS["[]"](x, 1))) % _WORD


def _fresh(key: Sequence[int], use: int, *more: int) -> np.random.SeedSequence:
    return np.random.SeedSequence([use, *key, *more])


def _key_of_seed(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """`PRNGKey(seed)`: as in JAX, the two halves of the seed's 64 bits."""
    seed = as_index(matched("PRNGKey", args, kwargs, ("seed", "impl"), 1)["seed"], "PRNGKey: the seed")
    return Tensor(np.array([seed // _WORD % _WORD, seed % _WORD], dtype=np.int64))


def _same(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    return matched("key_data", args, kwargs, ("keys", "impl"), 1)["keys"]


def _split(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """`split(key, num=2)`: a tensor of keys, one a row."""
    found = matched("split", args, kwargs, ("key", "num"), 1)
    shape = _sizes(found.get("num", 2), "num")
    count = int(np.prod(shape, dtype=object))
    drawn_by(Generator(np.random.default_rng(0)), registry.known("numpy.random", "random"), [(count, 2)], {})
    words = _fresh(_words("split", found["key"]), _SPLIT).generate_state(2 * count)
    return Tensor(words.astype(np.int64).reshape((*shape, 2)))


def _fold_in(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """`fold_in(key, data)`: the key of a key and a number."""
    found = matched("fold_in", args, kwargs, ("key", "data"), 2)
    data = as_index(found["data"], "data") % _WORD
    words = _fresh(_words("fold_in", found["key"]), _FOLDED, data).generate_state(2)
    return Tensor(words.astype(np.int64))


def _sizes(x: LanguageValue, what: str) -> tuple[int, ...]:
    return tuple([as_index(part, what) for part in x]) if isinstance(x, list | tuple) else (as_index(x, what),)


def _draw(name: str, key: LanguageValue, function: str, args: Arguments, shape: LanguageValue) -> LanguageValue:
    """Numbers of a function of `numpy.random`, which the key alone decides."""
    stream = Generator(np.random.default_rng(_fresh(_words(name, key), _DRAWN)))
    size = None if shape is None else _sizes(shape, "shape")
    return drawn_by(stream, registry.known("numpy.random", function), args, {"size": size})


def _plain(name: str, function: str, parameters: tuple[str, ...] = (), shape: Any = ()) -> Call:
    """`name(key, *parameters, shape=(), dtype)`: numbers of one of NumPy's distributions."""
    needed = 1 + len(parameters)

    def call(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
        found = matched(name, args, kwargs, ("key", *parameters, "shape", "dtype"), needed)
        given = [found[parameter] for parameter in parameters]
        drawn = _draw(name, found["key"], function, given, found.get("shape", shape))
        return _of_dtype(drawn, found.get("dtype"))

    return call


def _of_dtype(x: LanguageValue, dtype: LanguageValue) -> LanguageValue:
    return x if dtype is None else apply(registry.known("numpy", "asarray"), [x], {"dtype": dtype})


def _operator(symbol: str, a: LanguageValue, b: LanguageValue) -> LanguageValue:
    return Tensor(OPERATORS[symbol](array(a, symbol), array(b, symbol)))


def _uniform(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """`uniform(key, shape=(), dtype, minval=0, maxval=1)`; its derivative by the bounds passes through."""
    found = matched("uniform", args, kwargs, ("key", "shape", "dtype", "minval", "maxval"), 1)
    unit = _of_dtype(_draw("uniform", found["key"], "random", [], found.get("shape", ())), found.get("dtype"))
    low, high = found.get("minval"), found.get("maxval")
    if low is None and high is None:
        return unit
    low, high = 0.0 if low is None else low, 1.0 if high is None else high
    return _operator("+", _operator("*", unit, _operator("-", high, low)), low)


def _bernoulli(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """`bernoulli(key, p=0.5, shape=None)`: booleans."""
    found = matched("bernoulli", args, kwargs, ("key", "p", "shape"), 1)
    p, shape = found.get("p", 0.5), found.get("shape")
    return _operator("<", _draw("bernoulli", found["key"], "random", [], _or_shape_of(shape, p)), p)


def _or_shape_of(shape: LanguageValue, x: LanguageValue) -> LanguageValue:
    return shape_of(array(x, "shape")) if shape is None else shape


def _randint(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """`randint(key, shape, minval, maxval)`: integers below maxval."""
    found = matched("randint", args, kwargs, ("key", "shape", "minval", "maxval", "dtype"), 4)
    return _draw("randint", found["key"], "randint", [found["minval"], found["maxval"]], found["shape"])


def _rademacher(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """`rademacher(key, shape=(), dtype)`: 1 or -1."""
    found = matched("rademacher", args, kwargs, ("key", "shape", "dtype"), 1)
    bits = _draw("rademacher", found["key"], "randint", [0, 2], found.get("shape", ()))
    return _of_dtype(_operator("-", _operator("*", bits, 2), 1), found.get("dtype"))


def _categorical(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """`categorical(key, logits, axis=-1, shape=None)`: numbers of classes, by the largest of noisy logits (Gumbel)."""
    found = matched("categorical", args, kwargs, ("key", "logits", "axis", "shape"), 2)
    logits, axis = array(found["logits"], "categorical"), as_index(found.get("axis", -1), "axis")
    rank, full = len(shape_of(logits)), list(shape_of(logits))
    if not -rank <= axis < rank:
        raise ArgumentError(f"categorical: there is no axis {axis} of logits of {rank}")
    axis = axis % rank - rank
    if found.get("shape") is not None:
        batch = list(_sizes(found["shape"], "shape"))
        batch.insert(len(batch) + axis + 1, full[axis])
        full = batch
    noise = _draw("categorical", found["key"], "gumbel", [], tuple(full))
    return apply(registry.known("numpy", "argmax"), [_operator("+", noise, Tensor(logits))], {"axis": axis})


def _choice(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """`choice(key, a, shape=(), replace=True, p=None)`: some of a, or of the integers below it."""
    found = matched("choice", args, kwargs, ("key", "a", "shape", "replace", "p"), 2)
    stream = Generator(np.random.default_rng(_fresh(_words("choice", found["key"]), _DRAWN)))
    size = _sizes(found.get("shape", ()), "shape")
    given = {"size": size, "replace": found.get("replace", True), "p": found.get("p")}
    function = registry.known("numpy.random", "choice")
    return _rows_of(found["a"], "choice", lambda count: drawn_by(stream, function, [count], given))


def _rows_of(x: LanguageValue, name: str, places: Callable[[LanguageValue], LanguageValue]) -> LanguageValue:
    """The rows of `x` at some of their numbers, or these numbers where `x` is how many there are."""
    held = array(x, name)
    if not shape_of(held):
        return places(as_index(x, name))
    return Tensor(OPERATORS["[]"](held, array(places(shape_of(held)[0]), name)))


def _permutation(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """`permutation(key, x)`: x, or the integers below it, in another order."""
    found = matched("permutation", args, kwargs, ("key", "x"), 2)
    stream = Generator(np.random.default_rng(_fresh(_words("permutation", found["key"]), _DRAWN)))
    function = registry.known("numpy.random", "permutation")
    return _rows_of(found["x"], "permutation", lambda count: drawn_by(stream, function, [count], {}))


CALLS: dict[str, Call] = {
    "PRNGKey": _key_of_seed,
    "key": _key_of_seed,
    "key_data": _same,
    "wrap_key_data": _same,
    "split": _split,
    "fold_in": _fold_in,
    "uniform": _uniform,
    "bernoulli": _bernoulli,
    "randint": _randint,
    "rademacher": _rademacher,
    "categorical": _categorical,
    "choice": _choice,
    "permutation": _permutation,
    **{name: _plain(name, f"standard_{name}") for name in ("normal", "exponential")},
    **{name: _plain(name, name) for name in ("laplace", "logistic", "gumbel")},
    "gamma": _plain("gamma", "standard_gamma", ("a",), None),
    "beta": _plain("beta", "beta", ("a", "b"), None),
    "dirichlet": _plain("dirichlet", "dirichlet", ("alpha",), None),
    "poisson": _plain("poisson", "poisson", ("lam",), None),
    "multivariate_normal": _plain("multivariate_normal", "multivariate_normal", ("mean", "cov"), None),
}
