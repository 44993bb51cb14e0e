"""docs/ops.md says what the table of functions says: it is written from it, by `python tests/test_reference.py`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np

from gradcli.cli.op_examples import example_of
from gradcli.cli.op_facts import all_functions, facts_of, names_of
from gradcli.ops.function import Function

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "ops.md"

HEAD = """# The functions of gradcli

{total} functions, {differentiable} of them differentiable. `gradcli ops NAME` prints an entry of this page in the
shell, `gradcli ops --format json` the whole table.

In a derivative `g` is the cotangent of the result: what stands after `vjp:` is the cotangent of each argument.
Elementwise functions state their partial derivatives, one per argument. At a kink the entry says which value was
chosen. Numbers are those of the engine, at every digit.

This page is written by `python tests/test_reference.py` from the declarations in `gradcli/ops`.
"""


def page() -> str:
    """The whole page."""
    with np.errstate(all="ignore"):
        return "\n".join(_parts())


def _parts() -> Iterator[str]:
    functions = all_functions()
    yield HEAD.format(total=len(functions), differentiable=sum(f.differentiable for f in functions))
    families = [(family, list(group)) for family, group in groupby(functions, lambda f: f.family)]
    for family, group in families:
        links = ", ".join(f"[{f.name}](#{f.name.lower()})" for f in group)
        yield f"**[{family}](#{family}-functions)** ({len(group)}): {links}\n"
    for family, group in families:
        yield f"## {family} functions\n"
        yield from map(_entry, group)


def _entry(function: Function) -> str:
    lines = [f"### {function.name}", "", f"`{function.signature}`", "", function.doc, ""]
    lines += [f"- {what}: {_marked(what, words)}" for what, words in facts_of(function) if what != "family"]
    example = example_of(function)
    if example is not None:
        lines += ["", "```console", f"$ {example.command}", example.output.rstrip("\n"), "```"]
    return "\n".join(lines) + "\n"


def _marked(what: str, words: str) -> str:
    """Names and formulas as code, sentences as they are."""
    if what in ("kinks", "source") or (what != "derivative" and " " in words.replace(", ", "")):
        return words
    if what == "derivative":
        prefix, colon, formula = words.partition("vjp: ")
        return f"{prefix}{colon}{_code(formula)}" if colon else _code(words)
    return ", ".join(map(_code, words.split(", ")))


def _code(words: str) -> str:
    return f"`{words}`"


#: A number with a fraction, whose last digits are the machine's own.
NUMBER = re.compile(r"-?\d+\.\d+(?:e[-+]\d+)?")


def test_the_page_is_what_the_table_says() -> None:
    written, meant = PAGE.read_text(), page()
    stale = "docs/ops.md is stale: `python tests/test_reference.py` writes it"
    assert NUMBER.sub("#", written) == NUMBER.sub("#", meant), stale
    numbers = [np.array(NUMBER.findall(text), dtype=np.float64) for text in (written, meant)]
    np.testing.assert_allclose(*numbers, rtol=1e-9, atol=1e-12, err_msg=stale)


def test_nearly_every_function_has_an_example() -> None:
    with np.errstate(all="ignore"):
        bare = [f.name for f in all_functions() if f.spellings and example_of(f) is None]
    assert sorted(bare) == ["fill_numpy", "seed"], "seed shows nothing, and x.fill(v) gives nothing to show"


def test_the_names_of_pytorch_are_its_own() -> None:
    """tests/ops/peers_torch.txt lists all public functions of PyTorch 2.13."""
    theirs = set((ROOT / "tests" / "ops" / "peers_torch.txt").read_text().split())
    shown = {name for f in all_functions() for name in names_of(f).torch}
    assert sorted(shown - theirs) == []


def test_the_names_of_jax_are_its_own() -> None:
    theirs = set((ROOT / "gradcli" / "cli" / "jax_names.txt").read_text().split())
    shown = {name for f in all_functions() for name in names_of(f).jax}
    assert sorted(shown - theirs) == []
    assert len(shown) > 300


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page())
    sys.stdout.write(f"wrote {PAGE}\n")
