"""The mask: secrets go, everything else stays, whatever the text looks like."""

import base64
import json
import random
from typing import Any

import pytest

from opsbot.core.evidence import MaskedText
from opsbot.mask import MASK, kept, mask, mask_tree
from opsbot.mask.words import names_secret, nears_secret, random_looking

# Put together at run time, so that no scanner takes the tests themselves for a leak.
GITHUB = "ghp_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0dF3hJ6"
AWS = "AKIA" + "Q3EGRIJKLMNOPQ7X"
JWT = ".".join(("eyJ" + "hbGciOiJIUzI1NiJ9", "eyJ" + "zdWIiOiJib2IifQ", "c2lnbmF0dXJlLW9mLWJvYg"))
PEM = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEA"
SECRET = "hunter2-Zx9"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        pytest.param("password=hunter2 user=bob", "password=*** user=bob", id="env"),
        pytest.param("API_KEY: hunter2", "API_KEY: ***", id="yaml"),
        pytest.param('{"token": "hunter2", "n": 1}', '{"token": "***", "n": 1}', id="json"),
        pytest.param(r'"{\"password\":\"hunter2\",\"n\":1}"', r'"{\"password\":\"***\",\"n\":1}"', id="json in json"),
        pytest.param('"message": "login with password=hunter2 failed"', '"message": "login with password=*** failed"',
                     id="pair inside a quoted value"),
        pytest.param('"auth_message": "got password=hunter2 now"', '"auth_message": "got password=*** now"',
                     id="pair inside a value that is none"),
        pytest.param("DB_PASSWORDS='a b c'", "DB_PASSWORDS='***'", id="plural, quoted"),
        pytest.param("spring.datasource.password=a,b;c&d", "spring.datasource.password=***", id="alone on its line"),
        pytest.param("REGISTRY_PASSWORD=hunter2", "REGISTRY_PASSWORD=***", id="registry"),
        pytest.param("export SECRET_KEY_BASE=abc def", "export SECRET_KEY_BASE=*** def", id="export"),
        pytest.param("awsSecretAccessKey: 'hunter2'", "awsSecretAccessKey: '***'", id="camel case"),
        pytest.param("x-auth-token : hunter2", "x-auth-token : ***", id="header"),
        pytest.param("client_secret => \"hunter2\",", "client_secret => \"***\",", id="arrow"),
        pytest.param("password := `hunter2`", "password := `***`", id="go"),
        pytest.param("--db-password hunter2 --verbose", "--db-password *** --verbose", id="flag and value"),
        pytest.param("--token=hunter2 -v", "--token=*** -v", id="flag="),
        pytest.param('["--password", "hunter2", "-v"]', '["--password", "***", "-v"]', id="argument list"),
        pytest.param("<password>hunter2</password>", "<password>***</password>", id="xml"),
        pytest.param("/login?token=hunter2&next=/", "/login?token=***&next=/", id="query"),
        pytest.param("a:\n  password: correct horse # note", "a:\n  password: *** # note", id="yaml with blanks"),
        pytest.param("  password: correct horse  user: bob", "  password: ***  user: bob", id="yaml, then columns"),
        pytest.param("password: |\n  one\n  two\nuser: bob", "password: |\n  ***\n  ***\nuser: bob", id="block scalar"),
        pytest.param("password=123456", "password=***", id="digits"),
        pytest.param('password="never closed', 'password="***', id="unclosed quote"),
        pytest.param("HEROKU_KEY = '12345678-ABCD-ABCD-ABCD-1234567890AB'", "HEROKU_KEY = '***'", id="near and random"),
        pytest.param("кPASSWORD=hunter2", "кPASSWORD=***", id="after a letter of another script"),
        pytest.param(r"first\npassword=hunter2\n", r"first\npassword=***", id="after an escaped line end"),
    ],
)  # fmt: skip
def test_a_value_under_a_secret_name_goes(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        pytest.param("- name: DB_PASSWORD\n  value: hunter2\n- name: MODE\n  value: fast",
                     "- name: DB_PASSWORD\n  value: ***\n- name: MODE\n  value: fast", id="yaml"),
        pytest.param('{"name":"API_TOKEN","value":"hunter2"}', '{"name":"API_TOKEN","value":"***"}', id="json"),
        pytest.param('{\n "name": "API_TOKEN",\n "value": "hunter2"\n}', '{\n "name": "API_TOKEN",\n "value": "***"\n}',
                     id="json over lines"),
        pytest.param("value: hunter2\nname: API_TOKEN", "value: ***\nname: API_TOKEN", id="the other way round"),
        pytest.param('- {key: apiSecret, value: "hunter2"}', '- {key: apiSecret, value: "***"}', id="flow"),
        pytest.param("- name: A\n  value: plain\n- name: DB_PASSWORD\n  value: $(X)",
                     "- name: A\n  value: plain\n- name: DB_PASSWORD\n  value: $(X)", id="the next item's name"),
    ],
)  # fmt: skip
def test_name_and_value_side_by_side(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        pytest.param("postgres://app:hunter2@db.prod:5432/x?a=b", "postgres://app:***@db.prod:5432/x?a=b", id="url"),
        pytest.param("redis://:hunter2@cache:6379", "redis://:***@cache:6379", id="no user"),
        pytest.param("https://u:p@ss@host/", "https://u:***@host/", id="an @ in the password"),
        pytest.param("app:hunter2@tcp(db:3306)/x", "app:***@tcp(db:3306)/x", id="Go MySQL"),
        pytest.param("Authorization: Bearer hunter2 said bob", "Authorization: Bearer *** said bob", id="bearer"),
        pytest.param("'authorization': 'Basic dXNlcjpwYXNz'", "'authorization': 'Basic ***'", id="basic"),
        pytest.param("Authorization: 5eb4223e-5008-46e5-be67-c7b8f2732305", "Authorization: ***", id="no scheme"),
        pytest.param("sent Bearer abcdef0123456789", "sent Bearer ***", id="bearer anywhere"),
        pytest.param("Cookie: theme=dark; sid=abc", "Cookie: theme=***; sid=***", id="cookie"),
        pytest.param("Set-Cookie: sid=abc; Path=/; HttpOnly", "Set-Cookie: sid=***; Path=/; HttpOnly", id="set-cookie"),
        pytest.param("curl -u bob:hunter2 http://x/", "curl -u bob:*** http://x/", id="curl"),
        pytest.param("curl --user 'bob:hun ter2' x", "curl --user 'bob:***' x", id="curl, quoted"),
        pytest.param("curl -u \"hunter2:\" x", "curl -u \"***:\" x", id="curl, token as user"),
        pytest.param("mysql -u root -phunter2 shop", "mysql -u root -p*** shop", id="mysql"),
        pytest.param("docker login -u bob -p hunter2 reg", "docker login -u bob -p *** reg", id="docker login"),
        pytest.param('Digest username="bob", response="6629fae49393a05397450978507c4ef1"',
                     'Digest username="bob", response="***"', id="digest"),
        pytest.param("BUNDLE_GEMS__EXAMPLE__COM=bob:hunter2", "BUNDLE_GEMS__EXAMPLE__COM=***", id="gem server"),
        pytest.param(f"pushed with {GITHUB}!", "pushed with ***!", id="github"),
        pytest.param(f"key {AWS} used", "key *** used", id="aws"),
        pytest.param(f"jwt {JWT} expired", "jwt *** expired", id="jwt"),
        pytest.param(f'"x":"{JWT}"', '"x":"***"', id="jwt in json"),
    ],
)  # fmt: skip
def test_a_secret_known_by_its_form_goes(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        pytest.param(f"a\n-----BEGIN RSA PRIVATE KEY-----\n{PEM}\nabc=\n-----END RSA PRIVATE KEY-----\nb",
                     "a\n-----BEGIN RSA PRIVATE KEY-----\n***\n***\n-----END RSA PRIVATE KEY-----\nb", id="lines"),
        pytest.param(f'"-----BEGIN PRIVATE KEY-----\\n{PEM}\\nabc\\n-----END PRIVATE KEY-----\\n"',
                     '"-----BEGIN PRIVATE KEY-----\\n***\\n***\\n-----END PRIVATE KEY-----\\n"', id="in json"),
        pytest.param(f"-----BEGIN PRIVATE KEY-----\n{PEM}\nready to serve\n",
                     "-----BEGIN PRIVATE KEY-----\n***\nready to serve\n", id="cut off"),
        pytest.param("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
                     "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", id="no private key"),
    ],
)  # fmt: skip
def test_private_keys_keep_their_frame(text: str, masked: str) -> None:
    assert mask(text) == masked


