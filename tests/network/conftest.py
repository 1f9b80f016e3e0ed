"""A Bluesky network with people in it, started when a test asks for it, which comes last."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bluesky_society import Society


@pytest.fixture(scope="session")
def bluesky(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Society]:
    """The society; a test may add to it."""
    from bluesky_network import running  # noqa: PLC0415
    from bluesky_society import settle  # noqa: PLC0415

    with running(tmp_path_factory.mktemp("bluesky")) as network:
        made = settle(network)
        yield made
        for person in made.people:
            person.client.request.close()
