"""Derivatives that PyTorch, JAX or HIPS autograd get wrong, beside gradcli's: writes docs/accuracy.md.

python benchmarks/peer_answers.py                        from the answers recorded in peer_answers.json
python benchmarks/peer_answers.py --torch PY --jax PY    asks the peers again, in the Pythons that have them
                                                         (torch in the first, jax and autograd in the second)
"""

from __future__ import annotations

import argparse
import json
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from peer_cases import CASES, Case

RECORD = Path(__file__).with_suffix(".json")
PAGE = Path(__file__).parents[1] / "docs" / "accuracy.md"
PEERS = {"torch": "PyTorch", "jax": "JAX", "autograd": "HIPS autograd"}
#: An answer is shown as right when it is within so many units in the last place.
RIGHT_ULPS = 8

HEAD = """# Where derivatives go wrong

{count} derivatives at ordinary double precision, as {peers} and gradcli give them, beside the exact
ones. The exact numbers are mpmath's, at the binary values of the inputs; an answer that is more than {ulps} ulp from
the exact one is marked with ✗. Where the function has no derivative (a kink), the exact line is the value between the
one-sided ones that the symmetry of the function asks for.

`python benchmarks/peer_answers.py` writes this page; with `--torch` and `--jax` it asks the peers again.
"""


# --- asking a peer, inside its own Python ----------------------------------------------------------------------------


def ask(peer: str) -> dict[str, Any]:
    """The versions and the answers of a peer that this Python has, by title; None where it lacks the function."""
    gradient = {"torch": _torch, "jax": _jax, "autograd": _autograd}[peer]()
    found: dict[str, Any] = {}
    for case in CASES:
        code = getattr(case, peer)
        found[case.title] = _asked(gradient, code, case) if code else None
    return found


def _asked(gradient: Any, code: str, case: Case) -> Any:
    try:
        return [repr(float(g)) for g in gradient(code, values_at(case), case.order)]
    except Exception as error:  # whatever a peer raises is its answer
        return f"{type(error).__name__}: {error}".splitlines()[0][:80]


def values_at(case: Case) -> Any:
    """The input x, as nested lists of floats."""
    text = case.at
    if text.startswith("["):
        return [[float(word) for word in row.split(",")] for row in re.findall(r"\[([^\[\]]+)\]", text)]
    words = [float(word) for word in text.split(",")]
    return words if len(words) > 1 else words[0]


def _torch() -> Any:
    import torch

    def gradient(code: str, at: Any, order: int) -> Any:
        x = torch.tensor(at, dtype=torch.float64, requires_grad=True)
        y = eval(code, {"torch": torch, "x": x})
        (g,) = torch.autograd.grad(y, x, create_graph=order > 1)
        if order > 1:
            rows = [torch.autograd.grad(part, x, retain_graph=True)[0] for part in g.reshape(-1)]
            g = torch.stack(rows)
        return g.detach().numpy().ravel()

    return gradient


def _jax() -> Any:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def gradient(code: str, at: Any, order: int) -> Any:
        g = lambda x: eval(code, {"jax": jax, "jnp": jnp, "x": x})  # noqa: E731
        g = jax.grad(g) if order == 1 else jax.hessian(g)
        return jnp.ravel(g(jnp.asarray(at)))

    return gradient


def _autograd() -> Any:
    import autograd
    import autograd.numpy as np
    import autograd.scipy as ascipy
    import autograd.scipy.special
    import autograd.scipy.stats

    def gradient(code: str, at: Any, order: int) -> Any:
        g = lambda x: eval(code, {"np": np, "ascipy": ascipy, "x": x})  # noqa: E731
        g = autograd.grad(g) if order == 1 else autograd.hessian(g)
        return np.ravel(g(np.array(at) if isinstance(at, list) else at))

    return gradient


def record(pythons: dict[str, str]) -> None:
    """Ask the peers again and keep their answers and versions."""
    found = {}
    for peer, python in pythons.items():
        words = [python, "-W", "ignore", __file__, "--ask", peer]
        found[peer] = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    RECORD.write_text(json.dumps(found, indent=1) + "\n")


