"""Who and what stands in the water: buildings, people, roads, services, losses, and where people can go."""
