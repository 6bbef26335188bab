"""Compiled loops of the traffic engine; they take arrays by position and never meet a user."""
