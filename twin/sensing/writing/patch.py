"""JSON Patch (RFC 6902): steps that change a document."""

from copy import deepcopy
from typing import Any

from twin.sensing import BadEntity

MAX_STEPS = 1_000


def patched(document: dict[str, Any], steps: Any) -> dict[str, Any]:
    """The document after all steps. Raises BadEntity where one of them cannot be done."""
    if not isinstance(steps, list) or len(steps) > MAX_STEPS:
        raise BadEntity(f"a JSON Patch is a list of at most {MAX_STEPS} steps")
    root: Any = {"": deepcopy(document)}
    for number, step in enumerate(steps):
        try:
            _apply(root, step)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise BadEntity(f"step {number + 1} of the patch cannot be done: {error}") from None
    changed = root[""]
    if not isinstance(changed, dict):
        raise BadEntity("the patch leaves no entity")
    return changed


def _apply(root: Any, step: dict[str, Any]) -> None:
    path = step["path"]
    match step["op"]:
        case "add":
            _add(root, path, deepcopy(step["value"]))
        case "remove":
            _remove(root, path)
        case "replace":
            _remove(root, path)
            _add(root, path, deepcopy(step["value"]))
        case "move":
            if path.startswith(f"{step['from']}/"):
                raise ValueError("what is moved cannot go into itself")
            _add(root, path, _remove(root, step["from"]))
        case "copy":
            _add(root, path, deepcopy(_get(root, step["from"])))
        case "test":
            if _get(root, path) != step["value"]:
                raise ValueError(f"{path} is not as the test wants it")
        case other:
            raise ValueError(f"no step {other!r}")


def _way(path: str) -> list[str]:
    if path and not path.startswith("/"):
        raise ValueError(f"{path!r} must begin with a slash")
    return [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")]


def _get(root: Any, path: str) -> Any:
    for part in _way(path):
        root = root[_index(root, part)] if isinstance(root, list) else root[part]
    return root


def _holder(root: Any, path: str) -> tuple[Any, str]:
    *way, last = _way(path)
    for part in way:
        root = root[_index(root, part)] if isinstance(root, list) else root[part]
    return root, last


def _add(root: Any, path: str, value: Any) -> None:
    holder, last = _holder(root, path)
    if isinstance(holder, list):
        place = len(holder) if last == "-" else int(last)
        if not 0 <= place <= len(holder):
            raise IndexError(f"{path} is outside of the list")
        holder.insert(place, value)
    else:
        holder[last] = value


def _remove(root: Any, path: str) -> Any:
    holder, last = _holder(root, path)
    return holder.pop(_index(holder, last) if isinstance(holder, list) else last)


def _index(holder: list[Any], part: str) -> int:
    place = int(part)
    if not 0 <= place < len(holder):
        raise IndexError(f"there is no {part}")
    return place
