"""Limits: bounds on spend, usage and balances, looked at after every step of an account. `README.md` has the picture."""
