"""`gradcli check`: the engine's derivative, or somebody else's, beside the oracle's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gradcli.cli.derivatives import COMPUTE, expect_floats, expect_scalars
from gradcli.cli.output import send_text, terminal, wants_layout
from gradcli.cli.session import Session, Target, choose_target, open_session
from gradcli.cli.words import Invocation, UsageError
from gradcli.files import choose_format
from gradcli.files.json_text import json_line
from gradcli.graph.node import Node
from gradcli.graph.recording import Recording
from gradcli.graph.values import Array, CoreValue, concrete, shape_of

if TYPE_CHECKING:
    from gradcli.symbolic import InputReport, Report


COMMANDS = {"gradient": "grad", "jacobian": "jacobian", "hessian": "hessian"}
VERDICTS = {True: "ok", False: "MISMATCH", None: "not proved"}
_STYLES = {True: "bold green", False: "bold red", None: "bold yellow"}


def run(invocation: Invocation) -> int:
    """Check, report, and return 0, 1 or 3."""
    session = open_session(invocation)
    form = _form(invocation)
    report = report_of(session)
    if not invocation.values["quiet"]:
        if form == "json":
            send_text(invocation, json_line(report.to_json()), form)
        elif wants_layout(invocation):
            _show(terminal(invocation), report)
        else:
            send_text(invocation, text_of(report), form)
    return report.exit_code


def _form(invocation: Invocation) -> str:
    form = choose_format(invocation.values["format"], invocation.values["output"])
    if form not in ("text", "json"):
        raise UsageError(f"check gives text or json, not {form}", place=invocation.given["output"][0].place)
    return form


def report_of(session: Session) -> Report:
    """What the oracle says of the derivative, or of the one that is claimed.

    Raises:
        GradcliError: the program fails, or has no such derivative.
    """
    target = choose_target(session)
    recording, outputs, inputs = record(session, target, {})
    derivative = _derivative(session, target, [concrete(output) for output in outputs])
    claimed = _claimed(session, target, derivative, [shape_of(output) for output in outputs])
    values = session.invocation.values
    if values["method"] == "numeric":
        from gradcli.symbolic import prove_numerically

        points = dict(zip(target.names, target.points, strict=True))
        return prove_numerically(
            target.function,
            points,
            claimed,
            derivative=derivative,
            rtol=values["rtol"],
            atol=values["atol"],
            recording=recording,
        )
    from gradcli.symbolic import prove

    report = prove(
        recording,
        outputs,
        inputs,
        claimed,
        derivative=derivative,
        rtol=values["rtol"],
        atol=values["atol"],
        digits=values["digits"],
        rerun=lambda changed: record(session, target, changed),
    )
    if values["sparse"] and report.ok:
        from gradcli.cli.sparse import entries_in

        report.covered = (*report.covered, f"{entries_in(claimed):,} entries, and that all other elements are 0")
    return report


def record(
    session: Session, target: Target, changed: Mapping[str, Array]
) -> tuple[Recording, tuple[CoreValue, ...], dict[str, Node]]:
    """A recording of the program at its values, some of them changed; its outputs; and the inputs of interest."""
    values = {**session.values(), **changed}
    with Recording() as recording:
        nodes = {name: recording.input(name, value) for name, value in values.items()}
        result = session.program.run(nodes, options=session.options)
        outputs = result.cores()
    target.is_tuple, target.span = result.is_tuple, result.span
    return recording, outputs, {name: nodes[name] for name in target.names}


def _derivative(session: Session, target: Target, outputs: Sequence[Array]) -> str:
    """Which derivative: the one asked for, or the gradient of a real scalar and the Jacobian of anything else."""
    asked: str | None = session.invocation.values["derivative"]
    is_scalar = len(outputs) == 1 and outputs[0].shape == () and outputs[0].dtype.kind != "c"
    of_scalar = "hessian" if session.invocation.values["sparse"] else "gradient"
    chosen = asked or (of_scalar if is_scalar else "jacobian")
    if session.invocation.values["sparse"]:
        _expect_sparse(session, chosen)
    if chosen == "jacobian":
        expect_floats(outputs, target.span)
    else:
        expect_scalars(f"a {chosen}", outputs, target.span)
    if chosen != "jacobian" and len(outputs) > 1:
        raise UsageError(
            f"a {chosen} is of one scalar, and the program has {len(outputs)} results",
            place=session.invocation.given["derivative"][0].place,
            mend="name one with --of",
        )
    return chosen


def _expect_sparse(session: Session, chosen: str) -> None:
    """Refuse to judge the entries of what has none.

    Raises:
        UsageError: a gradient is asked for, or somebody else's derivative, or differences.
    """
    given = session.invocation.given
    for option, is_dense in (
        ("derivative", chosen == "gradient"),
        ("against", "against" in given),
        ("method", session.invocation.values["method"] == "numeric"),
    ):
        if is_dense:
            raise UsageError(
                f"--sparse judges what `jacobian --sparse` or `hessian --sparse` gives, and no --{option} "
                f"{given[option][0].text}",
                place=given[option][0].place,
                mend="leave out --sparse",
            )


def _claimed(session: Session, target: Target, derivative: str, outputs: Sequence[tuple[int, ...]]) -> dict[Any, Any]:
    """What is to be judged: `--against`, or else what the engine says."""
    if session.invocation.values["sparse"]:
        from gradcli.cli.sparse import claims

        return claims(target, derivative, len(outputs) > 1)
    if session.invocation.values["against"]:
        from gradcli.cli.claims import read_claims

        return read_claims(session, target, 2 if derivative == "hessian" else 1, outputs)
    found: dict[Any, Any] = {}
    for block in COMPUTE[COMMANDS[derivative]](session, target).blocks:
        key = block.inputs if derivative == "hessian" else block.inputs[0]
        if len(outputs) > 1:
            found.setdefault(key, []).append(block.array)
        else:
            found[key] = block.array
    return found


# The report for people


def text_of(report: Report) -> str:
    """The report as plain lines."""
    lines = [headline(report)]
    for name, entry in report.inputs.items():
        lines.append(f"{name}: {VERDICTS[entry.ok]}, {_summary(entry)}")
        lines += [f"  {line}" for line in _worst(entry)]
    lines += [*_kinks(report), *(f"covered: {line}" for line in report.covered)]
    return "\n".join(lines) + "\n"


def headline(report: Report) -> str:
    """The verdict in one line."""
    how = f"SymPy's to {report.digits} digits" if report.method == "symbolic" else "what differences give"
    if report.ok:
        return f"ok: the {report.derivative} equals {how}"
    if report.ok is False:
        return f"MISMATCH: the {report.derivative} differs from {how}"
    return f"not proved: {report.reason or 'an element could not be settled'}"


def _summary(entry: InputReport) -> str:
    return _count(entry) + ("" if entry.ok is None else _errors(entry))


def _count(entry: InputReport) -> str:
    return f"{entry.elements:,} element" + ("s" if entry.elements != 1 else "")


def _errors(entry: InputReport) -> str:
    errors = f"abs {entry.max_abs_error:.3g}, rel {entry.max_rel_error:.3g}, ulp {entry.max_ulp_error:.3g}"
    remark = ", and no more: its terms cancel" if entry.by_rounding else ""
    return f", largest errors {errors} (rounding {entry.rounding:.3g}{remark})"


def _worst(entry: InputReport) -> Iterator[str]:
    """Where a mismatch is; what agrees needs no more words."""
    if entry.ok is False and entry.worst is not None:
        index = entry.worst.get("index", [])
        where = f" at {index}" if index else ""
        output = f" of output {entry.worst['output']}" if "output" in entry.worst else ""
        yield f"worst{where}{output}: got {entry.worst['got']!r}, exact {_cut(entry.worst['exact'])}"
        yield f"allowed {entry.tolerance:.3g}"


def _cut(exact: Any) -> str:
    """The leading digits of an exact number, and its power of ten whole."""
    text = str(exact)
    if len(text) <= 40 or text.startswith("("):
        return text
    digits, mark, power = text.partition("e")
    return digits[:37] + "..." + mark + power


def _kinks(report: Report) -> Iterator[str]:
    for kink in report.kinks:
        place = f"{kink['input']}{kink['index'] or ''}"
        where = f" ({kink['where']})" if kink["where"] else ""
        if kink["chosen"] is None:
            yield f"kink: {kink['op']}{where} sits on its boundary, by {place}: the other side was not looked at"
            continue
        left, right = ("none" if kink[side] is None else kink[side] for side in ("left", "right"))
        sides = f"left {left}, right {right}, chosen {kink['chosen']}"
        yield f"kink: {kink['op']}{where} has one at this point, by {place}: {sides}"


def _show(console: Any, report: Report) -> None:
    from rich.text import Text

    verdict, _, rest = headline(report).partition(":")
    console.print(Text.assemble((verdict, _STYLES[report.ok]), ":", rest))
    _show_inputs(console, report)
    for name, entry in report.inputs.items():
        for line in _worst(entry):
            console.print(Text(f"{name}: {line}", style="red"))
        if entry.by_rounding:
            console.print(Text(f"{name}: right to its rounding, and no more: its terms cancel", style="dim"))
    for line in _kinks(report):
        console.print(Text(line, style="yellow"))
    for line in report.covered:
        console.print(Text(f"covered: {line}", style="dim"))


def _show_inputs(console: Any, report: Report) -> None:
    """A row per input, or, where the terminal is too narrow for the table, a line."""
    from rich.text import Text

    table = _table(report)
    if console.measure(table, options=console.options.update(width=1_000)).maximum <= console.width:
        console.print(table)
        return
    for name, entry in report.inputs.items():
        word = Text(VERDICTS[entry.ok], style=_STYLES[entry.ok])
        console.print(Text.assemble((name, "bold cyan"), ": ", word, f", {_summary(entry)}"))


def _table(report: Report) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("input", "verdict", "elements", "max abs", "max rel", "max ulp", "rounding"):
        table.add_column(heading, justify="left" if heading in ("input", "verdict") else "right", no_wrap=True)
    for name, entry in report.inputs.items():
        errors = (entry.max_abs_error, entry.max_rel_error, entry.max_ulp_error, entry.rounding)
        table.add_row(
            Text(name, style="bold cyan", overflow="ellipsis"),
            Text(VERDICTS[entry.ok], style=_STYLES[entry.ok]),
            Text(f"{entry.elements:,}"),
            *(Text(f"{error:.2g}") for error in errors),
        )
    return table
