"""The tape: backward passes over level 0, what they leave in `.grad`, and what they free.

A pass walks the nodes that its outputs depend on, latest first; each node's rule turns the gradient that arrives into
one for each of its inputs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.autodiff.gathering import gathered
from gradcli.autodiff.reverse import TAPE, in_dtype, reachable, shares
from gradcli.graph.errors import AutogradError
from gradcli.graph.node import Node
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, Spec, Value, concrete, shape_of
from gradcli.tensor.hooks import Accumulator, accumulator_of, hooked, watches
from gradcli.tensor.observing import observers
from gradcli.tensor.versions import anything_changed, check_saved, saves_something

if TYPE_CHECKING:
    from gradcli.tensor.handle import Tensor

Cotangents = dict[Node, CoreValue]

_TWICE = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already been "
    "freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify "
    "retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors "
    "after calling backward."
)
_NO_GRAD = "does not require grad and does not have a grad_fn"
#: Below this many bytes, a graph that is spent keeps its values: to drop them would cost more than they do.
_WORTH_DROPPING = 1 << 20


class Spent(tuple[Any, ...]):
    """The inputs of a node whose saved values a backward pass has given up."""

    __slots__ = ()


# --- what a program calls --------------------------------------------------------------------------------------------


def backward(
    outputs: Sequence[Tensor],
    gradients: Sequence[CoreValue | None],
    *,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Sequence[Tensor] | None = None,
) -> None:
    """Accumulate d outputs / d leaf, times the gradients given, into every leaf's `.grad`, or into those of `inputs`.

    Raises:
        AutogradError: nothing tracks an output; it is no scalar and no gradient is given; a gradient has another
            shape; the graph was freed, or what it saved was changed in place; a function of the program is being
            differentiated.
    """
    _check_outside("backward()", "use grad(f)(x)")
    if inputs is not None and not inputs:
        raise AutogradError("`inputs` argument to `backward()` cannot be empty.")
    targets = None if inputs is None else [_target(x) for x in inputs]
    found = _pass(outputs, gradients, targets, retain_graph, create_graph)
    for owner, g in found.items():
        tensor = _owner(owner)
        if tensor is not None and tensor.requires_grad:
            _accumulate(tensor, g, create_graph)
            if isinstance(owner, Accumulator) and owner.after:
                for hook in list(owner.after.values()):
                    hook(tensor)


def grad(
    outputs: Sequence[Tensor],
    inputs: Sequence[Tensor],
    grad_outputs: Sequence[CoreValue | None] | None = None,
    *,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """The sum of d outputs / d input, times `grad_outputs`, for each input; nothing is put into `.grad`.

    Raises:
        AutogradError: as for `backward`; or an input is not tracked, or no output depends on it and neither
            `allow_unused` (then it gives None) nor `materialize_grads` (zeros) is set.
    """
    from gradcli.tensor.handle import Tensor

    _check_outside("autograd.grad()", "use grad(f)(x)")
    if materialize_grads and allow_unused is False:
        raise AutogradError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: False."
        )
    given = [None] * len(outputs) if grad_outputs is None else grad_outputs
    seeds = _seeds(outputs, given)
    targets = [_target(x) for x in inputs]
    found = _pass(outputs, given, targets, retain_graph, create_graph, seeds)
    gradients: list[Tensor | None] = []
    for index, (x, target) in enumerate(zip(inputs, targets, strict=True)):
        g = found.get(_key(target))
        if g is not None:
            gradients.append(Tensor(g if create_graph else concrete(g)))
        elif materialize_grads:
            gradients.append(Tensor(np.zeros(x.shape, x.dtype)))
        elif allow_unused:
            gradients.append(None)
        else:
            raise AutogradError(
                f"The differentiated Tensor at index {index} appears to not have been used in the graph. Set "
                "allow_unused=True if this is the desired behavior."
            )
    return tuple(gradients)


def _check_outside(what: str, mend: str) -> None:
    if state.newest_level > state.program_level:
        raise AutogradError(f"{what} can't run inside a function that is being differentiated", mend=mend)


def _hint(output: Tensor) -> str | None:
    """What to do about an output that the tape does not track, where a derivative above the tape does."""
    return "of an input being differentiated, grad(f)(x) is the derivative" if _above_the_tape(output) else None


def _above_the_tape(x: Tensor) -> bool:
    """Whether a derivative that is being taken outside the program tracks a tensor."""
    value = x.value
    return isinstance(value, Value) and value.level is not TAPE and value.level is not state.recording


def _check_graph_is_whole(outputs: Sequence[Tensor]) -> None:
    """Raise if an output depends on what a derivative above the tape tracks: the graph made would not know of it."""
    for output in outputs:
        if _above_the_tape(output):
            raise AutogradError(
                "create_graph=True makes no graph of an input that is being differentiated",
                mend="use grad(f)(x), which nests",
            )


def _target(x: Tensor) -> Node:
    node = x.node
    if node is None:
        raise AutogradError("One of the differentiated Tensors does not require grad")
    return node


def _key(node: Node) -> Accumulator | Node:
    """What stands for a node among gradients: all nodes of one leaf are one."""
    return accumulator_of(node) or node


def _owner(key: Accumulator | Node) -> Tensor | None:
    if isinstance(key, Accumulator):
        return key.owner()
    watched = watches.get(key)
    return None if watched is None or watched.owner is None else watched.owner()


# --- the pass --------------------------------------------------------------------------------------------------------


def _pass(
    outputs: Sequence[Tensor],
    gradients: Sequence[CoreValue | None],
    targets: Sequence[Node] | None,
    retain_graph: bool | None,
    create_graph: bool,
    seeds: list[tuple[Node, CoreValue]] | None = None,
) -> dict[Accumulator | Node, CoreValue]:
    """Gradients of the targets, or of all leaves and of the nodes whose gradients are retained."""
    seeds = _seeds(outputs, gradients) if seeds is None else seeds
    if create_graph:
        _check_graph_is_whole(outputs)
    order = reachable(TAPE, [node for node, _ in seeds])
    run = None if targets is None else _leading_to(order, targets)
    executed = [node for node in order if (node.op is not None if run is None else node in run)]
    _check_ready(executed)
    span = state.span
    with _as_backward(create_graph):
        found = _walk(order, seeds, run, targets, create_graph)
    state.span = span
    if not (create_graph if retain_graph is None else retain_graph):
        _free(executed)
    return found


def _seeds(outputs: Sequence[Tensor], gradients: Sequence[CoreValue | None]) -> list[tuple[Node, CoreValue]]:
    if len(outputs) != len(gradients):
        raise AutogradError(f"got {len(outputs)} tensors and {len(gradients)} gradients")
    seeds = []
    for i, (output, gradient) in enumerate(zip(outputs, gradients, strict=True)):
        seed = _seed(i, output, gradient)
        if output.node is None:
            raise AutogradError(f"element {i} of tensors {_NO_GRAD}", mend=_hint(output))
        seeds.append((output.node, seed))
    return seeds


def _seed(index: int, output: Tensor, gradient: CoreValue | None) -> CoreValue:
    if gradient is None:
        if not output.requires_grad:
            raise AutogradError(f"element {index} of tensors {_NO_GRAD}", mend=_hint(output))
        if output.size != 1:
            raise AutogradError("grad can be implicitly created only for scalar outputs")
        return np.ones(output.shape, dtype=output.dtype)
    if shape_of(gradient) != output.shape:
        raise AutogradError(
            f"Mismatch in shape: grad_output[{index}] has a shape of torch.Size({list(shape_of(gradient))}) and "
            f"output[{index}] has a shape of torch.Size({list(output.shape)})."
        )
    return in_dtype(gradient, output.dtype)


@contextmanager
def _as_backward(create_graph: bool) -> Iterator[None]:
    """What runs inside is no part of the program, and is tracked only where a graph is to be made."""
    recording, below = state.recording, state.constant_below
    state.recording = None
    state.constant_below = -1 if create_graph else state.newest_level
    try:
        yield
    finally:
        state.recording, state.constant_below = recording, below


def _walk(
    order: list[Node],
    seeds: list[tuple[Node, CoreValue]],
    run: set[Node] | None,
    targets: Sequence[Node] | None,
    create_graph: bool,
) -> dict[Accumulator | Node, CoreValue]:
    """Go back over `order`, latest first, through the nodes in `run` (None: all)."""
    wanted = None if targets is None else {_key(node) for node in targets}
    found: dict[Accumulator | Node, CoreValue] = {}
    cotangents: Cotangents = {}
    for node, g in seeds:
        _give(cotangents, node, g)
    for observer in observers:
        observer.begin(seeds)
    for node in reversed(order):
        g = gathered(cotangents.pop(node, None))
        if g is None:
            continue
        if node.op is None or watches or wanted is not None:
            g = _arrived(node, g, wanted, found)
        given = shares(TAPE, node, g, create_graph) if node.op is not None and (run is None or node in run) else ()
        for observer in observers:
            observer.step(node, g, [(x, gathered(share)) for x, share in given])
        for x, share in given:
            held = cotangents.get(x)
            cotangents[x] = share if held is None else held + share
    return found


def _arrived(
    node: Node,
    g: CoreValue,
    wanted: set[Accumulator | Node] | None,
    found: dict[Accumulator | Node, CoreValue],
) -> CoreValue:
    """The gradient of a node after the hooks on it; kept in `found` if it is asked for."""
    key = _key(node)
    watched = watches.get(node)
    hooks = key.hooks if isinstance(key, Accumulator) else {} if watched is None else watched.hooks
    if hooks:
        g = hooked(hooks, g)
    retained = isinstance(key, Accumulator) or (watched is not None and watched.owner is not None)
    if key in wanted if wanted is not None else retained:
        found[key] = found[key] + g if key in found else g
    return g


def _give(cotangents: Cotangents, node: Node, g: CoreValue) -> None:
    held = cotangents.get(node)
    cotangents[node] = g if held is None else held + g


def _leading_to(order: Iterable[Node], targets: Sequence[Node]) -> set[Node]:
    """The nodes whose rules must run for the gradients of the targets."""
    wanted = {_key(node) for node in targets}
    reached: set[Node] = set()
    run: set[Node] = set()
    for node in order:
        if node.op is not None and any(isinstance(x, Node) and x in reached for x in node.inputs):
            run.add(node)
            reached.add(node)
        if _key(node) in wanted:
            reached.add(node)
    return run


def _accumulate(tensor: Tensor, g: CoreValue, create_graph: bool) -> None:
    """Add a gradient to `.grad`: to the same tensor, unless a graph is made."""
    from gradcli.tensor.handle import Tensor

    held = tensor._grad
    if not create_graph:
        g = concrete(g)
    if held is None:
        tensor._grad = Tensor(g)
    elif create_graph or held.requires_grad:
        tensor._grad = Tensor(held.value + g)
    else:
        held.update(held.value + g)


# --- freeing ---------------------------------------------------------------------------------------------------------


def _check_ready(nodes: list[Node]) -> None:
    """Raise for the latest node whose saved values were given up, or changed in place."""
    changed = anything_changed()
    for node in reversed(nodes):
        if type(node.inputs) is Spent:
            raise AutogradError(_TWICE)
        if changed:
            check_saved(node)


def _free(nodes: list[Node]) -> None:
    """Give up what the nodes saved; a second pass through one that saved something is an error."""
    heavy = sum(8 * node.size for node in nodes if node.shape) > _WORTH_DROPPING
    bare: dict[Node, Node] = {}
    for node in nodes:
        assert node.op is not None
        if heavy:
            bare[node] = _without_value(node, bare)
            node.inputs = bare[node].inputs
        elif node.op.saves and saves_something(node):
            node.inputs = Spent(node.inputs)


def _without_value(node: Node, bare: dict[Node, Node]) -> Node:
    """A node that shows the same history and holds no value."""
    made = Node.__new__(Node)
    made.level, made.op, made.params, made.span, made.seq = node.level, node.op, node.params, node.span, node.seq
    made.shape, made.dtype = node.shape, node.dtype
    made.value = tuple(map(_spec, node.value)) if type(node.value) is tuple else _spec(node.value)
    spent = saves_something(node)
    inputs = [bare.get(x, x) if isinstance(x, Node) else _spec(x) if spent else x for x in node.inputs]
    made.inputs = Spent(inputs) if spent else tuple(inputs)
    return made


def _spec(x: CoreValue) -> CoreValue:
    return Spec(shape_of(x), x.dtype) if hasattr(x, "dtype") else x
