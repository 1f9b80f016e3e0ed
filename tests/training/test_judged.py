"""What a model said of the rolling blocks, kept beside its bundle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from trained_society import Studied, TrainedSociety

from clout.training import judged


def test_a_training_keeps_what_it_said(trained: TrainedSociety, studied: Studied) -> None:
    kept = judged.read(trained.home, trained.trained.version)
    assert kept.equals(judged.rows(studied.judged))
    assert kept["post"].to_list() == studied.judged.frame["post"].to_list()
    assert np.array_equal(kept["margin"].to_numpy(), studied.judged.margin)
    assert kept["lang"].null_count() < kept.height


def test_what_is_written_is_read_again(trained: TrainedSociety, tmp_path: Path) -> None:
    kept = judged.read(trained.home, trained.trained.version)
    file = judged.write(tmp_path, "abc", kept)
    assert judged.read(tmp_path, "abc").equals(kept)
    assert [path.name for path in file.parent.iterdir()] == ["abc.parquet"]


@pytest.mark.parametrize("content", [None, b"PAR1 and no more"])
def test_what_was_not_kept_says_how_to_get_it(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "judged").mkdir()
        (tmp_path / "judged" / "abc.parquet").write_bytes(content)
    with pytest.raises(judged.NotKeptError, match=r"cannot read what abc said .* train it again"):
        judged.read(tmp_path, "abc")
