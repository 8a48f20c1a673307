"""A small Slack in memory: Web API, Socket Mode, people who type and click, and a page to watch it all.

    slack = FakeSlack(clock)               # `clock`: callable -> aware datetime; none: a ManualClock that stands still
    slack.person("U1", "ada")              # also .add_channel("C9", "other", joined=False)
    with slack.serve() as url:             # "http://127.0.0.1:PORT" draws the page; the API is at url + "/api/"
        client = WebClient(slack.bot_token, base_url=url + "/api/")
        SocketModeHandler(App(client=client), slack.app_token).connect()
        slack.wait_connected()             # a socket has said hello (wait_connected(2): two of them)
        done = slack.type_command("U1", "/opsbot", "show 1")   # a Delivery, on its way already
        done.wait()                        # acked in time; done.acked_after in seconds, done.answer the ack's payload
        slack.wait_for(lambda: slack.messages())   # polls; the first truthy value, or AssertionError after 5 s

Names: bot_token, app_token, signing_secret, team, app, bot (B...), bot_user (U...), channel, url (while serving).

Acts of people (channel defaults to `slack.channel`): type_command(user, command, text, channel),
mention(user, text, channel, thread_ts), say(user, text, channel, thread_ts), click(user, ts, action_id, value=None),
submit(user, view_id, {action_id: text}), close(user, view_id). LookupError when the button or field is not there.
An act while nothing is connected is remembered with `failed == "no_connection"`: signed_request can carry it then.

Hostile or late: replay(delivery); forge(delivery, team=, app=, channel=, user=, value=) sends a changed copy;
forged(payload, {"team": ...}) only makes it; deliver(kind, payload) sends anything, of kind "slash_commands",
"interactive" or "events_api". Over HTTP: signed_request(delivery, at=None, secret="") -> Signed(body, headers), and
sign(secret, timestamp, body) -> "v0=...".

To look at: messages(channel, thread_ts) -> [Message(ts, channel, user, text, blocks, thread_ts, edited, metadata)]:
a channel's top level, or one thread with its root first; message(ts); ephemeral(user) -> [Message]; view(user) -> View
or None (the open modal: id, callback_id, private_metadata, title, blocks, errors); calls -> [Call(method, args, ok,
error)]; sent -> [Delivery]; ack_times in seconds; failed -> [Delivery]; connections (how many).

Trouble: fail_next(fault, method, times) with rate_limited(3), server_error(), lost_answer(), hang(), dead() or
slack_error("fatal_error"); down() and up(); disconnect() asks clients to come again; drop() breaks the sockets;
FakeSlack(rate_limited=True) allows one chat.postMessage per second and channel by `clock`.
"""

from __future__ import annotations

from opsbot.testing.slack.api import Call
from opsbot.testing.slack.deliveries import Delivery
from opsbot.testing.slack.fake import FakeSlack
from opsbot.testing.slack.faults import Fault, dead, hang, lost_answer, rate_limited, server_error, slack_error
from opsbot.testing.slack.signing import Signed, sign
from opsbot.testing.slack.world import Channel, Message, Person, View

__all__ = [
    "Call", "Channel", "Delivery", "FakeSlack", "Fault", "Message", "Person", "Signed", "View", "dead", "hang",
    "lost_answer", "rate_limited", "server_error", "sign", "slack_error",
]  # fmt: skip
