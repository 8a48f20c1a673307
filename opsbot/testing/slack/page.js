// Draws what /state tells and posts what the person does to /act. Text of others only ever becomes text nodes:
// nothing here parses HTML, follows a link or loads anything from elsewhere.
"use strict";

const $ = (id) => document.getElementById(id);
const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const now = { person: "", channel: "", thread: "", drawn: "", view: "", pressing: false, state: null };

function el(name, attributes = {}, ...inside) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") made.className = value;
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value);
  }
  made.append(...inside.filter((part) => part !== null && part !== undefined));
  return made;
}

// mrkdwn ---------------------------------------------------------------------------------------------------------

const unescaped = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
const nameOf = (id) => (now.state?.people.find((one) => one.id === id) || { name: id }).name;
const channelOf = (id) => (now.state?.channels.find((one) => one.id === id) || { name: id }).name;

function bracketed(inside) {
  const [target, label] = inside.split(/\|(.*)/s, 2);
  if (target.startsWith("@")) return el("span", { class: "mention" }, "@" + nameOf(target.slice(1)));
  if (target.startsWith("#")) return el("span", { class: "mention" }, "#" + channelOf(target.slice(1)));
  if (target.startsWith("!date^")) return document.createTextNode(dated(target, label));
  if (target.startsWith("!")) return el("span", { class: "mention loud" }, "@" + target.slice(1).split("^")[0]);
  return el("span", { class: "link", title: unescaped(target) }, unescaped(label || target));
}

function dated(target, label) {
  const [, seconds, pattern] = target.split("^");
  const when = new Date(Number(seconds) * 1000);
  if (Number.isNaN(when.getTime())) return unescaped(label || target);
  const time = when.toLocaleTimeString([], CLOCK);
  return unescaped(pattern || "").replace(/\{time(_secs)?\}/g, time).replace(/\{[a-z_]+\}/g, when.toLocaleDateString());
}

