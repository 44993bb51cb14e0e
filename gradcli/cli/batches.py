"""Answers for many rows: as one batch where the program takes the same way for all of them, else row by row.

A batch gives for every row what the command gives for that row alone. So whatever would tell rows apart ends it: a
branch on a value that differs splits it into the rows that go one way and those that go the other; an error halves it
until the row at fault stands alone; a program that prints, or keeps a tape of its own, is run row by row from the
start, and so is one for which splitting does not pay.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from gradcli.autodiff.batch import Batched
from gradcli.autodiff.levels import opened
from gradcli.autodiff.rows import RowLevel, RowsDiffer
from gradcli.cli.derivatives import COMPUTE, answer
from gradcli.cli.evaluate import described, output_names, run_at
from gradcli.cli.session import Session, Target, choose_target
from gradcli.files.rows import Chunk, Group
from gradcli.files.rows.writing import PerRow
from gradcli.graph.errors import BatchedBranch, GradcliError, LimitReached
from gradcli.graph.state import state
from gradcli.graph.values import Array, concrete
from gradcli.language.inputs import converted

#: Fewer rows than these are run one by one: a batch of them costs as much.
FEWEST = 3
#: After so many rows it is judged whether batches pay.
ENOUGH = 64
#: Words of programs that keep a tape of their own, which follows one row only.
_TAPE_WORDS = {"requires_grad", "requires_grad_", "backward", "retain_grad", "autograd", "Parameter", "optim"}


class Answered(NamedTuple):
    """The answers to some rows of a chunk.

    Attributes:
        places: the rows, rising.
        document: the answers, as `--format json` has them; see `gradcli.files.rows.writing`.
        names: what the outputs are called.
        is_tuple: whether the program gives several.
        code: the exit code that the answer to the one row stands for; of use to `check` alone.
    """

    places: Array
    document: dict[str, Any]
    names: list[str]
    is_tuple: bool
    code: int = 0


class _Alike(NamedTuple):
    """A group of rows, ready to be run.

    Attributes:
        group: the rows.
        same: the inputs that are the same for all.
        columns: the others, rows in front, converted to what the program declares.
        wrt: what is differentiated; empty for `eval`.
    """

    group: Group
    same: dict[str, Array]
    columns: dict[str, Array]
    wrt: tuple[str, ...]


class _Unlike(Exception):
    """Rows that can't be a batch, for a reason that no split removes."""


def _refuse_to_print(text: str) -> None:
    raise _Unlike