DIGEST = "sha256:" + "0a1b2c3d4e5f6789" * 4


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"registry.example.org/shop/app@{DIGEST}", id="image digest"),
        pytest.param("uid: 8f1c0a52-3c1f-4a7e-9f59-3f6a1d6b7a10", id="uid"),
        pytest.param("pod-template-hash=7d9f8b6c5d", id="pod template hash"),
        pytest.param('resourceVersion: "123456789"', id="resource version"),
        pytest.param("commit 43fc912ef59a83054ea7f6706df4d53a7dea4d80", id="git sha"),
        pytest.param("password: <none>", id="none"),
        pytest.param("password=***", id="masked already"),
        pytest.param("password=$(DB_PASSWORD) token=${TOKEN} secret=$SECRET", id="variables"),
        pytest.param("token: '{{ .Values.token }}'", id="template"),
        pytest.param("dial tcp 10.0.0.7:5432: connection refused", id="private address"),
        pytest.param("DB_PASSWORD:  <set to the key 'password' in secret 'db'>  Optional: false", id="describe"),
        pytest.param("TokenExpirationSeconds:  3607", id="seconds"),
        pytest.param("SecretName:  web-tls", id="secret name"),
        pytest.param("password:  12 bytes", id="describe secret"),
        pytest.param("automountServiceAccountToken: false", id="truth value"),
        pytest.param("secretKeyRef: {name: db, key: password}", id="secret key ref"),
        pytest.param("volumes: [{secret: {secretName: web-tls}}]", id="secret volume"),
        pytest.param('MountVolume.SetUp failed for volume "creds" : secret "db" not found', id="event"),
        pytest.param('FATAL: password authentication failed for user "app"', id="sentence"),
        pytest.param("error: token: unauthorized request from client", id="sentence after a name"),
        pytest.param("insufficient_scope: authorization failed", id="pull error"),
        pytest.param("may require authorization: server message: denied", id="authorization in a sentence"),
        pytest.param("unexpected token: } at 5", id="parser"),
        pytest.param("Bearer authentication is required", id="bearer in a sentence"),
        pytest.param("max_tokens=4096 tokens: 812", id="counted tokens"),
        pytest.param("api_key = settings.API_KEY", id="program"),
        pytest.param("password = getPassword(user)", id="call"),
        pytest.param("docker run -u 1000:1000 app", id="user and group ids"),
        pytest.param("git add -u :/", id="another -u"),
        pytest.param("private_key=/etc/tls/tls.key", id="path"),
        pytest.param("  credentials: new Store({})", id="constructor"),
        pytest.param("http://prometheus:9090/graph?g0.expr=up@start", id="port and at"),
        pytest.param("bucket_key: SalesResults-2024.12", id="a key that is none"),
        pytest.param("a\u2028b\x0cc\x85d\x1b[31m\u202e", id="odd characters"),
        pytest.param("", id="empty"),
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert mask(text) == text


