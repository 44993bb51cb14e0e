"""The samples as they stand, by gradcli's engine: the command's own work without start-up, reading and writing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from problems import PROBLEMS, sample_of

from gradcli.autodiff.sparse import Course
from gradcli.cli.derivatives import COMPUTE
from gradcli.cli.session import choose_target, open_session
from gradcli.cli.sparse import COMPUTE as COMPUTE_SPARSE
from gradcli.cli.words import Invocation, parse

SAMPLES = Path(__file__).parents[2] / "samples" / "programs"


def words(name, command, wrt, data):
    """The words of the command line after `gradcli`."""
    sparse = ["--sparse"] if PROBLEMS[name].sparse else []
    return [command, *sparse, str(SAMPLES / f"{sample_of(name)}.grad"), "--data", str(data), "--wrt", ",".join(wrt)]


def prepared(name, command, wrt, arrays, data):
    """Seconds spent on compiling (none), and a function without arguments that gives the derivative's arrays."""
    invocation = parse(words(name, command, wrt, data))
    assert isinstance(invocation, Invocation)
    session = open_session(invocation)
    target = choose_target(session)

    def sparse():
        with np.errstate(all="ignore"):
            (whole,) = COMPUTE_SPARSE[command](target, Course()).wholes
        return [whole.rows, whole.columns, whole.values]

    if PROBLEMS[name].sparse:
        return 0.0, sparse

    def derivative():
        with np.errstate(all="ignore"):
            return [block.array for block in COMPUTE[command](session, target).blocks]

    return 0.0, derivative
