"""What the traffic scenario refuses, in words for a planner."""

from twin.scenarios import ScenarioError


class TrafficRefused(ScenarioError):
    """Inputs or a city that traffic cannot be computed for; the message begins with the field's name."""
