"""Fill the tables that documents take from the code: `make docs`.

A document says where a table goes; what stands between the two lines is written anew:

    <!-- table: params.fit (make docs) -->
    <!-- end -->
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib import resources
from pathlib import Path
from textwrap import dedent
from typing import Any, get_args, get_origin

import polars as pl
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from clout.data.lake import FORGOTTEN, FORGOTTEN_WORDS
from clout.data.society.people import Society
from clout.data.sources.items import UNREADABLE, UNREADABLE_WORDS
from clout.data.sources.live.mastodon.accounts import REASONS
from clout.data.sources.live.mastodon.readings import NOT_PUBLIC, NOT_PUBLIC_WORDS
from clout.data.sources.mapping import Identity, Moment, Sort, Value, packaged
from clout.data.sources.mapping import Mapping as SourceMapping
from clout.data.sources.source import UNKNOWN_POST, UNKNOWN_POST_WORDS
from clout.data.tables import CLAIMED, CONFLICT, KEYS, NULLABLE, SAME, SCHEMAS, TWO_PERSONS, rules
from clout.data.values import TIME, read
from clout.features.catalogue import FEATURES
from clout.features.contract import GROUPS, FeatureSpec
from clout.models.scale import BANDS
from clout.serving.active_model import ActiveModel
from clout.serving.api import application
from clout.serving.openapi import document as openapi
from clout.serving.openapi.routes import described
from clout.settings import Settings
from clout.training.attacks import report
from clout.training.attacks.kinds import KINDS
from clout.training.checks import promotion, training
from clout.training.checks.check import PAGE, Check
from clout.training.config import HIGHEST_VALUE, Params

ROOT = Path(__file__).parents[1]
ABLATION = ROOT / "docs" / "ablation.json"
ATTACKS = ROOT / "serving" / "pages" / "figures" / "attacks.json"
PLACE = re.compile(r"(<!-- table: (\S+) \(make docs\) -->\n).*?(<!-- end -->)", re.DOTALL)
TYPES = {pl.String(): "text", pl.Int64(): "whole number", pl.Boolean(): "true or false", TIME: "time"}
ARROWS = {1: "↑", -1: "↓", 0: ""}
LIMITS = {"gt": "above {}", "ge": "from {}", "lt": "and below {}", "le": "up to {}"}
NUMBERS = {dict: f"numbers from 0 up to {HIGHEST_VALUE:,}", datetime: "time", int: "whole number", float: "number"}
ORIGINS = {Identity: "an id", Moment: "a time", Sort: "a kind of post", Value: "a value"}
MISSING = "a value that must be there is missing"


def documents() -> list[Path]:
    """The documents that may hold tables."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs/sources").glob("*.md"))]


def filled(text: str) -> str:
    """`text` with every table as the code has it now; raises `KeyError` for a table nobody makes."""
    return PLACE.sub(lambda place: f"{place[1]}\n{TABLES[place[2]]()}\n{place[3]}", text)


def places(text: str) -> list[str]:
    """The names of the tables that `text` has a place for."""
    return [place[2] for place in PLACE.finditer(text)]


def markdown(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    r"""A Markdown table.

    >>> print(markdown(("a", "b"), [("1", "x|y")]), end="")
    | a | b |
    |---|---|
    | 1 | x\|y |
    """
    lines = [_line(heads), f"|{'---|' * len(heads)}", *(_line(row) for row in rows)]
    return "".join(f"{line}\n" for line in lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in cells)} |"


def settings(model: type[BaseModel], prefix: str = "", given: Mapping[str, object] | None = None) -> str:
    """The fields of a model as settings named `prefix` + name; `given` are defaults that others are made from."""
    rows = [
        (
            f"`{prefix}{name.upper() if prefix.isupper() else name}`",
            _default(field.get_default(call_default_factory=True, validated_data=dict(given or {}))),
            _range(field),
            field.description or "",
        )
        for name, field in model.model_fields.items()
        if not _is_model(field.annotation)
    ]
    return markdown(("setting", "default", "range", "meaning"), rows)


