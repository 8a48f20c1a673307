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
        pytest.param('password = os.Getenv("DB_PASSWORD")', id="call with the name of a variable"),
        pytest.param('password: viper.GetString("db.password")', id="call with the name of a setting"),
        pytest.param("password=SecretStr('**********')", id="masked by its type"),
        pytest.param("http://registry:5000/shop/app@sha256:0a1b", id="port and digest"),
        pytest.param("http://[::1]:8080/x@y", id="ipv6 host and at"),
        pytest.param("git+ssh://git@example.org:shop/app@v1.0", id="git address"),
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


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        pytest.param("\x1b[36mpassword\x1b[0m=hunter2sek", "\x1b[36mpassword\x1b[0m=***", id="name"),
        pytest.param("password\x1b[2m=\x1b[0m\x1b[1;32mhunter2sek\x1b[0m on",
                     "password\x1b[2m=\x1b[0m\x1b[1;32m***\x1b[0m on", id="sign and value"),
        pytest.param('\x1b[34m"password"\x1b[0m: \x1b[32m"hunter2sek"\x1b[0m,',
                     '\x1b[34m"password"\x1b[0m: \x1b[32m"***"\x1b[0m,', id="quotes"),
        pytest.param("password=hunt\x1b[1mer2sek\x1b[0m on", "password=***\x1b[0m on", id="inside a value"),
        pytest.param(f"\x1b[31m{GITHUB}\x1b[0m", "\x1b[31m***\x1b[0m", id="token"),
        pytest.param(f"pushed\x1b[0m{GITHUB}", "pushed\x1b[0m***", id="token right after a word"),
        pytest.param(r'"\u001b[36mpassword\u001b[0m=hunter2sek on"', r'"\u001b[36mpassword\u001b[0m=*** on"',
                     id="escaped as in JSON"),
        pytest.param("password=hunter2sek\nlogin \x1b[31mhunter2sek\x1b[0m failed",
                     "password=***\nlogin \x1b[31m***\x1b[0m failed", id="learnt elsewhere"),
        pytest.param("\x1b[36mpassword\x1b[0m=hunter2sek\nlogin hunter2sek failed",
                     "\x1b[36mpassword\x1b[0m=***\nlogin *** failed", id="learnt in colour"),
        pytest.param("from \x1b[32m54.1.2.3\x1b[0m", "from \x1b[32m***\x1b[0m", id="address"),
    ],
)  # fmt: skip
def test_colours_hide_no_secret(text: str, masked: str) -> None:
    assert mask(text) == masked
    assert mask(masked) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        pytest.param("'password': b'hunter2sek', 'n': 1", "'password': b'***', 'n': 1", id="bytes"),
        pytest.param("password=u'hunter2sek'", "password=u'***'", id="unicode"),
        pytest.param('password: r"hunter 2sek"', 'password: r"***"', id="raw"),
        pytest.param("password=SecretStr('hunter2sek')", "password=SecretStr('***')", id="secret text"),
        pytest.param("password=pydantic.SecretStr('hunter2sek')", "password=pydantic.SecretStr('***')", id="dotted"),
        pytest.param("token=Secret(value='hunter2sek')", "token=Secret(value='***')", id="named argument"),
        pytest.param("token=Secret(value=b'hunter2sek')", "token=Secret(value=b'***')", id="bytes in a type"),
        pytest.param('password: Some("hunter2sek")', 'password: Some("***")', id="option"),
        pytest.param('password: String::from("hunter2sek")', 'password: String::from("***")', id="conversion"),
        pytest.param('clientSecret := []byte("hunter2sek")', 'clientSecret := []byte("***")', id="slice of bytes"),
        pytest.param('password = new String("hunter2sek")', 'password = new String("***")', id="new"),
    ],
)
def test_what_wraps_a_literal_stays(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        pytest.param("postgres://bob:pa/ss@h/db", "postgres://bob:***@h/db", id="slash"),
        pytest.param("redis://:pa/ss@h:6379/0", "redis://:***@h:6379/0", id="slash, no user"),
        pytest.param("amqp://u:p?w#1/x@h:1/v", "amqp://u:***@h:1/v", id="question mark and hash"),
        pytest.param("mysql://u:p'w1@h/x", "mysql://u:***@h/x", id="quote"),
        pytest.param("amqp://u:p/w1@h1,amqp://u:p/w2@h2", "amqp://u:***@h1,amqp://u:***@h2", id="list"),
        pytest.param("jdbc:oracle:thin:scott/tiger9@//h:1521/x", "jdbc:oracle:thin:scott/***@//h:1521/x", id="oracle"),
        pytest.param("ftp://a@b.org:hunter2@h/x", "ftp://***:***@h/x", id="address as user"),
        pytest.param("postgres://bob:hunter2@db.example.com/x", "postgres://bob:***@db.example.com/x", id="host stays"),
    ],
)
def test_odd_passwords_in_urls_go(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        pytest.param('<password type="x">secret</password>', '<password type="x">***</password>', id="attribute"),
        pytest.param("<apiKey>a b&amp;c</apiKey>", "<apiKey>***</apiKey>", id="blank and entity"),
        pytest.param("<w:secret>hunter2</w:secret><n>1</n>", "<w:secret>***</w:secret><n>1</n>", id="namespace"),
        pytest.param("<password>\n  hunter2\n</password>", "<password>\n  ***\n</password>", id="on its own line"),
        pytest.param("<password><![CDATA[hunter2]]></password>", "<password><![CDATA[***]]></password>", id="cdata"),
        pytest.param("<property><name>db.password</name><value>hunter2</value></property>",
                     "<property><name>db.password</name><value>***</value></property>", id="property"),
        pytest.param("<password/><user>bob</user>", "<password/><user>bob</user>", id="empty"),
        pytest.param("<password>${db.password}</password>", "<password>${db.password}</password>", id="variable"),
        pytest.param("<td>password</td><td>bob</td>", "<td>password</td><td>bob</td>", id="another element"),
    ],
)  # fmt: skip
def test_elements(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        pytest.param("api key: hunter2sek", "api key: ***", id="api key"),
        pytest.param("the API Key: abc123 was refused", "the API Key: *** was refused", id="in a sentence"),
        pytest.param("secret key = hunter", "secret key = ***", id="secret key"),
        pytest.param("secret access key: 'hunter sek'", "secret access key: '***'", id="quoted"),
        pytest.param("access token: hunter2sek", "access token: ***", id="access token"),
        pytest.param("api key: not found", "api key: not found", id="prose"),
        pytest.param("api key: invalid", "api key: invalid", id="a word"),
        pytest.param("public key: abc123", "public key: abc123", id="public key"),
    ],
)
def test_names_with_a_blank(text: str, masked: str) -> None:
    assert mask(text) == masked


