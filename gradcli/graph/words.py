"""What Python and NumPy object to in an argument, in this language's words."""

from __future__ import annotations

import re

_SHAPES = re.compile(r"\(([\d, ]*)\)")


def in_our_words(error: Exception) -> str:
    """The message of an error that Python or NumPy raised; one that is not known is left as it is."""
    text = str(error).strip()
    for pattern, words in _KNOWN:
        found = re.match(pattern, text)
        if found is not None:
            return found.expand(words)
    if text.startswith("operands could not be broadcast together with shapes"):
        return "cannot broadcast shapes " + " and ".join(f"[{_listed(s)}]" for s in _SHAPES.findall(text))
    return text


def _listed(shape: str) -> str:
    return ", ".join(n.strip() for n in shape.split(",") if n.strip())


_MANY = "one of its arguments is a tensor, where it takes a single number or a word"
_KNOWN = (
    (r"The truth value of an array|The truth value of an empty array|a traced value has no truth", _MANY),
    (r"only 0-dimensional arrays can be|can only convert an array of size 1|only length-1 arrays", _MANY),
    (r"float\(\) argument must be .* not '(?:Node|ndarray)'", _MANY),
    (r"could not convert string to float: (.*)", r"expected a number, not \1"),
    (r"float\(\) argument must be .* not 'NoneType'", "expected a number, not None"),
    (r"(?:float\(\) argument must be|must be real number).* not '?(\w+)'?", r"expected a number, not a \1"),
    (
        r"unhashable type: '(?:numpy\.)?(\w+)'",
        r"one of its arguments is a \1, where it takes a single number or a word",
    ),
    (r"'NoneType' object is not (?:iterable|subscriptable)", "expected a tensor or a list, not None"),
    (r"'(\w+)' object is not (?:iterable|subscriptable)", r"expected a tensor or a list, not one \1"),
    (r".*unsupported operand type.*'NoneType'", "expected a number or a tensor, not None"),
    (r".*unsupported operand type.*'(dict|list|tuple|str)'", r"expected a number or a tensor, not a \1"),
    (r"'\S+' not supported between instances of .*'NoneType'", "expected a number or a tensor, not None"),
    (r"'\S+' not supported between instances of .*'(dict|list|tuple|str)'", r"expected a number or a tensor, not a \1"),
    (r"(?:too many|not enough) values to unpack \(expected (\d+).*", r"one of its arguments is to have \1 elements"),
    (r"(?:.*<locals>\.)?\w+\(\) got multiple values for argument '(\w+)'", r"'\1' is given twice"),
    (
        r"'(.*)' is not a valid estimator for `bins`",
        r"bins is a number, a list of edges, or 'auto', 'doane', 'fd', 'rice', 'scott', 'sqrt', 'stone' or 'sturges', "
        r"not '\1'",
    ),
    (r"cannot convert float NaN to integer", "expected an integer, not nan"),
    (r"cannot convert float infinity to integer", "expected an integer, not inf"),
)
