"""`gradcli ops`: the functions of the language and their derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradcli.ops  # noqa: F401  # declares every function
from gradcli.cli.output import publish_text, send_text, terminal, wants_layout
from gradcli.cli.words import Invocation, UsageError, nearest
from gradcli.files import choose_format
from gradcli.files.json_text import json_line
from gradcli.graph.budget import budget
from gradcli.ops.function import Function
from gradcli.ops.registry import FUNCTIONS, lookup


def run(invocation: Invocation) -> int:
    """List the functions, or say all about one."""
    budget.open(invocation.values["max_bytes"])
    if len(invocation.operands) > 1:
        raise UsageError("ops takes one NAME", place=invocation.operands[1].place)
    chosen = _find(invocation) if invocation.operands else None
    form = choose_format(invocation.values["format"], invocation.values["output"])
    if form == "json":
        document = _described(chosen) if chosen else {"functions": [_described(f) for f in _ordered()]}
        send_text(invocation, json_line(document), form)
    elif form != "text":
        raise UsageError(f"ops gives text or json, not {form}", place=invocation.given["output"][0].place)
    elif wants_layout(invocation):
        console = terminal(invocation)
        _show_one(console, chosen) if chosen else _show_all(console)
    else:
        publish_text(invocation, _text_of(chosen) if chosen else "".join(map(_line, _ordered())))
    return 0


def _find(invocation: Invocation) -> Function:
    word = invocation.operands[0]
    module, _, name = word.text.strip().rstrip("()").rpartition(".")
    found = lookup({"np": "numpy", "F": "torch.nn.functional"}.get(module, module), name)
    found = found or next((f for f in FUNCTIONS if word.text in (f.name, *f.spellings)), None)
    if found is None:
        known = {f.name for f in FUNCTIONS} | {s.rpartition(".")[2] for f in FUNCTIONS for s in f.spellings}
        guess = nearest(name, sorted(known))
        mend = f"did you mean {guess!r}?" if guess else "`gradcli ops` lists them all"
        raise UsageError(f"unknown function {word.text!r}", place=word.place, mend=mend)
    return found


def _ordered() -> list[Function]:
    """By family as first declared, then by name."""
    families = list(dict.fromkeys(f.family for f in FUNCTIONS))
    return sorted(FUNCTIONS, key=lambda f: (families.index(f.family), f.name))


def _described(function: Function) -> dict[str, Any]:
    return {
        "name": function.name,
        "signature": function.signature,
        "family": function.family,
        "doc": function.doc,
        "differentiable": function.differentiable,
        "derivative": function.derivative or None,
        "spellings": _spellings(function),
    }


def _spellings(function: Function) -> list[str]:
    """Its names as a program writes them: `sin`, `numpy.sin`, `x.sin()`, `x.T`."""
    bare = dict.fromkeys(spelling.rpartition(".")[2] for spelling in function.spellings if spelling[:1] not in "@.")
    found = [name for name in bare if lookup("", name) is function]
    for spelling in function.spellings:
        if spelling.startswith("@"):
            found.append(f"x.{spelling[1:]}")
        elif spelling.startswith("."):
            found.append(f"x{spelling.partition('@')[0]}()")
        else:
            found.append(spelling)
    return list(dict.fromkeys(found))


def _derivative(function: Function) -> str:
    if not function.differentiable:
        return "none"
    return function.derivative


def _line(function: Function) -> str:
    """One line for a pipe: signature, documentation, derivative."""
    derivative = _derivative(function)
    return f"{function.signature:<34} {function.doc}" + (f" [derivative: {derivative}]\n" if derivative else "\n")


def _text_of(function: Function) -> str:
    facts = [("family", function.family), ("derivative", _derivative(function))]
    lines = [function.signature, f"  {function.doc}"]
    lines += [f"  {name}: {fact}" for name, fact in facts if fact]
    lines.append(f"  names: {', '.join(_spellings(function))}")
    return "\n".join(lines) + "\n"


def _show_one(console: Any, function: Function) -> None:
    from rich.table import Table
    from rich.text import Text

    console.print(Text(function.signature, style="bold cyan"))
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    rows: Sequence[tuple[str, str]] = (
        ("", function.doc),
        ("derivative", _derivative(function)),
        ("family", function.family),
        ("names", ", ".join(_spellings(function))),
    )
    for name, fact in rows:
        if fact:
            table.add_row(Text(name), Text(fact))
    console.print(table)


def _show_all(console: Any) -> None:
    from rich.table import Table
    from rich.text import Text

    family = None
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), expand=False)
    for column in range(3):
        table.add_column(overflow="fold", ratio=(3, 4, 3)[column])
    for function in _ordered():
        if function.family != family:
            table.add_row(Text(f"{function.family}", style="bold"), Text(""), Text(""))
            family = function.family
        table.add_row(
            Text(function.signature, style="cyan"),
            Text(function.doc),
            Text(_derivative(function), style="green"),
        )
    console.print(table)
