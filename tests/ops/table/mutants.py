"""The mutation run: every rule of every op is changed in several ways, and the table's tests must notice.

Mutants are of two sorts. Of the rules' values: what a rule gives one operand is negated, doubled, left out, taken of
exchanged operands, or averaged over the axes along which the operand was broadcast where it should be summed. Of their
source: see `table.source_mutants`. A mutant is killed when a check of the table finds fault with some call, or the call
fails. One that no check minds is equivalent if it changes no derivative anywhere in a denser sample (the calls with
other random numbers, complex ones), first and second order, though what it changes is run there; unreached if it isn't
run; else it has survived.
"""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cache, partial
from itertools import chain, islice
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np

from gradcli.autodiff import grad, jvp, vjp
from gradcli.graph.op import Op
from gradcli.graph.values import shape_of
from table.calls import BY_NAME, EXTRA, Call, calls, complexed, specs
from table.checks import (
    batch_failures,
    derivative_failures,
    jacobian_failures,
    kink_failures,
    mapped_failures,
    second_failures,
    tolerance_of,
    weighed_squares,
)
from table.far import far_failures
from table.oracle import random_like
from table.points import forms, moved
from table.rules import MODES, Rule, all_ops, carries, rule_functions, rules, rules_replaced, users
from table.source_mutants import Mutation, mutated_code, mutations, recorded, recording_code, swapped

#: A check of one call: sentences about what is wrong.
Check = Callable[[Call], Sequence[str]]
CHECKS: tuple[Check, ...] = (derivative_failures, second_failures, jacobian_failures, kink_failures)
#: Seconds that a check of a mutant may take; more is a loop without end.
_PATIENCE = 5.0
#: How many calls are asked about a mutant before it counts as unnoticed, and how many before as equivalent.
_ASKED, _SAMPLED = 40, 10
#: How many calls are asked that run a mutant which those do not run.
_REACHING = 3
#: How many functions of each element alone are asked, and at how many points of each before a mutant is equivalent.
_FAR, _FAR_POINTS, _FARTHER_POINTS = 3, 12, 60


class Mutant(NamedTuple):
    """One changed rule.

    Attributes:
        rule: what it is a rule of: "tanh vjp 0", or the function's name.
        kind: which kind of change.
        words: the change itself.
        calls: the calls that use the rule.
        far: functions of each element alone that use it.
        applied: makes the change, for the time of a `with` block.
        modes: which of "vjp", "jvp" and "batch" it serves.
        reaches: whether what it changes is run when something is asked of a call or function.
    """

    rule: str
    kind: str
    words: str
    calls: list[Call]
    far: list[str]
    applied: Callable[[], AbstractContextManager[None]]
    modes: frozenset[str]
    reaches: Callable[[Callable[[Any], Any], Any], bool] = lambda ask, of: True

    def __str__(self) -> str:
        return f"{self.rule}: {self.kind}: {self.words}"


class Outcome(NamedTuple):
    """What became of a mutant: "killed", "equivalent", "unreached" or "survived"."""

    mutant: Mutant
    fate: str


# --- mutants of values -----------------------------------------------------------------------------------------------


def value_mutants(rule: Rule, using: list[Call]) -> list[Mutant]:
    """Changes of what a rule gives one operand, for calls that use it."""

    def made(kind: str, words: str, change: Callable[[Any, Any], Any]) -> Mutant:
        replaced = _changed_vjp(rule, change) if rule.mode == "vjp" else _changed_jvp(rule, change)
        applied = partial(rules_replaced, rule.op, **replaced)
        return Mutant(repr(rule), kind, words, asked, far, applied, frozenset([rule.mode]))

    asked = list({id(call): call for call in [*using, *_calls_of([rule.op])]}.values())
    far = far_names(rule.op)

    found = [
        made("flip a sign", "the share negated", lambda share, x: -share),
        made("lose a factor", "the share doubled", lambda share, x: share + share),
        made("drop a term", "the share left out", lambda share, x: None),
    ]
    if rule.mode == "vjp" and rule.op.kind == "elementwise" and len(rule.op.partials) != 1:
        found.append(made("break an unbroadcast", "the mean over broadcast axes instead of the sum", _averaged))
    return found


def _mapped(change: Callable[[Any, Any], Any], share: Any, x: Any) -> Any:
    if isinstance(share, tuple):
        return tuple(_mapped(change, part, x) for part in share)
    return None if share is None else change(share, x)


