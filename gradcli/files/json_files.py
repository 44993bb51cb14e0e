"""Reading JSON: strictly, into float64 arrays, with every fault named by line or key."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import chain
from typing import Any, NoReturn

import numpy as np

from gradcli.files.names import listed, quoted, shown
from gradcli.files.sources import decode
from gradcli.graph.budget import budget
from gradcli.graph.errors import GradcliError
from gradcli.language.diagnostics import did_you_mean
from gradcli.language.source import normalised

#: Nesting beyond this is no data: NumPy's arrays have 64 axes at most, and objects stand around them.
MOST_NESTED = 80
MOST_AXES = 64
#: How strict JSON, which has no such numbers, spells them here.
SPELLED = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def read_json(data: bytes, name: str, key: str | None) -> np.ndarray:
    """The number or nested list of numbers in a JSON text, or under its `key` (`a.b` looks inside objects).

    Numbers become float64, `3` too; the strings "NaN", "Infinity" and "-Infinity" count as numbers; lists of
    `true` and `false` become bool arrays.

    Raises:
        GradcliError: not strict JSON, no such key, a ragged list, or something that is no number.
    """
    document = parse(data, name)
    if key is None:
        if isinstance(document, dict):
            example = f"; choose with @{shown(name)}:{shown(next(iter(document)))}" if document else ""
            keys = f" (keys: {listed(document)})" if document else ""
            raise GradcliError(f"{shown(name)} holds an object, expected numbers{example}{keys}")
        return to_array(document, name)
    return to_array(_look_up(document, key, name), f"{name}:{key}")


def read_json_all(data: bytes, name: str, wanted: Callable[[str], bool]) -> dict[str, np.ndarray]:
    """The wanted entries of a JSON object, as arrays by name; the others may be anything."""
    document = parse(data, name)
    if not isinstance(document, dict):
        raise GradcliError(f'{shown(name)} holds {_kind(document)}, expected an object like {{"x": [1, 2]}}')
    found: dict[str, np.ndarray] = {}
    for key, value in document.items():
        plain = normalised(key)
        if not wanted(plain):
            continue
        if plain in found:
            raise GradcliError(f"{shown(name)} has the key {quoted(plain)} twice")
        found[plain] = to_array(value, f"{name}:{key}")
    return found


def parse(data: bytes, name: str) -> Any:
    """The document: dicts, lists, floats (integers too), strings, bools and None.

    Raises:
        GradcliError: not strict JSON, a key twice in one object, or nested beyond `MOST_NESTED`.
    """
    import json

    text = decode(data, name)
    if not text.strip():
        raise GradcliError(f"{shown(name)} is empty, expected JSON")
    # A float in a list takes 32 bytes, a list 64 and more.
    budget.charge(32 * data.count(b",") + 96 * data.count(b"["), f"the JSON of {shown(name)}")
    _expect_shallow(data, name)

    def no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        entries = dict(pairs)
        if len(entries) < len(pairs):
            first = {key: place for place, (key, _) in reversed(list(enumerate(pairs)))}
            twice = next(key for place, (key, _) in enumerate(pairs) if first[key] < place)
            raise GradcliError(f"{shown(name)} has the key {quoted(twice)} twice")
        return entries

    def constant(word: str) -> NoReturn:
        raise GradcliError(f'{shown(name)}: {word} is no JSON; write it as a string: "{word}"')

    try:
        return json.loads(text, object_pairs_hook=no_duplicates, parse_constant=constant, parse_int=float)
    except json.JSONDecodeError as error:
        what = error.msg[0].lower() + error.msg[1:]
        place = f"line {error.lineno}, column {error.colno}"
        raise GradcliError(f"{shown(name)}, {place}: this is no JSON: {what}") from None
    except RecursionError:
        raise GradcliError(f"{shown(name)}: nested too deeply") from None


def to_array(value: Any, where: str) -> np.ndarray:
    """The array of a parsed number or nested list; `where` names it in errors.

    Raises:
        GradcliError: ragged, or an element is no number; the message has its index.
    """
    shape = _shape(value)
    if len(shape) > MOST_AXES:
        raise GradcliError(f"{shown(where)}: lists nested {len(shape)} deep, expected at most {MOST_AXES}")
    leaves = _leaves(value, shape, where)
    kinds = set(map(type, leaves))
    if kinds == {bool}:
        return np.array(leaves, dtype=np.bool_).reshape(shape)
    if kinds - {float}:
        leaves = [_number(leaf, where, position, shape) for position, leaf in enumerate(leaves)]
        return np.array(leaves, dtype=np.float64).reshape(shape)
    array = np.array(leaves, dtype=np.float64)
    if np.isinf(array).any():
        raise _too_large(where, int(np.flatnonzero(np.isinf(array))[0]), shape)
    return array.reshape(shape)


def _shape(value: Any) -> tuple[int, ...]:
    """The shape by the first elements; `_leaves` checks that the others agree."""
    shape = []
    while type(value) is list:
        shape.append(len(value))
        if not value:
            break
        value = value[0]
    return tuple(shape)


def _leaves(value: Any, shape: tuple[int, ...], where: str) -> list[Any]:
    """The elements in order, after a check that every list is as long as the first of its level."""
    level = [value]
    for depth, length in enumerate(shape):
        for position, item in enumerate(level):
            if type(item) is not list or len(item) != length:
                place = _at(where, position, shape[:depth])
                expected = f"a list of {length} like those before it"
                raise GradcliError(f"{place}: expected {expected}, found {_kind(item)}")
        level = list(chain.from_iterable(level))
    return level


def _number(leaf: Any, where: str, position: int, shape: tuple[int, ...]) -> float:
    if type(leaf) is float:
        if not math.isinf(leaf):
            return leaf
        raise _too_large(where, position, shape)
    if type(leaf) is str and leaf in SPELLED:
        return SPELLED[leaf]
    raise GradcliError(f"{_at(where, position, shape)}: expected a number, found {_kind(leaf)}")


def _too_large(where: str, position: int, shape: tuple[int, ...]) -> GradcliError:
    return GradcliError(f"{_at(where, position, shape)}: the number is beyond what a float64 holds (1.8e308)")


def _at(where: str, position: int, shape: tuple[int, ...]) -> str:
    """The place of the element at a flat position: `a.json:x[1][2]`."""
    index: list[int] = []
    for length in reversed(shape):
        position, last = divmod(position, length)
        index.insert(0, last)
    return shown(where) + "".join(f"[{i}]" for i in index)


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, str):
        return f"the string {quoted(value, 30)}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "an object"
    return "null" if value is None else f"the number {value:g}"


def _look_up(document: Any, key: str, name: str) -> Any:
    """The value under `key`, or under the path of keys that its dots make."""
    if not isinstance(document, dict):
        expected = f"expected an object with the key {quoted(key)}"
        raise GradcliError(f"{shown(name)} holds {_kind(document)}, {expected}")
    entries = {normalised(entry): value for entry, value in document.items()}
    wanted = normalised(key)
    if wanted in entries:
        return entries[wanted]
    first, dot, rest = wanted.partition(".")
    if dot and isinstance(entries.get(first), dict):
        return _look_up(entries[first], rest, f"{name}:{first}")
    keys = f"its keys are {listed(entries)}" if entries else "it has none"
    mend = did_you_mean(wanted, list(entries))
    raise GradcliError(f"{shown(name)} has no key {quoted(key)}; {keys}", mend=mend)


def _expect_shallow(data: bytes, name: str) -> None:
    """Measure nesting without recursion, strings aside."""
    if data.count(b"[") + data.count(b"{") <= MOST_NESTED:
        return
    import re

    bare = re.sub(rb'"(?:[^"\\]|\\.)*"', b"", data) if b'"' in data else data
    steps = np.zeros(256, dtype=np.int64)
    steps[list(b"[{")] = 1
    steps[list(b"]}")] = -1
    brackets = bare.translate(None, bytes(set(range(256)) - set(b"[]{}")))
    depth = np.cumsum(steps[np.frombuffer(brackets, dtype=np.uint8)])
    if depth.size and depth.max() > MOST_NESTED:
        raise GradcliError(f"{shown(name)}: nested {int(depth.max())} deep, expected at most {MOST_NESTED}")
