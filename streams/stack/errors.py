"""What the local stack says when it cannot: one sentence with the remedy."""


class StackError(Exception):
    """The local stack cannot be started, stopped or asked; the text is for people and names the remedy."""


class BadRequest(Exception):
    """A request to the local ClickHouse that cannot be read; the text says why."""


class EngineError(Exception):
    """The engine refused a query; the text is its own, with its code."""
