"""Formulas as text: the language's own, NumPy's, and LaTeX."""

from __future__ import annotations

import unicodedata
from typing import Any

import sympy
from sympy.printing.latex import LatexPrinter, tex_greek_dictionary
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.str import StrPrinter

#: The language's names of SymPy's functions, where they differ.
_NAMES = {
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "atan2": "arctan2",
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "atanh": "arctanh",
    "Abs": "abs",
    "loggamma": "gammaln",
    "LambertW": "lambertw",
    "besselj": "jv",
    "bessely": "yv",
    "besseli": "iv",
    "besselk": "kv",
    "Floor": "floor",
    "Round": "round",
    "Kept": "stop_gradient",
}
#: Functions that NumPy has not; SciPy has them.
_SCIPY = frozenset(
    ("erf", "erfc", "erfi", "erfinv", "gamma", "gammaln", "digamma", "polygamma", "lambertw", "jv", "yv", "iv", "kv")
)


class Names:
    """How a formula's symbols are written.

    Attributes:
        sums: the body of each Symbol that stands for a sum over a whole array.
        whole: whether elements `x[i]` are written as the whole array `x`, as inside a sum.
        taken: names that the program uses, which constants must not.
    """

    def __init__(self, taken: frozenset[str] = frozenset()) -> None:
        self.sums: dict[Any, Any] = {}
        self.whole = False
        self.taken = taken

    def free(self, name: str) -> str:
        """A name like this one that the program does not use."""
        while name in self.taken:
            name += "_"
        return name

    def of(self, symbol: Any) -> str:
        """The name of a Symbol; an element's is `x[i]` or `x[0, 1]`."""
        name = str(symbol.name)
        return name.partition("[")[0] if self.whole and name.endswith("[i]") else name


