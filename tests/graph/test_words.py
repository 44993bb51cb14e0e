"""What Python and NumPy object to is said in this language's words."""

from __future__ import annotations

import numpy as np
import pytest

from gradcli.graph.errors import GradcliError
from gradcli.ops.registry import lookup


@pytest.mark.parametrize(
    ("module", "name", "args", "words"),
    [
        ("numpy", "any", (np.ones(2), None, np.ones(2)), "a tensor, where it takes a single number or a word"),
        ("numpy", "quantile", (np.ones(2), "a"), "expected a number, not 'a'"),
        ("numpy.linalg", "norm", (np.ones(2), np.ones(2)), "a tensor, where it takes a single number or a word"),
        ("numpy", "hypot", (np.ones(2), None), "not None"),
        ("numpy", "logical_xor", (None, np.ones(2)), "not None"),
        ("math", "isclose", (np.ones(2), np.ones(3)), r"cannot broadcast shapes \[2\] and \[3\]"),
        ("torch.nn.functional", "lp_pool1d", (np.ones((1, 4)), 0, 2), "norm_type can't be 0"),
        ("math", "comb", (10**12, 10**11), "does not fit in 64 bits"),
        ("math", "perm", (10**12,), "does not fit in 64 bits"),
    ],
)
def test_a_wrong_argument_is_named_in_our_words(module, name, args, words):
    with pytest.raises(GradcliError, match=words):
        lookup(module, name)(*args)