BODY = base64.b64encode(random.Random(7).randbytes(250)).decode()
KEY = [BODY[at : at + 64] for at in range(0, len(BODY), 64)]
END = "-----END RSA PRIVATE KEY-----"
PREFIXES = {"bare": "", "time": "2026-01-01T00:00:00.123Z ", "container": "web-1 | ", "pod": "[pod/web/app] "}


@pytest.mark.parametrize("prefix", PREFIXES.values(), ids=PREFIXES)
@pytest.mark.parametrize(
    ("before", "after"),
    [([], [END]), (["-----BEGIN RSA PRIVATE KEY-----"], []), ([], []), ([KEY[0][40:]], [END])],
    ids=["no begin", "no end", "neither", "cut line"],
)
def test_a_part_of_a_private_key_goes_line_by_line(prefix: str, before: list[str], after: list[str]) -> None:
    cut, marks = [line for line in before if "-" not in line], [line for line in before if "-" in line]
    lines = ["starting now", *marks, *cut, *KEY[1:], *after, "ready to serve"]
    masked = mask("\n".join(prefix + line for line in lines)).split("\n")
    hidden = [MASK] * len([*cut, *KEY[1:]])
    assert masked == [prefix + line for line in ["starting now", *marks, *hidden, *after, "ready to serve"]]


