"""From a request to its answer: whose post it is, what was known, what the model says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from clout.features.request import AccountFacts, Draft, features_at, features_of_draft, judged_at
from clout.features.wording import Said
from clout.models.explain import Explanation, Printed, Reasoned
from clout.models.scale import band
from clout.models.score_model import Prediction
from clout.serving import answers, written
from clout.serving.active_model import Loaded, plain_handle
from clout.serving.problems import Fault, ProblemError, of_validation
from clout.serving.schemas import PostRequest

RIPE_POSTS = "outcome_count_all"
HEADLINE = ("posts", "accounts", "from", "through", "model")


def read_request(body: str | bytes, now: datetime) -> PostRequest:
    """The request a JSON text holds, asked `now`."""
    try:
        return PostRequest.model_validate_json(body, context={"now": now})
    except ValidationError as error:
        raise of_validation(error) from error


@dataclass(frozen=True)
class Measured:
    """A post with its features, one row: `matrix` is (1, features) in the model's order.

    `ripe_posts` is how many earlier posts of the account have a known outcome; `said` is None where no words were learned.
    """

    network: str
    account: str | None
    happened_at: datetime
    as_of: datetime
    matrix: npt.NDArray[np.float64]
    ripe_posts: int
    said: Said | None
    source: Literal["lake", "account_facts"]

    @property
    def networks(self) -> list[str]:
        """The network of the row."""
        return [self.network]


def measure(loaded: Loaded, request: PostRequest, now: datetime) -> Measured:
    """The post of `request` with what was known before it."""
    return measure_draft(loaded, *_draft(loaded, request, now))


def measure_draft(loaded: Loaded, draft: Draft, facts: AccountFacts | None = None) -> Measured:
    """A post with what was known before it: of its account what the lake has, or the `facts` in its place."""
    said = _said(loaded, draft)
    features = features_of_draft(draft, loaded.past, None if said is None else said.lift, facts)
    as_of = judged_at(draft, loaded.past, facts)
    matrix, ripe_posts = loaded.model.contract.row(features), int(features[RIPE_POSTS] or 0)
    source: Literal["lake", "account_facts"] = "lake" if facts is None else "account_facts"
    return Measured(draft.network, draft.account, draft.happened_at, as_of, matrix, ripe_posts, said, source)


def predict_at(loaded: Loaded, request: PostRequest, moments: Sequence[datetime], now: datetime) -> Prediction:
    """What the model says of the post if it is published at each of the moments, one row each."""
    draft, facts = _draft(loaded, request, now)
    said = _said(loaded, draft)
    rows = features_at(draft, moments, loaded.past, None if said is None else said.lift, facts)
    matrix = np.concatenate([loaded.model.contract.row(row) for row in rows])
    return loaded.model.predict(matrix, [draft.network] * len(rows))


def _draft(loaded: Loaded, request: PostRequest, now: datetime) -> tuple[Draft, AccountFacts | None]:
    """The post, and the facts that came with it."""
    check_network(loaded, request.network_name, "/account" if request.network is None else "/network")
    draft = request.draft(_account(loaded, request), now)
    return draft, None if request.account_facts is None else request.account_facts.facts(now)


def check_network(loaded: Loaded, network: str, place: str) -> None:
    """Nothing; raises a problem of what stands at `place` where the model was not trained on the network."""
    if network not in loaded.model.networks:
        known = ", ".join(loaded.model.networks)
        detail = f"got the network {network!r}; expected one the model was trained on: {known}"
        raise ProblemError("unknown_network", detail, [Fault(place, detail, "unknown_network")])


def _said(loaded: Loaded, draft: Draft) -> Said | None:
    """What the words of a post say; None where no words were learned."""
    return None if loaded.wording is None else loaded.wording.said(draft.text)


def _account(loaded: Loaded, request: PostRequest) -> str | None:
    """The key of the post's account; None for somebody who is only described by facts."""
    if request.account is not None:
        found: tuple[str, ...] = (request.account,) if request.account in loaded.accounts else ()
        place, name = "/account", request.account
    else:
        place, name = "/handle", f"{request.handle} on {request.network}"
        key = request.network_name, plain_handle(request.handle or "")
        found = loaded.handles.get(key, ()) if request.handle else ()
    if len(found) == 1:
        return found[0]
    if request.account_facts is not None:
        return request.account
    if found:
        detail = f"{name} are {len(found)} accounts: {', '.join(found[:5])}; expected one: give account"
        raise ProblemError("invalid_content", detail, [Fault(place, detail, "ambiguous_handle")])
    detail = (
        f"nothing is known of {name}; expected an account of the lake: give account_facts with the post, or ingest "
        "the account's posts"
    )
    raise ProblemError("unknown_account", detail, [Fault(place, detail, "unknown_account")])


def score(loaded: Loaded, request: PostRequest, now: datetime) -> answers.Score:
    """The score of a post."""
    return tell(loaded, measure(loaded, request, now))


def explain(loaded: Loaded, request: PostRequest, now: datetime) -> answers.Explained:
    """The score of a post with its reasons."""
    return tell_why(loaded, measure(loaded, request, now))


