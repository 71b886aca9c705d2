"""RATE: the log to charge lines. `service` moves the bytes, `store` and `ids` hold the state, `restore` brings it back."""