class TextPrinter(StrPrinter):  # type: ignore[misc]
    """The language's own text, fit to be pasted back."""

    def __init__(self, names: Names, decimals: bool = False) -> None:
        super().__init__({"order": None})
        self.names = names
        self.decimals = decimals

    def function_name(self, name: str) -> str:
        """A function as this form calls it."""
        return name

    def constant_name(self, name: str, value: str) -> str:
        """A constant as this form writes it."""
        return value if name in self.names.taken else name

    # SymPy looks methods up by class names.

    def _print_Symbol(self, e: Any) -> str:
        body = self.names.sums.get(e)
        if body is None:
            return self.names.of(e)
        before, self.names.whole = self.names.whole, True
        try:
            return f"{self.function_name('sum')}({self._print(body)})"
        finally:
            self.names.whole = before

    _print_Dummy = _print_Symbol

    def _print_Pi(self, e: Any) -> str:
        return self.constant_name("pi", "3.141592653589793")

    def _print_Exp1(self, e: Any) -> str:
        return self.constant_name("e", "2.718281828459045")

    def _print_EulerGamma(self, e: Any) -> str:
        return self.constant_name("euler_gamma", "0.5772156649015329")

    def _print_Infinity(self, e: Any) -> str:
        return self.constant_name("inf", "1e999")

    def _print_NegativeInfinity(self, e: Any) -> str:
        return "-" + self._print_Infinity(e)

    def _print_NaN(self, e: Any) -> str:
        return self.constant_name("nan", "0/0")

    def _print_Rational(self, e: Any) -> str:
        return decimal(e) if self._as_decimal(e) else f"{e.p}/{e.q}"

    def _as_decimal(self, e: Any) -> bool:
        rest = int(e.q)
        while rest % 5 == 0:
            rest //= 5
        terminating = rest < e.q and rest & (rest - 1) == 0
        return self.decimals and (terminating or e.q > 10_000)

    def _print_Mul(self, e: Any) -> str:
        """`3/2*(x + 2)`: a fraction goes in front, unless there is something else below."""
        steps = [x for x in e.args if isinstance(x, sympy.Heaviside)]
        if len(steps) > 1:
            return self._several_steps(e, steps)
        factor, rest = e.as_coeff_Mul()
        if not factor.is_Rational or factor.q == 1:
            return str(super()._print_Mul(e))
        if self._as_decimal(factor):
            return self._in_front(decimal(factor), rest)
        if abs(factor.p) == 1 or sympy.fraction(rest)[1] != 1:
            return str(super()._print_Mul(e))
        return self._in_front(f"{factor.p}/{factor.q}", rest)

    def _several_steps(self, e: Any, steps: list[Any]) -> str:
        """A product of steps as one choice: `where((x > 0) & (1 > x), ..., 0)`."""
        conditions = " & ".join(f"({self._condition(x)})" for x in sorted(steps, key=str, reverse=True))
        rest = self._print(sympy.Mul(*(x for x in e.args if x not in steps)))
        return f"{self.function_name('where')}({conditions}, {rest}, 0)"

    def _in_front(self, number: str, rest: Any) -> str:
        right = self.parenthesize(rest, PRECEDENCE["Mul"], strict=True)
        return number + right[1:] if right.startswith("1/") else f"{number}*{right}"

    def _as_ordered_terms(self, e: Any, order: Any = None) -> Any:
        return positive_first(super()._as_ordered_terms(e, order))

    def _print_Function(self, e: Any) -> str:
        name = e.func.__name__
        if name == "polygamma" and e.args[0] == 0:
            return f"{self.function_name('digamma')}({self._print(e.args[1])})"
        words = ", ".join(self._print(x) for x in e.args)
        return f"{self.function_name(_NAMES.get(name, name))}({words})"

    def _print_Abs(self, e: Any) -> str:
        return f"{self.function_name('abs')}({self._print(e.args[0])})"

    def _print_LambertW(self, e: Any) -> str:
        return self._print_Function(e)

    def _print_Pow(self, e: Any, rational: bool = False) -> str:
        if e.exp == sympy.Rational(1, 2):
            return f"{self.function_name('sqrt')}({self._print(e.base)})"
        if e.exp == sympy.Rational(-1, 2):
            return f"1/{self.function_name('sqrt')}({self._print(e.base)})"
        if e.exp.is_Rational and e.exp.q == 3:  # a power of 1/3 is nan of negative numbers, a cube root is not
            return self._cube_root(e.base, int(e.exp.p))
        return str(super()._print_Pow(e, rational=rational))

    def _cube_root(self, base: Any, power: int) -> str:
        root = f"{self.function_name('cbrt')}({self._print(base)})"
        raised = root if abs(power) == 1 else f"{root}**{abs(power)}"
        return raised if power > 0 else f"1/{raised}"

    def _print_Max(self, e: Any) -> str:
        return self._nested("maximum", e.args)

    def _print_Min(self, e: Any) -> str:
        return self._nested("minimum", e.args)

    def _nested(self, name: str, args: Any) -> str:
        words = [self._print(x) for x in sorted(args, key=lambda x: (bool(x.is_number), str(x)))]
        found = words[-1]
        for word in reversed(words[:-1]):
            found = f"{self.function_name(name)}({word}, {found})"
        return str(found)

    def _print_Heaviside(self, e: Any) -> str:
        return f"{self.function_name('where')}({self._condition(e)}, 1, 0)"

    def _condition(self, e: Any) -> str:
        """Where a step is 1; a number stands on the right."""
        argument = e.args[0]
        number, rest = argument.as_coeff_Add()
        if number != 0 and rest.could_extract_minus_sign():
            return f"{self._print(-rest)} < {self._print(number)}"
        if number != 0:
            return f"{self._print(rest)} > {self._print(-number)}"
        above, below = (0, 0)
        if argument.is_Add and len(argument.args) == 2:
            negative = [x for x in argument.args if x.could_extract_minus_sign()]
            if len(negative) == 1:
                below = -negative[0]
                above = argument + below
        return f"{self._print(above or argument)} > {self._print(below)}"

    def _print_Piecewise(self, e: Any) -> str:
        *pieces, last = e.args
        found = self._print(last.expr)
        if last.cond != True:  # noqa: E712  (SymPy's truth, not Python's)
            pieces.append(last)
            found = self._print_NaN(e)
        for piece in reversed(pieces):
            found = f"{self.function_name('where')}({self._print(piece.cond)}, {self._print(piece.expr)}, {found})"
        return str(found)

    def _print_Relational(self, e: Any) -> str:
        return f"{self._print(e.lhs)} {e.rel_op} {self._print(e.rhs)}"

    def _print_And(self, e: Any) -> str:
        return self._logical("&", e.args)

    def _print_Or(self, e: Any) -> str:
        return self._logical("|", e.args)

    def _print_Not(self, e: Any) -> str:
        return f"~({self._print(e.args[0])})"

    def _logical(self, operator: str, args: Any) -> str:
        return f" {operator} ".join(sorted(f"({self._print(x)})" for x in args))


class PythonPrinter(TextPrinter):
    """Python with NumPy as `np`, and SciPy's special functions as `special`."""

    def function_name(self, name: str) -> str:
        """The qualified name."""
        if name == "stop_gradient":
            return ""
        return f"{self.names.free('special' if name in _SCIPY else 'np')}.{name}"

    def constant_name(self, name: str, value: str) -> str:
        """NumPy's constant."""
        return f"{self.names.free('np')}.{name}"


