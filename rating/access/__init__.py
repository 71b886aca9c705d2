"""Entitlements: what an account may use now, and why not. `README.md` has the picture."""
