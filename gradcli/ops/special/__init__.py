"""Special functions, a module per family.

SciPy computes most values; it is imported when the first is asked for, since it takes as long to load as NumPy.
"""

from gradcli.ops.special.airy_and_fresnel import *  # noqa: F403
from gradcli.ops.special.bessel import *  # noqa: F403
from gradcli.ops.special.beta_family import *  # noqa: F403
from gradcli.ops.special.elliptic import *  # noqa: F403
from gradcli.ops.special.error_functions import *  # noqa: F403
from gradcli.ops.special.exponential_integrals import *  # noqa: F403
from gradcli.ops.special.gamma_family import *  # noqa: F403
from gradcli.ops.special.gaussian import *  # noqa: F403
from gradcli.ops.special.incomplete_beta import *  # noqa: F403
from gradcli.ops.special.incomplete_gamma import *  # noqa: F403
from gradcli.ops.special.information import *  # noqa: F403
from gradcli.ops.special.lambert import *  # noqa: F403
from gradcli.ops.special.modified_bessel import *  # noqa: F403
from gradcli.ops.special.normal import *  # noqa: F403
from gradcli.ops.special.scaled_bessel import *  # noqa: F403
from gradcli.ops.special.small_arguments import *  # noqa: F403
from gradcli.ops.special.spherical_bessel import *  # noqa: F403
from gradcli.ops.special.turns import *  # noqa: F403
from gradcli.ops.special.zeta import *  # noqa: F403