def _changed_vjp(rule: Rule, change: Callable[[Any, Any], Any]) -> dict[str, Any]:
    old, i = rule.op.vjp, rule.operand
    assert old is not None

    def new(g: Any, y: Any, xs: Any, params: Any, wanted: Any) -> Any:
        shares = list(old(g, y, xs, params, wanted))
        shares[i] = _mapped(lambda share, x: change(share, (g, x)), shares[i], xs[i])
        return shares

    return {"vjp": new}


def _changed_jvp(rule: Rule, change: Callable[[Any, Any], Any]) -> dict[str, Any]:
    old, i = rule.op.jvp, rule.operand
    assert old is not None

    def new(tangents: Any, y: Any, xs: Any, params: Any) -> Any:
        into = list(tangents)
        into[i] = _mapped(change, into[i], xs[i])
        return None if all(t is None for t in into) else old(into, y, xs, params)

    return {"jvp": new}


def _averaged(share: Any, of: Any) -> Any:
    g, x = of
    if isinstance(g, tuple):
        return share
    count = int(np.prod(shape_of(g), dtype=int)) // max(int(np.prod(shape_of(x), dtype=int)), 1)
    return share / count if count > 1 else share


# --- mutants of source -----------------------------------------------------------------------------------------------


@cache
def functions_by_op() -> dict[int, list[tuple[frozenset[str], list[FunctionType]]]]:
    """For each op, the functions that it is the first to reach: (the modes of rules, all functions of one source)."""
    sharing: dict[Any, list[FunctionType]] = {}
    modes: dict[Any, set[str]] = {}
    first: dict[Any, int] = {}
    for op in all_ops():
        for mode in MODES if carries(op) else ():
            for f in rule_functions(op, mode):
                shared = sharing.setdefault(f.__code__, [])
                if all(f is not other for other in shared):
                    shared.append(f)
                modes.setdefault(f.__code__, set()).add(mode)
                first.setdefault(f.__code__, id(op))
    found: dict[int, list[tuple[frozenset[str], list[FunctionType]]]] = {}
    for code, op_id in first.items():
        found.setdefault(op_id, []).append((frozenset(modes[code]), sharing[code]))
    return found


@cache
def ops_reaching() -> dict[Any, list[Op]]:
    """The ops whose rules reach a code."""
    found: dict[Any, list[Op]] = {}
    for op in all_ops():
        for mode in MODES if carries(op) else ():
            for f in rule_functions(op, mode):
                reaching = found.setdefault(f.__code__, [])
                if op not in reaching:
                    reaching.append(op)
    return found


def source_mutants(op: Op, chosen: Callable[[list[Mutation]], list[Mutation]] = list) -> Iterator[Mutant]:
    """Changes of the source of the functions that an op is the first to reach, all of a function's or those chosen."""
    for modes, functions in functions_by_op().get(id(op), []):
        f = functions[0]
        reaching = ops_reaching()[f.__code__]
        using = _calls_of(reaching)
        far = list(dict.fromkeys(name for other in reaching[:8] for name in far_names(other)[:2]))[:_FAR]
        where = f"{f.__module__.removeprefix('gradcli.ops.')}.{f.__qualname__.replace('.<locals>', '')}"
        reached = _reached(functions)
        for mutation in chosen(mutations(f)):
            code = mutated_code(f, mutation)
            if code is not None:
                words = " ".join(f"{mutation.before} -> {mutation.after}".split())
                applied, reaches = partial(swapped, functions, code), partial(_reaches, reached, mutation.site)
                yield Mutant(where, mutation.kind, words, using, far, applied, modes, reaches)


def _reached(functions: list[FunctionType]) -> Callable[[Callable[[Any], Any], Any], set[int]]:
    """The nodes of functions of one source that are run when something is asked of a call or function."""
    code = cache(recording_code)

    @cache
    def reached(ask: Callable[[Any], Any], of: Any) -> set[int]:
        try:
            with recorded(functions, code(functions[0])) as found, suppress(Exception), patience():
                ask(of)
        except OutOfPatience:  # so it may be any
            return {mutation.site for mutation in mutations(functions[0])}
        return found

    return reached


def _reaches(reached: Callable[[Callable[[Any], Any], Any], set[int]], site: int, ask: Any, of: Any) -> bool:
    return site in reached(ask, of)


