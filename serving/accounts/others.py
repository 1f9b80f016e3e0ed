"""An account beside others: what makes the difference between two scores, and how all scores of a network lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import numpy as np
import numpy.typing as npt

from clout.features.contract import Group
from clout.models.explain import Recalled
from clout.models.scale import BANDS, Scale
from clout.serving.accounts import answers
from clout.serving.accounts.queries import Name
from clout.serving.accounts.told import Asked, account, recalled, versions
from clout.serving.answers import Points
from clout.serving.problems import Fault, ProblemError, shown
from clout.serving.scoring import ten_points_mean
from clout.serving.store.rows import Record, Run

Floats = npt.NDArray[np.float64]
PERCENTILES = np.arange(1, 100)
OTHER_SCALE = "Each score is on the scale of its own network: the same score means different numbers of actions."
OTHER_MODEL = "Different models or scales judged the two; some of the difference may be theirs."
NO_SCORE = "There is not enough evidence for a score of {accounts}, so there is no difference to tell."


def compare(asked: Asked, name: Name, others: Sequence[Name]) -> answers.AccountCompared:
    """Accounts side by side, and what makes the difference between the first and each other."""
    mine, *theirs = [asked.record(one) for one in (name, *others)]
    reasons = recalled(asked.store, mine)
    return answers.AccountCompared(
        accounts=[account(record) for record in (mine, *theirs)],
        differences=[_difference(mine, reasons, other, recalled(asked.store, other)) for other in theirs],
        **versions(mine),
    )


def distribution(asked: Asked, network: str) -> answers.Distribution:
    """How the scores of the newest finished run lie on a network, and what they mean."""
    run = asked.store.open().newest_run(network) if "\0" not in network else None
    if run is None:
        raise _no_run(asked, network)
    scores, scale = asked.store.scores(run, network), asked.loaded.model.scale
    factor = scale.ten_points(network) if _is_on(scale, run, network) else None
    return answers.Distribution(
        network=network,
        accounts=len(scores),
        mean=float(scores.mean()) if len(scores) else None,
        percentiles=np.percentile(scores, PERCENTILES).tolist() if len(scores) else [],
        bands=_bands(scores),
        ten_points=factor,
        ten_points_mean=None if factor is None else ten_points_mean(factor),
        as_of=run.as_of,
        model_version=run.model_version,
        scale_version=run.scale_version,
    )


def _no_run(asked: Asked, network: str) -> ProblemError:
    known = ", ".join(asked.loaded.model.networks)
    if network in asked.loaded.model.networks:
        told = f"no account of {network} has been scored yet; expected a finished run: `clout score --all`"
        return ProblemError("not_scored_yet", told, [Fault("/query/network", told, "not_scored_yet")])
    told = f"got the network {shown(network)}; expected one the model was trained on: {known}"
    return ProblemError("unknown_network", told, [Fault("/query/network", told, "unknown_network")])


def _is_on(scale: Scale, run: Run, network: str) -> bool:
    """Whether the run's scores of a network are on this scale."""
    return run.scale_version == scale.version and network in scale.curves


def _bands(scores: Floats) -> list[answers.Band]:
    """Every band with the share of the scores, as they are printed, that lie in it."""
    printed, above, told = np.round(scores), 0, []
    for floor, words in BANDS:
        reached = int((printed >= floor).sum())
        share = (reached - above) / len(scores) if len(scores) else 0.0
        told.append(answers.Band(floor=max(floor, 1), words=words, share=share))
        above = reached
    return told


def _difference(
    mine: Record, reasons: Recalled | None, other: Record, others_reasons: Recalled | None
) -> answers.Difference:
    """What makes the difference between two scores; reasons that only one model knows count whole."""
    if reasons is None or others_reasons is None:
        lacking = " and ".join(record.account for record in (mine, other) if record.score is None)
        return answers.Difference(
            account=other.account,
            total=None,
            starting_point=None,
            groups={},
            reasons=[],
            left_over=None,
            note=NO_SCORE.format(accounts=lacking),
        )
    ours, theirs = reasons.printed(0), others_reasons.printed(0)
    told = sorted(_reasons(reasons, others_reasons), key=lambda reason: -abs(reason.points))
    total = float(reasons.score[0] - others_reasons.score[0])
    start = float(reasons.base_score[0] - others_reasons.base_score[0])
    return answers.Difference(
        account=other.account,
        total=Points(points=total, printed=ours.score - theirs.score),
        starting_point=Points(points=start, printed=ours.base - theirs.base),
        groups=_groups(told),
        reasons=told,
        left_over=start + sum(reason.points for reason in told) - total,
        note=_note(mine, other),
    )


def _reasons(mine: Recalled, other: Recalled) -> list[answers.ReasonDifference]:
    ours, theirs = mine.printed(0).features, other.printed(0).features
    mine_by, other_by = (dict(zip(one.names, one.points[0].tolist(), strict=True)) for one in (mine, other))
    specs = {spec.name: spec for one in (other, mine) for spec in one.contract.features}
    return [
        answers.ReasonDifference(
            code=code,
            label=spec.label,
            group=spec.group,
            points=mine_by.get(code, 0.0) - other_by.get(code, 0.0),
            printed=ours.get(code, 0) - theirs.get(code, 0),
        )
        for code, spec in specs.items()
    ]


def _groups(reasons: Sequence[answers.ReasonDifference]) -> dict[Group, Points]:
    groups: dict[Group, Points] = {}
    for group in get_args(Group):
        of = [reason for reason in reasons if reason.group == group]
        if of:
            points = sum(reason.points for reason in of)
            groups[group] = Points(points=points, printed=sum(reason.printed for reason in of))
    return groups


def _note(mine: Record, other: Record) -> str | None:
    notes = []
    if mine.network != other.network:
        notes.append(OTHER_SCALE)
    if (mine.model_version, mine.scale_version) != (other.model_version, other.scale_version):
        notes.append(OTHER_MODEL)
    return " ".join(notes) or None