def _is_model(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _default(value: object) -> str:
    if value is None:
        return "not set"
    if isinstance(value, Mapping) and not value:
        return "none"
    if isinstance(value, Mapping):
        return f"`{{ {', '.join(f'{name} = {part:g}' for name, part in value.items())} }}`"
    if isinstance(value, tuple):
        return ", ".join(f"`{part}`" for part in value) or "none"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _range(field: FieldInfo) -> str:
    """The values a setting takes, in words; empty where any text will do.

    >>> _range(Params.model_fields["seed"])
    'whole number from 0'
    """
    kinds = list(_inside(field.annotation))
    said = next((words for kind, words in NUMBERS.items() if kind in kinds), "")
    if dict in kinds and float not in kinds:
        said = "a text for each"
    limits = [
        words.format(f"{getattr(limit, key):,}")
        for key, words in LIMITS.items()
        for limit in field.metadata
        if hasattr(limit, key)
    ]
    return f"{said} {' '.join(limits)}".strip()


def features(group: str) -> str:
    """The features of a group, and what each adds, where that has been measured."""
    gains: dict[str, dict[str, Any]] = json.loads(ABLATION.read_text("utf-8")) if ABLATION.exists() else {}
    heads = ["feature", "what it is", "unit", "direction", "you can change it", "missing when"]
    heads += ["R² it adds", "Spearman it adds"] if gains else []
    mine = (feature.spec for feature in FEATURES if feature.group == group)
    return markdown(heads, [_feature(spec) + (_gains(gains.get(spec.name, {})) if gains else []) for spec in mine])


def _feature(spec: FeatureSpec) -> list[str]:
    change = "yes" if spec.actionable else ""
    return [f"`{spec.name}`", spec.label, spec.unit, ARROWS[spec.direction], change, spec.missing]


def _gains(gain: Mapping[str, Any]) -> list[str]:
    """The mean gains with their standard errors; in bold where they are clear of chance.

    >>> _gains({"data": "politicians", "earns": "clearly", "r2_gain": 0.01, "r2_error": 0.001})
    ['**0.0100** ± 0.0010', '–']
    """
    where = "" if gain.get("data") == "politicians" else f" *({gain.get('data')})*"
    said = "**{:.4f}** ± {:.4f}{}" if gain.get("earns") == "clearly" else "{:.4f} ± {:.4f}{}"
    return [
        said.format(gain[f"{name}_gain"], gain[f"{name}_error"], where) if f"{name}_gain" in gain else "–"
        for name in ("r2", "spearman")
    ]


def columns(table: str) -> str:
    """The columns of a table of the lake."""

    def must(column: str) -> str:
        return "no, key" if column in KEYS[table] else "yes" if column in NULLABLE[table] else "no"

    rows = [(f"`{column}`", TYPES[kind], must(column)) for column, kind in SCHEMAS[table].items()]
    return markdown(("column", "type", "may be missing"), rows)


def rejects() -> str:
    """Why rows are rejected, in which tables."""
    tables: dict[str, dict[str, None]] = {}
    words: dict[str, dict[str, None]] = {}
    for table in SCHEMAS:
        for code, said in _reasons(table):
            tables.setdefault(code, {})[table] = None
            words.setdefault(code, {})[said] = None
    rows = [
        (f"`{code}`", "all" if len(found) == len(SCHEMAS) else ", ".join(found), "; or ".join(words[code]))
        for code, found in tables.items()
    ]
    return markdown(("reason", "tables", "what is wrong"), rows)


def _reasons(table: str) -> Iterator[tuple[str, str]]:
    """(code, words) of all that can be wrong with a row of `table`."""
    for want in SCHEMAS[table].values():
        for have in (pl.String(), pl.Float64()) if want in {pl.String(), pl.Int64()} else (pl.String(),):
            faults = read(pl.lit(None, have), have, want).faults
            yield from ((fault.code, fault.words.format(column="a value")) for fault in faults)
    for rule in rules(table, datetime.now(UTC)):
        yield rule.code, MISSING if rule.code == "missing_value" else rule.sentence
    yield from (("duplicate", SAME), ("conflicting_duplicate", CONFLICT), (FORGOTTEN, FORGOTTEN_WORDS))
    if table == "identities":
        yield TWO_PERSONS, CLAIMED
    if table == "accounts":
        yield from ((reason, words) for reason, words in REASONS.items() if reason != FORGOTTEN)
    if table == "posts":
        yield UNREADABLE, UNREADABLE_WORDS
        yield NOT_PUBLIC, NOT_PUBLIC_WORDS
    if table == "actions":
        yield UNKNOWN_POST, UNKNOWN_POST_WORDS


def section(table: str) -> str:
    """What a section of a mapping may say."""
    model = next(part for part in _inside(SourceMapping.model_fields[table].annotation) if _is_model(part))
    assert isinstance(model, type)  # noqa: S101 - narrows the type
    assert issubclass(model, BaseModel)  # noqa: S101 - narrows the type
    fields = model.model_fields.items()
    rows = [(f"`{name}`", _takes(field), "yes" if field.is_required() else "") for name, field in fields]
    return markdown(("name", "takes", "needed"), rows)


def _takes(field: FieldInfo) -> str:
    parts = list(_inside(field.annotation))
    if dict in parts:
        return "a value for each kind of action"
    if bool in parts:
        return "`true` or `false`"
    return next((words for origin, words in ORIGINS.items() if origin in parts), "the name of a column")


def _inside(annotation: object) -> Iterator[object]:
    """Every type that an annotation is made of, itself first."""
    yield get_origin(annotation) or annotation
    for part in get_args(annotation):
        yield from _inside(part)


def mappings() -> str:
    """The mappings that come with Clout, each with its first line."""
    folder = resources.files("clout.data") / "mappings"
    first = {name: (folder / f"{name}.toml").read_text("utf-8").split("\n", 1)[0] for name in packaged()}
    return markdown(("name", "what it reads"), [(f"`{name}`", line.lstrip("# ")) for name, line in first.items()])


def checks(family: Iterable[Check[Any]]) -> str:
    """The numbered checks of a training or of a promotion."""
    page = Path(PAGE).name
    rows = [(f"[{c.code}]({page}#{c.code.lower()})", c.title, c.severity) for c in family]
    return markdown(("code", "what must hold", "a finding is"), rows)


def pages(family: Iterable[Check[Any]]) -> str:
    """A section for each check: what must hold, how grave a finding is, why, and what to do."""
    return "\n".join(
        f"### {c.code}\n\n**{c.title.capitalize()}** ({c.severity})\n\n{dedent(c.why).strip()}\n" for c in family
    )


def attack_kinds() -> str:
    """The kinds of attack."""
    rows = [(f"`{kind.name}`", kind.what, kind.cost, kind.unit) for kind in KINDS.values()]
    return markdown(("kind", "what it does", "what it costs", "its budget counts"), rows)


def attacks_bought() -> str:
    """What each attack bought when it was last measured."""
    told = json.loads(ATTACKS.read_text("utf-8"))
    said = f"{told['people']:,} people, {told['accounts']:,} accounts that could be attacked; {told['budget']:,} for each target."
    heads = ("attack", "base", *report.HEADS[1:], "limit", "within it")
    rows = [
        (attack["kind"], f"{base['base']:g}", *report.row(attack, number)[1:], *_promised(attack["bases"][number]))
        for number, base in enumerate(told["bases"])
        for attack in told["attacks"]
    ]
    return f"{said}\n\n{markdown(heads, rows)}"


def _promised(bought: Mapping[str, Any]) -> tuple[str, str]:
    if bought["limit"] is None:
        return "", ""
    return f"{bought['limit']:g}", f"{bought['within']} of {bought['targets']}"


def routes() -> str:
    """Every address, as the description of the API has it."""
    told = openapi.document(described(application(ActiveModel(), lambda: datetime.now(UTC)).routes))
    rows = [
        (f"`{path}`", method.upper(), said["summary"].rstrip("."), _scope(said), _statuses(told, said))
        for path, methods in told["paths"].items()
        for method, said in methods.items()
    ]
    return markdown(("address", "method", "answers", "scope of the key", "other statuses"), rows)


def _scope(said: Mapping[str, Any]) -> str:
    """The scope that an operation needs; empty where it needs none."""
    return next((f"`{scopes[0]}`" for choice in said["security"] for scopes in choice.values()), "")


def _statuses(told: Mapping[str, Any], said: Mapping[str, Any]) -> str:
    """The statuses of an operation that not all have."""
    every = [set(each["responses"]) for methods in told["paths"].values() for each in methods.values()]
    common = set.intersection(*(statuses for statuses in every if "default" not in statuses))
    return ", ".join(status for status in said["responses"] if status not in common | {"200", "default"})


def bands() -> str:
    """The words for scores."""
    floors = [floor for floor, _ in BANDS]
    tops = ("and more", *(f"to {floor - 1}" for floor in floors[:-1]))
    rows = [(f"{max(floor, 1)} {top}", words) for (floor, words), top in zip(BANDS, tops, strict=True)]
    return markdown(("score", "words"), rows)


TABLES: dict[str, Callable[[], str]] = {
    "settings": partial(settings, Settings, "CLOUT_", {"home": Settings.model_fields["home"].default}),
    "society": partial(settings, Society),
    "rejects": rejects,
    "mappings": mappings,
    "checks.training": partial(checks, training.CHECKS),
    "checks.promotion": partial(checks, promotion.CHECKS),
    "checks.training.pages": partial(pages, training.CHECKS),
    "checks.promotion.pages": partial(pages, promotion.CHECKS),
    "bands": bands,
    "routes": routes,
    "attacks.kinds": attack_kinds,
    "attacks.bought": attacks_bought,
    "params": partial(settings, Params),
    **{
        f"params.{name}": partial(settings, field.annotation, f"{name}.")
        for name, field in Params.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    },
    **{f"features.{group}": partial(features, group) for group in GROUPS},
    **{f"columns.{table}": partial(columns, table) for table in SCHEMAS},
    **{f"mapping.{table}": partial(section, table) for table in SCHEMAS if table in SourceMapping.model_fields},
}


def main() -> None:
    """Nothing; every document then holds the tables of the code."""
    for document in documents():
        old = document.read_text("utf-8")
        new = filled(old)
        if new != old:
            document.write_text(new, "utf-8")
            sys.stdout.write(f"{document.relative_to(ROOT)} is new\n")


if __name__ == "__main__":
    main()