SECRET_YAML = """apiVersion: v1
items:
- apiVersion: v1
  data:
    anything: Zm9vYmFyYmF6
    "tls.crt": TUlJQmFi
    config: |
      data:
        x: y
  kind: Secret
  metadata:
    name: web
- apiVersion: v1
  data:
    mode: fast
  kind: ConfigMap
kind: List
"""


def test_a_secret_object_in_yaml_is_masked_whatever_the_key() -> None:
    masked = mask(SECRET_YAML)
    for hidden in ("Zm9vYmFyYmF6", "TUlJQmFi", "x: y"):
        assert hidden not in masked
    for stays in ("anything: ***", '"tls.crt": ***', "mode: fast", "name: web", "kind: Secret"):
        assert stays in masked


@pytest.mark.parametrize("kind_first", [True, False], ids=["kind first", "data first"])
@pytest.mark.parametrize("indent", [None, 2], ids=["one line", "many lines"])
@pytest.mark.parametrize("escaped", [False, True], ids=["plain", "inside a text"])
def test_a_secret_object_in_json_is_masked_whatever_the_key(
    kind_first: bool, indent: int | None, escaped: bool
) -> None:
    hidden: dict[str, Any] = {"data": {"mode": "Zm9vYmFyYmF6", "b": "x"}, "stringData": {"c": "other-9"}}
    secret = {"kind": "Secret"} | hidden if kind_first else hidden | {"kind": "Secret"}
    text = json.dumps({"items": [secret, {"kind": "ConfigMap", "data": {"mode": "fast"}}]}, indent=indent)
    masked = mask(json.dumps(text) if escaped else text)
    shown = json.loads(json.loads(masked) if escaped else masked)
    assert shown["items"][0]["data"] == {"mode": MASK, "b": MASK}
    assert shown["items"][0]["stringData"] == {"c": MASK}
    assert shown["items"][1]["data"] == {"mode": "fast"}


