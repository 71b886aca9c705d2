"""Rules: signals about an account, on while conditions on its facts hold. `README.md` has the picture."""
