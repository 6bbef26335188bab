"""What the flood scenario refuses, in words for a planner."""

from twin.scenarios import ScenarioError


class FloodRefused(ScenarioError):
    """Inputs or a city that a flood cannot be computed with; the message begins with the field's name."""
