"""A recording as exact mathematics: proofs of derivatives, and derivatives as formulas. SymPy and mpmath live here."""

from gradcli.symbolic.claimed import SparseClaim
from gradcli.symbolic.formulas import Formulas, derive
from gradcli.symbolic.numeric import prove_numerically
from gradcli.symbolic.oracle import prove
from gradcli.symbolic.report import InputReport, Report

__all__ = ["Formulas", "InputReport", "Report", "SparseClaim", "derive", "prove", "prove_numerically"]
