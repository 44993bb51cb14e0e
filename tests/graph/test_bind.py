"""The door through which every op goes: promotion, errors, and what a recording keeps."""

from __future__ import annotations

import numpy as np
import pytest

from gradcli.graph.bind import bind, torch_common_dtype
from gradcli.graph.errors import AbstractValue, ShapeError
from gradcli.graph.recording import Recording
from gradcli.graph.values import concrete
from gradcli.ops.elementwise import ADD, GREATER, MUL, SIN

F32, F64, I64 = np.float32, np.float64, np.int64


@pytest.mark.parametrize(
    ("operands", "expected"),
    [
        ((np.ones(2, F32), np.ones((), F64)), F32),  # a 0-d tensor does not widen one with axes
        ((np.ones(2, I64), np.ones((), F32)), F32),  # but a higher category does
        ((np.ones(2, F32), np.ones(2, F64)), F64),
        ((np.ones(2, I64), 1.5), F32),  # a number is of the default dtype
        ((np.ones(2, F64), 1.5), F64),
        ((np.ones(2, bool), 2), I64),
        ((np.ones((), F32), np.ones((), F64)), F64),
        ((1, 2.0), None),
    ],
)
def test_promotion_follows_pytorch(operands, expected, monkeypatch):
    from gradcli.graph.state import state

    monkeypatch.setattr(state, "default_float", np.dtype(np.float32))
    found = torch_common_dtype(operands)
    assert found == (None if expected is None else np.dtype(expected))


def test_a_shape_error_shows_both_shapes_and_the_operation():
    with pytest.raises(ShapeError, match=r"multiply cannot broadcast shapes \[2, 3\] and \[2\]"):
        bind(MUL, np.ones((2, 3)), np.ones(2))


def test_a_recording_keeps_every_op_of_the_program_and_none_of_the_rules():
    with Recording() as recording:
        x = recording.input("x", np.array([1.0, 2.0]))
        y = bind(SIN, bind(MUL, x, 2.0))
        bind(ADD, np.ones(2), 1.0)
    assert [node.op.name if node.op else "input" for node in recording.nodes] == ["input", "multiply", "sin", "add"]
    assert recording.nodes[2].inputs == (recording.nodes[1],)
    np.testing.assert_array_equal(y.value, np.sin([2.0, 4.0]))


def test_an_abstract_recording_knows_shapes_alone():
    with Recording(abstract=True) as recording:
        x = recording.input("x", np.ones((2, 3)))
        y = bind(GREATER, bind(MUL, x, np.ones(3)), 0.0)
        assert y.shape == (2, 3)
        assert y.dtype == bool
        with pytest.raises(AbstractValue):
            concrete(y)
        assert concrete(bind(ADD, np.ones(2), 1.0)).tolist() == [2.0, 2.0]
