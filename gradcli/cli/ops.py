"""`gradcli ops`: the functions of the language and their derivatives."""

from __future__ import annotations

from typing import Any

from gradcli.cli.op_examples import example_of
from gradcli.cli.op_facts import all_functions, derivative_of, facts_of, names_of, spellings_of
from gradcli.cli.output import publish_text, send_text, terminal, wants_layout
from gradcli.cli.words import Invocation, UsageError, nearest
from gradcli.files import choose_format
from gradcli.files.json_text import json_line
from gradcli.graph.budget import budget
from gradcli.ops.function import Function
from gradcli.ops.registry import lookup


def run(invocation: Invocation) -> int:
    """List the functions, or say all about one."""
    budget.open(invocation.values["max_bytes"])
    if len(invocation.operands) > 1:
        raise UsageError("ops takes one NAME", place=invocation.operands[1].place)
    chosen = _find(invocation) if invocation.operands else None
    form = choose_format(invocation.values["format"], invocation.values["output"])
    if form == "json":
        document = _with_example(chosen) if chosen else {"functions": [_described(f) for f in all_functions()]}
        send_text(invocation, json_line(document), form)
    elif form != "text":
        raise UsageError(f"ops gives text or json, not {form}", place=invocation.given["output"][0].place)
    elif wants_layout(invocation):
        console = terminal(invocation)
        _show_one(console, chosen) if chosen else _show_all(console)
    else:
        publish_text(invocation, _text_of(chosen) if chosen else "".join(map(_line, all_functions())))
    return 0


def _find(invocation: Invocation) -> Function:
    word = invocation.operands[0]
    module, _, name = word.text.strip().rstrip("()").rpartition(".")
    head, dot, rest = module.partition(".")
    found = lookup({"np": "numpy", "F": "torch.nn.functional"}.get(head, head) + dot + rest, name)
    if found is None:
        everything = all_functions()
        found = next((f for f in everything if word.text in (f.name, *f.spellings)), None)
    if found is None:
        known = {f.name for f in everything} | {s.rpartition(".")[2] for f in everything for s in f.spellings}
        guess = nearest(name, sorted(known))
        mend = f"did you mean {guess!r}?" if guess else "`gradcli ops` lists them all"
        raise UsageError(f"unknown function {word.text!r}", place=word.place, mend=mend)
    return found


def _described(function: Function) -> dict[str, Any]:
    names = names_of(function)
    return {
        "name": function.name,
        "signature": function.signature,
        "family": function.family,
        "doc": function.doc,
        "differentiable": function.differentiable,
        "derivative": function.derivative or None,
        "defined": function.defined or None,
        "kinks": function.kinks or None,
        "source": function.source or None,
        "spellings": spellings_of(function),
        "aliases": [name for name in names.bare if name != function.name],
        "numpy": list(names.numpy),
        "torch": list(names.torch),
        "jax": list(names.jax),
    }


def _with_example(function: Function) -> dict[str, Any]:
    example = example_of(function)
    shown = None if example is None else {"command": example.command, "output": example.output}
    return {**_described(function), "example": shown}


def _line(function: Function) -> str:
    """One line for a pipe: signature, documentation, derivative."""
    derivative = derivative_of(function)
    return f"{function.signature:<34} {function.doc}" + (f" [derivative: {derivative}]\n" if derivative else "\n")


def _text_of(function: Function) -> str:
    """All about one function, with an example, for a pipe."""
    lines = [function.signature, f"  {function.doc}"]
    lines += [f"  {what}: {words}" for what, words in facts_of(function)]
    example = example_of(function)
    if example is not None:
        lines += ["", f"  $ {example.command}", *(f"  {line}".rstrip() for line in example.output.splitlines())]
    return "\n".join(lines) + "\n"


def _show_one(console: Any, function: Function) -> None:
    from rich.table import Table
    from rich.text import Text

    console.print(Text(function.signature, style="bold cyan"))
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for what, words in [("", function.doc), *facts_of(function)]:
        table.add_row(Text(what), Text(words, style="green" if what == "derivative" else ""))
    console.print(table)
    example = example_of(function)
    if example is not None:
        console.print()
        console.print(Text(f"  $ {example.command}", style="bold"))
        console.print(Text("\n".join(f"  {line}".rstrip() for line in example.output.splitlines())))


def _show_all(console: Any) -> None:
    from rich.table import Table
    from rich.text import Text

    family = None
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), expand=False)
    for column in range(3):
        table.add_column(overflow="fold", ratio=(3, 4, 3)[column])
    for function in all_functions():
        if function.family != family:
            table.add_row(Text(f"{function.family}", style="bold"), Text(""), Text(""))
            family = function.family
        table.add_row(
            Text(function.signature, style="cyan"),
            Text(function.doc),
            Text(derivative_of(function), style="green"),
        )
    console.print(table)
