"""A mapping: which columns of somebody's file make which tables, written in TOML.

network = "twitter"                     # every id becomes twitter/<id>
note = "An assumption, told on every model card."

[posts]
post = "tweet_id"                       # a column of the file
account = { column = "user", prefix = "x-" }
happened_at = { column = "ts", unit = "ms" }
text = { first_of = ["body", "title"] }
kind = { flags = { reshare = "is_rt", reply = "is_reply" } }

[counts]
post = "tweet_id"
happened_at = { constant = 2024-05-01T00:00:00Z }
kinds = { like = "favs", reshare = "rts" }
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as Table
from datetime import date, datetime
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, get_args
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from clout.data.tables import KINDS, POST_KINDS, SCHEMAS
from clout.data.values import Unit
from clout.errors import CloutError


class MappingError(CloutError):
    """A mapping that cannot be read, or that asks for what a file does not have."""

    code = "mapping"


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _expanded(value: object) -> object:
    """A bare text is a column; a bare number, truth or date is a constant."""
    if isinstance(value, str):
        return {"column": value}
    return value if isinstance(value, dict) else {"constant": value}


def _one_of(name: str, names: Iterable[str]) -> str:
    if name not in names:
        raise ValueError(f"got {name!r}{meant(name, names)}; expected one of {listed(names)}")
    return name


Kind = Annotated[str, AfterValidator(lambda name: _one_of(name, KINDS))]
PostKind = Annotated[str, AfterValidator(lambda name: _one_of(name, POST_KINDS))]
Short = BeforeValidator(_expanded)


class Origin(_Declared):
    """Where a value comes from: one of `column`, the first of several columns that is known, or a `constant`."""

    origins: ClassVar[tuple[str, ...]] = ("column", "first_of", "constant")

    column: str | None = None
    first_of: tuple[str, ...] | None = None
    constant: bool | int | float | datetime | date | str | None = None

    @model_validator(mode="after")
    def _has_one_origin(self) -> Self:
        given = [name for name in self.origins if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"got {' and '.join(given) or 'none'} of {', '.join(self.origins)}; expected one")
        return self


class Value(Origin):
    """An `Origin` whose `values` are translated, as in `{ column = "type", values = { RT = "reshare" } }`.

    Values without a translation stay.
    """

    values: dict[str, str] = {}


class Identity(Value):
    """A `Value` that is an id, or several columns joined by ":"; `prefix` goes between network and id."""

    origins = (*Value.origins, "join")

    join: tuple[str, ...] | None = None
    prefix: str = ""


class Moment(Origin):
    """An `Origin` of times: numbers count `unit` since 1970, texts follow `format` (strptime) or ISO 8601.

    Clocks without an offset stand in `zone`.
    """

    unit: Unit | None = None
    format: str | None = None
    zone: Annotated[str, AfterValidator(lambda name: _one_of(name, available_timezones()))] = "UTC"


class Sort(Value):
    """A `Value` that is the kind of a post, or `flags`: the first of these columns that is true, else `otherwise`."""

    origins = (*Value.origins, "flags")

    flags: dict[PostKind, str] | None = None
    otherwise: PostKind = "original"


class Section(_Declared):
    """A table to make; rows whose column `drop_where` is true are left out of it."""

    drop_where: str | None = None


class Accounts(Section):
    """Accounts, each taken once however many rows name it; `minor` is true for those that must be kept out."""

    account: Annotated[Identity, Short]
    handle: Annotated[Value, Short] | None = None
    created_at: Annotated[Moment, Short] | None = None
    minor: Annotated[Value, Short] | None = None


class Profiles(Section):
    """Snapshots of accounts, one for each account and moment of reading."""

    account: Annotated[Identity, Short]
    happened_at: Annotated[Moment, Short]
    followers: Annotated[Value, Short] | None = None
    following: Annotated[Value, Short] | None = None
    listed: Annotated[Value, Short] | None = None
    posts: Annotated[Value, Short] | None = None
    verified: Annotated[Value, Short] | None = None


class Posts(Section):
    """Posts; `repeated` where the file has a row for each action: a post is then taken once, at its earliest time."""

    repeated: bool = False
    post: Annotated[Identity, Short]
    account: Annotated[Identity, Short]
    happened_at: Annotated[Moment, Short]
    known_at: Annotated[Moment, Short] | None = None
    text: Annotated[Value, Short] | None = None
    lang: Annotated[Value, Short] | None = None
    kind: Annotated[Sort, Short] = Sort(constant="original")
    n_media: Annotated[Value, Short] | None = None
    n_urls: Annotated[Value, Short] | None = None
    n_hashtags: Annotated[Value, Short] | None = None
    n_mentions: Annotated[Value, Short] | None = None


class Actions(Section):
    """Actions, one a row; without `post` they are on the account as a whole."""

    action: Annotated[Identity, Short]
    post: Annotated[Identity, Short] | None = None
    account: Annotated[Identity, Short]
    actor: Annotated[Identity, Short]
    kind: Annotated[Value, Short]
    happened_at: Annotated[Moment, Short]
    known_at: Annotated[Moment, Short] | None = None


class Counts(Section):
    """Counts of actions on posts, a column for each of `kinds`, read at `happened_at`.

    `retrospective` where one reading was made long after the posts: a count is then taken as known when its post
    had ripened.
    """

    post: Annotated[Identity, Short]
    happened_at: Annotated[Moment, Short]
    retrospective: bool = False
    kinds: dict[Kind, Annotated[Value, Short]]


class Identities(Section):
    """Accounts that somebody has declared to be one person's, each taken once, at its earliest time."""

    person: Annotated[Value, Short]
    account: Annotated[Identity, Short]
    happened_at: Annotated[Moment, Short]
    known_at: Annotated[Moment, Short] | None = None


