"""A feature's expression as a function of one row: polars takes a millisecond to say what Python says in one thousandth.

Only what the catalogue needs of looked-up columns is known here: arithmetic, comparisons, choices. Each rule is that of
polars, to the last bit; a batch and a request are compared in the tests.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping
from math import inf, nan, sqrt
from typing import Any

import polars as pl

Row = Mapping[str, Any]
Formula = Callable[[Row], Any]
Node = Mapping[str, Any]


class UnknownNodeError(ValueError):
    """An expression holds something that is not known here."""


def formula(expression: pl.Expr) -> Formula:
    """The function that says of one row what `expression` says of a frame; missing is None, times are microseconds.

    Raises `UnknownNodeError` where the expression does more than arithmetic, comparisons and choices.

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
    if content["dtype"] != {"Literal": "Float64"}:
        raise UnknownNodeError(f"got a cast to {content['dtype']}; expected Float64")
    return lambda row: None if (value := inner(row)) is None else float(value)


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
    return nan if a == 0 or a != a else inf if a > 0 else -inf  # noqa: PLR0124 (NaN)


BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "Plus": operator.add,
    "Minus": operator.sub,
    "Multiply": operator.mul,
    "TrueDivide": _divide,
    "Gt": operator.gt,
    "GtEq": operator.ge,
    "Lt": operator.lt,
    "Eq": operator.eq,
}


def _ternary(content: Node) -> Formula:
    chosen, then, otherwise = (_compile(content[part]) for part in ("predicate", "truthy", "falsy"))
    return lambda row: then(row) if chosen(row) else otherwise(row)


def _function(content: Node) -> Formula:
    inputs = [_compile(part) for part in content["input"]]
    match content["function"]:
        case {"TemporalExpr": {"TotalMicroseconds": {"fractional": False}}}:
            return inputs[0]
        case {"Boolean": "IsNotNull"}:
            return lambda row: inputs[0](row) is not None
        case {"Pow": "Sqrt"}:
            return lambda row: None if (value := inputs[0](row)) is None else sqrt(value) if value >= 0 else nan
        case {"Pow": "Generic"}:
            return _square(content, inputs[0])
        case "Coalesce":
            return lambda row: next((value for one in inputs if (value := one(row)) is not None), None)
        case "MinHorizontal" | "MaxHorizontal" as name:
            most = min if name == "MinHorizontal" else max
            return lambda row: most((value for one in inputs if (value := one(row)) is not None), default=None)
    raise UnknownNodeError(f"got the function {content['function']}; expected one that this module knows")


def _square(content: Node, inner: Formula) -> Formula:
    if content["input"][1] != {"Literal": {"Dyn": {"Int": 2}}}:
        raise UnknownNodeError(f"got the power {content['input'][1]}; expected 2")
    return lambda row: None if (value := inner(row)) is None else value * value
