"""Who is on this machine is told by the address first: what strangers send is not kept."""

from __future__ import annotations

import pytest

from clout.serving.edge import here


@pytest.mark.parametrize("client", [("10.0.0.7", 4321), None])
def test_nothing_is_kept_of_what_strangers_say_of_themselves(client: tuple[str, int] | None) -> None:
    """A header may be 400 kB long, and what was told is kept a thousand times."""
    kept = here._names_us.cache_info()
    headers = [(b"host", b"127.0.0.1"), (b"x-forwarded-for", b"a stranger's" * 30_000)]
    assert not here.is_from_here({"headers": headers, "client": client})
    assert here._names_us.cache_info() == kept
