"""Accounts of the fake API server: a bearer token, a name, and RBAC rules; who may do what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from opsbot.testing.cluster.kinds import KINDS, Kind
from opsbot.testing.cluster.wire import Failure, Json


@dataclass(frozen=True, slots=True)
class Rule:
    """Verbs on resources, as a rule of a Role: `*` means all; no namespaces means the whole cluster.

    A subresource is named `pods/log`. `groups` are API groups; the core group is the empty text.
    """

    verbs: tuple[str, ...]
    resources: tuple[str, ...] = ("*",)
    groups: tuple[str, ...] = ("*",)
    namespaces: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def allows(self, wish: Wish) -> bool:
        """Whether this rule grants it."""
        resource = f"{wish.resource}/{wish.subresource}" if wish.subresource else wish.resource
        return (
            _among(wish.verb, self.verbs)
            and (_among(resource, self.resources) or f"*/{wish.subresource}" in self.resources)
            and _among(wish.group, self.groups)
            and (not self.namespaces or wish.namespace in self.namespaces)
            and (not self.names or wish.name in self.names)
        )


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to do."""

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody whom the server knows by token."""

    name: str
    token: str
    rules: tuple[Rule, ...]

    def may(self, wish: Wish) -> bool:
        """Whether any rule grants it."""
        return any(rule.allows(wish) for rule in self.rules)


_OPEN = tuple(kind.plural for kind in KINDS if kind.name != "Secret")
EVERYTHING = (Rule(("*",)),)
READ = (Rule(("get", "list", "watch"), (*_OPEN, "pods/log")),)
WRITE = (Rule(("get", "list", "patch"), _OPEN), Rule(("create",), ("pods/eviction",), ("",)))


def _among(word: str, words: Iterable[str]) -> bool:
    return any(item in ("*", word) for item in words)


def by_token(accounts: Iterable[Account], token: str) -> Account:
    """Whose token this is; 401 for nobody's."""
    for account in accounts:
        if token and account.token == token:
            return account
    raise Failure(401, "Unauthorized")


def demand(account: Account, wish: Wish, kind: Kind) -> None:
    """403, in the words of the API server, unless the account may."""
    if account.may(wish):
        return
    resource = f"{wish.resource}/{wish.subresource}" if wish.subresource else wish.resource
    where = f'in the namespace "{wish.namespace}"' if wish.namespace else "at the cluster scope"
    named = f' "{wish.name}"' if wish.name else ""
    raise Failure(
        403,
        f'{kind.resource}{named} is forbidden: User "{account.name}" cannot {wish.verb} resource "{resource}" '
        f'in API group "{wish.group}" {where}',
        details={"name": wish.name, "group": wish.group, "kind": wish.resource},
    )


def review(account: Account, body: Json) -> Json:
    """A SelfSubjectAccessReview with its answer."""
    spec = body.get("spec") or {}
    asked = spec.get("resourceAttributes")
    if not isinstance(asked, dict):
        raise Failure(501, "the fake API server reviews resourceAttributes only")
    wish = Wish(
        verb=asked.get("verb", ""), group=asked.get("group", ""), resource=asked.get("resource", ""),
        namespace=asked.get("namespace", ""), name=asked.get("name", ""), subresource=asked.get("subresource", ""),
    )  # fmt: skip
    return {**body, "metadata": body.get("metadata") or {}, "status": {"allowed": account.may(wish)}}
