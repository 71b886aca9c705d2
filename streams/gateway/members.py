"""The group of gateways, and what a member tells the broker of itself: where it answers.

azotte-gateway http://10.0.0.7:6070
"""

from __future__ import annotations

GROUP = "azotte-gateway"


def client_id(address: str) -> str:
    """What a gateway that answers at an address calls itself."""
    return f"{GROUP} {address}"


def address_of(client: str) -> str | None:
    """Where the gateway of this name answers, if it is one."""
    name, _, address = client.partition(" ")
    return address if name == GROUP and address else None
