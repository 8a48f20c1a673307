"""The three kinds of patch, as pure functions over JSON values; none of them changes what it is given."""

from __future__ import annotations

import copy
from typing import Any

from opsbot.testing.cluster.wire import Failure, Json

REJECTED = "the server rejected our request due to an error in our request"
"""All that the API server says of a JSON patch that cannot be carried out, a test that fails included."""


def merge(value: Any, patch: Any) -> Any:
    """RFC 7386: null removes, objects merge, everything else replaces."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    made = dict(value) if isinstance(value, dict) else {}
    for key, item in patch.items():
        if item is None:
            made.pop(key, None)
        else:
            made[key] = merge(made.get(key), item)
    return made


# Lists that strategic merge joins by a key, as the API's own type definitions mark them.
_MERGE_KEYS = {
    "containers": "name", "initContainers": "name", "ephemeralContainers": "name", "env": "name", "volumes": "name",
    "volumeMounts": "mountPath", "imagePullSecrets": "name", "conditions": "type", "ownerReferences": "uid",
    "hostAliases": "ip", "topologySpreadConstraints": "topologyKey", "volumeDevices": "devicePath",
}  # fmt: skip


def strategic(value: Any, patch: Any, name: str = "") -> Any:
    """Strategic merge: as merge, with lists of named things joined by name, and `$patch` delete and replace."""
    if isinstance(patch, list):
        return _strategic_list(value if isinstance(value, list) else [], patch, name)
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    if patch.get("$patch") == "replace":
        return {key: copy.deepcopy(item) for key, item in patch.items() if key != "$patch"}
    made = dict(value) if isinstance(value, dict) else {}
    for key, item in patch.items():
        if key.startswith("$setElementOrder/") or key == "$patch":
            continue
        if key.startswith("$"):
            raise Failure(501, f"the fake API server does not know the directive {key} of strategic merge patches")
        if item is None:
            made.pop(key, None)
        else:
            made[key] = strategic(made.get(key), item, key)
    return made


def _list_key(name: str, items: list[Any]) -> str:
    if name == "finalizers":
        return ""
    if name == "ports":
        return "containerPort" if any("containerPort" in item for item in items if isinstance(item, dict)) else "port"
    return _MERGE_KEYS.get(name, "")


def _strategic_list(value: list[Any], patch: list[Any], name: str) -> list[Any]:
    key = _list_key(name, patch)
    if name == "finalizers":
        return [*value, *(item for item in patch if item not in value)]
    if not key or {"$patch": "replace"} in patch:
        return [copy.deepcopy(item) for item in patch if item != {"$patch": "replace"}]
    made = list(value)
    for item in patch:
        if not isinstance(item, dict) or key not in item:
            raise Failure(400, f"map: {item!r} does not contain declared merge key: {key}")
        place = next((i for i, old in enumerate(made) if isinstance(old, dict) and old.get(key) == item[key]), None)
        if item.get("$patch") == "delete":
            made = [old for i, old in enumerate(made) if i != place]
        elif place is None:
            made.append(strategic({}, item))
        else:
            made[place] = strategic(made[place], item)
    return made


def json_patch(value: Json, operations: Any) -> Json:
    """RFC 6902; an operation that cannot be carried out, a failed test included, is a 422 as on the API server."""
    if not isinstance(operations, list):
        said = "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"
        raise Failure(400, said)
    made = {"": copy.deepcopy(value)}
    for operation in operations:
        try:
            _operate(made, operation)
        except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
            raise Failure(422, REJECTED, details={}) from error
    if not isinstance(made[""], dict):
        raise Failure(422, REJECTED, details={})
    return made[""]


def _operate(root: Json, operation: Json) -> None:
    kind, path = operation["op"], _steps(operation["path"])
    if kind == "test":
        if _take(root, path) != operation["value"]:
            raise ValueError(f"testing value {operation['path']} failed")
    elif kind == "remove":
        _remove(root, path)
    elif kind == "replace":
        _take(root, path)
        _put(root, path, copy.deepcopy(operation["value"]), insert=False)
    elif kind == "add":
        _put(root, path, copy.deepcopy(operation["value"]), insert=True)
    elif kind in ("move", "copy"):
        source = _steps(operation["from"])
        found = copy.deepcopy(_take(root, source))
        if kind == "move":
            _remove(root, source)
        _put(root, path, found, insert=True)
    else:
        raise ValueError(f"unexpected kind: {kind}")


def _steps(path: str) -> list[str]:
    if path and not path.startswith("/"):
        raise ValueError(f"invalid path {path!r}")
    return [""] + [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]


def _index(items: list[Any], step: str, *, adding: bool = False) -> int:
    if adding and step == "-":
        return len(items)
    if not step.isdecimal() or int(step) > len(items) - (not adding):
        raise IndexError(f"no element {step}")
    return int(step)


def _take(root: Any, path: list[str]) -> Any:
    found = root
    for step in path:
        found = found[_index(found, step)] if isinstance(found, list) else found[step]
    return found


def _remove(root: Any, path: list[str]) -> None:
    parent = _take(root, path[:-1])
    del parent[_index(parent, path[-1]) if isinstance(parent, list) else path[-1]]


def _put(root: Any, path: list[str], value: Any, *, insert: bool) -> None:
    parent = _take(root, path[:-1])
    if not isinstance(parent, list):
        parent[path[-1]] = value
    elif insert:
        parent.insert(_index(parent, path[-1], adding=True), value)
    else:
        parent[_index(parent, path[-1])] = value
