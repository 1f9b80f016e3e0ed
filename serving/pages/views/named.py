"""Whom people mean by what they type: network/name, or a name that one network alone knows."""

from __future__ import annotations

from clout.serving.active_model import Loaded, plain_handle


def network_and_name(loaded: Loaded, typed: str) -> tuple[str, str]:
    """The network and the name; the network is empty where none is said and not exactly one knows the name."""
    network, slash, name = typed.strip().partition("/")
    if slash:
        return network, name
    places = [place for place in loaded.model.networks if _knows(loaded, place, network)]
    return (places[0] if len(places) == 1 else ""), network


def _knows(loaded: Loaded, network: str, name: str) -> bool:
    return f"{network}/{name}" in loaded.accounts or (network, plain_handle(name)) in loaded.handles
