"""The dashboard asks for figures that the service tells."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np

from clout.serving.metrics import Metrics

DASHBOARD = Path(__file__).parents[2] / "deploy" / "grafana.json"


def test_every_panel_reads_figures_that_there_are() -> None:
    metrics = Metrics()
    metrics.answered("/v1/posts:score", 200, 0.004)
    metrics.scored("twitter", 54.0)
    metrics.serves("abc", "1")
    metrics.measured(("a",), np.array([[np.nan]]))
    metrics.took("posts", {"accepted": 1})
    told = set(re.findall(r"^(clout_\w+)", metrics.text().decode(), re.MULTILINE))
    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = {
        name for panel in panels for target in panel["targets"] for name in re.findall(r"clout_\w+", target["expr"])
    }
    assert asked <= told
    assert len(panels) == len({panel["title"] for panel in panels}) == 9
