"""The models of a home, for data scientists: which answers, how good each is, what was watched, who changed what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, ValidationError

from clout.errors import CloutError
from clout.models import audit, bundle, registry, watch_log
from clout.models.audit import Entry
from clout.serving.accounts.kept import AccountStore
from clout.serving.active_model import ActiveModel
from clout.serving.pages.views.live import Live, live
from clout.serving.pages.views.methodology import Figure, figure
from clout.serving.pages.views.view import View
from clout.serving.problems import ProblemError

T = TypeVar("T")
ROLES = (registry.CHAMPION, registry.CHALLENGER)
DOCUMENTS = ("metrics.json", "checks.json", "data.json", "origin.json", "scale.json")
MOST_BUNDLES, MOST_DONE, MOST_WATCHES = 60, 30, 10
SKILL = "skill"
NO_COMPARISON = "there is no comparison.html in the home; expected the page that `clout compare` leaves there"
HEADLINE = (
    "spearman",
    "within_account_spearman",
    "r2_log",
    SKILL,
    "top_decile_lift",
    "ndcg",
    "total_ratio",
    "decile_log_error",
    "coverage",
    "coverage_worst_group",
    "crps",
)


class CheckTold(View):
    """What a check said of a bundle."""

    code: str
    title: str
    severity: str
    status: str
    detail: str
    muted: str | None = None


class Bundled(View):
    """A bundle of the home."""

    version: str
    roles: list[str] = Field(description="Champion, challenger or neither; the champion is no challenger of itself.")
    damaged: bool = Field(description="Whether its files are not what its manifest says; nothing else is told then.")
    trained_at: datetime | None = None
    trained_by: str | None = None
    champion_since: list[datetime] = Field([], description="When it was made champion.")
    commit: str | None = None
    as_committed: bool | None = Field(None, description="Whether the code was as in the commit; null where not known.")
    data_through: datetime | None = None
    taught_before: datetime | None = None
    fingerprint: str | None = Field(None, description="Names the data.")
    scale_version: str | None = None
    labelled_posts: int | None = None
    judged_posts: int | None = None
    judged_from: datetime | None = None
    judged_through: datetime | None = None
    figures: dict[str, Figure] = Field({}, description="What its report says, by name; `skill` is over account means.")
    checks: list[CheckTold] = Field([], description="What each check said.")


class Done(View):
    """A change of what answers, or one that was refused."""

    when: datetime
    who: str
    what: str
    version: str
    former: str | None
    why: str
    outcome: str
    step: str
    detail: str = Field(description="Why the checks refused it; empty else.")


class Watched(View):
    """What a watch saw."""

    when: datetime
    version: str
    verdict: str
    act: bool
    since: datetime
    through: datetime
    posts: int
    ripe: int
    drifted_share: float
    accuracy: dict[str, float | None]


class Fresh(View):
    """How far the data of a network reach that this service answers from."""

    network: str
    through: datetime
    days: float = Field(description="How long ago that is.")


class Models(View):
    """All that the page on models shows."""

    answers: str | None = Field(description="The version that answers now; null where none does.")
    refused: str | None = Field(description="A version that could not be taken in, if any.")
    champion: Bundled | None
    challenger: Bundled | None
    same_posts: bool = Field(description="Whether both were judged on the same posts.")
    bundles: list[Bundled] = Field(description="All bundles of the home, by the data they know, oldest first.")
    left_out: int = Field(description="Older bundles that are not told.")
    done: list[Done] = Field(description="Changes, newest first.")
    breaks: int = Field(description="Lines of the log of changes that are broken, or do not follow the one before.")
    watches: list[Watched] = Field(description="What was watched, newest first.")
    fresh: list[Fresh]
    live: list[Live] | None = Field(description="The newest run of each live source; null where that is not known.")
    compared_at: datetime | None = Field(description="When models of the home were last compared; null when never.")
    tracking: str | None = Field(description="Where MLflow's pages are; null where it has none on the web.")
    has_tracking: bool = Field(description="Whether runs are kept anywhere.")
    unreadable: list[str] = Field(description="Files of the home that cannot be read.")

    def having(self, name: str) -> list[Bundled]:
        """The bundles whose report has a figure of this name."""
        return [one for one in self.bundles if name in one.figures]


class _Home:
    """A home as it is read: what cannot be read is noted and taken as empty."""

    def __init__(self, place: Path | None) -> None:
        self.place, self.unreadable = place, list[str]()
        log = self._try(audit.FILE, audit.read, audit.Log())
        self.entries = log.entries
        self.breaks = len(log.breaks) + len(log.broken_off)
        self.lines = self._try(watch_log.FILE, watch_log.read, list[dict[str, Any]]())
        self.roles = {role: registry.pointed(place, role) if place else None for role in ROLES}
        for role in ROLES:
            if place and self.roles[role] is None and registry.pointer_file(place, role).exists():
                self.unreadable.append(registry.pointer_file(place, role).name)

    def _try(self, name: str, read: Callable[[Path], T], otherwise: T) -> T:
        try:
            return otherwise if self.place is None else read(self.place)
        except (OSError, ValueError, TypeError, KeyError):
            self.unreadable.append(name)
            return otherwise

    def bundles(self) -> list[Bundled]:
        """The bundles, by the data they know, oldest first."""
        versions = registry.versions(self.place) if self.place else []
        return sorted((self._bundle(version) for version in versions), key=_age)

    def _bundle(self, version: str) -> Bundled:
        roles = [role for role, of in self.roles.items() if of == version][:1]
        try:
            told = bundle.documents(registry.folder(self.place or "", version), *DOCUMENTS)
            return Bundled(
                version=version, roles=roles, damaged=False, **_history(self.entries, version), **_told(told)
            )
        except (CloutError, ValueError, TypeError, KeyError, AttributeError):
            return Bundled(version=version, roles=roles, damaged=True)


def models(active: ActiveModel, store: AccountStore, tracking_uri: str | None, now: datetime) -> Models:
    """What the page on models shows; it needs no model that answers, nor files that are whole."""
    home = _Home(active.home)
    bundles = home.bundles()
    champion, challenger = (_of(bundles, home.roles[role]) for role in ROLES)
    return Models(
        answers=active.current().model.version if active.is_ready else None,
        refused=active.refused and active.refused.version,
        champion=champion,
        challenger=challenger,
        same_posts=_same_posts(champion, challenger),
        bundles=bundles[-MOST_BUNDLES:],
        left_out=max(len(bundles) - MOST_BUNDLES, 0),
        done=_done(home.entries),
        breaks=home.breaks,
        watches=_watches(home.lines),
        fresh=_fresh(active, now),
        live=live(store),
        compared_at=_written_at(registry.comparison_file(active.home)) if active.home else None,
        tracking=_address(tracking_uri),
        has_tracking=tracking_uri is not None,
        unreadable=home.unreadable,
    )


def comparison(home: Path | None) -> bytes:
    """The page of the newest comparison of models; raises a problem where there is none."""
    try:
        if home:
            return registry.comparison_file(home).read_bytes()
    except OSError:
        pass
    raise ProblemError("no_comparison", NO_COMPARISON)


def _written_at(file: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(file.stat().st_mtime, UTC)
    except OSError:
        return None


def _of(bundles: Iterable[Bundled], version: str | None) -> Bundled | None:
    return next((one for one in bundles if one.version == version), None)


def _age(one: Bundled) -> tuple[float, float, str]:
    moments = (one.data_through, one.trained_at)
    known, trained = (moment.timestamp() if moment else 0.0 for moment in moments)
    return known, trained, one.version


def _same_posts(one: Bundled | None, other: Bundled | None) -> bool:
    if one is None or other is None:
        return False
    names = ("fingerprint", "judged_posts", "judged_from", "judged_through")
    return all(getattr(one, name) == getattr(other, name) for name in names)


def _told(documents: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What the documents of a bundle say of it."""
    report, checks, data, origin, scale = (documents.get(name, {}) for name in DOCUMENTS)
    own = {**report.get("model", {}), SKILL: report.get("skill", {}).get("account_mean")}
    figures = {name: told for name in HEADLINE if (told := figure(own.get(name)))}
    return {
        "commit": origin.get("commit"),
        "as_committed": origin.get("as_committed"),
        **{name: data.get(name) for name in ("data_through", "taught_before", "fingerprint", "labelled_posts")},
        "scale_version": scale.get("version"),
        "judged_posts": report.get("posts"),
        "judged_from": report.get("from") or None,
        "judged_through": report.get("through") or None,
        "figures": figures,
        "checks": [CheckTold.model_validate(check) for check in checks.get("checks", [])],
    }


