"""What nothing has, found before anything runs: members (`np.sinn`), attributes (`x.summ()`), keywords (`axs=0`)."""

from __future__ import annotations

import ast

from gradcli.language import attributes, names
from gradcli.language.diagnostics import ProgramError, did_you_mean
from gradcli.language.operations import OpFunction
from gradcli.language.scope import Scopes
from gradcli.language.values import ModuleValue
from gradcli.ops.function import Function


def check_members(scopes: Scopes) -> None:
    """See that all attributes in a program exist, in their module where that is known, else anywhere, and that the
    functions that it names take the keywords that it gives them.

    Raises:
        ProgramError: one does not; suggests the nearest.
    """
    for node, is_free in scopes.attributes:
        chain = _chain(node)
        base = chain[0].value
        path = _module(scopes, base.id) if is_free and isinstance(base, ast.Name) else None
        while path is not None and chain:
            link = chain.pop(0)
            found = names.known_member(path, link.attr, scopes.spans[link])
            path = found.path if isinstance(found, ModuleValue) else None
        for link in chain:
            _check(scopes, link, is_free)
    for call, is_free in scopes.keyword_calls:
        function = _function(scopes, call.func) if is_free else None
        if function is not None:
            _check_keywords(scopes, call, function)


def _function(scopes: Scopes, node: ast.expr) -> Function | None:
    """The op's function that a call means, where that is plain from the program's text."""
    if isinstance(node, ast.Name):
        found = None if node.id in scopes.assigned else names.function_named(node.id, scopes.stars)
    else:
        assert isinstance(node, ast.Attribute)
        chain = _chain(node)
        base = chain[0].value
        path = _module(scopes, base.id) if isinstance(base, ast.Name) else None
        found = ModuleValue(path) if path is not None else None
        for link in chain:
            found = names.member(found.path, link.attr) if isinstance(found, ModuleValue) else None
    return found.function if isinstance(found, OpFunction) else None


def _check_keywords(scopes: Scopes, call: ast.Call, function: Function) -> None:
    for keyword in call.keywords:
        name = keyword.arg
        if name is None or name == "requires_grad" or (name == "generator" and function.family == "random"):
            continue
        if not function.takes(name):
            known = [parameter.lstrip("*") for parameter in function.parameters]
            raise ProgramError(
                f"{function.name}() has no argument '{name}'",
                mend=did_you_mean(name, known) or f"it takes {function.signature}",
                span=scopes.spans[keyword],
            )


def _chain(node: ast.Attribute) -> list[ast.Attribute]:
    """The links of `a.b.c`, the innermost first."""
    links = [node]
    while isinstance(links[-1].value, ast.Attribute):
        links.append(links[-1].value)
    return links[::-1]


def _module(scopes: Scopes, name: str) -> str | None:
    """The path of the module that a name means wherever the program reads it, if it means one."""
    if name in scopes.assigned:
        paths = scopes.modules.get(name, set())
        return next(iter(paths)) or None if len(paths) == 1 and name not in scopes.variables else None
    if name in scopes.declared or name not in names.USUAL_MODULES:
        return None
    used = {use.way for use in scopes.uses.get(name, ())}
    return None if "value" in used else names.USUAL_MODULES[name]


def _homes(called: str) -> list[str]:
    """All modules, those first that a program most probably means by a name."""
    first = ("numpy", "scipy.special", "scipy.linalg", "torch", "torch.nn.functional")
    found = [*first, *sorted(names.MODULES.difference(first))]
    alike = [path for path in found if path.rpartition(".")[2] == called]
    return [*sorted(alike, key=len), *found]


def _check(scopes: Scopes, node: ast.Attribute, is_free: bool) -> None:
    name, base = node.attr, node.value
    if attributes.exists(name):
        return
    called = base.id if isinstance(base, ast.Name) else ""
    home = next((path for path in _homes(called) if names.member(path, name) is not ...), None)
    unbound = is_free and isinstance(base, ast.Name) and base.id in scopes.uses and base.id not in scopes.declared
    if home is not None:
        # It may be a module's: of one that was assigned to a variable, or of one that was never imported.
        if not unbound:
            return
        assert isinstance(base, ast.Name)
        raise ProgramError(
            f"'{base.id}' is no module here",
            mend=f"import it first: import {home} as {base.id}",
            span=scopes.spans[node],
        )
    mend = did_you_mean(name, attributes.known_names())
    if unbound and mend is None and isinstance(base, ast.Name):
        nearest = did_you_mean(base.id, list(names.USUAL_MODULES))
        raise ProgramError(f"'{base.id}' has no '.{name}' here", mend=nearest, span=scopes.spans[node])
    raise ProgramError(f"unknown attribute '.{name}'", mend=mend, span=scopes.spans[node])