def recorded() -> dict[str, Any]:
    """The answers and versions that were recorded, by peer."""
    found: dict[str, Any] = json.loads(RECORD.read_text())
    return found


# --- gradcli and the exact answer ------------------------------------------------------------------------------------


def exact(case: Case) -> list[Any]:
    """The exact derivative, as numbers of mpmath."""
    from mpmath import mp

    mp.dps = 60
    found = case.exact(mp)
    return [mp.mpf(x) for x in (found if isinstance(found, list) else [found])]


def gradclis(case: Case) -> list[str]:
    """What gradcli answers."""
    command = "grad" if case.order == 1 else "hessian"
    words = [sys.executable, "-m", "gradcli", command, case.program, f"x={case.at}"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()


def ulps(answer: str, wanted: Any) -> float:
    """How many units in the last place of the exact number an answer is off; infinite for nan."""
    found, nearest = float(answer), float(wanted)
    if found == nearest:
        return 0.0
    if not math.isfinite(found):
        return math.inf
    from mpmath import mp

    return float(abs(mp.mpf(found) - wanted) / mp.mpf(math.ulp(nearest)))


def is_right(answers: Any, wanted: list[Any]) -> bool:
    """Whether every number is within the bound."""
    if not isinstance(answers, list) or len(answers) != len(wanted):
        return False
    return all(ulps(a, w) <= RIGHT_ULPS for a, w in zip(answers, wanted, strict=True))


# --- the page --------------------------------------------------------------------------------------------------------


def page() -> str:
    """docs/accuracy.md."""
    answers = recorded()
    peers = ", ".join(answers[peer]["version"] for peer in PEERS)
    head = HEAD.format(count=len(CASES), peers=peers, ulps=RIGHT_ULPS)
    score = {name: 0 for name in ("gradcli", *PEERS.values())}
    parts = [_section(case, answers, score) for case in CASES]
    rows = [f"| {name} | {wrong} |" for name, wrong in score.items()]
    table = "\n".join(["| | wrong or missing |", "|---|---|", *rows])
    return "\n".join([head, table, "", *parts])


def _section(case: Case, answers: dict[str, Any], score: dict[str, int]) -> str:
    from mpmath import mp

    wanted = exact(case)
    given = {"gradcli": gradclis(case)} | {name: answers[peer]["answers"][case.title] for peer, name in PEERS.items()}
    command = "grad" if case.order == 1 else "hessian"
    lines = [f"## {case.title}", "", f"`gradcli {command} '{case.program}' x={case.at}`", "", "| | |", "|---|---|"]
    lines.append(f"| exact | {' '.join(mp.nstr(w, 20, strip_zeros=True) for w in wanted)} |")
    for name, answer in given.items():
        right = is_right(answer, wanted)
        score[name] += not right
        lines.append(f"| {name} | {in_words(answer)}{'' if right or answer is None else ' ✗'} |")
    return "\n".join([*lines, "", case.why, ""])


def in_words(answer: Any) -> str:
    """An answer as the page shows it."""
    return "lacks it" if answer is None else " ".join(answer) if isinstance(answer, list) else answer


def main() -> None:
    """Ask, record, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--torch", metavar="PYTHON", help="a Python that has torch")
    parser.add_argument("--jax", metavar="PYTHON", help="a Python that has jax and autograd")
    parser.add_argument("--ask", choices=PEERS, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.ask:
        from importlib.metadata import version

        print(json.dumps({"version": f"{PEERS[chosen.ask]} {version(chosen.ask)}", "answers": ask(chosen.ask)}))
        return
    if bool(chosen.torch) != bool(chosen.jax):
        parser.error("--torch and --jax go together")
    if chosen.torch:
        record({"torch": chosen.torch, "jax": chosen.jax, "autograd": chosen.jax})
    PAGE.write_text(page())
    print(f"wrote {PAGE}")


if __name__ == "__main__":
    main()
