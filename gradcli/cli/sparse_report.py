"""What is said of a sparse derivative: lines on standard error, and the layout of a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcli.autodiff.sparse import Sparse
from gradcli.cli.session import Target
from gradcli.graph.values import Shape, count_of

if TYPE_CHECKING:
    from gradcli.cli.sparse import SparseDerivative


class Saving(NamedTuple):
    """What colouring saved on one matrix: the products that were taken, and those that a dense one takes."""

    products: int
    instead_of: int
    of: str

    @property
    def factor(self) -> float:
        """How many times fewer they are."""
        return self.instead_of / max(1, self.products)


def saving(whole: Sparse) -> Saving:
    """Products taken for a matrix, and in place of how many."""
    dense = whole.shape[1] if whole.by == "symmetric" else min(whole.shape)
    of = "rows and columns at once" if whole.by == "symmetric" else whole.by
    return Saving(whole.colours, dense, of)


def notes(kind: str, form: str, found: SparseDerivative, names: Sequence[str], target: Target) -> Iterable[str]:
    """The lines for standard error; `names` are the outputs'."""
    for place, whole in enumerate(found.wholes):
        saved = saving(whole)
        rows, columns = whole.shape
        of = f" of {names[place]}" if len(found.wholes) > 1 else ""
        yield (
            f"{kind}{of}: {rows:,} x {columns:,}, {_counted(whole.nonzeros, 'nonzero')}{_share(whole)}; "
            f"{_counted(saved.products, 'colour')} of {saved.of}: {_counted(saved.products, 'product')} "
            f"instead of {saved.instead_of:,}"
        )
    yield from _assumed(found)
    if form in ("npz", "mtx") and len(target.names) > 1:
        places = [f"{name} {part.start}-{part.stop - 1}" for name, part in _columns(target)]
        yield f"{kind}: columns, from 0: {', '.join(places)}"


def _columns(target: Target) -> list[tuple[str, slice]]:
    parts = zip(target.names, slices([point.shape for point in target.points]), strict=True)
    return [(name, part) for name, part in parts if part.stop > part.start]


#: Ops that stand for what a program calls by other names.
_GIVEN = {"link": "a derivative given by hand"}


def _assumed(found: SparseDerivative) -> Iterable[str]:
    for name in dict.fromkeys(name for whole in found.wholes for name in whole.assumed):
        what = _GIVEN.get(name, repr(name))
        yield f"note: {what} does not say what depends on what: all on all was taken, and the zeros left out"


def _share(whole: Sparse) -> str:
    size = whole.shape[0] * whole.shape[1]
    if not size:
        return ""
    return " (all)" if whole.nonzeros == size else f" ({100 * whole.nonzeros / size:.2g}% of all)"


def _counted(count: int, word: str) -> str:
    return f"{count:,} {word}" + ("" if count == 1 else "s")


# --- on a terminal ----------------------------------------------------------------------------------------------------

#: As many entries of a block are shown.
_SHOWN = 12


def show(console: Any, kind: str, found: SparseDerivative, names: Sequence[str], target: Target) -> None:
    """Lay it out on a terminal: the outputs, how sparse it is, and the first entries."""
    from rich.text import Text

    from gradcli.cli.layout import show_arrays

    show_arrays(console, list(zip(names, found.values, strict=True)))
    console.print()
    console.print(_table(kind, found, names))
    for line in _assumed(found):
        console.print(Text(line, style="yellow"))
    longest = 0
    for block in found.blocks:
        console.print()
        title = " ".join((kind, *found.label(block, names)))
        rows, columns = block.entries.shape
        heading = f"{block.entries.values.dtype} ({rows}, {columns}), {_counted(block.entries.nonzeros, 'nonzero')}"
        console.print(Text.assemble((title, "bold cyan"), "  ", (heading, "dim")))
        console.print(_first_entries(block.entries))
        longest = max(longest, len(block.entries.values))
    if longest > _SHOWN:
        console.print(Text(f"\nshortened from {longest:,} entries; a pipe, --format or -o gives all", style="dim"))


def _table(kind: str, found: SparseDerivative, names: Sequence[str]) -> Any:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in (kind, "rows", "columns", "nonzeros", "colours", "instead of", "saving"):
        table.add_column(heading, justify="left" if heading == kind else "right", no_wrap=True)
    for place, whole in enumerate(found.wholes):
        saved = saving(whole)
        name = names[place] if len(found.wholes) == len(names) else "all"
        cells = (*whole.shape, whole.nonzeros, saved.products, saved.instead_of)
        table.add_row(name, *(f"{cell:,}" for cell in cells), f"{saved.factor:,.4g} x")
    return table


def _first_entries(entries: Sparse) -> Any:
    from rich.table import Table

    from gradcli.files.numbers import words

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("row", "column", "value"):
        table.add_column(heading, justify="left" if heading == "value" else "right", no_wrap=True)
    part = slice(0, _SHOWN)
    cells = zip(entries.rows[part].tolist(), entries.columns[part].tolist(), words(entries.values[part]), strict=True)
    for row, column, value in cells:
        table.add_row(f"{row}", f"{column}", value)
    if len(entries.values) > _SHOWN:
        table.add_row("...", "...", "...")
    return table


def slices(shapes: Iterable[Shape]) -> list[slice]:
    """Where each of several values lies, side by side."""
    found, start = [], 0
    for shape in shapes:
        found.append(slice(start, start + count_of(shape)))
        start = found[-1].stop
    return found
