"""The sections `web` and `webhooks`: what good ones become, and each mistake at its place with a hint."""

from pathlib import Path

import pytest

from opsbot.config import Generic, Web, Webhooks
from opsbot.config.file import read
from opsbot.core.errors import ConfigError

PATH = Path("/etc/opsbot/agent_config.yaml")
GOOD = "name: '{{ alert.title }}', status: '{{ alert.state }}', firing: [open], resolved: [closed]"


def test_without_the_sections_nobody_listens() -> None:
    found = read("{}", PATH)
    assert (found.web, found.webhooks) == (None, Webhooks())


def test_an_empty_section_listens_to_this_machine_alone() -> None:
    assert read("web: {}", PATH).web == Web("127.0.0.1:9095", None, 10_000_000)


def test_every_key_reaches_its_value() -> None:
    found = read(
        """
web: {listen: '0.0.0.0:9095', token_file: secrets/token, most_bytes: 1000000}
webhooks:
  identity_ignores: [replica]
  generic:
    my-sensors:
      alerts: data.events
      name: '{{ alert.title }}'
      status: '{{ alert.state }}'
      firing: [open, '1']
      resolved: [closed]
      severity: '{{ alert.level }}'
      starts_at: '{{ alert.since }}'
      ends_at: '{{ alert.until }}'
      labels: {host: '{{ alert.host.name }}', team: '{{ payload.team }}', site: north}
      annotations: {summary: '{{ alert.title }} on {{ alert.host.name }}'}
""",
        PATH,
    )
    assert found.web == Web("0.0.0.0:9095", Path("/etc/opsbot/secrets/token"), 1_000_000)
    assert found.webhooks.identity_ignores == ("replica",)
    assert found.webhooks.generic["my-sensors"] == Generic(
        name="{{ alert.title }}", status="{{ alert.state }}", firing=("open", "1"), resolved=("closed",),
        alerts="data.events", severity="{{ alert.level }}", starts_at="{{ alert.since }}",
        ends_at="{{ alert.until }}",
        labels={"host": "{{ alert.host.name }}", "team": "{{ payload.team }}", "site": "north"},
        annotations={"summary": "{{ alert.title }} on {{ alert.host.name }}"},
    )  # fmt: skip


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "127.8.8.8:80", "localhost:9095", "[::1]:9095"], ids=str)
def test_this_machine_may_be_listened_to_without_a_token(listen: str) -> None:
    assert read(f"web: {{listen: '{listen}'}}", PATH).web


def generic(text: str, name: str = "sensors") -> str:
    return f"web: {{}}\nwebhooks: {{generic: {{{name}: {{{text}}}}}}}"


BAD = {
    "all addresses": ("web: {listen: '0.0.0.0:9095'}", "1:15", "without a token only this machine", "token_file"),
    "another address": ("web: {listen: '10.0.0.1:9095'}", "1:15", "without a token only this machine", "token_file"),
    "a name": ("web: {listen: 'opsbot.example:9095'}", "1:15", "without a token only this machine", "token_file"),
    "all addresses of IPv6": ("web: {listen: '[::]:9095'}", "1:15", "without a token only this machine", "token_file"),
    "no port": ("web: {listen: '127.0.0.1'}", "1:15", "web.listen: write HOST:PORT", "127.0.0.1:9095"),
    "an odd port": ("web: {listen: 'localhost:http'}", "1:15", "web.listen: write HOST:PORT", ""),
    "a huge port": ("web: {listen: 'localhost:70000'}", "1:15", "web.listen: write HOST:PORT", ""),
    "too few bytes": ("web: {most_bytes: 5}", "1:19", "web.most_bytes: must be 10000 or more", ""),
    "an unknown key": ("web: {port: 80}", "1:7", "web.port: is not a known key", "listen"),
    "webhooks without a server": ("webhooks: {}", "1:1", "webhooks: nobody listens", "add a section `web`"),
    "no name": (generic(GOOD[GOOD.index("status"):]), "2:31", "name: is missing", ""),
    "no words for resolved": (generic(GOOD[: GOOD.index(", resolved")]), "2:31", "resolved: is missing", ""),
    "a name that is taken": (generic(GOOD, "grafana"), "2:22", "the name 'grafana' is taken", "another"),
    "the source of polls": (generic(GOOD, "prometheus"), "2:22", "the name 'prometheus' is taken", "another"),
    "no name for a path": (generic(GOOD, "'My Sensors'"), "2:22", "cannot stand in a path", "my-sensors"),
    "no path": (generic(f"alerts: 'data..events', {GOOD}"), "2:40", "'data..events' is no path", "data.events"),
    "an unknown root": (generic(f"severity: '{{{{ level }}}}', {GOOD}"), "2:42", "leads nowhere", "alert.title"),
    "a root alone": (generic(f"severity: '{{{{ alert }}}}', {GOOD}"), "2:42", "leads nowhere", "alert.title"),
    "no reference": (generic(f"severity: '{{{{ a-b }}}}', {GOOD}"), "2:42", "is no reference", "alert.host.name"),
    "an open one": (generic(f"severity: '{{{{ alert.a', {GOOD}"), "2:42", "unclosed", "alert.host.name"),
    "a status that is always the same": (
        generic("name: x, status: open, firing: [open], resolved: [x]"), "2:49", "status: refers to nothing", ""),
    "a word for both": (
        generic(GOOD.replace("closed", "open")), "2:114", "'open' cannot mean firing as well", ""),
    "a label with a key of its own": (
        generic(f"labels: {{severity: high}}, {GOOD}"), "2:41", "has a key of its own", "use the key severity"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "place", "says", "hint"), BAD.values(), ids=BAD.keys())
def test_mistakes(text: str, place: str, says: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text, PATH)
    (problem,) = caught.value.problems
    assert says in problem.message
    assert hint in problem.hint
    assert f"{problem.line}:{problem.column}" == place


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        read(f"web: {{listen: x, most_bytes: 1}}\nwebhooks: {{generic: {{A: {{{GOOD}}}, grafana: {{{GOOD}}}}}}}", PATH)
    assert len(caught.value.problems) == 4
