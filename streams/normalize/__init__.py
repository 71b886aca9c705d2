"""NORMALIZE: raw usage events to packs on the log. `batch` decides, `service` moves the bytes."""
