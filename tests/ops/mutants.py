"""Print what becomes of mutants of the op table's rules; see `table.mutants`.

python tests/ops/mutants.py [OP ...] [--unchecked] [--equivalent] [--jobs N]
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from table.mutants import CHECKS, report, run
from table.rules import all_ops, carries, rules, users

#: (fate, kind of change, the mutant in words)
Line = tuple[str, str, str]
#: The name of an op, how many rules it has, what became of its mutants, and seconds of processor time.
Outcomes = tuple[str, int, list[Line], float]
OPS = [op for op in all_ops() if carries(op)]


def outcomes_of(place: int, unchecked: bool) -> Outcomes:
    """What became of the mutants of an op."""
    warnings.simplefilter("ignore")
    start = time.process_time()
    op = OPS[place]
    found = [(o.fate, o.mutant.kind, str(o.mutant)) for o in run([op], () if unchecked else CHECKS)]
    return op.name, len(rules(op)), found, time.process_time() - start


def all_outcomes(places: list[int], options: argparse.Namespace) -> Iterator[Outcomes]:
    """The outcomes of ops, as they come."""
    if options.jobs == 1:
        yield from (outcomes_of(place, options.unchecked) for place in places)
        return
    users(OPS[0])  # what every process needs is found before they part
    with multiprocessing.get_context("fork").Pool(options.jobs) as pool:
        waiting = [pool.apply_async(outcomes_of, (place, options.unchecked)) for place in places]
        for result in waiting:
            yield result.get()


def main() -> int:
    """1 where a mutant survived, or a rule is never run."""
    parser = argparse.ArgumentParser(description="Mutants of the op table's rules, and whether the tests notice.")
    parser.add_argument("ops", nargs="*", metavar="OP", help="ops whose rules are changed (default: all)")
    parser.add_argument("--unchecked", action="store_true", help="make no check, so that all that differ survive")
    parser.add_argument("--equivalent", action="store_true", help="list the mutants that change nothing, too")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    places = [i for i, op in enumerate(OPS) if not options.ops or op.name in options.ops]
    start = time.perf_counter()
    lines: list[Line] = []
    unused, count = [], 0
    for done, (name, number, found, seconds) in enumerate(all_outcomes(places, options), 1):
        print(f"{done}/{len(places)} {name}: {len(found)} mutants, {seconds:.0f} s", file=sys.stderr)
        count += number
        lines += found
        if not number:
            unused.append(name)
        for fate, _, words in found:
            if fate in ("survived", "unreached") or (options.equivalent and fate == "equivalent"):
                print(f"{fate}: {words}", flush=True)
    print(f"\n{len(places)} ops, {count} rules, {time.perf_counter() - start:.0f} s")
    print(report([(kind, fate) for fate, kind, _ in lines]))
    if unused:
        print(f"ops whose rules no call uses: {', '.join(unused)}")
    return int(bool(unused) or any(fate == "survived" for fate, _, _ in lines))


if __name__ == "__main__":
    sys.exit(main())