def test_a_secret_object_that_was_cut_off_is_masked() -> None:
    assert (
        mask('{"kind": "Secret", "data": {"a": "Zm9v", "b": "YmF')
        == '{"kind": "Secret", "data": {"a": "***", "b": "***'
    )
    assert mask("kind: Secret\nstringData:\n  a: b\n  c: d") == "kind: Secret\nstringData:\n  a: ***\n  c: ***"


def test_a_value_learnt_once_is_masked_everywhere() -> None:
    text = f"password={SECRET}\nlogin as bob with {SECRET} failed\n(prefix_{SECRET})\nxhunter2-Zx9y"
    assert mask(text) == "password=***\nlogin as bob with *** failed\n(prefix_***)\nxhunter2-Zx9y"


def test_a_value_learnt_once_is_masked_as_base64_too_and_back() -> None:
    encoded = base64.b64encode(SECRET.encode()).decode()
    assert encoded.rstrip("=") not in mask(f"password={SECRET}\nseen: {encoded}")
    text = f"kind: Secret\ndata:\n  a: {encoded}\nkind: Event\nlogin {SECRET} failed"
    assert SECRET not in mask(text)


def test_an_ordinary_or_short_value_is_not_looked_for_elsewhere() -> None:
    assert mask("password=postgres\nimage: postgres:16") == "password=***\nimage: postgres:16"
    assert mask("pwd=ab1 and ab1") == "pwd=*** and ab1"


TREE = {
    "kind": "Deployment",
    "metadata": {"name": "web", "uid": "8f1c0a52-3c1f-4a7e-9f59-3f6a1d6b7a10", "generation": 4},
    "spec": {
        "imagePullSecrets": [{"name": "regcred"}],
        "containers": [{
            "args": ["--token", "abc123", "--verbose", f"--retry={SECRET}"],
            "env": [
                {"name": "DB_PASSWORD", "value": SECRET},
                {"name": "MODE", "value": "fast"},
                {"name": "FROM", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}},
            ],
            "volumes": [{"secret": {"secretName": "web-tls"}}],
        }],
    },
    "credentials": {"password": 12345678, "tokens": ["abc", "def"], "expires": None, "secret": True},
}  # fmt: skip


def test_a_tree_keeps_its_shape_and_loses_its_secrets() -> None:
    masked = mask_tree(TREE)
    assert masked["metadata"] == TREE["metadata"]
    container = masked["spec"]["containers"][0]
    assert container["args"] == ["--token", MASK, "--verbose", f"--retry={MASK}"]
    assert [entry.get("value") for entry in container["env"]] == [MASK, "fast", None]
    assert container["env"][2]["valueFrom"] == {"secretKeyRef": {"name": "db", "key": "password"}}
    assert masked["spec"]["imagePullSecrets"] == [{"name": "regcred"}]
    assert container["volumes"] == [{"secret": {"secretName": "web-tls"}}]
    assert masked["credentials"] == {"password": MASK, "tokens": [MASK, MASK], "expires": None, "secret": True}


def test_every_text_of_a_tree_is_masked_text() -> None:
    def texts(value: Any) -> list[Any]:
        if isinstance(value, dict):
            return [text for item in value.values() for text in texts(item)]
        return [text for item in value for text in texts(item)] if isinstance(value, list) else [value]

    found = [text for text in texts(mask_tree(TREE)) if isinstance(text, str)]
    assert found
    assert all(type(text) is MaskedText for text in found)


@pytest.mark.parametrize("kind", ["Secret", "SecretList"], ids=str)
def test_a_secret_in_a_tree_is_masked_whatever_the_key(kind: str) -> None:
    inner = {"data": {"mode": "Zm9v", "n": 7, "gone": None}, "stringData": {"c": "d"}, "type": "Opaque"}
    masked = mask_tree({"kind": kind} | (inner if kind == "Secret" else {"items": [inner]}))
    shown = masked if kind == "Secret" else masked["items"][0]
    assert shown["data"] == {"mode": MASK, "n": MASK, "gone": None}
    assert shown["stringData"] == {"c": MASK}
    assert shown["type"] == "Opaque"


