"""A made-up coastal city of any size: terrain, water, streets, land, buildings, networks, sensors, all consistent.

    city = generate(Path("folder"), buildings=20_000, seed=1)
    for source in city.sources:
        for batch in source.read():
            ...

Everything is computed from the number of buildings and the seed; nothing in it is real, and its titles say so.
"""

from twin.demo.city import DemoCity, generate
from twin.demo.frame import DemoError
from twin.demo.tables import DemoSource

__all__ = ["DemoCity", "DemoError", "DemoSource", "generate"]
