"""Features' expressions as one function of a row: polars takes a millisecond to say what Python says in one thousandth.

Only what the catalogue needs is known here: arithmetic, comparisons, choices, moments, and texts of ASCII characters (see
`text_formula`). Each rule is that of polars, to the last bit; a batch and a request are compared in the tests.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from math import copysign, inf, isfinite, isnan, nan, sqrt
from typing import Any

import polars as pl

from clout.features.text_formula import OF_MOMENTS, of_text

Row = Mapping[str, Any]
Formulas = Callable[[Row], dict[str, Any]]
Node = Mapping[str, Any]


class UnknownNodeError(ValueError):
    """An expression holds something that is not known here."""


def formulas(expressions: Mapping[str, pl.Expr]) -> Formulas:
    """The function that says of one row, by name, what each of `expressions` says of a frame; missing is None.

    Times that are subtracted are microseconds, those asked for their hour are datetimes; texts must be ASCII. Raises
    `UnknownNodeError` where an expression does what is not known here.

    >>> told = formulas({"mean": pl.when(pl.col("n") > 0).then(pl.col("sum") / pl.col("n"))})
    >>> told({"sum": 3, "n": 2}), told({"sum": 0, "n": 0})
    ({'mean': 1.5}, {'mean': None})
    """
    nodes = {name: json.loads(one.meta.serialize(format="json")) for name, one in expressions.items()}
    source = _Source(nodes.values())
    values = "".join(f"{name!r}: {source.of(node)}, " for name, node in nodes.items())
    written = f"lambda row: ({''.join(source.shared)}{{{values}}},)[-1]"
    told: Formulas = eval(written, source.known)  # noqa: S307 - written here, of our own expressions
    return told


class _Source:
    """What expressions say, written in Python: `shared` is what several of them ask for, `known` are the names in it."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        asked = Counter(json.dumps(part) for node in nodes for part in _parts(node) if _is_shareable(part))
        self._shareable = {part for part, times in asked.items() if times > 1}
        self._names: dict[str, str] = {}
        self._count = 0
        self.shared: list[str] = []
        self.known: dict[str, Any] = {"divide": _divide}

    def of(self, node: Node) -> str:
        """The value of a node, None where it is missing."""
        key = json.dumps(node)
        if key in self._shareable and key not in self._names:
            told = self._told(node)
            self._names[key] = self._new()
            self.shared.append(f"({self._names[key]} := {told}), ")
        return self._names.get(key) or self._told(node)

    def _told(self, node: Node) -> str:
        [(kind, content)] = node.items()
        match kind:
            case "Column":
                return f"row[{content!r}]"
            case "Literal":
                return self._written(_literal(node))
            case "Cast":
                return self._cast(content)
            case "BinaryExpr":
                return self._binary(content)
            case "Ternary":
                chosen, then, otherwise = (self.of(content[part]) for part in ("predicate", "truthy", "falsy"))
                return f"({then} if {chosen} else {otherwise})"
            case "Function":
                return self._function(content["function"], content["input"])
        raise UnknownNodeError(f"got {kind}; expected columns, literals, casts, arithmetic, choices")

    def _cast(self, content: Node) -> str:
        if content["dtype"] == {"Literal": "Int64"} and _counts(content["expr"]):
            return self.of(content["expr"])
        if content["dtype"] != {"Literal": "Float64"}:
            raise UnknownNodeError(f"got a cast to {content['dtype']}; expected Float64")
        return self._unless_missing([content["expr"]], "float({})")

    def _binary(self, content: Node) -> str:
        form = BINARY.get(content["op"])
        if form is None:
            raise UnknownNodeError(f"got the operator {content['op']}; expected one of {', '.join(BINARY)}")
        return self._unless_missing([content["left"], content["right"]], form)

    def _function(self, function: Any, inputs: list[Node]) -> str:  # noqa: ANN401 (what JSON holds)
        if function in ("Coalesce", "FillNull"):
            return self._first_known(inputs)
        if isinstance(function, str) and function in MOST:
            return f"{self._written(MOST[function])}([{', '.join(map(self.of, inputs))}])"
        if function == {"Boolean": "IsNotNull"}:
            return f"({self.of(inputs[0])} is not None)"
        told = _of_one(function, [_literal(other) for other in inputs[1:]])
        if told is None:
            raise UnknownNodeError(f"got the function {function}; expected one that this module knows")
        return self._unless_missing(inputs[:1], f"{self._written(told)}({{}})")

    def _unless_missing(self, nodes: list[Node], form: str) -> str:
        """What is made of the values of nodes; missing where one of them is."""
        asked = [self._asked(node) for node in nodes]
        missing = " or ".join(condition for condition, _ in asked if condition)
        told = form.format(*(value for _, value in asked))
        return f"(None if {missing} else {told})" if missing else f"({told})"

    def _asked(self, node: Node) -> tuple[str, str]:
        """What is true where a node is missing, nothing where it never is, and its value where it is not."""
        told = self.of(node)
        if "Literal" in node and told != "None":
            return "", told
        if told.isidentifier():
            return f"{told} is None", told
        name = self._new()
        return f"({name} := {told}) is None", name

    def _first_known(self, nodes: list[Node]) -> str:
        *others, last = nodes
        told = self.of(last)
        for node in reversed(others):
            missing, value = self._asked(node)
            told = f"({told} if {missing} else {value})" if missing else value
        return told

    def _written(self, value: object) -> str:
        """A constant: as it is written, or else its name."""
        if value is None or isinstance(value, str | int) or (isinstance(value, float) and isfinite(value)):
            return repr(value)
        name = self._new()
        self.known[name] = value
        return name

    def _new(self) -> str:
        self._count += 1
        return f"v{self._count}"


