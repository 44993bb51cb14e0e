"""`--each FILE`: values for a program's inputs, row after row, and the answers to them, row after row.

    blocks.py    what a reader gives: blocks of rows as they lie in the file, and chunks of values made of them
    opening.py   which reader a file needs
    lines.py     text cut into blocks of whole lines
    tables.py    rows of a CSV under its header
    objects.py   NDJSON, an object on each line
    arrays.py    the leading axis of the arrays of an .npz or .npy
    writing.py   answers as lines of NDJSON and CSV
    stacks.py    answers as stacked arrays, in an .npz that is written at the end
"""

from __future__ import annotations

from gradcli.files.rows.blocks import Block, Chunk, Group, RowReader
from gradcli.files.rows.opening import open_rows

__all__ = ["Block", "Chunk", "Group", "RowReader", "open_rows"]
