"""Scenarios by OGC API Processes Part 1 (18-062r2): processes, their execution, and jobs."""