def test_an_applied_configuration_in_an_annotation_is_masked() -> None:
    applied = json.dumps({"kind": "Secret", "stringData": {"zz": "top"}})
    masked = mask_tree({"metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": applied}}})
    assert "top" not in str(masked)


def test_masking_again_changes_nothing_in_a_tree() -> None:
    once = mask_tree(TREE)
    assert mask_tree(once) == once


PIECES = [
    "password", "=", ":", " ", '"', "'", "\\", "\n", "token", "***", "hunter2", "://u:p@h/", "Bearer ", "Basic ", ",",
    "{", "}", "[", "name: ", "value: ", "kind: Secret\n", "data:\n", "  ", "-u a:b", "Cookie: ", "a=b;", "<", ">", "$(",
    "|\n", GITHUB, JWT, "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "--", "key", "`",
    "Authorization: ", "\t", '\\"', "api_", "é", "\u2028", "\x00", "\r", "&", ";", "aGVsbG8gd29ybGQ=",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_any_text_keeps_its_lines_and_is_masked_once_and_for_all(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(250):
        text = "".join(chance.choices(PIECES, k=chance.randint(1, 30)))
        masked = mask(text)
        assert masked.count("\n") == text.count("\n"), text
        assert mask(masked) == masked, text


@pytest.mark.parametrize(
    "piece",
    [" ", '"', "'", "a=", "\\", '\\"', "key=", "key:", "pass.a", "token=a1 ", "://a:", "eyJ", "name: ", "name: a ",
     "Bearer ", "Cookie: a=b;", "{", '{"kind":"Secret","data":{', "kind: Secret\ndata:\n  a: b\n", "-u ", "sk-",
     "-----BEGIN PRIVATE KEY-----",
     "token=${", "password: |\n ", "key='\"", "=", "\t", "---\n", "- ", "hunter2.", "token, \"", "ghp_", "key>"],
    ids=ascii,
)  # fmt: skip
def test_a_hostile_text_takes_linear_time(piece: str) -> None:
    """Anything worse than linear does not end here before the run is killed."""
    text = (piece * 250_000)[:250_000]
    assert mask(text).count("\n") == text.count("\n")


@pytest.mark.parametrize("piece", [" ", '"', "a="], ids=ascii)
def test_a_line_of_a_megabyte_takes_linear_time(piece: str) -> None:
    text = "password" + piece * (1_000_000 // len(piece)) + " password=hunter2"
    assert mask(text).endswith(" password=***")


def test_kept_text_is_taken_as_it_is() -> None:
    assert kept("password=hunter2") == "password=hunter2"
    assert type(kept("x")) is MaskedText
    assert type(mask("x")) is MaskedText


def test_bytes_that_were_no_utf8_survive() -> None:
    raw = b"caf\xe9 password=hunter2 \xff"
    masked = mask(raw.decode("utf-8", "surrogateescape"))
    assert masked.encode("utf-8", "surrogateescape") == b"caf\xe9 password=*** \xff"


@pytest.mark.parametrize(
    ("name", "secret", "near"),
    [
        ("password", True, False), ("DB_PASSWORDS", True, False), ("apiKey", True, False),
        ("privateKeyPem", False, False), ("npassword", True, False), ("CACHE_PASSWORD", True, False),
        ("password_2", True, False), ("pass", True, False),
        ("bypass", False, False), ("monkey", False, False), ("key", False, False), ("loki_key", False, True),
        ("public_key", False, False), ("secretName", False, False), ("token_file", False, False), ("", False, False),
        ("accessId", False, True), ("dockerconfigjson", True, False), ("kms_key", False, False),
    ],
    ids=str,
)  # fmt: skip
def test_names(name: str, secret: bool, near: bool) -> None:
    assert names_secret(name) is secret
    assert (nears_secret(name) and not names_secret(name)) is near


@pytest.mark.parametrize(
    ("value", "random"),
    [("8f1c0a52-3c1f-4a7e", True), ("aaaaaaaaaaaaaaa1", False), ("plain-english-words", False), ("short1", False),
     ("has blanks in 1t here", False)],
    ids=str,
)  # fmt: skip
def test_random_looking(value: str, random: bool) -> None:
    assert random_looking(value) is random
