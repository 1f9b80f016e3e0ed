"""Figures for Prometheus, of one process and of several that share a folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from clout.serving.metrics import Metrics

WORKER = """
from clout.serving.metrics import Metrics
metrics = Metrics()
metrics.answered("/v1/posts:score", 200, 0.004)
metrics.scored("twitter", 54.0)
metrics.serves("abc", "1")
"""


def test_what_one_process_tells() -> None:
    metrics = Metrics()
    metrics.answered("/v1/posts:score", 200, 0.004)
    metrics.answered("/v1/posts:score", 422, 0.001)
    metrics.scored("twitter", 54.0)
    metrics.serves("abc", "1")
    text = metrics.text().decode()
    assert 'clout_requests_total{route="/v1/posts:score",status="422"} 1.0' in text
    assert 'clout_request_seconds_bucket{le="0.005",route="/v1/posts:score"} 2.0' in text
    assert 'clout_score_bucket{le="50.0",network="twitter"} 0.0' in text
    assert 'clout_score_bucket{le="60.0",network="twitter"} 1.0' in text
    assert 'clout_model_info{scale_version="1",version="abc"} 1.0' in text


def test_missing_features_are_counted_and_told_with_the_posts() -> None:
    metrics = Metrics()
    for _ in range(250):
        metrics.measured(("a", "b"), np.array([[np.nan, 1.0]]))
    metrics.measured(("a", "b"), np.array([[np.nan, np.nan]]))
    text = metrics.text().decode()
    assert "clout_posts_measured_total 251.0" in text
    assert 'clout_features_missing_total{feature="a"} 251.0' in text
    assert 'clout_features_missing_total{feature="b"} 1.0' in text


def test_the_model_that_answered_before_is_0() -> None:
    metrics = Metrics()
    for version in ("abc", "def", "def"):
        metrics.serves(version, "1")
    text = metrics.text().decode()
    assert 'clout_model_info{scale_version="1",version="abc"} 0.0' in text
    assert 'clout_model_info{scale_version="1",version="def"} 1.0' in text


def test_rows_and_the_store() -> None:
    metrics = Metrics()
    metrics.store_answers(True)
    metrics.waits(7)
    metrics.took("posts", {"accepted": 2, "rejected": 0})
    metrics.took("posts", {"accepted": 1})
    text = metrics.text().decode()
    assert "clout_store_up 1.0" in text
    assert "clout_inbox_rows 7.0" in text
    assert 'clout_ingested_rows_total{status="accepted",table="posts"} 3.0' in text
    assert 'clout_ingested_rows_total{status="rejected",table="posts"} 0.0' in text


def test_workers_that_share_a_folder_are_summed(tmp_path: Path) -> None:
    shared = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    for _ in range(2):
        subprocess.run([sys.executable, "-c", WORKER], env=shared, check=True)
    program = "from clout.serving.metrics import Metrics; print(Metrics().text().decode())"
    text = subprocess.run(
        [sys.executable, "-c", program], env=shared, check=True, capture_output=True, text=True
    ).stdout
    assert 'clout_requests_total{route="/v1/posts:score",status="200"} 2.0' in text
    assert 'clout_score_count{network="twitter"} 2.0' in text
    assert 'clout_model_info{scale_version="1",version="abc"} 1.0' in text
