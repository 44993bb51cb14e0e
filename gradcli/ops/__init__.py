"""The op table, a module per family.

Importing it declares the operators and what they are made of; any other family is loaded when a name of it is first
asked for (`gradcli.ops.on_demand`), and `gradcli.ops.registry.load_all` declares every one.
"""

from gradcli.ops import broadcasting, casts, operators, pieces, products, shape

__all__ = ["broadcasting", "casts", "operators", "pieces", "products", "shape"]
