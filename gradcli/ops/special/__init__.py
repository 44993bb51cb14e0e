"""Special functions, a module per family.

SciPy computes most values; it is imported when the first is asked for, since it takes as long to load as NumPy.
"""

from gradcli.ops.special.bessel import *  # noqa: F403
from gradcli.ops.special.beta_family import *  # noqa: F403
from gradcli.ops.special.error_functions import *  # noqa: F403
from gradcli.ops.special.gamma_family import *  # noqa: F403
from gradcli.ops.special.gaussian import *  # noqa: F403
from gradcli.ops.special.information import *  # noqa: F403
from gradcli.ops.special.normal import *  # noqa: F403
from gradcli.ops.special.turns import *  # noqa: F403
