"""`python -m streams.cli`: the program `azotte`, for processes that start it with the same interpreter."""

from streams.cli import main

main()
