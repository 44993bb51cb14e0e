"""Every command and option, once: the word parser, typer's help and completion, and "did you mean" read this table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from gradcli.cli.readers import byte_count, names, one_name, real, whole
from gradcli.graph.errors import GradcliError

MAX_BYTES = 4 << 30
MAX_STEPS = 100_000_000
MAX_DEPTH = 1_000
MAX_SECONDS = 300.0

DEEPEST = 20_000
"""The largest `--max-depth`: what the C stack of one process can hold."""

EXIT_CODES = (
    ("0", "success"),
    ("1", "check found a mismatch"),
    ("2", "a fault in program, data or options; answer unwritable; limit reached"),
    ("3", "check could prove neither"),
    ("70", "gradcli itself is at fault"),
    ("130", "interrupted"),
    ("141", "closed pipe"),
)


class Option(NamedTuple):
    """One option.

    Attributes:
        name: the key of its value in `Invocation.values`.
        words: how it is spelled; the long form is first.
        help: one sentence for `--help`.
        metavar: what its value is called; empty for a flag.
        many: whether it may be given several times; its value is a list then.
        choices: the only values it takes; empty when it takes others.
        default: the value of an option that is not given.
        shown: how `--help` states the default; empty to say nothing.
        read: makes the value of the word; raises `GradcliError`.
        panel: the box of `--help` it stands in.
    """

    name: str
    words: tuple[str, ...]
    help: str
    metavar: str = ""
    many: bool = False
    choices: tuple[str, ...] = ()
    default: Any = None
    shown: str = ""
    read: Callable[[str], Any] = str
    panel: str = "Options"

    @property
    def full_help(self) -> str:
        """The help with the choices and the default."""
        choices = f" One of {', '.join(self.choices)}." if self.choices else ""
        return f"{self.help}{choices}" + (f" (default: {self.shown})" if self.shown else "")

    @property
    def is_flag(self) -> bool:
        """Whether it stands alone, without a value."""
        return not self.metavar


class Command(NamedTuple):
    """One command.

    Attributes:
        name: its word.
        module: the module of `gradcli.cli` that holds its `run(invocation)`.
        summary: one line for the list of commands.
        detail: the paragraphs of its own help.
        example: command lines, each with the answer it gives.
        options: what it takes.
        takes_program: whether its operands are PROGRAM and NAME=VALUE; only `ops` takes something else.
    """

    name: str
    module: str
    summary: str
    detail: str
    example: tuple[tuple[str, str], ...]
    options: tuple[Option, ...]
    takes_program: bool = True

    def option(self, word: str) -> Option | None:
        """The option spelled so, or None."""
        return next((option for option in self.options if word in option.words), None)

    def defaults(self) -> dict[str, Any]:
        """The value of every option before a word is read."""
        return {option.name: [] if option.many else option.default for option in self.options}


def _choice(option: Option) -> Option:
    """The option, with a reader that takes its choices alone."""

    def read(text: str) -> str:
        if text in option.choices:
            return text
        from gradcli.cli.words import nearest

        guess = nearest(text, option.choices)
        raise GradcliError(
            f"{option.words[0]} takes {_listed(option.choices)}, not {text!r}",
            mend=f"did you mean {guess!r}?" if guess else None,
        )

    return option._replace(read=read, metavar=option.metavar or option.name.upper())


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(words[:-1]) + " or " + words[-1] if len(words) > 1 else words[0]


def _format(*choices: str, help: str) -> Option:
    return _choice(Option("format", ("--format",), help, choices=choices))


EXPRESSION = Option(
    "expression",
    ("--expression", "-e"),
    "The program's text; given twice, the texts are lines of one program, and every other word is NAME=VALUE.",
    "TEXT",
    many=True,
)
DATA = Option(
    "data",
    ("--data",),
    "Bind many names at once: an .npz, a JSON object, the columns of a CSV with a header, or - for standard input.",
    "FILE",
)
WRT = Option(
    "wrt",
    ("--wrt",),
    "What to differentiate.",
    "NAMES",
    shown="every float input",
    read=names,
)
OF = Option("of", ("--of",), "The variable that is the result.", "NAME", read=one_name)
DTYPE = _choice(
    Option(
        "dtype",
        ("--dtype",),
        "The dtype of inputs and constructors that state none.",
        choices=("float64", "float32"),
        shown="float64; float32 in a program that imports torch",
    )
)
SEED = Option(
    "seed",
    ("--seed",),
    "Seeds the random numbers.",
    "N",
    default=0,
    shown="0",
    read=lambda text: whole(text, 0, 2**63 - 1),
)
VECTOR = Option(
    "vector",
    ("--vector", "-v"),
    "The vector, in the exact shape of what it stands for.",
    "V",
    many=True,
)
OUTPUT = Option(
    "output",
    ("--output", "-o"),
    "Write the answer to FILE; its suffix gives the format where --format does not.",
    "FILE",
)
FORMAT = _format(
    "text",
    "json",
    "npy",
    "npz",
    "csv",
    help="The form of the answer: text by itself, laid out on a terminal.",
)
MATRIX_FORMAT = _format(
    "text",
    "json",
    "npy",
    "npz",
    "csv",
    "mtx",
    help="The form of the answer: text by itself, laid out on a terminal; mtx (MatrixMarket) with --sparse alone.",
)
SPARSE = Option(
    "sparse",
    ("--sparse",),
    "The nonzeros alone, at a cost that follows them: lines `row column value`, counted from 0 in C order. npz "
    "(SciPy's) and mtx hold one matrix: the outputs below each other, the inputs side by side.",
    default=False,
)
SPARSE_CHECK = SPARSE._replace(
    help="Judge what `jacobian --sparse` or `hessian --sparse` gives: its entries, and that all others are 0."
)
REPORT_FORMAT = _format("text", "json", help="The form of the answer: text by itself, laid out on a terminal.")
FORMULA_FORMAT = _format("text", "latex", "python", "json", help="The form of the formula: text by itself.")
GRAPH_FORMAT = _format("text", "dot", "mermaid", "json", help="The form of the drawing: text by itself.")
COLOR = _choice(
    Option(
        "color",
        ("--color",),
        "Colour: auto is on a terminal unless NO_COLOR is set; always gives a pipe the terminal's layout too.",
        "WHEN",
        choices=("auto", "always", "never"),
        default="auto",
        shown="auto",
    )
)
HELP = Option("help", ("--help",), "Show this and exit.")

LIMITS = (
    Option(
        "max_bytes",
        ("--max-bytes",),
        "Memory for tensors, lists, strings and graph: bytes, or with K, M, G.",
        "SIZE",
        default=MAX_BYTES,
        shown="4G",
        read=byte_count,
        panel="Limits",
    ),
    Option(
        "max_steps",
        ("--max-steps",),
        "Steps of the interpreter.",
        "N",
        default=MAX_STEPS,
        shown=f"{MAX_STEPS:,}",
        read=lambda text: whole(text, 1),
        panel="Limits",
    ),
    Option(
        "max_depth",
        ("--max-depth",),
        "Calls inside calls.",
        "N",
        default=MAX_DEPTH,
        shown=f"{MAX_DEPTH:,}",
        read=lambda text: whole(text, 1, DEEPEST),
        panel="Limits",
    ),
    Option(
        "max_seconds",
        ("--max-seconds",),
        "Wall time in seconds.",
        "S",
        default=MAX_SECONDS,
        shown=f"{MAX_SECONDS:.0f}",
        read=lambda text: real(text, 0.0, including=False),
        panel="Limits",
    ),
)

DERIVATIVE = _choice(
    Option(
        "derivative",
        ("--derivative",),
        "Which derivative.",
        "KIND",
        choices=("gradient", "jacobian", "hessian"),
        shown="the gradient of a scalar, the Jacobian of anything else",
    )
)
CHECK_ONLY = (
    DERIVATIVE,
    Option(
        "against",
        ("--against",),
        "Judge this derivative instead of gradcli's: NAME=VALUE (X,Y=VALUE for a Hessian's block), or a file of all.",
        "X=VALUE",
        many=True,
    ),
    _choice(
        Option(
            "method",
            ("--method",),
            "SymPy's derivative, or complex-step and Richardson differences.",
            choices=("symbolic", "numeric"),
            default="symbolic",
            shown="symbolic",
        )
    ),
    Option(
        "rtol",
        ("--rtol",),
        "Relative tolerance.",
        "R",
        shown="1e-9; 1e-4 in float32",
        read=lambda text: real(text, 0.0, including=True),
    ),
    Option(
        "atol",
        ("--atol",),
        "Absolute tolerance.",
        "A",
        default=0.0,
        shown="0",
        read=lambda text: real(text, 0.0, including=True),
    ),
    Option(
        "digits",
        ("--digits",),
        "Digits of the oracle's arithmetic.",
        "N",
        default=50,
        shown="50",
        read=lambda text: whole(text, 20, 10_000),
    ),
    Option("quiet", ("--quiet",), "Print no report: the exit code alone.", default=False),
)
SHAPE = Option("shape", ("--shape",), "The shape of an input that has no value: x=2,3.", "X=SIZES", many=True)
WITH_GRADIENT = Option("grad", ("--grad",), "Show the gradient of the result at every node.", default=False)

TRACE = Option(
    "trace",
    ("--trace",),
    "Show every backward pass step by step: node, incoming gradient, rule, outgoing gradients.",
    default=False,
)

EACH = Option(
    "each",
    ("--each",),
    "Answer once for every row of a CSV with a header, an NDJSON, .npz or .npy file, or, with -, of NDJSON on standard "
    "input: a line of JSON each, or --format csv or npz.",
    "FILE",
    panel="Many rows",
)
SUM = Option(
    "sum",
    ("--sum",),
    "With --each: add values and derivatives up over all rows, and give the sum.",
    default=False,
    panel="Many rows",
)
KEEP_GOING = Option(
    "keep_going",
    ("--keep-going",),
    'With --each: go on after a row that fails; {"error": ..} stands in its place, and the exit code is 2 at the end.',
    default=False,
    panel="Many rows",
)
JOBS = Option(
    "jobs",
    ("--jobs",),
    "With --each: work in N processes.",
    "N",
    default=1,
    shown="1",
    read=lambda text: whole(text, 1, 1_000),
    panel="Many rows",
)

_INPUTS = (EXPRESSION, DATA, DTYPE, SEED)
_ROWS = (EACH, KEEP_GOING, JOBS)
_END = (COLOR, HELP, *LIMITS)
_VALUES = (*_INPUTS, OF, FORMAT, OUTPUT, *_ROWS, SUM, *_END)
_DERIVATIVES = (*_INPUTS, OF, WRT, FORMAT, OUTPUT, *_ROWS, SUM, *_END)
_MATRICES = (*_INPUTS, OF, WRT, SPARSE, MATRIX_FORMAT, OUTPUT, *_ROWS, SUM, *_END)
_PRODUCTS = (*_INPUTS, OF, WRT, VECTOR, FORMAT, OUTPUT, *_ROWS, SUM, *_END)

COMMANDS = (
    Command(
        "eval",
        "evaluate",
        "The value of a program.",
        "Runs the program and prints its result.",
        (("gradcli eval 'sqrt(x**2 + y**2)' x=3 y=4", "5.0"),),
        _VALUES,
    ),
    Command(
        "grad",
        "derivatives",
        "The gradient of a scalar.",
        "Differentiates a result of shape () with respect to every float input, or to those of --wrt.",
        (("gradcli grad 'sum(x**2)' x=1,2,3", "2.0 4.0 6.0"),),
        _DERIVATIVES,
    ),
    Command(
        "jacobian",
        "derivatives",
        "The Jacobian: the output's shape + the input's shape.",
        "Every entry of the result, differentiated with respect to every entry of the inputs.",
        (("gradcli jacobian 'x**2' x=1,2", "2.0 0.0\n0.0 4.0"),),
        _MATRICES,
    ),
    Command(
        "vjp",
        "derivatives",
        "Vector-Jacobian product: one array per input.",
        "-v has the shape of the result; for a scalar it is 1 by itself. For a tuple of results, -v is given once "
        "for each, in order.",
        (("gradcli vjp 'A @ x' 'A=eye(2)' x=1,2 --wrt x -v 3,-1", "3.0 -1.0"),),
        _PRODUCTS,
    ),
    Command(
        "jvp",
        "derivatives",
        "Jacobian-vector product.",
        "-v has the shape of the input; where there are several, each is given by name: -v x=... -v y=...",
        (("gradcli jvp 'sin(x)*y' x=0 y=2 -v x=1 -v y=0", "2.0"),),
        _PRODUCTS,
    ),
    Command(
        "hessian",
        "derivatives",
        "The Hessian of a scalar: a block per pair of inputs.",
        "Differentiates a result of shape () twice.",
        (("gradcli hessian 'x[0]**2 * x[1]' x=1,2", "4.0 2.0\n2.0 0.0"),),
        _MATRICES,
    ),
    Command(
        "hvp",
        "derivatives",
        "Hessian-vector product of a scalar: one array per input.",
        "-v has the shape of the input; where there are several, each is given by name: -v x=... -v y=...",
        (("gradcli hvp 'sum(x**3)' x=1,2 -v 1,0", "6.0 0.0"),),
        _PRODUCTS,
    ),
    Command(
        "check",
        "check",
        "Prove the derivative against SymPy.",
        "The program alone goes to SymPy, which differentiates it and evaluates that with 50 digits: an oracle that "
        "shares no derivative rule with gradcli.",
        (("gradcli check 'x*exp(-x)' x=0.3 --quiet && echo proved", "proved"),),
        (*_INPUTS, OF, WRT, SPARSE_CHECK, *CHECK_ONLY, REPORT_FORMAT, OUTPUT, *_ROWS, *_END),
    ),
    Command(
        "derive",
        "derive",
        "The derivative as a formula, no values needed.",
        "Inputs are scalars unless declared with numbers for shapes, given, or shaped by --shape.",
        (("gradcli derive 'x**2*sin(x)'", "x*(x*cos(x) + 2*sin(x))"),),
        (*_INPUTS, OF, WRT, DERIVATIVE, SHAPE, FORMULA_FORMAT, OUTPUT, *_END),
    ),
    Command(
        "run",
        "run",
        "Run a script: prints, backward(), .grad.",
        "What the script prints goes to standard output as it runs; of a notebook, the code cells run in order, and "
        "the value that ends a cell is shown. A script that imports torch prints what PyTorch prints.",
        (("gradcli run 'x.requires_grad_(); sum(x*x).backward(); print(x.grad)' x=1,2", "tensor([2., 4.])"),),
        (*_INPUTS, TRACE, COLOR, HELP, *LIMITS),
    ),
    Command(
        "graph",
        "graph",
        "Show the tensor graph of a program.",
        "Draws what ran: each op with its shape and value, and with --grad the gradient of the result there.",
        (("gradcli graph 'x**2 + y' x=3 y=1 --format mermaid", ""),),
        (*_INPUTS, OF, WITH_GRADIENT, GRAPH_FORMAT, OUTPUT, *_END),
    ),
    Command(
        "ops",
        "ops",
        "The functions and their derivatives.",
        "Lists every function, or says all about one.",
        (("gradcli ops sin", ""),),
        (REPORT_FORMAT, OUTPUT, *_END),
        takes_program=False,
    ),
)

TOP_LEVEL = ("--version", "--help", "--install-completion", "--show-completion")
"""The options that stand before any command."""

SHELLS = ("bash", "zsh", "fish", "powershell", "pwsh")
"""The shells that completion is for."""


def command_named(word: str) -> Command | None:
    """The command of that name, or None."""
    return next((command for command in COMMANDS if command.name == word), None)
