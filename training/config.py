"""How a model is made: one frozen, validated description of a training run."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Self

import tomli_w
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from clout.data.tables import KINDS
from clout.errors import CloutError
from clout.features.catalogue import CONTRACT
from clout.features.contract import GROUPS, Contract
from clout.training.checks.codes import CODES


class ConfigError(CloutError):
    """A setting is unknown or out of range."""

    code = "config"


TABLES = "action_value_tables"
HIGHEST_VALUE = 1_000_000
HIGHEST_SEED = 2**31 - 1  # LightGBM's
KNOWN_FEATURES = (*GROUPS, *CONTRACT.names)


def _aware(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _known_kinds(values: dict[str, float]) -> dict[str, float]:
    unknown = sorted(set(values) - set(KINDS))
    if unknown:
        raise ValueError(f"unknown kinds {', '.join(unknown)}; expected some of {', '.join(KINDS)}")
    if not any(values.values()) or min(values.values()) < 0 or max(values.values()) > HIGHEST_VALUE:
        raise ValueError(f"expected values from 0 to {HIGHEST_VALUE:,}, at least one above 0")
    return {kind: float(values[kind]) for kind in KINDS if kind in values}


def _listed(names: object) -> object:
    """The names in a text, with commas between them; anything else as it is."""
    return [name.strip() for name in names.split(",")] if isinstance(names, str) else names


def _known_features(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in KNOWN_FEATURES:
            raise ValueError(
                f"no feature or group is named {name!r}; expected groups ({', '.join(GROUPS)}) or names of features"
                f"{_meant(name, KNOWN_FEATURES)}"
            )
    if not CONTRACT.without(names).features:
        raise ValueError("nothing is left to learn from; expected to keep one feature at least")
    return tuple(name for name in KNOWN_FEATURES if name in names)


def _meant(name: str, known: Collection[str]) -> str:
    """A question for the name of `known` that was meant; empty when none is near.

    >>> _meant("fit.leaves", ["fit.trees", "fit.num_leaves"])
    '; did you mean fit.num_leaves?'
    """
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Label(_Section):
    """What a post's outcome is."""

    horizon_days: float = Field(7.0, gt=0, le=90, description="Actions within this many days of the post count.")

    @property
    def horizon(self) -> timedelta:
        """The horizon as a duration."""
        return timedelta(days=self.horizon_days)


class Splits(_Section):
    """Which posts teach, calibrate and judge; always in the order of time."""

    final_from: Annotated[datetime, AfterValidator(_aware)] | None = Field(
        None, description="Posts from this moment on are the last block; without it, the newest `final_share`."
    )
    final_share: float = Field(0.15, gt=0, lt=0.5, description="Share of the labelled posts in the last block.")
    origins: int = Field(3, ge=2, le=12, description="Rolling origins before the last block.")
    block_share: float = Field(0.15, gt=0, lt=0.3, description="Share of the earlier posts in each rolling block.")
    cold_share: float = Field(0.05, ge=0, lt=0.5, description="Share of accounts never trained on (cold start).")
    sample_share: float = Field(
        1.0,
        gt=0,
        le=1,
        description="Share of accounts, chosen by their name alone, whose posts teach and judge. What was known before a "
        "post is still that of all accounts.",
    )
    min_posts: int = Field(500, ge=100, description="Fewer labelled posts than this are refused.")
    min_accounts: int = Field(30, ge=30, description="Fewer accounts with labelled posts than this are refused.")

    @model_validator(mode="after")
    def _leaves_posts_to_learn_from(self) -> Self:
        taken = self.origins * self.block_share
        if taken >= 1:
            raise ValueError(
                f"origins × block_share is {taken:g}; expected less than 1, for what is left is learned from"
            )
        return self


class Features(_Section):
    """What a model may look at."""

    without: Annotated[tuple[str, ...], BeforeValidator(_listed), AfterValidator(_known_features)] = Field(
        (), description="Features, and groups of them, that the model does without."
    )


class WordingParams(_Section):
    """How the choice of words is learned."""

    min_words: int = Field(5, ge=2, description="A piece must be in this many words, counted once for each post.")
    max_pieces: int = Field(60_000, ge=100, description="The most frequent pieces that are kept.")
    alpha: float = Field(12.0, gt=0, le=1_000_000, description="Ridge penalty.")
    half_life_days: float = Field(120.0, gt=0, description="A post this much older weighs half.")
    slices: int = Field(5, ge=2, le=50, description="Forward slices before the first rolling origin.")


class Fit(_Section):
    """LightGBM's settings; small trees are as good here and far cheaper to explain."""

    trees: int = Field(
        300,
        ge=1,
        le=5000,
        description="Most trees of a head; as many of them are kept as do best on the rolling blocks.",
    )
    num_leaves: int = Field(15, ge=2, le=255, description="Leaves a tree.")
    max_depth: int = Field(5, ge=1, le=16, description="Depth of a tree.")
    learning_rate: float = Field(0.06, gt=0, le=1, description="Shrinkage of each tree.")
    min_data_in_leaf: int = Field(40, ge=1, description="Posts in a leaf.")
    lambda_l2: float = Field(5.0, ge=0, description="L2 penalty on leaf values.")
    feature_fraction: float = Field(0.6, gt=0, le=1, description="Share of features a tree sees.")
    bagging_fraction: float = Field(0.7, gt=0, le=1, description="Share of posts a tree sees.")
    threads: int = Field(
        2,
        ge=1,
        exclude=True,
        description="Most threads of LightGBM, one for 20,000 posts; the model does not depend on it and does not keep it.",
    )


