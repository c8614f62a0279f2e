"""Measures the time budgets side by side, in one run: `./dev bench`."""
