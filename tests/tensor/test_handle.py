"""Handles: in-place updates, versions, views of one memory, and the tape."""

from __future__ import annotations

import numpy as np
import pytest

from gradcli.autodiff import grad, no_grad
from gradcli.graph.errors import AutogradError, ShapeError
from gradcli.graph.state import state
from gradcli.graph.values import concrete
from gradcli.ops.indexing import getitem
from gradcli.ops.registry import lookup
from gradcli.tensor import Tensor, as_float, as_int, truth

total = lookup("", "sum")


def leaf(*values):
    return Tensor(np.array(values, dtype=float)).requires_grad_()


def test_a_view_sees_its_base_and_the_base_its_view():
    base = Tensor(np.arange(6.0).reshape(2, 3))
    row = Tensor.view_of(base, lambda x: getitem(x, 1))
    corner = Tensor.view_of(row, lambda x: getitem(x, slice(0, 2)))
    base.write((1, 0), 30.0)
    assert row.numpy().tolist() == [30.0, 4.0, 5.0]
    assert corner.numpy().tolist() == [30.0, 4.0]
    corner.write(1, 40.0)
    assert base.numpy().tolist() == [[0.0, 1.0, 2.0], [30.0, 40.0, 5.0]]
    row.update(np.zeros(3))
    assert corner.numpy().tolist() == [0.0, 0.0]
    assert base.version == 3


def test_the_array_that_was_given_is_never_written():
    given = np.arange(3.0)
    Tensor(given).write(0, 7.0)
    assert given.tolist() == [0.0, 1.0, 2.0]


def test_writes_are_differentiated():
    def f(x):
        y = Tensor(x * 2.0)
        part = Tensor.view_of(y, lambda v: getitem(v, slice(1, 3)))
        part.update(part.value * y.value[0])
        return total(y.value)

    # y = (2a, 2b*2a, 2c*2a)
    np.testing.assert_array_equal(grad(f)(np.array([3.0, 5.0, 7.0])), [2 + 4 * 12.0, 12.0, 12.0])


def test_an_update_keeps_shape_and_dtype():
    x = Tensor(np.ones(2, dtype=np.float32))
    x.update(np.full(2, 3.0))
    assert x.dtype == np.float32
    with pytest.raises(ShapeError, match=r"shape \[3\] does not fit a tensor of shape \[2\]"):
        x.update(np.ones(3))


def test_backward_accumulates_into_leaves():
    x = leaf(1.0, 2.0)
    y = Tensor(total(x.value * x.value))
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad is not None
    assert x.grad.numpy().tolist() == [4.0, 8.0]
    with pytest.raises(AutogradError, match="Trying to backward through the graph a second time"):
        y.backward()


def test_backward_needs_a_scalar_or_a_gradient():
    x = leaf(1.0, 2.0)
    y = Tensor(x.value * 3.0)
    with pytest.raises(AutogradError, match=r"^grad can be implicitly created only for scalar outputs$"):
        y.backward()
    y.backward(np.array([1.0, 10.0]))
    assert x.grad.numpy().tolist() == [3.0, 30.0]
    with pytest.raises(AutogradError, match=r"^element 0 of tensors does not require grad and"):
        Tensor(np.ones(1)).backward()


def test_descent_on_a_leaf_under_no_grad():
    w = leaf(5.0, -3.0)
    for _ in range(3):
        loss = Tensor(total((w.value - 1.0) * (w.value - 1.0)))
        loss.backward()
        with no_grad():
            w.update(w.value - 0.1 * w.grad.value)
        w.grad = None
        assert w.is_leaf and w.requires_grad
    np.testing.assert_allclose(w.numpy(), 1 + np.array([4.0, -4.0]) * 0.8**3)


def test_a_leaf_that_requires_grad_is_not_changed_in_place():
    w = leaf(1.0)
    with pytest.raises(AutogradError, match="a leaf Variable that requires grad is being used"):
        w.write(0, 2.0)


def test_outer_tensors_are_not_changed_inside_a_derivative():
    outer = Tensor(np.zeros(2))

    def f(x):
        outer.write(0, x)
        return x * x

    with pytest.raises(AutogradError, match="a tensor from outside can't be changed"):
        grad(f)(np.float64(1.0))


def test_detach_shares_memory_and_forgets_history():
    x = leaf(1.0, 2.0)
    y = Tensor(x.value * 2.0)
    z = y.detach()
    assert not z.requires_grad
    assert z.numpy().tolist() == [2.0, 4.0]


def test_second_derivative_through_create_graph():
    x = leaf(3.0)
    Tensor(total(x.value * x.value * x.value)).backward(create_graph=True)
    g = x.grad
    x.grad = None
    Tensor(total(g.value)).backward()
    assert x.grad.numpy().tolist() == [18.0]


def test_numbers_for_control_flow(monkeypatch):
    monkeypatch.setattr(state, "torch_semantics", False)
    assert truth(Tensor(np.array([True])))
    assert as_int(Tensor(np.float64(-2.9))) == -2
    assert as_float(Tensor(np.float32(0.5))) == 0.5
    with pytest.raises(Exception, match="The truth value of an array with more than one element is ambiguous"):
        truth(Tensor(np.ones(2)))
    assert concrete(np.ones(1)).shape == (1,)
