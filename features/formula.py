"""A feature's expression as a function of one row: polars takes a millisecond to say what Python says in one thousandth.

Only what the catalogue needs is known here: arithmetic, comparisons, choices, moments, and texts of ASCII characters (see
`text_formula`). Each rule is that of polars, to the last bit; a batch and a request are compared in the tests.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from math import copysign, inf, isnan, nan, sqrt
from typing import Any

import polars as pl

from clout.features.text_formula import OF_MOMENTS, of_text

Row = Mapping[str, Any]
Formula = Callable[[Row], Any]
Node = Mapping[str, Any]


class UnknownNodeError(ValueError):
    """An expression holds something that is not known here."""


def formula(expression: pl.Expr) -> Formula:
    """The function that says of one row what `expression` says of a frame; missing is None.

    Times that are subtracted are microseconds, those asked for their hour are datetimes; texts must be ASCII. Raises
    `UnknownNodeError` where the expression does what is not known here.

    >>> mean = formula(pl.when(pl.col("n") > 0).then(pl.col("sum") / pl.col("n")))
    >>> mean({"sum": 3, "n": 2}), mean({"sum": 0, "n": 0})
    (1.5, None)
    """
    return _compile(json.loads(expression.meta.serialize(format="json")))


def _compile(node: Node) -> Formula:
    [(kind, content)] = node.items()
    match kind:
        case "Column":
            return operator.itemgetter(content)
        case "Literal":
            return _literal(content)
        case "Cast":
            return _cast(content)
        case "BinaryExpr":
            return _binary(content)
        case "Ternary":
            return _ternary(content)
        case "Function":
            return _function(content)
    raise UnknownNodeError(f"got {kind}; expected columns, literals, casts, arithmetic, choices")


def _literal(content: Node) -> Formula:
    [told] = content.values()
    value = None if "Null" in told else next(iter(told.values()))
    return lambda _: value


def _cast(content: Node) -> Formula:
    inner = _compile(content["expr"])
    if content["dtype"] == {"Literal": "Int64"} and _counts(content["expr"]):
        return inner
    if content["dtype"] != {"Literal": "Float64"}:
        raise UnknownNodeError(f"got a cast to {content['dtype']}; expected Float64")
    return _of(inner, float)


def _counts(node: Node) -> bool:
    """Whether a node counts matches, which makes a whole number."""
    return "CountMatches" in json.dumps(node.get("Function", {}).get("function"))


def _binary(content: Node) -> Formula:
    apply = BINARY.get(content["op"])
    if apply is None:
        raise UnknownNodeError(f"got the operator {content['op']}; expected one of {', '.join(BINARY)}")
    left, right = _compile(content["left"]), _compile(content["right"])

    def evaluate(row: Row) -> Any:  # noqa: ANN401 (what the columns hold)
        a, b = left(row), right(row)
        return None if a is None or b is None else apply(a, b)

    return evaluate


def _divide(a: float, b: float) -> float:
    if b:
        return a / b
    return nan if a == 0 or isnan(a) else copysign(inf, a) * copysign(1.0, b)


BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "Plus": operator.add,
    "Minus": operator.sub,
    "Multiply": operator.mul,
    "TrueDivide": _divide,
    "FloorDivide": operator.floordiv,
    "Gt": operator.gt,
    "GtEq": operator.ge,
    "Lt": operator.lt,
    "Eq": operator.eq,
}


def _ternary(content: Node) -> Formula:
    chosen, then, otherwise = (_compile(content[part]) for part in ("predicate", "truthy", "falsy"))
    return lambda row: then(row) if chosen(row) else otherwise(row)


def _function(content: Node) -> Formula:
    inputs, function = [_compile(part) for part in content["input"]], content["function"]
    if function in ("Coalesce", "FillNull"):
        return lambda row: next(_known(inputs, row), None)
    if isinstance(function, str) and function in MOST:
        return lambda row: MOST[function](_known(inputs, row), default=None)
    if function == {"Boolean": "IsNotNull"}:
        return lambda row: inputs[0](row) is not None
    told = _told(function, inputs[1:])
    if told is None:
        raise UnknownNodeError(f"got the function {function}; expected one that this module knows")
    return _of(inputs[0], told)


MOST: dict[str, Callable[..., Any]] = {"MinHorizontal": min, "MaxHorizontal": max}


def _known(inputs: list[Formula], row: Row) -> Iterator[Any]:
    return (value for one in inputs if (value := one(row)) is not None)


def _told(function: Any, others: list[Formula]) -> Callable[[Any], Any] | None:  # noqa: ANN401 (what JSON holds)
    """What a function says of its first argument, the others being literals; None where it is not known here."""
    told: Callable[[Any], Any] | None = None
    match function, [other({}) for other in others]:
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


def _of(inner: Formula, told: Callable[[Any], Any]) -> Formula:
    """What `told` says of a value, and nothing of a missing one."""
    return lambda row: None if (value := inner(row)) is None else told(value)
