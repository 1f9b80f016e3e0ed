"""What is unusual about the engagement a score rests on, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clout.features import unusual

# A share is unusual from a quarter on, where it is three times that of nineteen in twenty posts the model learned from.
LEAST, TIMES, MARK = 0.25, 3.0, 4
SENTENCE = "This score rests on unusual engagement: {label} make up {value}; 19 of 20 posts have at most {usual}."


def findings(
    values: Mapping[str, float | None], quantiles: Mapping[str, Sequence[float] | None]
) -> list[dict[str, Any]]:
    """One finding for each sign of arranged engagement whose value is unusual, the largest first; [] when nothing is.

    `values` are those of an account by feature, `quantiles` the marks of the posts a model learned from, as a bundle
    keeps them; what either does not know is not told.
    """
    told = []
    for feature in unusual.FEATURES:
        value, marks = values.get(feature.name), quantiles.get(feature.name)
        if value is None or marks is None or value <= max(LEAST, TIMES * marks[MARK]):
            continue
        sentence = SENTENCE.format(label=feature.label, value=f"{value:.0%}", usual=f"{marks[MARK]:.0%}")
        told.append({"code": feature.name, "value": value, "usual": marks[MARK], "sentence": sentence})
    return sorted(told, key=lambda finding: -float(finding["value"]))
