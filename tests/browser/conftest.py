"""What the browser is shown: our pages over a home of scored accounts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import chromium
import pytest
from live_server import listening

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser
    from scored_home import Scored


@pytest.fixture(scope="session")
def site(scored: Scored, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The host and port of our pages; what is sent to them is kept in a home of their own."""
    from scored_home import NOW  # noqa: PLC0415

    from clout.serving.accounts.kept import AccountStore  # noqa: PLC0415
    from clout.serving.api import application  # noqa: PLC0415

    own = scored.copy(tmp_path_factory.mktemp("site") / "home")
    with listening(application(own.active, lambda: NOW, AccountStore(lambda: own.url))) as host:
        yield host


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The browser, ended before tests of other files run loops of events."""
    with chromium.started() as started:
        yield started


@pytest.fixture(scope="session")
def pictures(root: Path) -> Path:
    """The folder in which pictures of the pages are kept."""
    return root / "build" / "screenshots"
