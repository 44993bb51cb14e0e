"""Tensors from Python: `import gradcli as gc`."""

from __future__ import annotations

import gc as collector
import weakref

import numpy as np
import pytest

import gradcli as gc
from gradcli.autodiff.vmap import vmap
from gradcli.graph.errors import ArgumentError, AutogradError
from gradcli.tensor.tape import Spent


def leaf(*values):
    return gc.tensor(list(values), requires_grad=True)


def test_the_first_lines_of_a_tutorial():
    x = leaf(1.0, 2.0)
    (x**2).sum().backward()
    assert x.grad.tolist() == [2.0, 4.0]
    with gc.no_grad():
        x -= 0.5 * x.grad
    assert x.tolist() == [0.0, 0.0]
    assert x.is_leaf and x.requires_grad and x._version == 1


def test_the_package_makes_tensors_before_and_after_its_import():
    import gradcli.tensor

    assert gradcli.tensor([1.0]).tolist() == [1.0]
    assert gc.tensor([1.0]).tolist() == [1.0]


def test_operators_and_numpy_s_arrays():
    x = leaf(1.0, 2.0)
    assert (np.array([3.0, 4.0]) * x).tolist() == [3.0, 8.0]
    assert (2 / x).grad_fn.name() == "MulBackward0"
    assert (3 - x).grad_fn.name() == "RsubBackward1"
    assert (x == x).tolist() == [True, True]
    assert len({x, x}) == 1
    assert [float(part) for part in x] == [1.0, 2.0]
    with pytest.raises(AutogradError, match=r"Can't call numpy\(\) on Tensor that requires grad"):
        np.asarray(x)


def test_index_writes_and_methods_in_place():
    y = gc.zeros(2, 2)
    x = leaf(1.0, 2.0)
    y[0] = x
    y[1].add_(3.0)
    assert y.tolist() == [[1.0, 2.0], [3.0, 3.0]]
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]
    assert y.max(dim=1)[1].tolist() == [1, 0]
    with pytest.raises(AttributeError, match=r"a tensor has no '\.unheard_of'"):
        y.unheard_of()


def test_the_gradient_of_a_tensor_between_is_warned_of():
    y = leaf(1.0) * 2
    with pytest.warns(UserWarning, match="not a leaf Tensor is being accessed"):
        assert y.grad is None
    y.retain_grad()
    assert y.grad is None


def test_accumulation_keeps_the_tensor():
    x = leaf(1.0, 2.0)
    (x * 3).sum().backward()
    first = x.grad
    (x * 3).sum().backward()
    assert x.grad is first
    assert first.tolist() == [6.0, 6.0]


def test_hooks_run_in_order_and_can_be_removed():
    x = leaf(1.0, 2.0)
    y = x * 2
    seen = []
    first = y.register_hook(lambda g: seen.append(g.tolist()))
    y.register_hook(lambda g: g * 10)
    y.retain_grad()
    y.sum().backward(retain_graph=True)
    assert seen == [[1.0, 1.0]]
    assert x.grad.tolist() == [20.0, 20.0]
    assert y.grad.tolist() == [10.0, 10.0]
    first.remove()
    y.sum().backward()
    assert len(seen) == 1


def test_grad_of_the_functional_kind():
    x, z = leaf(2.0), leaf(1.0)
    y = (x**3).sum()
    (first,) = gc.autograd.grad(y, x, create_graph=True)
    (second,) = gc.autograd.grad(first, x)
    assert (first.tolist(), second.tolist()) == ([12.0], [12.0])
    assert gc.autograd.grad(x * 2, [x, z], allow_unused=True)[1] is None
    with pytest.raises(AutogradError, match="The differentiated Tensor at index 1 appears to not have been used"):
        gc.autograd.grad(x * 2, [x, z])
    assert gc.autograd.gradcheck(lambda x: (x * x).sum(), [x])


def test_a_spent_graph_lets_its_values_go():
    x = gc.tensor(np.ones(300_000), requires_grad=True)
    y = x * 2.0
    held = weakref.ref(y.node.value)
    z = (y * y).sum()
    assert held() is not None
    del y
    z.backward()
    collector.collect()
    assert held() is None
    assert type(z.node.inputs) is tuple or type(z.node.inputs) is Spent
    assert z.grad_fn.next_functions[0][0].name() == "MulBackward0"


def test_a_long_chain_goes_back_without_recursion():
    x = leaf(1.0)
    y = x
    for _ in range(20_000):
        y = y + 1.0
    y.sum().backward()
    del y
    assert x.grad.tolist() == [1.0]


def test_updates_that_nobody_sees_are_not_kept():
    from gradcli.tensor import versions

    counter = gc.zeros(())
    before = len(versions._notes)
    for _ in range(100):
        counter += 1.0
    assert counter.item() == 100.0
    assert len(versions._notes) <= before + 1


def test_vmap():
    def squares(x):
        return x * x

    np.testing.assert_array_equal(vmap(squares)(np.arange(3.0)), [0.0, 1.0, 4.0])
    each = vmap(gc.grad(lambda x: x * x * x))(np.array([1.0, 2.0]))
    np.testing.assert_array_equal(each, [3.0, 12.0])
    with pytest.raises(ArgumentError, match="Got in_dim=0 for some input"):
        vmap(squares)(np.float64(1.0))


def cube_sum(x):
    return (x * x * x).sum()


def test_derivatives_take_tensors_and_give_tensors():
    x = gc.tensor([1.0, 2.0])
    slope = gc.grad(cube_sum)(x)
    assert isinstance(slope, gc.Tensor)
    assert slope.tolist() == [3.0, 12.0]
    assert gc.hessian(cube_sum)(x).tolist() == [[6.0, 0.0], [0.0, 12.0]]
    assert gc.hvp(cube_sum, x, gc.tensor([1.0, 1.0])).tolist() == [6.0, 12.0]
    value, tangent = gc.jvp(lambda a, b: a * b, (x, x), (x, gc.tensor([0.0, 1.0])))
    assert (value.tolist(), tangent.tolist()) == ([1.0, 4.0], [1.0, 6.0])
    value, pullback = gc.vjp(lambda a: a.exp().sum() * 0.0 + a[0], x)
    assert value.item() == 1.0
    assert pullback(gc.tensor(2.0))[0].tolist() == [2.0, 0.0]


def test_derivatives_of_arrays_are_arrays_and_nest():
    second = gc.grad(lambda t: gc.grad(cube_sum)(t).sum())(np.array([1.0, 2.0]))
    assert isinstance(second, np.ndarray)
    assert second.tolist() == [6.0, 12.0]