def _calls_of(ops: list[Op]) -> list[Call]:
    """The calls that use the rules of some ops, by turns, so that each op is heard early, and complex numbers are."""
    columns = []
    for op in ops:
        using = users(op)
        columns += [[call for call in using if _is_complex(call) is kind][:_ASKED] for kind in (False, True)]
    found: dict[int, Call] = {}
    for i in range(max((len(c) for c in columns), default=0)):
        for column in columns:
            if i < len(column):
                found.setdefault(id(column[i]), column[i])
    return list(found.values())


def _is_complex(call: Call) -> bool:
    return any(x.dtype.kind == "c" for x in call.floats)


# --- the run ---------------------------------------------------------------------------------------------------------


def mutants_of(op: Op, chosen: Callable[[list[Mutation]], list[Mutation]] = list) -> Iterator[Mutant]:
    """The mutants that are counted with an op: all, or of each function's source those chosen."""
    for rule, using in rules(op).items():
        yield from value_mutants(rule, using)
    yield from source_mutants(op, chosen)


@cache
def far_names(op: Op) -> list[str]:
    """Some functions of each element alone that use an op's rules, its own first."""
    if op.kind not in ("elementwise", "general"):
        return []
    names = dict.fromkeys(call.function.name for call in users(op))
    return list(islice((name for name in names if name in BY_NAME and forms(BY_NAME[name])), _FAR))


