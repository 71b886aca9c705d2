"""A second model of whole accounts: from a catalog and the inputs of `simulate` to what every charge must come to.

`audit(catalog, inputs, until)` works from the contract alone and shares no code with the engine. It is never
incremental: it takes the whole history, draws each subscription's timeline, and prices every period from its events.
"""

from __future__ import annotations

from tests.auditor.lifecycle.account import audit
from tests.auditor.lifecycle.answer import Answer

__all__ = ["Answer", "audit"]
