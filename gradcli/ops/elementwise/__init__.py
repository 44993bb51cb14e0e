"""Elementwise ops, a module per subject.

A partial derivative is written (y, *operands) -> factor; see `gradcli.ops.kinds`.
"""

from gradcli.ops.elementwise.activations import *  # noqa: F403
from gradcli.ops.elementwise.angles import *  # noqa: F403
from gradcli.ops.elementwise.arithmetic import *  # noqa: F403
from gradcli.ops.elementwise.carried import *  # noqa: F403
from gradcli.ops.elementwise.choices import *  # noqa: F403
from gradcli.ops.elementwise.comparison import *  # noqa: F403
from gradcli.ops.elementwise.complex_parts import *  # noqa: F403
from gradcli.ops.elementwise.exponentiation import *  # noqa: F403
from gradcli.ops.elementwise.gaussian_units import *  # noqa: F403
from gradcli.ops.elementwise.hard_units import *  # noqa: F403
from gradcli.ops.elementwise.hyperbolic import *  # noqa: F403
from gradcli.ops.elementwise.integers import *  # noqa: F403
from gradcli.ops.elementwise.powers import *  # noqa: F403
from gradcli.ops.elementwise.remainders import *  # noqa: F403
from gradcli.ops.elementwise.rounding import *  # noqa: F403
from gradcli.ops.elementwise.signs import *  # noqa: F403
from gradcli.ops.elementwise.smooth_steps import *  # noqa: F403
from gradcli.ops.elementwise.smooth_units import *  # noqa: F403
from gradcli.ops.elementwise.trigonometry import *  # noqa: F403
