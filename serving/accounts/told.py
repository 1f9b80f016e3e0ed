"""From the store of scores to answers about an account: its score, the reasons, its history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from clout.models.change import SPANS, Change, changes, split
from clout.models.explain import Recalled
from clout.models.person import Part, combine
from clout.models.recourse import LEVEL, Suggestion
from clout.models.scale import Scale, band
from clout.models.step_words import NOTHING, say
from clout.serving.accounts import answers
from clout.serving.accounts.kept import AccountStore
from clout.serving.accounts.queries import USUAL_SPAN, Name, Range
from clout.serving.active_model import Loaded, plain_handle
from clout.serving.problems import Fault, ProblemError, shown
from clout.serving.scoring import reasons_of
from clout.serving.store.rows import Record, Step

MOST_ROWS = 1_000
# A change over a month is told against a score of up to twice that age.
REACH = 2 * max(SPANS.values())
ARTICLES = {"day": "a day", "week": "a week", "month": "a month"}
SEVERAL = "{name} on {network} are {number} accounts: {accounts}; expected one: ask by the id after the network"
NOBODY = "nothing is known of {name} on {network}; expected who is registered or has posted, by id or handle"
NOT_SCORED = "{account} has not been scored yet; expected a score: run `clout score --all`"
NO_EARLIER = "There is no score from {span} before."
NO_PERSON = "No account of this person has a score on the scale that is loaded."


@dataclass(frozen=True)
class Asked:
    """What one answer is made from: the store of scores, and the model and lake that are loaded.

    A record is read once, so that all parts of the answer are of one moment.
    """

    store: AccountStore
    loaded: Loaded
    _records: dict[Name, Record] = field(default_factory=dict, init=False, compare=False, repr=False)

    def key(self, name: Name) -> str:
        """The account that an address names: whose id it is, else whose handle; raises a problem unless it is one."""
        if "\0" not in f"{name.network}{name.name}":  # which no database takes
            found = self._found(name.network, name.name)
            if len(found) == 1:
                return found[0]
            if found:
                several = {"number": len(found), "accounts": ", ".join(found[:5])}
                raise _problem("ambiguous_account", SEVERAL.format(**_shown_name(name), **several), name)
        raise _problem("unknown_account", NOBODY.format(**_shown_name(name)), name)

    def record(self, name: Name) -> Record:
        """The newest record of the account that an address names; raises a problem where there is none."""
        if name not in self._records:
            account = self.key(name)
            record = self.store.open().latest(account)
            if record is None:
                raise _problem("not_scored_yet", NOT_SCORED.format(account=account), name)
            self._records[name] = record
        return self._records[name]

    def _found(self, network: str, name: str) -> tuple[str, ...]:
        key = f"{network}/{name}"
        if key in self.loaded.accounts or self.store.open().latest(key):
            return (key,)
        known = self.loaded.handles.get((network, plain_handle(name)), ())
        return known or self.store.open().find(network, name)


def score(asked: Asked, name: Name) -> answers.AccountScore:
    """The score of an account, its place among others, and how it has moved."""
    record = asked.record(name)
    detail, store = record.detail, asked.store
    expected = detail.get("expected")
    percentile, size_percentile = store.places(record)
    return answers.AccountScore(
        **_account(record),
        interval=_interval(record),
        band=None if record.score is None else band(record.score),
        percentile=percentile,
        size_group=record.size_group,
        size_percentile=size_percentile,
        expected=None if expected is None else answers.Actions(**expected),
        evidence=answers.AccountEvidence(**{name: detail["evidence"][name] for name in _EVIDENCE}),
        findings=[answers.Finding(**finding) for finding in detail.get("findings", [])],
        changes=changes_of(store, record),
        person=_person(asked, record),
        data_through=_data_through(asked.loaded, record),
    )


_EVIDENCE = tuple(answers.AccountEvidence.model_fields)


def explanation(asked: Asked, name: Name) -> answers.AccountExplained:
    """The reasons of an account's score."""
    record = asked.record(name)
    told, usual = recalled(asked.store, record), asked.store.usual(record)
    nothing: dict[str, Any] = {"base_score": None, "reasons": [], "groups": {}, "sides": None, "adds_up": None}
    return answers.AccountExplained(
        **_account(record),
        **(nothing if told is None else reasons_of(told)),
        typical_of=None if usual is None else answers.TypicalOf(size_group=usual.size_group, accounts=usual.accounts),
        posts=_carried(record),
        would_raise=would_raise(record),
    )


def would_raise(record: Record) -> answers.WouldRaise | None:
    """What would raise the score of a record; None where there is no score, or nobody had looked for it then."""
    kept = record.detail.get("recourse")
    if kept is None:
        return None
    steps = [_step(Suggestion(**step)) for step in kept]
    return answers.WouldRaise(steps=steps, nothing=None if steps else NOTHING, level=LEVEL)


def _step(step: Suggestion) -> answers.Step:
    return answers.Step(**asdict(step), **asdict(say(step)))


def posts(asked: Asked, name: Name) -> answers.AccountPosts:
    """The posts that carried an account's score most."""
    record = asked.record(name)
    return answers.AccountPosts(**_account(record), posts=_carried(record))


