"""How far the engine may be trusted: published, analytic and counted cases, run and told by one command."""
