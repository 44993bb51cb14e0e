"""Print what becomes of mutants of the op table's rules; see `table.mutants`.

python tests/ops/mutants.py [OP ...] [--unchecked] [--equivalent]
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from table.mutants import CHECKS, Outcome, report, run
from table.rules import all_ops, carries, users


def main() -> int:
    """1 where a mutant survived."""
    parser = argparse.ArgumentParser(description="Mutants of the op table's rules, and whether the tests notice.")
    parser.add_argument("ops", nargs="*", metavar="OP", help="ops whose rules are changed (default: all)")
    parser.add_argument("--unchecked", action="store_true", help="make no check, so that all that differ survive")
    parser.add_argument("--equivalent", action="store_true", help="list the mutants that change nothing, too")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    chosen = [op for op in all_ops() if carries(op) and (not options.ops or op.name in options.ops)]
    start = time.perf_counter()
    outcomes: list[Outcome] = []
    for outcome in run(chosen, () if options.unchecked else CHECKS):
        outcomes.append(outcome)
        if outcome.fate in ("survived", "unreached") or (options.equivalent and outcome.fate == "equivalent"):
            print(f"{outcome.fate}: {outcome.mutant}", flush=True)
    rules = [rule for rule in users() if rule.op in chosen]
    print(f"\n{len(chosen)} ops, {len(rules)} rules, {time.perf_counter() - start:.0f} s\n{report(outcomes)}")
    unused = [op.name for op in chosen if not any(rule.op is op for rule in rules)]
    if unused:
        print(f"ops whose rules no call uses: {', '.join(unused)}")
    return int(bool(unused) or any(o.fate == "survived" for o in outcomes))


if __name__ == "__main__":
    sys.exit(main())
