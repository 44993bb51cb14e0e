"""What there is to say about a function of the table: the same for the terminal, JSON and the reference page."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

from gradcli.ops.function import Function
from gradcli.ops.registry import FUNCTIONS, load_all, lookup

#: The families in the order in which they are listed.
FAMILIES = (
    "elementwise",
    "activation",
    "special",
    "reduction",
    "linalg",
    "shape",
    "indexing",
    "fft",
    "convolution",
    "normalisation",
    "loss",
    "probability",
    "random",
    "constructor",
    "logic",
)
#: Where JAX has what NumPy and SciPy have.
_IN_JAX = {
    "numpy": "jax.numpy",
    "numpy.linalg": "jax.numpy.linalg",
    "numpy.fft": "jax.numpy.fft",
    "scipy.special": "jax.scipy.special",
    "scipy.linalg": "jax.scipy.linalg",
    "scipy.fft": "jax.scipy.fft",
    "scipy.signal": "jax.scipy.signal",
    "scipy.integrate": "jax.scipy.integrate",
}


class Names(NamedTuple):
    """The names of a function, by who has them.

    Attributes:
        bare: as a program may write them without a module.
        numpy: NumPy's and SciPy's.
        torch: PyTorch's, its methods among them.
        jax: JAX's.
        python: those of Python's math module.
        methods: names of methods and attributes that are not PyTorch's alone, as `x.sum()`, `x.T`.
    """

    bare: tuple[str, ...]
    numpy: tuple[str, ...]
    torch: tuple[str, ...]
    jax: tuple[str, ...]
    python: tuple[str, ...]
    methods: tuple[str, ...]


def all_functions() -> list[Function]:
    """Every function, by family and name."""
    load_all()
    return sorted(FUNCTIONS, key=lambda f: (_place(f.family), f.family, f.name.lower()))


def _place(family: str) -> int:
    return FAMILIES.index(family) if family in FAMILIES else len(FAMILIES)


def names_of(function: Function) -> Names:
    """All names of a function, sorted by who has them."""
    plain = [s for s in function.spellings if s[:1] not in "@."]
    words = dict.fromkeys(s.rpartition(".")[2] for s in plain)
    return Names(
        bare=tuple(name for name in words if lookup("", name) is function),
        numpy=tuple(s for s in plain if s.startswith(("numpy.", "scipy."))),
        torch=tuple(s for s in plain if s.startswith("torch.")),
        jax=tuple(dict.fromkeys([*_derived_jax_names(plain), *(s for s in plain if s.startswith("jax."))])),
        python=tuple(s for s in plain if s.startswith("math.")),
        methods=tuple(_as_method(s) for s in function.spellings if s[:1] in "@."),
    )


def _derived_jax_names(spellings: list[str]) -> list[str]:
    """NumPy's and SciPy's names that JAX has too, in its own modules."""
    found = []
    for spelling in spellings:
        module, _, name = spelling.rpartition(".")
        theirs = _IN_JAX.get(module) or (f"jax.{module}" if module.startswith("scipy.stats.") else None)
        if theirs is not None and f"{theirs}.{name}" in _jax_names():
            found.append(f"{theirs}.{name}")
    return found


@cache
def _jax_names() -> frozenset[str]:
    """All public functions of JAX 0.10 in the modules that are like NumPy's and SciPy's."""
    return frozenset(Path(__file__).with_name("jax_names.txt").read_text().split())


def _as_method(spelling: str) -> str:
    if spelling.startswith("@"):
        return f"x.{spelling[1:]}"
    return f"x{spelling.partition('@')[0]}()"


def spellings_of(function: Function) -> list[str]:
    """All its names in one list, as a program writes them: `sin`, `numpy.sin`, `x.sin()`, `x.T`."""
    names = names_of(function)
    plain = [s for s in function.spellings if s[:1] not in "@."]
    return list(dict.fromkeys([*names.bare, *names.methods, *plain]))


def derivative_of(function: Function) -> str:
    """Its derivative in one line; `none` where it carries none."""
    return function.derivative if function.differentiable else "none"


def facts_of(function: Function) -> list[tuple[str, str]]:
    """(what, words) for all that is known of a function, from its declaration."""
    names = names_of(function)
    facts = [
        ("family", function.family),
        ("derivative", derivative_of(function)),
        ("defined for", function.defined if function.differentiable else ""),
        ("kinks", function.kinks),
        ("source", function.source),
        ("names", ", ".join([*names.bare, *names.methods])),
        ("NumPy", ", ".join(names.numpy)),
        ("PyTorch", ", ".join(names.torch)),
        ("JAX", ", ".join(names.jax)),
        ("Python", ", ".join(names.python)),
    ]
    return [(what, words) for what, words in facts if words]
