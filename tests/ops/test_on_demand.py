"""The table of names that are loaded on demand is what the modules declare: `python tests/ops/test_on_demand.py`
writes it anew."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys
from collections import defaultdict
from importlib import import_module
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "gradcli" / "ops" / "on_demand.py"
HEAD = '''"""Which modules declare a name: they are loaded when it is first asked for.

A program uses few families, and a cold start would pay for all. `python tests/ops/test_on_demand.py` writes this table;
a test compares it. Names of modules that are always loaded are not in it.
"""

from __future__ import annotations

#: Name, of a function, a method or an attribute -> the modules of `gradcli.ops` that declare it, blanks between.
DECLARED_IN: dict[str, str] = {
'''


def declared() -> dict[str, str]:
    """Which modules declare a name, of all that importing `gradcli.ops` does not load; in a process that has not
    loaded them yet."""
    import gradcli.ops
    from gradcli.ops import registry

    found: dict[str, set[str]] = defaultdict(set)
    register = registry.register

    def noted(function: registry.Function) -> registry.Function:
        frame = sys._getframe(1)
        while frame.f_code.co_name != "<module>":
            frame = frame.f_back
        for spelling in function.spellings:
            found[registry.name_in(spelling)].add(frame.f_globals["__name__"].removeprefix("gradcli.ops."))
        return register(function)

    registry.register = noted
    for module in pkgutil.walk_packages(gradcli.ops.__path__, "gradcli.ops."):
        import_module(module.name)
    return {name: " ".join(sorted(modules)) for name, modules in sorted(found.items())}


def declared_in_a_fresh_process() -> dict[str, str]:
    done = subprocess.run([sys.executable, __file__, "--print"], check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


def test_the_table_is_what_the_modules_declare() -> None:
    from gradcli.ops.on_demand import DECLARED_IN

    assert declared_in_a_fresh_process() == DECLARED_IN


ASK = """
import json, sys
from gradcli.ops import registry
if sys.argv[1] == "all":
    registry.load_all()
    keys = [[*key] for key in registry._TABLE], [[*key] for key in registry._METHODS], list(registry._ATTRIBUTES)
else:
    keys = json.load(sys.stdin)
functions = [registry.lookup(*key) for key in keys[0]] + [registry.lookup("", key[1]) for key in keys[0]]
functions += [registry.method(*key) for key in keys[1]] + [registry.attribute(key) for key in keys[2]]
print(json.dumps([keys, [f and f.name for f in functions]]))
"""


def test_every_name_is_found_and_means_the_same_without_loading_all() -> None:
    def asked(what: str, given: str = "") -> Any:
        words = [sys.executable, "-c", ASK, what]
        return json.loads(subprocess.run(words, input=given, check=True, capture_output=True, text=True).stdout)

    keys, meant = asked("all")
    assert len(keys[0]) > 1000 and None not in meant[: len(keys[0])]
    assert asked("on demand", json.dumps(keys))[1] == meant


if __name__ == "__main__":
    if "--print" in sys.argv:
        print(json.dumps(declared()))
    else:
        lines = [f"    {json.dumps(name)}: {json.dumps(modules)},\n" for name, modules in declared().items()]
        PAGE.write_text(HEAD + "".join(lines) + "}\n")
        print(f"wrote {PAGE}")