class IntervalParams(_Section):
    """How wide intervals are."""

    level: float = Field(0.9, gt=0.5, lt=1, description="Share of posts whose outcome should lie inside.")
    min_posts: int = Field(200, ge=20, description="A group with fewer posts uses the overall width.")


def _reasoned(mutes: dict[str, str]) -> dict[str, str]:
    unknown = sorted(set(mutes) - set(CODES))
    if unknown:
        raise ValueError(f"no such check: {', '.join(unknown)}; expected some of {', '.join(CODES)}")
    silent = [code for code, reason in mutes.items() if not reason.strip()]
    if silent:
        raise ValueError(f"{', '.join(silent)} is muted without a reason; expected one in words")
    return {code: mutes[code].strip() for code in sorted(mutes)}


class Checks(_Section):
    """Which checks do not count."""

    mute: Annotated[dict[str, str], AfterValidator(_reasoned)] = Field(
        default={}, description="Codes of checks that do not stop a promotion, each with the reason, which is kept."
    )


class Params(_Section):
    """Everything that decides a model, besides the data."""

    seed: int = Field(7, ge=0, le=HIGHEST_SEED, description="Seed of everything random.")
    action_values: Annotated[dict[str, float], AfterValidator(_known_kinds)] = Field(
        default={"like": 1, "reshare": 2, "reply": 2, "quote": 3, "reaction": 1},
        description="What one action of each kind is worth; kinds left out are worth 0.",
        validate_default=True,
    )
    label: Label = Label()
    splits: Splits = Splits()
    features: Features = Features()
    wording: WordingParams = WordingParams()
    fit: Fit = Fit()
    intervals: IntervalParams = IntervalParams()
    checks: Checks = Checks()

    @property
    def contract(self) -> Contract:
        """The features that the model looks at."""
        return CONTRACT.without(self.features.without)

    def with_trees(self, trees: int) -> Params:
        """The same with so many trees a head."""
        return self.model_copy(update={"fit": self.fit.model_copy(update={"trees": trees})})


def read_params(path: Path | None = None, overrides: tuple[str, ...] = ()) -> Params:
    """The parameters in the TOML file at `path` (defaults without one), changed by `section.name=value` overrides.

    Where `action_values` is a name, the table is the one of that name among `action_value_tables`. Raises `ConfigError` that names the setting, what was got and what was expected.
    """
    content = _read(path) if path else {}
    for override in overrides:
        _override(content, override)
    return validated(_with_table(content))


def without(told: str) -> str:
    """The override that `--features` stands for.

    >>> without("without=audience,hour_utc")
    'features.without=["audience", "hour_utc"]'
    """
    what, _, names = told.partition("=")
    chosen = [name.strip() for name in names.split(",") if name.strip()]
    if what.strip() != "without" or not chosen:
        raise ConfigError(
            f"got --features {told!r}; expected without=NAME[,NAME…], for example without=audience,format"
        )
    return f"features.without={json.dumps(chosen)}"


def to_toml(params: Params) -> str:
    """The parameters as a file that `read_params` reads."""
    return tomli_w.dumps(params.model_dump(exclude_none=True))


def validated(content: Mapping[str, Any]) -> Params:
    """The parameters that plain values describe, as params.json of a bundle holds them; raises `ConfigError`."""
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        wrong = _unknown(first["loc"]) if first["type"] == "extra_forbidden" else first["msg"]
        wrong = wrong.removeprefix("Value error, ")
        raise ConfigError(f"setting {where}: got {first['input']!r}; {wrong}; see docs/settings.md") from error


def _with_table(content: dict[str, Any]) -> dict[str, Any]:
    """`content` with the action values themselves in place of the name of their table."""
    tables, chosen = content.pop(TABLES, {}), content.get("action_values")
    for name, table in tables.items() if isinstance(tables, dict) else ():
        try:
            Params.model_validate({"action_values": table})
        except ValidationError as error:
            words = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise ConfigError(f"setting {TABLES}.{name}: got {table!r}; {words}; see docs/settings.md") from error
    if not isinstance(chosen, str):
        return content
    if not isinstance(tables, dict) or chosen not in tables:
        known = f"the {TABLES} there are: {', '.join(tables)}" if tables else f"{TABLES}, of which there are none"
        raise ConfigError(
            f"setting action_values: got {chosen!r}; expected a table of numbers or the name of one of {known}"
            f"{_meant(chosen, list(tables))}; see docs/settings.md"
        )
    return content | {"action_values": tables[chosen]}


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"cannot read {path} ({error.strerror}); expected a TOML file of parameters, see docs/settings.md"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}; see docs/settings.md") from error


def _unknown(place: tuple[int | str, ...]) -> str:
    section: Any = Params
    for name in place[:-1]:
        section = section.model_fields[name].annotation
    meant = _meant(".".join(str(part) for part in place), list(_settings()))
    return f"no such setting; expected one of {', '.join(section.model_fields)}{meant}"


def _settings() -> Iterator[str]:
    """The names of all sections and settings."""
    for name, field in Params.model_fields.items():
        yield name
        yield from (f"{name}.{inner}" for inner in getattr(field.annotation, "model_fields", ()))


def _override(content: dict[str, Any], override: str) -> None:
    name, equals, value = override.partition("=")
    *sections, last = name.strip().split(".")
    place: Any = content
    for section in sections:
        known = Params().model_dump() if place is content else {}
        place = place.setdefault(section, known.get(section, {})) if isinstance(place, dict) else None
    if not equals or not last or not isinstance(place, dict):
        raise ConfigError(f"got {override!r}; expected section.name=value, for example fit.num_leaves=31")
    try:
        place[last] = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        place[last] = value.strip()
