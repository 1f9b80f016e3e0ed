"""From the store of scores to Klout's answers: who somebody is, the score, how it moved, who influences whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from clout.serving.accounts.answers import Span
from clout.serving.accounts.kept import AccountStore
from clout.serving.accounts.queries import Name
from clout.serving.accounts.told import Asked, changes_of
from clout.serving.active_model import Loaded
from clout.serving.klout.answers import (
    Deltas,
    Entity,
    InBucket,
    KloutIdentity,
    KloutInfluence,
    KloutScore,
    KloutUser,
    Partner,
    Payload,
    Plain,
    ScoreOfOne,
    ScoresOfSome,
)
from clout.serving.klout.ids import KLOUT, NETWORKS, SHORT, KloutIds
from clout.serving.problems import ProblemError, shown
from clout.serving.store.rows import Record

MOST_PARTNERS, MOST_TRIED = 5, 25
MOST_NAMES = 5
TOP = 90


@dataclass(frozen=True)
class Told:
    """What answers are made from: the scores in the store, and what is loaded with the numbers of its accounts."""

    store: AccountStore
    loaded: Loaded
    ids: KloutIds

    def named(self, network: str, screen_name: str) -> KloutIdentity:
        """The number of the account with this handle."""
        return self._identity(self._bearer(network, screen_name))

    def native(self, network: str, own: str) -> KloutIdentity:
        """The number of the account with this id on its network."""
        if network in {KLOUT, "klout"}:
            return self._identity(self._account(own))
        account = f"{NETWORKS.get(network, network)}/{own}"
        if account not in self.loaded.accounts:
            raise _unknown(f"nothing is known of {shown(own)} on {shown(network)}")
        return self._identity(account)

    def elsewhere(self, klout_id: str, network: str) -> KloutIdentity:
        """The id on a network of the account that a number stands for, or of another of the same person there."""
        account, name = self._account(klout_id), NETWORKS.get(network, network)
        for one in (account, *self.loaded.persons.get(account, ())):
            place, _, own = one.partition("/")
            if place == name:
                return KloutIdentity(id=own, network=SHORT.get(name, name))
        raise _unknown(f"nothing is known of {klout_id} on {shown(network)}; it stands for {account}")

    def user(self, klout_id: str) -> KloutUser:
        """The account with its score."""
        record, score = self._scored(self._account(klout_id))
        return KloutUser(
            klout_id=self._number(record.account),
            nick=_nick(record),
            score=InBucket(score=score, bucket=bucket(score)),
            score_deltas=self._deltas(record),
        )

    def score(self, klout_id: str) -> KloutScore:
        """The score of the account."""
        record, score = self._scored(self._account(klout_id))
        return KloutScore(score=score, score_delta=self._deltas(record), bucket=bucket(score))

    def topics(self, klout_id: str) -> list[object]:
        """No topics, of an account that there is: what somebody writes about is not measured."""
        self._account(klout_id)
        return []

    def influence(self, klout_id: str) -> KloutInfluence:
        """Whom the account acts on and who acts on it, of those who have a score themselves."""
        account = self._account(klout_id)
        self._scored(account)
        above = self._known(self.loaded.ties.acted_on(account))
        below = self._known(self.loaded.ties.actors_on(account))
        return KloutInfluence(
            my_influencers=self._partners(above),
            my_influencees=self._partners(below),
            my_influencers_count=len(above),
            my_influencees_count=len(below),
        )

    def first_api(self, users: str) -> ScoresOfSome:
        """The scores of Twitter's screen names, those left out that have none."""
        names = [name for part in users.split(",") if (name := part.strip())]
        if not 0 < len(names) <= MOST_NAMES:
            raise ProblemError("invalid_query", f"got {len(names)} names; expected 1 to {MOST_NAMES}, as users=a,b")
        told, refused = [], []
        for name in names:
            try:
                _, score = self._scored(self._bearer("twitter", name))
            except ProblemError as problem:
                refused.append(problem)
            else:
                told.append(ScoreOfOne(twitter_screen_name=name.removeprefix("@"), kscore=score))
        if not told:
            raise next((one for one in refused if one.kind.code == "not_scored_yet"), refused[0])
        return ScoresOfSome(status=200, users=told)

    def _bearer(self, network: str, screen_name: str) -> str:
        name = Name(NETWORKS.get(network, network), f"@{screen_name.removeprefix('@')}", "/query/screenName")
        account = Asked(self.store, self.loaded).key(name)
        if account not in self.loaded.accounts:
            raise _unknown(f"nothing is known of {shown(screen_name)} on {shown(network)}")
        return account

    def _account(self, klout_id: str) -> str:
        account = self.ids.account(klout_id)
        if account is None:
            raise _unknown(f"{shown(klout_id)} stands for nobody")
        return account

    def _number(self, account: str) -> str:
        return str(self.ids.number(account))

    def _identity(self, account: str) -> KloutIdentity:
        return KloutIdentity(id=self._number(account), network=KLOUT)

    def _scored(self, account: str) -> tuple[Record, float]:
        """The newest record of the account, and its score; raises a problem where there is none."""
        record = self.store.open().latest(account)
        if record is None:
            raise _unscored(account, "it is scored with the others next time")
        if record.score is None:
            raise _unscored(account, f"what is missing: {record.detail['evidence']['lacks']}")
        return record, record.score

    def _deltas(self, record: Record) -> Deltas:
        moved = changes_of(self.store, record)
        spans: dict[str, Span] = {"day_change": "day", "week_change": "week", "month_change": "month"}
        return Deltas(**{field: moved[span].total or 0.0 for field, span in spans.items()})

    def _known(self, accounts: Sequence[str]) -> list[str]:
        return [account for account in accounts if account in self.loaded.accounts]

    def _partners(self, accounts: Sequence[str]) -> list[Partner]:
        store = self.store.open()
        records = (record for account in accounts[:MOST_TRIED] if (record := store.latest(account)) is not None)
        scored = ((record, record.score) for record in records if record.score is not None)
        return [self._partner(record, score) for record, score in islice(scored, MOST_PARTNERS)]

    def _partner(self, record: Record, score: float) -> Partner:
        number, deltas = self._number(record.account), self._deltas(record)
        payload = Payload(klout_id=number, nick=_nick(record), score=Plain(score=score), score_deltas=deltas)
        return Partner(entity=Entity(id=number, payload=payload))


def bucket(score: float) -> str:
    """The ten points a score lies in.

    >>> bucket(59.99), bucket(90.0), bucket(100.0), bucket(1.0)
    ('50-59', '90-100', '90-100', '0-9')
    """
    floor = min(int(score) // 10 * 10, TOP)
    return f"{floor}-{100 if floor == TOP else floor + 9}"


def _nick(record: Record) -> str:
    return record.account.split("/", 1)[1] if record.handle is None else record.handle.removeprefix("@")


def _unknown(told: str) -> ProblemError:
    return ProblemError("unknown_account", f"{told}; expected who is registered or has posted")


def _unscored(account: str, told: str) -> ProblemError:
    return ProblemError("not_scored_yet", f"{account} is known but has no score yet: {told}")
