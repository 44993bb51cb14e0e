"""Elementwise ops, a module per subject.

A partial derivative is written (y, *operands) -> factor; see `gradcli.ops.kinds`.
"""

from gradcli.ops.elementwise.activations import *  # noqa: F403
from gradcli.ops.elementwise.arithmetic import *  # noqa: F403
from gradcli.ops.elementwise.comparison import *  # noqa: F403
from gradcli.ops.elementwise.complex_parts import *  # noqa: F403
from gradcli.ops.elementwise.piecewise import *  # noqa: F403
from gradcli.ops.elementwise.powers import *  # noqa: F403
from gradcli.ops.elementwise.smooth_steps import *  # noqa: F403
from gradcli.ops.elementwise.trigonometry import *  # noqa: F403