class Removals(Section):
    """Posts and actions that `account`, whose they were, took back; `removed` is the id of the post or the action."""

    removed: Annotated[Identity, Short]
    account: Annotated[Identity, Short]
    happened_at: Annotated[Moment, Short]
    known_at: Annotated[Moment, Short] | None = None


class Mapping(_Declared):
    """How a file becomes tables.

    `network` begins every id. `missing` are texts that stand for a value that is not known, such as "NA" or "NaN".
    Rows whose column `drop_where` is true are left out. `note` is told wherever the data are used.
    """

    network: Annotated[Value, BeforeValidator(lambda value: {"constant": value} if isinstance(value, str) else value)]
    note: str = ""
    missing: tuple[str, ...] = ()
    drop_where: str | None = None
    accounts: Accounts | None = None
    profiles: Profiles | None = None
    posts: Posts | None = None
    actions: Actions | None = None
    counts: Counts | None = None
    identities: Identities | None = None
    removals: Removals | None = None

    @property
    def sections(self) -> dict[str, Section]:
        """The sections by the table they make."""
        named = {table: getattr(self, table, None) for table in SCHEMAS}
        return {table: section for table, section in named.items() if section is not None}

    @model_validator(mode="after")
    def _makes_something(self) -> Self:
        if not self.sections:
            raise ValueError(f"got no table; expected one of {', '.join(SCHEMAS)}")
        return self


def packaged() -> list[str]:
    """The names of the mappings that come with Clout."""
    folder = resources.files("clout.data") / "mappings"
    return sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml"))


def read_mapping(path: str | Path) -> Mapping:
    """The mapping in the file `path`, or the one of this name that comes with Clout."""
    try:
        return Mapping.model_validate(tomllib.loads(_text(path)))
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"the mapping {path} is not TOML ({error}): mend it") from error
    except ValidationError as error:
        problems = "; ".join(_told(problem) for problem in error.errors())
        raise MappingError(f"the mapping {path} cannot be used: {problems}") from error


def meant(name: str, names: Iterable[str]) -> str:
    """Words on which of `names` are close to `name`; empty where none is."""
    close = difflib.get_close_matches(name, list(names), n=3)
    return f" (did you mean {' or '.join(close)}?)" if close else ""


def listed(names: Iterable[str]) -> str:
    """The first 60 of `names`, in order."""
    first = sorted(names)
    return ", ".join(first[:60]) + (", …" if len(first) > 60 else "")


def _text(path: str | Path) -> str:
    file = Path(path)
    if not file.is_file() and str(path) in packaged():
        return (resources.files("clout.data") / "mappings" / f"{path}.toml").read_text("utf-8")
    try:
        return file.read_text("utf-8")
    except FileNotFoundError as error:
        raise MappingError(
            f"there is no mapping {path}{meant(str(path), packaged())}; expected a TOML file or one of Clout's own: "
            f"{listed(packaged())}"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise MappingError(f"cannot read the mapping {path} ({error}): expected a TOML file in UTF-8") from error


def _told(problem: Table[str, Any]) -> str:
    """One problem that pydantic found, with what was probably meant."""
    where = [str(part) for part in problem["loc"]]
    name = ".".join(where)
    if problem["type"] == "extra_forbidden":
        known = _known(where[:-1])
        return f"{name} is unknown{meant(where[-1], known)}; expected {listed(known)}"
    return f"{name or 'it'}: {problem['msg'].removeprefix('Value error, ')}"


def _known(inside: Sequence[str]) -> list[str]:
    """The names that the part of a mapping at `inside` may have."""
    models: list[type[BaseModel]] = [Mapping]
    for name in inside:
        fields = [model.model_fields[name].annotation for model in models if name in model.model_fields]
        models = [model for annotation in fields for model in _models(annotation)] if fields else models
    return sorted({name for model in models for name in model.model_fields})


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
