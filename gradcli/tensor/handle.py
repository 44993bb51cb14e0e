"""Tensor: the handle that a program's variables hold.

Core values never change; a handle does. It points to its current value and counts its versions, so that an in-place
update is a pure op and then a new value. For views see `gradcli.tensor.views`, for what ops saved
`gradcli.tensor.versions`, for the backward pass `gradcli.tensor.tape`.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from gradcli.autodiff.levels import stop_gradient
from gradcli.autodiff.reverse import TAPE
from gradcli.graph.bind import bind
from gradcli.graph.errors import AutogradError
from gradcli.graph.node import Node, next_number
from gradcli.graph.recording import DETACH
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, Value, concrete, count_of, shape_of
from gradcli.ops import indexing
from gradcli.ops.in_place import OVERWRITE
from gradcli.tensor.fitting import as_result, check_gradient, fitted
from gradcli.tensor.grad_fn import RELABEL, GradFn, edge
from gradcli.tensor.hooks import Accumulator, Hook, Removable, hooks_of, watch, watches
from gradcli.tensor.versions import note_change
from gradcli.tensor.views import Derive, View

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What PyTorch warns of where the gradient of a tensor between is read.
NON_LEAF = (
    "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be "
    "populated during autograd.backward(). If you indeed want the .grad field to be populated for a non-leaf Tensor, "
    "use .retain_grad() on the non-leaf Tensor. If you access the non-leaf Tensor by mistake, make sure you access the "
    "leaf Tensor instead. See github.com/pytorch/pytorch/pull/30531 for more informations."
)
_DETACH_VIEW = (
    "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for training, "
    "and gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence detach_() cannot be "
    "called on these gradients. To fix this error, please refer to the Optimizer.zero_grad() function in "
    "torch/optim/optimizer.py as the solution."
)

_Views: TypeAlias = "list[tuple[weakref.ref[Any], weakref.ref[Tensor]]]"


class _Extra:
    """What few tensors have.

    Attributes:
        accumulator: of a leaf that requires grad, where its gradient goes.
        inner_flag: whether requires_grad was asked of a value that a derivative being taken tracks already.
        is_array: whether it stands for NumPy's array of the same memory.
        retains: whether the gradient of a tensor between is kept.
        silent: changes that count as no new version.
        views: the views of this base: weak references to their values and to the tensors themselves.
    """

    __slots__ = ("accumulator", "inner_flag", "is_array", "retains", "silent", "views")

    def __init__(self) -> None:
        self.accumulator: Accumulator | None = None
        self.inner_flag = False
        self.is_array = False
        self.retains = False
        self.silent = 0
        self.views: _Views = []


class Tensor:
    """A handle to a core value.

    Attributes:
        changes: how often the memory was changed, by whatever way.
    """

    __slots__ = ("__weakref__", "_born", "_extra", "_grad", "_value", "_view", "changes")

    def __init__(self, value: CoreValue) -> None:
        self._value = value
        self._view: View | None = None
        self._extra: _Extra | None = None
        self._grad: Tensor | None = None
        self._born = state.newest_level
        self.changes = 0

    # --- views -------------------------------------------------------------------------------------------------------

    @classmethod
    def view_of(cls, source: Tensor, derive: Derive, kind: str = "plain") -> Tensor:
        """A view: `derive` gives its value from the source's, now and after every change. For `kind` see `View`."""
        return cls._viewed(source, derive(source.value), derive, kind)

    @classmethod
    def view_at(cls, source: Tensor, value: CoreValue, derive: Derive) -> Tensor:
        """A view whose value is known already; see `view_of`."""
        return cls._viewed(source, value, derive, "plain")

    @classmethod
    def views_of(cls, source: Tensor, derive: Callable[[CoreValue], Sequence[CoreValue]]) -> list[Tensor]:
        """The views that one function gives together."""

        def part(i: int) -> Derive:
            return lambda x: derive(x)[i]

        return [cls._viewed(source, value, part(i), "many") for i, value in enumerate(derive(source.value))]

    @classmethod
    def _viewed(cls, source: Tensor, value: CoreValue, derive: Derive, kind: str) -> Tensor:
        view = cls(value)
        before = source._view
        base = source if before is None else before.base
        if before is not None:
            first = before.derive
            kind = before.kind if kind in ("plain", "many") and not before.attached else kind
            view._view = View(base, lambda x: derive(first(x)), kind)
        else:
            view._view = View(base, derive, kind)
        if state.constant_below >= 0 and kind in ("plain", "many") and base.requires_grad:
            view._view.kind = "no_grad"
        view._born = base._born
        base._note_view(view)
        return view

    def _note_view(self, view: Tensor) -> None:
        """Remember a view of this base, so that its value is known to be of an old version when the base changes."""
        if not isinstance(view._value, Value | np.ndarray):
            return
        views = self._more().views
        if len(views) > 64 and len(views) & (len(views) - 1) == 0:
            views[:] = [pair for pair in views if pair[0]() is not None]
        views.append((weakref.ref(view._value), weakref.ref(view)))

    def _more(self) -> _Extra:
        if self._extra is None:
            self._extra = _Extra()
        return self._extra

    @property
    def value(self) -> CoreValue:
        """The current core value."""
        view = self._view
        if view is not None and view.base.changes != view.seen:
            self._refresh(view)
        return self._value

    def _refresh(self, view: View) -> None:
        leaf = self._leaf_accumulator()
        value = view.read()
        view.seen = view.base.changes
        if leaf is not None or not view.attached:
            value = self._kept_history(value)
        self._value = value
        view.base._note_view(self)

    # --- the array ---------------------------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return tuple(self._value.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the elements."""
        return self._value.dtype  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self._value.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return count_of(self._value.shape)

    def numpy(self) -> np.ndarray[Any, Any]:
        """The elements as an array."""
        return concrete(self.value)

    @property
    def is_array(self) -> bool:
        """Whether it stands for NumPy's array of the same memory, and prints like one."""
        return self._extra is not None and self._extra.is_array

    def as_array(self) -> Tensor:
        """Have it stand for NumPy's array of the same memory."""
        self._more().is_array = True
        return self

    # Equality is elementwise (see `gradcli.tensor.python`); as keys, tensors are themselves.
    __hash__ = object.__hash__
    __array_ufunc__ = None

    def __repr__(self) -> str:
        from gradcli.tensor.printing import text_of

        return text_of(self)

    def __format__(self, spec: str) -> str:
        if self.ndim == 0:
            return format(self.numpy().item(), spec)
        if not spec:
            return repr(self)
        raise TypeError("unsupported format string passed to Tensor.__format__")

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of a 0-d tensor")
        return self.shape[0]

    if TYPE_CHECKING:  # from the tables, by `gradcli.tensor.python`

        def __getattr__(self, name: str) -> Any: ...

    def __iter__(self) -> Iterator[Tensor]:
        from gradcli.tensor.calls import rows

        return rows(self)

    # --- in place ----------------------------------------------------------------------------------------------------

    @property
    def version(self) -> int:
        """How often the value was changed in place, through whichever view."""
        view = self._view
        if view is not None and view.kind != "data":
            return view.base.version
        return self.changes - (0 if self._extra is None else self._extra.silent)

    @property
    def base(self) -> Tensor | None:
        """The tensor that this is a tracked view of, or None."""
        return self._view.base if self._view is not None and self._view.attached else None

    def write(self, index: Any, value: CoreValue) -> None:
        """`self[index] = value`, seen by every view of the same memory.

        Raises:
            AutogradError: the tensor is a leaf that requires grad, or belongs to the world outside a function that is
                being differentiated.
            ShapeError: the value does not fit.
        """
        self.check_changeable(part=_is_part(index))
        since = next_number()
        if index is Ellipsis or (type(index) is slice and index == slice(None)):
            new = bind(OVERWRITE, self.value, fitted(value, self.shape, self.dtype), how="copy")
        else:
            new = indexing.setitem(self.value, index, value)
        self._store(new, since)

    def overwrite(self, value: CoreValue, how: str) -> None:
        """Put `value`, broadcast, in place of all elements; `how` is zero, fill, "fill tensor" or copy.

        Raises:
            AutogradError, ShapeError: as for `write`.
        """
        self.check_changeable()
        since = next_number()
        self._store(bind(OVERWRITE, self.value, fitted(value, self.shape, self.dtype), how=how), since)

    def update(self, value: CoreValue, since: int | None = None) -> None:
        """Replace every element in place; the shape stays, and so does the dtype.

        Args:
            value: the new value.
            since: `next_number()` from before it was computed, so that the ops it is made of are known as parts of
                the update.

        Raises:
            AutogradError: as for `write`.
            ShapeError: the shape differs.
        """
        self.check_changeable()
        self._store(as_result(value, self.shape, self.dtype), next_number() if since is None else since)

    def reshape_in_place(self, value: CoreValue) -> None:
        """Become a view of oneself, as `t_()` and `unsqueeze_()` do: the same elements in another shape.

        Raises:
            AutogradError: as for `write`; or the tensor is a view.
        """
        self.check_changeable()
        if self._view is not None:
            raise AutogradError("a view can't change its own shape in place", mend="use the method without '_'")
        self._replace(value, next_number())

    def assign(self, value: CoreValue) -> None:
        """`self.data = value`: another value, whatever its shape, outside all history."""
        self._view = None
        self._replace(concrete(value), next_number(), silent=True, untracked=True)

    def _store(self, value: CoreValue, since: int) -> None:
        view = self._view
        if view is None:
            self._replace(value, since)
            return
        base = view.base
        silent = view.kind == "data"
        untracked = not view.attached or state.constant_below >= 0
        base._replace(view.written(value), since, silent=silent, untracked=untracked)
        self.changes += 1
        if not view.attached:
            self._value = self._kept_history(value) if state.constant_below >= 0 else value
            view.seen = base.changes

    def _replace(self, value: CoreValue, since: int, *, silent: bool = False, untracked: bool = False) -> None:
        """Point to another value, and say of the one before, and of the views', that they are changed."""
        old, version = self._value, self.version
        untracked = untracked or state.constant_below >= 0
        self.changes += 1
        if silent:
            self._more().silent += 1
            self._overwrite_silently(value)
            return
        self._value = self._kept_history(value) if untracked else value
        note_change(old, self, version, since)
        if self._extra is not None:
            self._note_changed_views(self._extra.views, old, version, since)
            if self._extra.retains:
                self._move_retained(old)

    def _kept_history(self, value: CoreValue) -> CoreValue:
        """A new value that was computed outside of history, with the history that this tensor has."""
        old = self._value
        leaf = self._leaf_accumulator()
        if leaf is not None:
            return _leaf_node(value, leaf)
        if isinstance(old, Node) and old.level is TAPE:
            return Node(TAPE, RELABEL, (old,), {}, concrete(value))
        return value

    def _overwrite_silently(self, value: CoreValue) -> None:
        """A change through `.data`, which reaches what ops have saved as well: PyTorch shares the memory with them."""
        old = self._value
        if isinstance(old, Node) and old.level is TAPE and old.shape == shape_of(value) and old.dtype == value.dtype:
            from gradcli.tensor.overwritten import overwrite

            overwrite(old, concrete(value))
        else:
            self._value = self._kept_history(value)

    def _note_changed_views(self, views: _Views, old: CoreValue, version: int, since: int) -> None:
        for value, holder in views:
            held, view = value(), holder()
            if held is not None and held is not old:
                note_change(held, self if view is None else view, version, since)
        views.clear()

    def check_changeable(self, part: bool = False) -> None:
        """Raise if the tensor may not be changed in place now; `part` says that it is written at a plain index.

        Raises:
            AutogradError: it may not.
        """
        if state.newest_level > max(self._born, state.program_level):
            raise AutogradError(
                "a tensor from outside can't be changed inside a function that is being differentiated",
                mend="make a new tensor and return it",
            )
        if state.constant_below >= 0:
            return
        view = self._view
        if view is not None:
            view.check_writable(self)
        if self.requires_grad and self.is_leaf:
            what = "a view of a leaf" if part and view is None else "a leaf"
            raise AutogradError(f"{what} Variable that requires grad is being used in an in-place operation.")

    # --- the tape ----------------------------------------------------------------------------------------------------

    @property
    def node(self) -> Node | None:
        """The node of the tape below, or None for a tensor that nothing tracks."""
        return _tape_node(self.value)

    @property
    def requires_grad(self) -> bool:
        """Whether the tape tracks it."""
        if self.node is not None:
            return True
        return self._extra is not None and self._extra.inner_flag

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        self.requires_grad_(wanted)

    @property
    def is_leaf(self) -> bool:
        """Whether no tracked op made it."""
        node = self.node
        return node is None or node.op is None

    @property
    def grad_fn(self) -> GradFn | None:
        """The op that made it, as PyTorch shows it, or None for a leaf."""
        node = self.node
        return None if node is None or node.op is None else edge(node)[0]

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Begin or end tracking, in place.

        Raises:
            AutogradError: it is of integers, or no leaf.
        """
        if requires_grad and self.dtype.kind not in "fc":
            raise AutogradError("only Tensors of floating point dtype can require gradients")
        if not requires_grad and not self.is_leaf:
            raise AutogradError(
                "you can only change requires_grad flags of leaf variables. If you want to use a computed variable "
                "in a subgraph that doesn't require differentiation use var_no_grad = var.detach()."
            )
        if requires_grad and self.node is None:
            self._begin_tracking()
        elif not requires_grad:
            self._end_tracking()
        return self

    def _begin_tracking(self) -> None:
        """Become a leaf of the tape. A value that a derivative or a recording tracks stays what it is to them."""
        more = self._more()
        if isinstance(self.value, Value) and not _is_recorded_constant(self.value):
            more.inner_flag = True
            return
        if more.accumulator is None:
            more.accumulator = Accumulator(self)
        self._value = _leaf_node(self.value, more.accumulator)

    def _end_tracking(self) -> None:
        if self._extra is not None:
            self._extra.inner_flag = False
        if self.node is not None:
            self._value = concrete(self.value)

    def _leaf_accumulator(self) -> Accumulator | None:
        """The accumulator, if this is a leaf that requires grad."""
        node = self._value
        if isinstance(node, Node) and node.level is TAPE and node.op is None:
            return node.params["accumulator"]  # type: ignore[no-any-return]
        return None

    def detach(self) -> Tensor:
        """The same memory, outside all history."""
        return Tensor.view_of(self, stop_gradient, "detached")

    @property
    def data(self) -> Tensor:
        """The same memory, outside all history; changes through it count as no new version."""
        return Tensor.view_of(self, stop_gradient, "data")

    @data.setter
    def data(self, value: Tensor) -> None:
        self.assign(value.value)

    def detach_(self) -> Tensor:
        """Leave all history, in place.

        Raises:
            AutogradError: it is a view.
        """
        if self._view is not None and self._view.attached:
            raise AutogradError(_DETACH_VIEW)
        self._value = stop_gradient(self.value)
        return self

    # --- gradients ---------------------------------------------------------------------------------------------------

    @property
    def held_grad(self) -> Tensor | None:
        """`grad`, read without a warning."""
        return self._grad

    @property
    def grad(self) -> Tensor | None:
        """What backward passes accumulated, or None. To read it where none ever will be is warned of."""
        if self._grad is None and self.lacks_grad:
            import warnings

            warnings.warn(NON_LEAF, stacklevel=2)
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            self._check_grad(value)
        self._grad = value

    def _check_grad(self, value: Any) -> None:
        if not isinstance(value, Tensor):
            raise AutogradError(
                f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}"
            )
        check_gradient(value, self)

    @property
    def lacks_grad(self) -> bool:
        """Whether no backward pass ever fills `.grad`: a tensor between that does not retain it."""
        return not (self.is_leaf or self.retains_grad)

    @property
    def retains_grad(self) -> bool:
        """Whether the gradient is kept though this is no leaf."""
        return self._extra is not None and self._extra.retains

    def retain_grad(self) -> None:
        """Keep the gradient of a tensor that is no leaf, too.

        Raises:
            AutogradError: nothing tracks it.
        """
        node = self.node
        if node is None:
            if self.requires_grad:
                return
            raise AutogradError("can't retain_grad on Tensor that has requires_grad=False")
        if node.op is not None:
            self._more().retains = True
            watch(node).owner = weakref.ref(self)

    def _move_retained(self, old: CoreValue) -> None:
        before, now = _tape_node(old), self.node
        if before is not None and now is not None and before is not now:
            if before in watches:
                watches[before].owner = None
            watch(now).owner = weakref.ref(self)

    def register_hook(self, hook: Hook) -> Removable:
        """Let `hook` see, and replace, the gradient of this tensor in every backward pass.

        Raises:
            AutogradError: nothing tracks it.
        """
        node = self.node
        if node is None:
            raise AutogradError("cannot register a hook on a tensor that doesn't require gradient")
        return Removable(hooks_of(node), hook)

    def register_post_accumulate_grad_hook(self, hook: Hook) -> Removable:
        """Call `hook` with this leaf whenever its gradient was accumulated.

        Raises:
            AutogradError: it is no leaf that requires grad.
        """
        leaf = self._leaf_accumulator()
        if leaf is None:
            raise AutogradError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        return Removable(leaf.after, hook)

    def backward(
        self,
        gradient: CoreValue | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Sequence[Tensor] | None = None,
    ) -> None:
        """Accumulate the gradient of this tensor into the `.grad` of the leaves it depends on.

        Raises:
            AutogradError: see `gradcli.tensor.tape.backward`.
        """
        from gradcli.tensor.tape import backward

        backward([self], [gradient], retain_graph=retain_graph, create_graph=create_graph, inputs=inputs)


def _leaf_node(value: CoreValue, accumulator: Accumulator) -> Node:
    return Node(TAPE, None, (), {"accumulator": accumulator}, concrete(value))


def _is_part(index: Any) -> bool:
    """Whether an index makes a view, through which PyTorch then writes."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(part is None or part is Ellipsis or isinstance(part, int | slice) for part in parts)


def _is_recorded_constant(x: CoreValue) -> bool:
    """Whether a value is a recording's own, and none of the program's inputs has a derivative in it."""
    recording = state.recording
    if recording is None or recording.abstract:
        return False
    waiting, seen = [x], set()
    while waiting:
        node = waiting.pop()
        if not isinstance(node, Value) or node in seen:
            continue
        seen.add(node)
        if not isinstance(node, Node) or node.level is not recording or node.op is None:
            return False
        if node.op is not DETACH:
            waiting.extend(node.inputs)
    return True


def _tape_node(x: CoreValue) -> Node | None:
    while isinstance(x, Value):
        if isinstance(x, Node):
            if x.level is TAPE:
                return x
            x = x.value
        elif hasattr(x, "primal"):
            x = x.primal
        else:
            return None
    return None
