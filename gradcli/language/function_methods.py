"""Methods of NumPy's functions of two values: `np.add.reduce(x)`, `np.maximum.accumulate(x)`, `np.add.at(x, i, v)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gradcli.graph.errors import ArgumentError
from gradcli.language.arguments import matched
from gradcli.language.operations import OpFunction
from gradcli.language.values import Arguments, Builtin, FunctionValue, Keywords, LanguageValue, core, describe
from gradcli.ops import registry
from gradcli.tensor import Tensor, calls

if TYPE_CHECKING:
    from gradcli.language.machine import Machine

#: Their names.
NAMES = frozenset({"reduce", "accumulate", "reduceat", "outer", "at"})
#: What `x.at[i]` calls the update of each function.
_UPDATES = {
    "add": "add",
    "subtract": "subtract",
    "multiply": "multiply",
    "divide": "divide",
    "power": "power",
    "maximum": "max",
    "minimum": "min",
}


def method_of(x: OpFunction, name: str) -> FunctionValue | None:
    """The method `name` of a function, where NumPy has it."""
    if name == "at" and x.name in _UPDATES:
        return Builtin(f"{x.name}.at", _at(x.name))
    if name not in NAMES:
        return None
    from gradcli.ops.ufuncs import method_of as of_function

    found = of_function(x.function, name)
    return None if found is None else OpFunction(found)


def _at(name: str) -> Callable[[Machine, Arguments, Keywords], LanguageValue]:
    """`np.add.at(a, indices, b)`: the tensor changed in place, indices that come twice counted twice."""
    what = f"{name}.at"

    def update(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
        found = matched(what, args, kwargs, ("a", "indices", "b"), 3)
        if type(found["a"]) is not Tensor:
            raise ArgumentError(f"{what} changes a tensor, not {describe(found['a'])}")
        function = registry.known_method(f"at[i].{_UPDATES[name]}", False)
        calls.in_place(found["a"], what, function, [core(found["indices"], what), core(found["b"], what)], {})
        return None

    return update
