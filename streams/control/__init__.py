"""CONTROL: commands, catalog revisions and ticks to the log. `batch` decides with `rating.control`, `service` moves bytes."""
