"""The gateway: access, reservations and events over HTTP."""
