"""Entities as clients write them: created with what hangs on them, changed, replaced and deleted."""