def _parts(node: Any) -> Iterator[Node]:  # noqa: ANN401 (what JSON holds)
    """All nodes of an expression."""
    if isinstance(node, dict):
        yield node
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _parts(part)


def _is_shareable(node: Node) -> bool:
    """Whether a node can be told of every row, even where nobody asks for it: columns and what texts say."""
    function = node["Function"]["function"] if [*node] == ["Function"] else {}
    return [*node] == ["Column"] or [*function] == ["StringExpr"]


def _literal(node: Node) -> Any:  # noqa: ANN401 (what JSON holds)
    if "Literal" not in node:
        raise UnknownNodeError(f"got the function of {node}; expected a literal")
    [told] = node["Literal"].values()
    return None if "Null" in told else next(iter(told.values()))


def _counts(node: Node) -> bool:
    """Whether a node counts matches, which makes a whole number."""
    return "CountMatches" in json.dumps(node.get("Function", {}).get("function"))


def _divide(a: float, b: float) -> float:
    if b:
        return a / b
    return nan if a == 0 or isnan(a) else copysign(inf, a) * copysign(1.0, b)


BINARY = {
    "Plus": "{} + {}",
    "Minus": "{} - {}",
    "Multiply": "{} * {}",
    "TrueDivide": "divide({}, {})",
    "FloorDivide": "{} // {}",
    "Gt": "{} > {}",
    "GtEq": "{} >= {}",
    "Lt": "{} < {}",
    "Eq": "{} == {}",
}


def _least(values: Iterable[Any]) -> Any:  # noqa: ANN401 (what the columns hold)
    return min((value for value in values if value is not None), default=None)


def _largest(values: Iterable[Any]) -> Any:  # noqa: ANN401 (what the columns hold)
    return max((value for value in values if value is not None), default=None)


MOST: dict[str, Callable[..., Any]] = {"MinHorizontal": _least, "MaxHorizontal": _largest}


def _of_one(function: Any, others: list[Any]) -> Callable[[Any], Any] | None:  # noqa: ANN401 (what JSON holds)
    """What a function says of its first argument, given the others; None where it is not known here."""
    told: Callable[[Any], Any] | None = None
    match function, others:
        case {"TemporalExpr": {"TotalMicroseconds": {"fractional": False}}}, []:
            told = _itself
        case {"TemporalExpr": str(part)}, []:
            told = OF_MOMENTS.get(part)
        case {"StringExpr": of}, arguments:
            told = of_text(of, arguments)
        case {"Pow": "Sqrt"}, []:
            told = _root
        case {"Pow": "Generic"}, [2]:
            told = _square
        case {"Clip": {"has_min": False, "has_max": True}}, [highest]:
            told = partial(min, highest)
    return told


def _itself(value: int) -> int:
    return value


def _root(value: float) -> float:
    return sqrt(value) if value >= 0 else nan


def _square(value: float) -> float:
    return value * value