def history(asked: Asked, name: Name, within: Range) -> answers.AccountHistory:
    """The scores of an account as they were shown, of 90 days up to its newest when nothing is asked.

    The newest where there are too many. What nobody asked is told of scores, not of the clock: it is the same until there
    is another.
    """
    newest, store = asked.record(name), asked.store.open()
    until = within.until or max(newest.as_of, within.since or newest.as_of)
    account, since = newest.account, within.since or min(newest.as_of, until) - USUAL_SPAN
    before = store.latest_before(account, since)
    steps = store.steps(account, before.as_of if before else since, until)
    rows = [row for row in _shown(steps) if row.as_of >= since]
    return answers.AccountHistory(
        account=account,
        network=account.split("/", 1)[0],
        since=since,
        until=until,
        scores=rows[-MOST_ROWS:],
        left_out=max(len(rows) - MOST_ROWS, 0),
        **versions(newest),
    )


def versions(record: Record) -> dict[str, Any]:
    """When a score was given, by whom, on which scale."""
    return {name: getattr(record, name) for name in ("as_of", "model_version", "scale_version")}


def recalled(store: AccountStore, record: Record) -> Recalled | None:
    """The reasons of a record in the words of the model that judged; None where there was no score.

    What is typical is what is usual among accounts like it, else among the posts that the model learned from.
    """
    if record.score is None:
        return None
    words, usual, detail = store.words(record.model_version), store.usual(record), record.detail
    told = (detail["values"], detail["points"], record.score, detail["base_score"])
    return Recalled.of(words.contract, usual.quantiles if usual else words.quantiles, *told)


def account(record: Record) -> answers.Account:
    """Whose score it is, and who gave it."""
    return answers.Account(**_account(record))


def _account(record: Record) -> dict[str, Any]:
    status: answers.Status = "not_enough_evidence" if record.score is None else "scored"
    return {
        "account": record.account,
        "handle": record.handle,
        "network": record.network,
        "status": status,
        "missing": record.detail["evidence"]["lacks"],
        "score": record.score,
        "printed": None if record.score is None else round(record.score),
        "as_of": record.as_of,
        "model_version": record.model_version,
        "scale_version": record.scale_version,
    }


def _interval(record: Record) -> answers.AccountInterval | None:
    if record.low is None or record.high is None:
        return None
    return answers.AccountInterval(low=record.low, high=record.high, level=record.detail["level"])


def _data_through(loaded: Loaded, record: Record) -> datetime | None:
    through = loaded.past.through.get(record.network)
    return None if through is None else min(through, record.as_of)


def _carried(record: Record) -> list[answers.Carried]:
    return [answers.Carried(**post) for post in record.detail.get("carried", [])]


def changes_of(store: AccountStore, record: Record) -> dict[answers.Span, answers.Change]:
    """How far the score of a record has moved over each span."""
    steps = store.open().steps(record.account, record.as_of - REACH, record.as_of)
    told = changes(steps, record.as_of)
    return {name: _change(told[name], NO_EARLIER.format(span=ARTICLES[name])) for name in get_args(answers.Span)}


def _change(change: Change | None, otherwise: str) -> answers.Change:
    if change is None:
        return answers.Change(since=None, total=None, yours=None, ours=None, missing=otherwise)
    return answers.Change(**{**change.__dict__, "missing": change.missing or None})


def _shown(steps: Sequence[Step]) -> list[answers.Shown]:
    """The shown scores among `steps`, each with our part where another model or scale than before judged."""
    rows, last = [], None
    for place, step in enumerate(steps):
        if step.bridge:
            continue
        ours, missing = (None, None) if last is None else _our_part(steps[last : place + 1])
        last = place
        told = {field: value for field, value in step.__dict__.items() if field != "bridge"}
        rows.append(answers.Shown(**told, ours=ours, missing=missing))
    return rows


def _our_part(steps: Sequence[Step]) -> tuple[float | None, str | None]:
    """Our part of the change from the first of `steps` to the last, and why it cannot be told; nothing under one model."""
    first, last = steps[0], steps[-1]
    if (first.model_version, first.scale_version) == (last.model_version, last.scale_version):
        return None, None
    change = split(steps)
    return change.ours, change.missing or None


def _person(asked: Asked, record: Record) -> answers.Person | None:
    """All accounts of the person who declared this one; None where nobody declared another beside it."""
    accounts = asked.loaded.persons.get(record.account, ())
    if len(accounts) < 2:
        return None
    store, scale = asked.store.open(), asked.loaded.model.scale
    records = [record if account == record.account else store.latest(account) for account in accounts]
    parts = [_part(account, found, scale) for account, found in zip(accounts, records, strict=True)]
    combined = combine(parts, scale)
    points = combined.points if combined else (None,) * len(parts)
    return answers.Person(
        score=combined and combined.score,
        printed=combined and round(combined.score),
        low=combined and combined.low,
        high=combined and combined.high,
        accounts=[_told(*one) for one in zip(parts, records, points, strict=True)],
        missing=None if combined else NO_PERSON,
    )


def _part(account: str, record: Record | None, scale: Scale) -> Part:
    """An account of a person; its score is not known where it is of another scale than the one loaded."""
    network = account.split("/", 1)[0]
    if record is None or record.scale_version != scale.version or network not in scale.curves:
        return Part(account, network, None, None, None)
    return Part(account, network, record.score, record.low, record.high)


def _told(part: Part, record: Record | None, points: float | None) -> answers.PersonPart:
    status: Literal["scored", "unknown"] = "unknown" if part.score is None else "scored"
    return answers.PersonPart(
        account=part.account,
        network=part.network,
        status=status,
        score=part.score,
        points=points,
        as_of=None if record is None or part.score is None else record.as_of,
    )


def _shown_name(name: Name) -> dict[str, str]:
    return {"name": shown(name.name), "network": shown(name.network)}


def _problem(code: str, told: str, name: Name) -> ProblemError:
    return ProblemError(code, told, [Fault(name.place, told, code)])