def tell(loaded: Loaded, measured: Measured) -> answers.Score:
    """The score of a post that was measured."""
    return answers.Score(**_score(loaded, measured, loaded.model.predict(measured.matrix, measured.networks)))


def write(loaded: Loaded, measured: Measured) -> tuple[answers.Score, bytes]:
    """The score of a post that was measured, and its JSON."""
    answer = tell(loaded, measured)
    return answer, answer.model_dump_json().encode()


def tell_why(loaded: Loaded, measured: Measured) -> answers.Explained:
    """The score of a post that was measured, with its reasons."""
    prediction, explanation = _judge(loaded, measured)
    words = _words(measured.said)
    return answers.Explained(**_score(loaded, measured, prediction), **reasons_of(explanation), words=words)


def write_why(loaded: Loaded, measured: Measured) -> tuple[answers.Score, bytes]:
    """The score of a post that was measured, and the JSON of what `tell_why` answers."""
    prediction, explanation = _judge(loaded, measured)
    printed = explanation.printed(0)
    fields = _score(loaded, measured, prediction) | _sums(explanation, printed) | {"words": _words(measured.said)}
    return written.explained(fields, loaded.reasons.of(explanation, [*printed.features.values()]))


def _judge(loaded: Loaded, measured: Measured) -> tuple[Prediction, Explanation]:
    """What the model says of a post, and why."""
    prediction = loaded.model.predict(measured.matrix, measured.networks)
    phi, _ = loaded.model.contributions(measured.matrix)
    return prediction, loaded.model.explain_prediction(prediction, phi, measured.matrix, measured.networks)


def reasons_of(explained: Reasoned) -> dict[str, Any]:
    """The reasons of the first row of `explained`: base_score, reasons, groups, sides and adds_up of an answer.

    They are plain fields, which the answer they go into checks all at once.
    """
    printed, reasons = explained.printed(0), explained.told(0)
    for reason in reasons:
        reason["points_printed"] = printed.features[reason["code"]]
    return {"reasons": reasons, **_sums(explained, printed)}


def _sums(explained: Reasoned, printed: Printed) -> dict[str, Any]:
    """What the reasons of the first row begin from, and what they add up to."""
    groups = explained.groups(0)
    return {
        "base_score": float(explained.base_score[0]),
        "groups": {name: {"points": points, "printed": printed.groups[name]} for name, points in groups.items()},
        "sides": explained.sides(0).__dict__,
        "adds_up": _sum(explained, printed),
    }


def _score(loaded: Loaded, measured: Measured, prediction: Prediction) -> dict[str, Any]:
    network = measured.network
    expected = {
        what: {"value": value.item(0), "low": prediction.low[what].item(0), "high": prediction.high[what].item(0)}
        for what, value in prediction.expected.items()
    }
    value, low, high = (each.item(0) for each in (prediction.score, prediction.score_low, prediction.score_high))
    return {
        "score": value,
        "interval": {"low": low, "high": high, "level": loaded.model.intervals.level},
        "band": band(value),
        "expected": expected,
        "account": measured.account,
        "network": network,
        "happened_at": measured.happened_at,
        "as_of": measured.as_of,
        "data_through": loaded.past.through.get(network),
        "evidence": {"ripe_posts": measured.ripe_posts, "source": measured.source},
        "model_version": loaded.model.version,
        "scale_version": loaded.model.scale_version,
    }


def _sum(explained: Reasoned, printed: Printed) -> dict[str, Any]:
    base, score = float(explained.base_score[0]), float(explained.score[0])
    points = float(explained.points[0].sum())
    whole = {"base_score": printed.base, "points": sum(printed.groups.values()), "score": printed.score}
    told = {"base_score": base, "points": points, "score": score, "difference": base + points - score}
    return {**told, "printed": whole}


def _words(said: Said | None) -> list[dict[str, Any]]:
    return [{"words": words, "lift": lift} for words, lift in said.words()] if said else []


def model(loaded: Loaded) -> answers.Model:
    """What there is to know about the model that answers."""
    shipped = loaded.model
    facts, metrics = shipped.data, shipped.bundle.json("metrics.json")
    return answers.Model(
        model_version=shipped.version,
        scale_version=shipped.scale_version,
        as_of=max((at for name, at in loaded.past.through.items() if name in shipped.networks), default=None),
        contract=shipped.contract.fingerprint,
        action_values=facts["action_values"],
        horizon_days=facts["horizon_days"],
        level=shipped.intervals.level,
        kinds=list(shipped.heads),
        trained_through=facts["data_through"],
        networks={name: _network(loaded, name) for name in shipped.networks},
        metrics={name: metrics[name] for name in HEADLINE if name in metrics},
        features=[answers.Feature(**spec.model_dump()) for spec in shipped.contract.features],
    )


def _network(loaded: Loaded, name: str) -> answers.Network:
    factor = loaded.model.scale.ten_points(name)
    return answers.Network(
        data_through=loaded.past.through.get(name),
        ten_points=factor,
        ten_points_mean=ten_points_mean(factor),
    )


def ten_points_mean(factor: float) -> str:
    """What ten points mean, in words."""
    return f"between 10 and 90, ten points more mean {factor:.2f} times (1 + expected actions)"
