from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from trained_society import Retrained, TrainedSociety

from clout.models import registry
from clout.models.score_model import ScoreModel
from clout.training.config import ConfigError
from clout.training.retrain import Due, beside, successor_params
from clout.training.watch import Finding, Watched

DUE = Due(share=0.2, days=30)


@dataclass(frozen=True)
class Trainee:
    """As much of a model as `Due` reads."""

    data: dict[str, Any]


@pytest.fixture
def seen() -> Watched:
    """A watch that found nothing, ten days after a training on 1,000 posts."""
    end = datetime(2024, 3, 1, tzinfo=UTC)
    return Watched(
        version="v",
        since=end,
        through=end + timedelta(days=10),
        reference_from=end - timedelta(days=50),
        reference_through=end,
        posts=200,
        ripe=100,
        taught=1000,
        inputs=(),
        categories=(),
        predictions=(),
        accuracy=(),
        volume=None,
        rejected=(0.0, 0.0),
        findings=(),
    )


def reasons(seen: Watched) -> list[str]:
    return DUE.reasons(Trainee({"data_through": "2024-03-01T00:00:00Z"}), seen)  # type: ignore[arg-type]


def test_a_champion_that_is_fine_is_not_due(seen: Watched) -> None:
    assert reasons(seen) == []


def test_many_new_outcomes_make_it_due(seen: Watched) -> None:
    assert reasons(replace(seen, ripe=250)) == ["250 outcomes are new, 25% of those it learned from"]


def test_data_far_beyond_its_own_make_it_due(seen: Watched) -> None:
    far = replace(seen, through=seen.through + timedelta(days=30))
    assert reasons(far) == ["the data reach 40 days beyond those it was trained on"]


def test_only_what_a_training_can_help_makes_it_due(seen: Watched) -> None:
    found = (Finding("data", "texts are lost", retrain=False), Finding("inputs", "the mix moved", retrain=True))
    assert reasons(replace(seen, findings=found)) == ["the mix moved"]


def test_a_successor_has_the_same_parameters(trained: TrainedSociety) -> None:
    assert successor_params(trained.model, None, ()).model_dump() == trained.params.model_dump()
    changed = successor_params(trained.model, None, ("fit.trees=11",))
    assert (changed.fit.trees, changed.seed) == (11, trained.params.seed)
    with pytest.raises(ConfigError, match=r"fit\.tres"):
        successor_params(trained.model, None, ("fit.tres=11",))


def test_a_file_of_parameters_takes_their_place(trained: TrainedSociety, tmp_path: Path) -> None:
    file = tmp_path / "params.toml"
    file.write_text("seed = 42\n")
    assert successor_params(trained.model, file, ()).seed == 42
    assert successor_params(trained.model, file, ()).fit.trees != trained.params.fit.trees


def test_a_fixed_last_block_is_let_go(trained: TrainedSociety) -> None:
    content = {name: bytes(part) for name, part in trained.model.bundle.files.items()}
    pinned = content["params.json"].replace(b'"final_from": null', b'"final_from": "2025-02-01T00:00:00Z"')
    assert pinned != content["params.json"]
    model = ScoreModel(replace(trained.model.bundle, files=content | {"params.json": pinned}))
    assert successor_params(model, None, ()).splits.final_from is None
    again = successor_params(model, None, ("splits.final_from=2025-02-08T00:00:00Z",))
    assert again.splits.final_from == datetime(2025, 2, 8, tzinfo=UTC)


def test_two_models_stand_beside_each_other_on_common_posts(retrained: Retrained) -> None:
    champion, challenger = (
        ScoreModel.load(registry.resolve(retrained.home, name)) for name in ("champion", "challenger")
    )
    told = beside(retrained.home, champion, challenger)
    assert told["reason"] is None
    assert set(told["challenger_less_champion"]) == {"spearman", "msle", "total_ratio", "coverage"}
    back = beside(retrained.home, challenger, champion)["challenger_less_champion"]["msle"]["value"]
    assert back == pytest.approx(-told["challenger_less_champion"]["msle"]["value"])
    assert "it is the champion" in beside(retrained.home, champion, champion)["reason"]
