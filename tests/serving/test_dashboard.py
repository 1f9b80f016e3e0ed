"""The dashboard asks for figures that the service tells."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
from score_store import day

from clout.serving.live import figures
from clout.serving.metrics import Metrics
from clout.serving.store.live_runs import LiveRun

RUN = LiveRun(1, "club", day(0), day(0), "ok", 1, 0, None, None, None, day(0), 1, 0)
DASHBOARD = Path(__file__).parents[2] / "deploy" / "grafana.json"


def test_every_panel_reads_figures_that_there_are() -> None:
    metrics = Metrics()
    metrics.answered("/v1/posts:score", 200, 0.004)
    metrics.scored("twitter", 54.0)
    metrics.serves("abc", "1")
    metrics.measured(("a",), np.array([[np.nan]]))
    metrics.took("posts", {"accepted": 1})
    texts = (metrics.text() + figures.text([RUN])).decode()
    told = set(re.findall(r"^(clout_\w+)", texts, re.MULTILINE))
    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = {
        name for panel in panels for target in panel["targets"] for name in re.findall(r"clout_\w+", target["expr"])
    }
    assert asked <= told
    assert len(panels) == len({panel["title"] for panel in panels}) == 11