def test_a_part_of_a_private_key_in_a_json_log_goes() -> None:
    masked = mask("\n".join(json.dumps({"log": line + "\n", "stream": "stdout"}) for line in KEY))
    assert [json.loads(line) for line in masked.split("\n")] == [{"log": "***\n", "stream": "stdout"}] * len(KEY)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\n".join(["-----BEGIN CERTIFICATE-----", *KEY, "-----END CERTIFICATE-----"]), id="certificate"),
        pytest.param("\n".join(["-----BEGIN CERTIFICATE-----", *KEY]), id="certificate without end"),
        pytest.param("\n".join([*KEY, "-----END CERTIFICATE-----", "x"]), id="certificate without begin"),
        pytest.param("image " + BODY, id="one long line"),
        pytest.param(KEY[0] + "\nready", id="one line alone"),
        pytest.param("\n".join(["0a1b2c3d4e5f6789" * 4] * 3), id="digests"),
        pytest.param("\n".join(f"github.com/a/b v1.0.{n} h1:{KEY[0][:43]}=" for n in range(3)), id="sums of modules"),
        pytest.param("\n".join(f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA{KEY[0][:40]} bob" for _ in range(3)),
                     id="public keys"),
    ],
)  # fmt: skip
def test_base64_that_is_no_private_key_stays(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        pytest.param("mail bob.lee+x@example.com.", "mail ***.", id="e-mail"),
        pytest.param("<o'brien@mail.example.org>", "<***>", id="e-mail with apostrophe"),
        pytest.param(r'"to\nbob@example.com"', r'"to\n***"', id="e-mail after an escape"),
        pytest.param(r"\u003cbob@example.com\u003e", r"\u003c***\u003e", id="e-mail between escapes"),
        pytest.param("from 54.1.2.3:443 to 10.0.0.1", "from ***:443 to 10.0.0.1", id="ipv4 with port"),
        pytest.param("54.1.2.3 - - [01/Jan", "*** - - [01/Jan", id="ipv4 of an access log"),
        pytest.param("client:54.1.2.3, client=1.2.3.4", "client:***, client=***", id="ipv4 after a name"),
        pytest.param("from 8.8.8.8", "from ***", id="ipv4 with small numbers"),
        pytest.param("node-1/54.1.2.3 example.org/54.1.2.3:80", "node-1/*** example.org/***:80", id="ipv4 of Java"),
        pytest.param("54.1.2.3-54.1.2.9 54.1.2.0/24", "*** ***/24", id="ipv4 range"),
        pytest.param("::ffff:54.1.2.3", "::ffff:***", id="ipv4 in ipv6"),
        pytest.param("[2a00:1450:4001:81b::200e]:443", "[***]:443", id="ipv6"),
        pytest.param("card 4111111111111111 12/27", "card *** 12/27", id="card"),
        pytest.param("4111-1111-1111-1111, 3782 822463 10005", "***, ***", id="card in groups"),
        pytest.param("to DE89370400440532013000.", "to ***.", id="account"),
        pytest.param("GB82 WEST 1234 5698 7654 32 to it", "*** to it", id="account in groups"),
        pytest.param("gb82west12345698765432", "***", id="account in small letters"),
    ],
)
def test_personal_data_goes(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("10.1.2.3 192.168.0.1 172.16.9.9 127.0.0.1 169.254.169.254 0.0.0.0/0 255.255.255.0 224.0.0.251",
                     id="private and reserved"),
        pytest.param("::1 fe80::1 fd00::1 2001:db8::1 a::b 12:30:45 00:1b:44:11:3a:b7", id="not public, no address"),
        pytest.param("nginx:54.1.2.3 example.org/shop/app:54.1.2.3", id="image tag"),
        pytest.param('v54.1.2.3 version 54.1.2.3 "version": "54.1.2.3" tag=54.1.2.3', id="version"),
        pytest.param("app-54.1.2.3.tgz lib.so.54.1.2.3 app==54.1.2.3 Chrome/120.0.0.0", id="version in a name"),
        pytest.param("fixed in 1.8.1.2, broken since 1.7.0.4", id="version in a sentence"),
        pytest.param("1.3.6.1.4.1.311 300.1.2.3 01.02.03.04", id="numbers with dots"),
        pytest.param("git@github.com:shop/app.git getty@tty1.service icon@2x.png", id="no e-mail: units and files"),
        pytest.param("lodash@4.17.21 root@web-0 app@sha256:0a1b up@start()", id="no e-mail: no domain"),
        pytest.param("4111111111111112 1700000000000000 1700000000000 123456789012345678", id="wrong checksum, times"),
        pytest.param('trace_id=4111111111111111 "uid": "4111111111111111"', id="ids"),
        pytest.param("0.4111111111111111 4111111111111111.5 a4111111111111111", id="parts of numbers"),
        pytest.param("DE89370400440532013001 DE8937040044053201300 ZZ89370400440532013000", id="no account"),
    ],
)  # fmt: skip
def test_what_is_no_personal_data_stays(text: str) -> None:
    assert mask(text) == text


def test_an_address_is_not_looked_for_in_versions() -> None:
    assert mask("from 54.1.2.3:80\nimage: app:54.1.2.3") == "from ***:80\nimage: app:54.1.2.3"


def test_personal_data_in_a_tree_goes() -> None:
    assert mask_tree({"owner": "bob@example.com", "n": [1, "54.1.2.3"]}) == {"owner": MASK, "n": [1, MASK]}


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
    "\x1b[36m", "\x1b[0m", "b'", "SecretStr(", "</", "<password>", "</password>", "api key", "bob@example.com", "@",
    "54.1.2.3", "4111111111111111", "GB82 WEST 1234 5698 7654 32", "2a00:1450::1", "A1b2" * 16 + "\n", "-", ".", "/",
    "-----BEGIN CERTIFICATE-----",
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
     "token=${", "password: |\n ", "key='\"", "=", "\t",
     "\x1b[0m", "key\x1b[0m=", "key=a.", "key=of(", "://a:b/@", "<key>a ", "<key><![CDATA[", "<name>key</name>",
     "api key ", "a@", "a@b.", "54.1.2.3 ", "2000:", "4 ", "4111 1111 1111 1111 ", "GB82 WEST ", "A1b2" * 16 + "\n",
     "A1b= ", "-----END PRIVATE KEY-----\n",
     "-----BEGIN CERTIFICATE-----", "---\n", "- ",
     "hunter2.", "token, \"", "ghp_", "key>"],
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