def _history(entries: Sequence[Entry], version: str) -> dict[str, Any]:
    """Who trained a version and when, and when it was made champion."""
    own = [entry for entry in entries if entry.version == version and entry.outcome == "done"]
    made = next((entry for entry in own if (entry.what, entry.step) == ("train", "install")), None)
    since = [entry.when for entry in own if entry.step == "pointer"]
    return {"trained_at": made and made.when, "trained_by": made and made.who, "champion_since": since}


def _done(entries: Iterable[Entry]) -> list[Done]:
    """Trainings and changes that were completed, and what was refused or failed, newest first."""
    told = [entry for entry in entries if entry.outcome != "done" or entry.step in {"install", "pointer"}]
    return [
        Done(
            **{name: getattr(entry, name) for name in Done.model_fields if name != "detail"},
            detail=entry.detail if entry.step == "checks" else "",
        )
        for entry in told[: -MOST_DONE - 1 : -1]
    ]


def _watches(lines: Sequence[Mapping[str, Any]]) -> list[Watched]:
    """The newest watches whose lines are whole, newest first."""
    told = []
    for line in lines[: -MOST_WATCHES - 1 : -1]:
        try:
            told.append(Watched.model_validate(line))
        except ValidationError:
            continue
    return told


def _fresh(active: ActiveModel, now: datetime) -> list[Fresh]:
    through = active.current().past.through if active.is_ready else {}
    return [
        Fresh(network=network, through=moment, days=(now - moment).total_seconds() / 86_400)
        for network, moment in sorted(through.items())
    ]


def _address(uri: str | None) -> str | None:
    """The address of MLflow's pages, without what stands there to let one in; None where it is a file or a database.

    >>> _address("https://amy:secret@mlflow.example:5000/runs?token=x"), _address("sqlite:///mlflow.db")
    ('https://mlflow.example:5000/runs', None)
    """
    try:
        parts = urlsplit(uri or "")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return None
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"
