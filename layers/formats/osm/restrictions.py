"""Turn restrictions of OpenStreetMap relations, told at the road that they begin on.

wiki.openstreetmap.org/wiki/Relation:restriction. Kept as text, one after another with "; " between:
"no_left_turn node/5 way/13" (kind, over what, to which way), with " except bus" where the relation has exceptions.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import osmium
from osmium.osm import Relation, Way

from layers.formats.osm.tags import Tags

ATTRIBUTE = "restrictions"
KINDS = ("no_", "only_")
MEMBERS = {"n": "node", "w": "way"}


@dataclass
class Restrictions:
    """What each way must not do, or only may do, behind its ends.

    of_way: of each way its restrictions as text, with the node (id) at which the way ends, None if they lead over ways.
    """

    of_way: dict[int, list[tuple[int | None, str]]] = field(default_factory=dict)

    @classmethod
    def scan(cls, path: Path) -> Self:
        """A pass over the file's relations. Raises what pyosmium raises for a broken file."""
        found = cls()
        for relation in osmium.FileProcessor(path, osmium.osm.RELATION):
            if isinstance(relation, Relation) and relation.tags.get("type") == "restriction":
                found._take(relation)
        return found

    def _take(self, relation: Relation) -> None:
        tags = dict(relation.tags)
        kind = kind_of(tags)
        if kind is None:
            return
        roles: dict[str, list[tuple[str, int]]] = {"from": [], "via": [], "to": []}
        for member in relation.members:
            if member.role in roles and member.type in MEMBERS:
                roles[member.role].append((member.type, member.ref))
        if not roles["via"]:
            return
        over = [f"{MEMBERS[each]}/{ref}" for each, ref in roles["via"]]
        node = roles["via"][0][1] if [each for each, _ in roles["via"]] == ["n"] else None
        # Several ways to begin on or to end on: no_entry, no_exit.
        for _, begin in roles["from"]:
            for _, end in roles["to"]:
                text = f"{kind} {','.join(over)} way/{end}"
                excepted = [each.strip() for each in tags.get("except", "").split(";") if each.strip()]
                text += f" except {','.join(excepted)}" if excepted else ""
                self.of_way.setdefault(begin, []).append((node, text))

    def of(self, way: Way, start: int, end: int) -> str | None:
        """The restrictions of a piece of a way between two nodes, None if it has none.

        Where a way passes the node in its middle, the relation does not say from which side, and is left out.
        """
        told = self.of_way.get(way.id)
        if told is None:
            return None
        ends = {way.nodes[0].ref, way.nodes[-1].ref}
        here = [text for node, text in told if node is None or (node in ends and node in (start, end))]
        return "; ".join(here) or None


def kind_of(tags: Tags) -> str | None:
    """What a restriction forbids or demands of cars at any hour; None for one of another vehicle or of some hours."""
    kind = tags.get("restriction:motorcar") or tags.get("restriction:motor_vehicle") or tags.get("restriction")
    return kind if kind is not None and kind.startswith(KINDS) and " " not in kind else None