class Batches:
    """Runs a command's program for chunks of rows.

    Args:
        session: the command, with the values that are the same for all rows.
        stops: whether rows behind the first that fails are of no interest.

    Attributes:
        together: whether batches are tried; once they were found not to pay, or not to be possible, they are not.
    """

    def __init__(self, session: Session, stops: bool) -> None:
        self._session = session
        self._silent = session._replace(options=session.options._replace(print_to=_refuse_to_print))
        self._kind = session.invocation.command.name
        self._stops = stops
        self.together = self._kind != "check" and _TAPE_WORDS.isdisjoint(session.program.words())
        self._rows = self._runs = 0
        self._found: list[Answered] = []
        self._faults: dict[int, GradcliError] = {}

    def answers(self, chunk: Chunk) -> tuple[list[Answered], dict[int, GradcliError]]:
        """The answers to a chunk's rows, in no order, and by their places the faults of those that have none."""
        self._found, self._faults = [], dict(chunk.faults)
        if self.together:
            for group in chunk.groups:
                self._run_group(group)
        else:
            self._run_in_order(chunk)
        return self._found, self._faults

    def _run_in_order(self, chunk: Chunk) -> None:
        """Row by row as they come, so that what the program prints comes in order."""
        alike = [self._alike(group) for group in chunk.groups]
        rows = sorted(
            (int(place), number, i) for number, group in enumerate(chunk.groups) for i, place in enumerate(group.places)
        )
        for _, number, i in rows:
            self._run_one(chunk.groups[number], alike[number], i)

    def _run_group(self, group: Group) -> None:
        alike = self._alike(group)
        everyone = np.arange(len(group.places))
        if alike is None:
            self._run_each(group, None, everyone)
            return
        waiting = [everyone]
        while waiting:
            part = waiting.pop()
            if not self.together or len(part) < FEWEST:
                self._run_each(group, alike, part)
                continue
            self._runs += 1
            try:
                self._found.append(self._batch(alike, part))
                self._rows += len(part)
            except RowsDiffer as differ:
                waiting += self._apart(group, alike, part, differ)
            except (BatchedBranch, _Unlike):
                self.together = False
                waiting.append(part)
            except (GradcliError, MemoryError):
                waiting += [part[len(part) // 2 :], part[: len(part) // 2]]
            except Exception:  # a batch rule at fault; run alone, a row shows whether the program is
                self._run_each(group, alike, part)
            if self._rows + self._runs > ENOUGH and self._runs > 0.75 * self._rows:
                self.together = False

    def _apart(self, group: Group, alike: _Alike, part: Array, differ: RowsDiffer) -> list[Array]:
        """The batches of rows that agree; where hardly any do, all are run at once, one by one."""
        if len(differ.groups) > len(part) // 2:
            self._run_each(group, alike, part)
            return []
        return [part[places] for places in reversed(differ.groups)]

    # --- ways to run rows ---------------------------------------------------------------------------------------------

    def _run_each(self, group: Group, alike: _Alike | None, part: Array) -> None:
        for i in part.tolist():
            self._run_one(group, alike, i)

    def _run_one(self, group: Group, alike: _Alike | None, i: int) -> None:
        place = int(group.places[i])
        if self._stops and self._faults and place > min(self._faults):
            return
        self._runs += 1
        self._rows += 1
        try:
            self._found.append(self._alone(group, alike, i, place))
        except GradcliError as error:
            self._faults[place] = error
        except MemoryError:
            self._faults[place] = LimitReached("--max-bytes", "there is no memory left")
        except RecursionError:
            self._faults[place] = LimitReached("--max-depth", "the program is nested too deeply")

    def _alone(self, group: Group, alike: _Alike | None, i: int, place: int) -> Answered:
        places = np.array([place])
        if alike is not None:
            values = {**alike.same, **{name: column[i, ...] for name, column in alike.columns.items()}}
            return self._answered(self._session, places, values, alike.wrt)
        session = self.session_of(group, i)
        if self._kind == "check":
            from gradcli.cli.check import report_of

            report = report_of(session)
            return Answered(places, report.to_json(), [], False, report.exit_code)
        if self._kind == "eval":
            return self._answered(session, places, session.values(), ())
        target = choose_target(session)
        return self._derived(session, places, target)

    def session_of(self, group: Group, i: int) -> Session:
        """The command for one row alone."""
        row = {name: column[i, ...] for name, column in group.columns.items()}
        return self._session._replace(given={**self._session.given, **row})

    def _batch(self, alike: _Alike, part: Array) -> Answered:
        """The answers to some rows at once.

        Raises:
            RowsDiffer: the program branches on a value that differs.
            GradcliError: a row fails, or the batch as a whole.
        """
        with opened(RowLevel) as level:
            level.size = len(part)
            rows = {name: Batched(level, column[part]) for name, column in alike.columns.items()}
            places = alike.group.places[part]
            found = self._answered(self._silent, places, {**alike.same, **rows}, alike.wrt)
        return found._replace(document=_lifted(found.document, level))

    def _answered(self, session: Session, places: Array, values: Mapping[str, Any], wrt: tuple[str, ...]) -> Answered:
        if self._kind == "eval":
            found = run_at(session, values)
            return Answered(places, described(found.outputs, found.is_tuple), found.names, found.is_tuple)
        return self._derived(session, places, Target(session, wrt, dict(values)))

    def _derived(self, session: Session, places: Array, target: Target) -> Answered:
        found = COMPUTE[self._kind](session, target)
        names = output_names(target.output_names, len(found.values))
        return Answered(places, answer(self._kind, found, names).document, names, found.is_tuple)

    # --- what is the same for all -------------------------------------------------------------------------------------

    def _alike(self, group: Group) -> _Alike | None:
        """A group of rows ready to be run; None where each row needs a look of its own."""
        if self._kind == "check":
            return None
        first = self.session_of(group, 0)
        try:
            values = first.values()
            wrt = () if self._kind == "eval" else choose_target(first).names
            columns = dict(self._converted(group, values))
        except (GradcliError, _Unlike):
            return None
        same = {name: value for name, value in values.items() if name not in columns}
        return _Alike(group, same, columns, wrt)

    def _converted(self, group: Group, values: Mapping[str, Array]) -> Iterator[tuple[str, Array]]:
        """The columns as the program declares them; `values` are those of the first row.

        Raises:
            _Unlike: a default depends on the row.
            GradcliError: a value is not as declared.
        """
        session = self._session
        given = {*session.given, *group.columns}
        inputs = session.program.inputs_given(given, session.options.of)
        for name, decl in inputs.items():
            if name not in given and decl.default is not None and not _names(decl.default).isdisjoint(group.columns):
                raise _Unlike
        for name, column in group.columns.items():
            found = converted(inputs[name], column, state.default_float) if name in inputs else column
            if (found.dtype, found.shape[1:]) != (values[name].dtype, values[name].shape):
                raise _Unlike
            yield name, found


def _names(node: ast.expr) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _lifted(value: Any, level: RowLevel) -> Any:
    """A document in which what differs from row to row is a `PerRow`."""
    if isinstance(value, Batched):
        return PerRow(concrete(level.payload(value)))
    if isinstance(value, dict):
        return {key: _lifted(entry, level) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_lifted(entry, level) for entry in value]
    return value


def not_finite(found: Answered, kind: str) -> Array:
    """The places of the rows whose derivative is NaN or infinite somewhere."""
    bad = np.zeros(len(found.places), dtype=np.bool_)
    for array in _arrays(found.document.get(kind)):
        rows = array.array if isinstance(array, PerRow) else np.asarray(array)[None]
        if rows.dtype.kind in "fc" and not np.isfinite(rows).all():
            bad |= ~np.isfinite(rows).reshape(len(rows), -1).all(axis=1)
    return found.places[bad]


def _arrays(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for entry in value.values():
            yield from _arrays(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _arrays(entry)
    elif isinstance(value, PerRow | np.ndarray):
        yield value