const SPANS = [
  [/`([^`\n]+)`/, (found) => el("code", {}, unescaped(found[1]))],
  [/<([^<>\n]+)>/, (found) => bracketed(found[1])],
  [/(?<![\p{L}\p{N}*])\*(?! )([^*\n]+?)(?<! )\*(?![\p{L}\p{N}*])/u, (found) => el("strong", {}, ...inline(found[1]))],
  [/(?<![\p{L}\p{N}_])_(?! )([^_\n]+?)(?<! )_(?![\p{L}\p{N}_])/u, (found) => el("em", {}, ...inline(found[1]))],
  [/(?<![\p{L}\p{N}~])~(?! )([^~\n]+?)(?<! )~(?![\p{L}\p{N}~])/u, (found) => el("s", {}, ...inline(found[1]))],
];

function inline(text) {
  let first = null;
  for (const [pattern, make] of SPANS) {
    const found = pattern.exec(text);
    if (found && (!first || found.index < first.found.index)) first = { found, make };
  }
  if (!first) return text ? [unescaped(text)] : [];
  const { found, make } = first;
  const before = text.slice(0, found.index);
  return [...(before ? [unescaped(before)] : []), make(found), ...inline(text.slice(found.index + found[0].length))];
}

function lines(text) {
  const made = [];
  let list = null;
  for (const line of text.split("\n")) {
    const item = /^\s*[•◦]\s+(.*)$/.exec(line);
    if (item) {
      if (!list) made.push((list = el("ul")));
      list.append(el("li", {}, ...inline(item[1])));
      continue;
    }
    list = null;
    if (/^(&gt;|>)/.test(line)) made.push(el("blockquote", {}, ...inline(line.replace(/^(&gt;|>)\s?/, ""))));
    else made.push(el("div", { class: "text" }, ...(line ? inline(line) : ["\u00a0"])));
  }
  return made;
}

function mrkdwn(text) {
  const parts = String(text).split(/```\n?([\s\S]*?)\n?```/);
  return parts.flatMap((part, place) => {
    if (place % 2) return [el("pre", {}, unescaped(part))];
    const trimmed = part.replace(/^\n|\n$/g, "");
    return trimmed ? lines(trimmed) : [];
  });
}

const textOf = (value) =>
  !value ? [] : value.type === "mrkdwn" ? mrkdwn(value.text) : [el("div", { class: "text" }, value.text)];
const plain = (value) => (value ? String(value.text) : "");

// blocks ---------------------------------------------------------------------------------------------------------

function pressed(where, element, value) {
  return act({ do: "click", ts: where, action: element.action_id, ...(value === undefined ? {} : { value }) });
}

async function confirmed(ask) {
  return !ask || window.confirm([plain(ask.title), plain(ask.text)].join("\n\n"));
}

function drawnElement(element, where) {
  if (element.type === "button") {
    const style = element.style === "danger" ? "danger" : element.style === "primary" ? "primary" : "";
    const press = async (event) => {
      const button = event.currentTarget;
      if (!(await confirmed(element.confirm))) return;
      button.disabled = true;
      await pressed(where, element);
      setTimeout(() => { button.disabled = false; }, 1500);
    };
    const attributes = { type: "button", class: style, "data-action": element.action_id, onclick: press };
    if (element.accessibility_label) attributes["aria-label"] = element.accessibility_label;
    return el("button", attributes, plain(element.text));
  }
  if (element.options) {
    const choose = (event) => event.target.value && pressed(where, element, event.target.value);
    return el("select", { onchange: choose, "aria-label": plain(element.placeholder) || element.action_id },
      el("option", { value: "" }, plain(element.placeholder) || "⋯"), ...options(element));
  }
  return strange(element.type);
}

const options = (element) => (element.options || []).map((one) => el("option", { value: one.value }, plain(one.text)));
const strange = (kind) => el("span", { class: "strange" }, `(${kind} is not drawn here)`);

const BLOCKS = {
  header: (block) => [el("h3", {}, plain(block.text))],
  divider: () => [el("hr")],
  context: (block) => [el("div", { class: "context" }, ...block.elements.map((one) =>
    one.type === "image" ? strange(one.alt_text) : el("div", {}, ...textOf(one))))],
  actions: (block, where) => [el("div", { class: "actions" }, ...block.elements.map((one) => drawnElement(one, where)))],
  section: (block, where) => {
    const words = el("div", {}, ...textOf(block.text));
    if (block.fields) {
      words.append(el("div", { class: "fields" }, ...block.fields.map((one) => el("div", {}, ...textOf(one)))));
    }
    return [block.accessory ? el("div", { class: "row" }, words, drawnElement(block.accessory, where)) : words];
  },
  image: (block) => [strange(block.alt_text)],
};

const drawnBlocks = (blocks, where) =>
  blocks.flatMap((block) => (BLOCKS[block.type] ? BLOCKS[block.type](block, where) : [strange(block.type)]));

// messages -------------------------------------------------------------------------------------------------------

function hue(id) {
  return String([...id].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 360, 7));
}

function face(id) {
  const made = el("div", { class: "face", "aria-hidden": "true" }, nameOf(id).slice(0, 1).toUpperCase());
  made.style.setProperty("--hue", hue(id));
  return made;
}

function drawnMessage(message, inThread) {
  const when = new Date(Number(message.ts) * 1000);
  const bot = now.state.people.some((one) => one.id === message.user && one.bot);
  const head = el("div", {},
    el("span", { class: "who" }, nameOf(message.user)),
    bot ? el("span", { class: "app" }, "APP") : null,
    el("time", { datetime: when.toISOString(), title: when.toLocaleString() },
      when.toLocaleTimeString([], CLOCK)),
    message.edited && !message.blocks?.length ? el("span", { class: "note" }, "(edited)") : null,
    message.private ? el("span", { class: "note" }, "Only visible to you") : null);
  const body = message.blocks?.length
    ? el("div", { class: "card" }, ...drawnBlocks(message.blocks, message.ts))
    : el("div", {}, ...mrkdwn(message.text));
  const count = message.reply_count || 0;
  const label = count ? `${count} ${count === 1 ? "reply" : "replies"}` : "Reply in thread";
  const foot = inThread || message.private ? null
    : el("div", { class: "foot" }, el("button", { type: "button", onclick: () => openThread(message.ts) }, label));
  return el("article", { class: message.private ? "private" : "", "data-ts": message.ts },
    face(message.user), el("div", { class: "says" }, head, body), foot);
}

function fill(place, messages, inThread, empty) {
  const atEnd = place.scrollHeight - place.scrollTop - place.clientHeight < 40;
  const drawn = messages.map((message) => drawnMessage(message, inThread));
  place.replaceChildren(...(drawn.length ? drawn : [el("p", { class: "empty" }, empty)]));
  if (atEnd) place.scrollTop = place.scrollHeight;
}

function openThread(ts) {
  now.thread = ts;
  draw();
  $("answer").focus();
}

// modal ----------------------------------------------------------------------------------------------------------

function field(block) {
  const element = block.element;
  const attributes = { name: element.action_id, "data-block": block.block_id };
  const input = element.options ? el("select", attributes, el("option", { value: "" }, "…"), ...options(element))
    : el(element.multiline ? "textarea" : "input", attributes);
  if (element.max_length) input.maxLength = element.max_length;
  if (element.initial_value) input.value = element.initial_value;
  if (element.placeholder && !element.options) input.placeholder = plain(element.placeholder);
  return el("label", { class: "field" }, el("span", {}, plain(block.label), block.optional ? " (optional)" : ""),
    input, block.hint ? el("small", {}, plain(block.hint)) : null,
    el("p", { class: "wrong", "data-wrong": block.block_id }));
}

function drawModal(view) {
  const dialog = $("modal");
  if (!view) {
    now.view = "";
    if (dialog.open) dialog.close();
    return;
  }
  if (now.view !== view.id + view.hash) {
    now.view = view.id + view.hash;
    $("title").textContent = plain(view.title);
    $("send").textContent = plain(view.submit) || "Submit";
    $("send").hidden = !view.submit;
    $("cancel").textContent = plain(view.close) || "Cancel";
    const parts = view.blocks.flatMap((block) => (block.type === "input" ? [field(block)] : drawnBlocks([block], view.id)));
    $("fields").replaceChildren(...parts);
    if (!dialog.open) dialog.showModal();
    $("fields").querySelector("input, textarea, select")?.focus();
  }
  for (const place of $("fields").querySelectorAll("[data-wrong]")) {
    place.textContent = view.errors[place.dataset.wrong] || "";
  }
  $("wrong").textContent = view.errors[""] || "";
}

// talk with the server -------------------------------------------------------------------------------------------

let fading = 0;
function notice(text) {
  $("notice").textContent = text;
  $("notice").hidden = !text;
  clearTimeout(fading);
  fading = setTimeout(() => { $("notice").hidden = true; }, 6000);
}

async function act(what) {
  try {
    const said = await fetch("/act", {
      method: "POST", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ person: now.person, channel: now.channel, ...what }),
    });
    const told = said.ok ? await said.json() : { ok: false, error: await said.text() };
    if (!told.ok) notice(told.error);
    await look();
    setTimeout(look, 250);
    return told.ok;
  } catch (error) {
    notice("The server does not answer: " + error.message);
    return false;
  }
}

async function look() {
  try {
    const query = new URLSearchParams({ person: now.person, channel: now.channel });
    const text = await (await fetch("/state?" + query, { cache: "no-store" })).text();
    if (text === now.drawn || now.pressing) return;
    now.drawn = text;
    now.state = JSON.parse(text);
    draw();
  } catch {
    now.drawn = "";
    line("This chat has ended.", true);
  }
}

function line(text, off) {
  $("line").textContent = text;
  $("line").className = off ? "off" : "";
}

function draw() {
  const state = now.state;
  now.channel = state.channel;
  $("channel").textContent = channelOf(state.channel);
  line(state.connections ? "opsbot is connected" : "opsbot is not connected", !state.connections);
  drawPeople(state);
  drawChannels(state);
  const top = state.messages.filter((message) => !message.root);
  fill($("feed"), top, false, "Nothing has happened yet. Type /opsbot help below.");
  $("side").hidden = !now.thread;
  if (now.thread) {
    const inside = state.messages.filter((message) => message.ts === now.thread || message.root === now.thread);
    fill($("thread"), inside, true, "This message is gone.");
  }
  drawModal(state.view);
}

function drawPeople(state) {
  const people = state.people.filter((one) => !one.bot);
  const known = people.map((one) => one.id + one.name).join();
  if ($("me").dataset.known !== known) {
    $("me").dataset.known = known;
    $("me").replaceChildren(...people.map((one) => el("option", { value: one.id }, one.name)));
  }
  if (!people.some((one) => one.id === now.person)) {
    now.person = people[0]?.id || "";
    if (now.person) setTimeout(look, 0);
  }
  $("me").value = now.person;
}

function drawChannels(state) {
  const others = state.channels.filter((one) => one.id !== state.channel);
  $("channels").replaceChildren(...others.map((one) =>
    el("button", { type: "button", onclick: () => { now.channel = one.id; now.thread = ""; look(); } }, one.name)));
}

function composing(form, area, thread) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = area.value.trim();
    if (text && (await act({ do: "write", text, thread: thread() }))) area.value = "";
  });
  area.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
}

composing($("say"), $("words"), () => "");
composing($("reply"), $("answer"), () => now.thread);
$("unthread").addEventListener("click", () => { now.thread = ""; draw(); });
$("me").addEventListener("change", (event) => { now.person = event.target.value; look(); });
$("modal").addEventListener("cancel", (event) => { event.preventDefault(); $("cancel").click(); });
$("cancel").addEventListener("click", () => act({ do: "close", view: now.state.view.id }));
$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const inputs = [...$("fields").querySelectorAll("[data-block]")];
  act({ do: "submit", view: now.state.view.id, values: Object.fromEntries(inputs.map((one) => [one.name, one.value])) });
});

// A button that is redrawn between press and release would never be clicked.
addEventListener("pointerdown", () => { now.pressing = true; });
for (const end of ["pointerup", "pointercancel", "blur"]) addEventListener(end, () => { now.pressing = false; });

const asked = new URLSearchParams(location.search);
now.person = asked.get("person") || "";
now.thread = asked.get("thread") || "";
look();
setInterval(look, 1000);
