"""What the local stack says when it cannot: one sentence with the remedy."""


class StackError(Exception):
    """The local stack cannot be started, stopped or asked; the text is for people and names the remedy."""