class TexPrinter(LatexPrinter):  # type: ignore[misc]
    """LaTeX; names of several letters stand upright."""

    def __init__(self, names: Names, decimals: bool = False) -> None:
        super().__init__({"ln_notation": False})
        self.names = names
        self._text = TextPrinter(names, decimals)

    def _print_Symbol(self, e: Any, style: str = "plain") -> str:
        body = self.names.sums.get(e)
        if body is not None:
            return rf"\sum_{{j}} {self.parenthesize(body, PRECEDENCE['Mul'])}".replace("_{i}", "_{j}")
        return tex_name(self.names.of(e))

    _print_Dummy = _print_Symbol

    def _as_ordered_terms(self, e: Any, order: Any = None) -> Any:
        return positive_first(super()._as_ordered_terms(e, order))

    def _print_Rational(self, e: Any) -> str:
        return decimal(e) if self._text._as_decimal(e) else str(super()._print_Rational(e))

    def _print_Floor(self, e: Any, exp: Any = None) -> str:
        return self._raised(rf"\left\lfloor {self._print(e.args[0])} \right\rfloor", exp)

    def _print_Round(self, e: Any, exp: Any = None) -> str:
        return self._raised(rf"\operatorname{{round}}\left({self._print(e.args[0])}\right)", exp)

    def _print_Kept(self, e: Any, exp: Any = None) -> str:
        return self._raised(rf"\left[{self._print(e.args[0])}\right]", exp)

    def _print_polygamma(self, e: Any, exp: Any = None) -> str:
        """The derivatives of the logarithm of gamma: psi, and psi with its order above."""
        order, argument = e.args
        words = rf"{{\left({self._print(argument)} \right)}}"
        if order == 0:
            return rf"\psi{words}" if exp is None else rf"\psi^{{{exp}}}{words}"
        text = rf"\psi^{{({self._print(order)})}}{words}"
        return text if exp is None else rf"\left({text}\right)^{{{exp}}}"

    def _raised(self, text: str, exp: Any) -> str:
        return text if exp is None else f"{text}^{{{exp}}}"

    def _print_Heaviside(self, e: Any, exp: Any = None) -> str:
        return self._raised(rf"\left[{self._print(e.args[0])} > 0\right]", exp)


def positive_first(terms: list[Any]) -> list[Any]:
    """Terms of a sum that doesn't start with a minus sign, if it need not."""
    for i, term in enumerate(terms):
        if not term.could_extract_minus_sign():
            return [term, *terms[:i], *terms[i + 1 :]]
    return list(terms)


def tex_name(name: str) -> str:
    """A name of the program in LaTeX: `x_1` is x with an index, `alpha` the letter, `x[0, 1]` an element."""
    stem, _, index = name.partition("[")
    base, *below = [part for part in stem.split("_") if part] or ["\\_"]
    digits = base[len(base.rstrip("0123456789")) :]
    if digits and digits != base:
        base, below = base[: -len(digits)], [digits, *below]
    subscripts = [_tex_word(part) for part in below]
    if index:
        subscripts.append(index.rstrip("]").replace(" ", ""))
    found = _tex_word(base)
    return found + ("_{" + ",".join(subscripts) + "}" if subscripts else "")


def _tex_word(word: str) -> str:
    if word.isdigit() or word == "\\_":
        return word
    if word.isascii():
        if len(word) == 1:
            return word
        lowered = word.lower()
        if lowered in _GREEK and word in (lowered, lowered.capitalize()):
            return str(tex_greek_dictionary.get(word, "\\" + word))
        return rf"\mathrm{{{word}}}"
    if len(word) == 1:
        parts = unicodedata.name(word, "").split()
        if parts[:1] == ["GREEK"] and len(parts) == 4 and parts[2] == "LETTER":
            letter = {"LAMDA": "lambda"}.get(parts[3], parts[3].lower())
            if letter in _GREEK:
                return _tex_word(letter if parts[1] == "SMALL" else letter.capitalize())
    return rf"\text{{{word}}}"


_GREEK = frozenset(
    """alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi
    omega""".split()  # noqa: SIM905  (as words it reads better)
)


def decimal(e: Any) -> str:
    """A rational as a decimal fraction, to a float's digits."""
    try:
        found = repr(int(e.p) / int(e.q))  # of integers, so that it is rounded once
    except OverflowError:
        found = str(sympy.Float(e, 17))
    return found[:-2] if found.endswith(".0") else found
