from __future__ import annotations

import pytest

from clout.training.ripened import Compared


@pytest.mark.parametrize(
    ("name", "change", "floor", "worse"),
    [
        ("spearman", 0.05, 0.04, True),
        ("spearman", 0.05, 0.06, False),
        ("spearman", 0.02, 0.01, False),
        ("msle", 0.2, 0.1, True),
        ("msle", -0.5, 0.1, False),
        ("total_ratio", 0.09, 0.01, False),
        ("coverage", 0.04, 0.01, True),
    ],
)
def test_worse_is_beyond_the_floor_and_worth_talking_about(name: str, change: float, floor: float, worse: bool) -> None:
    assert Compared(name, 0.5, 0.4, 0.6, 0.55, change, floor).worse is worse


def test_a_figure_without_a_floor_never_decides() -> None:
    assert not Compared("crps", 9.0, 8.0, 10.0, 0.4).worse