def fate(mutant: Mutant, checks: Sequence[Check] = CHECKS, sampled: int = _SAMPLED) -> str:
    """What becomes of a mutant; `sampled` calls are looked at to see whether it is equivalent."""
    checks = _checks_of(mutant, checks)
    asked = mutant.calls[:_ASKED]
    if any(_notices(mutant, check, call) for call in asked for check in checks):
        return "killed"
    if checks and any(_notices(mutant, _far_failures, name) for name in mutant.far):
        return "killed"
    near = asked[:: -(-len(asked) // sampled)] if asked else []
    if any(_differs(mutant, call) for call in near):
        return "survived"
    if sampled >= _SAMPLED and any(_notices(mutant, _farther_failures, name) for name in mutant.far):
        return "survived"
    if _is_reached(mutant, near):
        return "equivalent"
    return _fate_elsewhere(mutant, checks, list(islice(_reaching_calls(mutant), _REACHING)))


def _checks_of(mutant: Mutant, checks: Sequence[Check]) -> Sequence[Check]:
    """The checks that may notice a mutant, of all or of none."""
    if "batch" not in mutant.modes or not checks:
        return checks
    of_batches = (batch_failures, jacobian_failures)
    return of_batches if mutant.modes == {"batch"} else (*checks, batch_failures)


def _fate_elsewhere(mutant: Mutant, checks: Sequence[Check], reaching: list[Call]) -> str:
    """The fate of a mutant that the first calls never run, by those that do, if only for several points at once."""
    if not reaching:
        return "unreached"
    checks = (*checks, mapped_failures) if checks else ()
    if any(_notices(mutant, check, call) for call in reaching for check in checks):
        return "killed"
    return "survived" if any(_differs(mutant, call) for call in reaching) else "equivalent"


def _reaching_calls(mutant: Mutant) -> Iterator[Call]:
    """The calls in which what a mutant changes is run: among those made for what no function reaches by itself, too."""
    extra = (call for function in EXTRA for call in calls(function.name))
    asks = [*_asks(mutant), mapped_failures]
    return (call for call in chain(mutant.calls, extra) if any(mutant.reaches(ask, call) for ask in asks))


def _asks(mutant: Mutant) -> list[Callable[[Call], Any]]:
    """What is asked of a call to see whether it runs what a mutant changes."""
    of_batches = [batch_failures, jacobian_failures] if "batch" in mutant.modes else []
    return of_batches if mutant.modes == {"batch"} else [derivatives, *of_batches]


def _far_failures(name: str) -> list[str]:
    return far_failures(name, _FAR_POINTS)


def _farther_failures(name: str) -> list[str]:
    return far_failures(name, _FARTHER_POINTS)


def _is_reached(mutant: Mutant, near: Sequence[Call]) -> bool:
    """Whether what a mutant changes is run anywhere."""
    for other in (other for call in near for other in sample(call) if _right(other) is not None):
        if any(mutant.reaches(ask, other) for ask in _asks(mutant)):
            return True
    return any(mutant.reaches(_far_failures, name) for name in mutant.far)


_known_clean: dict[tuple[Any, Any], bool] = {}


def _notices(mutant: Mutant, check: Callable[[Any], Sequence[str]], of: Any) -> bool:
    """Whether a check that finds no fault with the rules as they are finds one now."""
    key = (check, of)
    if key not in _known_clean:
        try:
            with patience():
                _known_clean[key] = not check(of)
        except (Exception, OutOfPatience):
            _known_clean[key] = False
    return _known_clean[key] and mutant.reaches(check, of) and _fails(mutant, check, of)


def _fails(mutant: Mutant, check: Callable[[Any], Sequence[str]], of: Any) -> bool:
    try:
        with mutant.applied(), patience():
            return bool(check(of))
    except (Exception, OutOfPatience):
        return True


class OutOfPatience(BaseException):
    """A mutant runs and runs."""


@contextmanager
def patience() -> Iterator[None]:
    """Raise after some seconds of this process's own time, however busy the machine is."""

    def stop(number: int, frame: Any) -> None:
        raise OutOfPatience

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, _PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


# --- is it equivalent? -----------------------------------------------------------------------------------------------


def _differs(mutant: Mutant, call: Call) -> bool:
    """Whether a mutant changes a derivative anywhere near a call; of a batch rule, what is found of several at once."""
    if "batch" in mutant.modes and any(_notices(mutant, batch_failures, other) for other in sample(call)):
        return True
    for other in sample(call):
        plain = _right(other) if mutant.reaches(derivatives, other) else None
        if plain is None:
            continue
        try:
            with mutant.applied(), patience():
                changed = derivatives(other)
        except OutOfPatience:
            return True
        if changed is None or not _same(plain, changed, 100 * tolerance_of(call)):
            return True
    return False


@cache
def sample(call: Call) -> list[Call]:
    """A call and others like it: with other random numbers, and with complex ones."""
    generator = np.random.default_rng(5)
    found = [call]
    if _is_complex(call):
        return found
    for draw in (101, 102, 103):
        place = next((i for i, spec in enumerate(specs(call.function)) if spec is call.spec), None)
        if place is not None:
            found.append(moved(Call(call.function, call.spec, place, draw), generator, 0.1))
    return [*found, complexed(found[-1])]


def derivatives(call: Call) -> list[Any] | None:
    """Every derivative that the engine takes of a call, once and twice; None where it can't."""
    try:
        outputs = [np.asarray(y) for y in call()]
        tangents, directions = random_like(call.floats, 1), random_like(call.floats, 4)
        found = list(jvp(call, call.floats, tangents)[1])
        found += vjp(call, *call.floats)[1](random_like(outputs, 2))
        gradient = grad(weighed_squares(call, random_like(outputs, 3)), tuple(range(len(call.floats))))
        found += jvp(gradient, call.floats, directions)[1]
        found += vjp(gradient, *call.floats)[1](tuple(directions))
    except OutOfPatience:
        raise
    except Exception:
        return None
    return found


def _same(plain: list[Any], changed: list[Any], tolerance: float) -> bool:
    if len(plain) != len(changed):
        return False
    for a, b in zip(plain, changed, strict=True):
        x, y = np.asarray(a), np.asarray(b)
        if x.shape != y.shape:
            return False
        scale = max(np.max(np.abs(x[np.isfinite(x)]), initial=0.0), 1e-2)
        if not np.allclose(x, y, rtol=0, atol=tolerance * scale, equal_nan=True):
            return False
    return True


#: What the rules give as they are.
_right = cache(derivatives)


def run(ops: Sequence[Op], checks: Sequence[Check] = CHECKS) -> Iterator[Outcome]:
    """The fate of every mutant of some ops."""
    with np.errstate(all="ignore"):
        for op in ops:
            for mutant in mutants_of(op):
                yield Outcome(mutant, fate(mutant, checks))


def report(outcomes: Sequence[tuple[str, str]]) -> str:
    """How many mutants of each kind met which fate, given (kind, fate) of each."""
    fates = ("killed", "equivalent", "unreached", "survived")
    counts = Counter(outcomes)
    lines = [f"{'kind of change':<24}{'mutants':>9}{'killed':>9}{'equivalent':>12}{'unreached':>11}{'survived':>10}"]
    for kind in [*sorted({kind for kind, _ in outcomes}), "all"]:
        row = [sum(n for (k, f), n in counts.items() if kind in (k, "all") and f == fate) for fate in fates]
        lines.append(f"{kind:<24}{sum(row):>9}{row[0]:>9}{row[1]:>12}{row[2]:>11}{row[3]:>10}")
    return "\n".join(lines)
