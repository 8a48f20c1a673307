// Runs npm's `emulate` with a Slack of one bot and one person, on loopback only. Prints its address when it is ready.
import net from "node:net";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [folder, port] = process.argv.slice(2);
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...given) { // it would listen on every interface of the machine
  return typeof given[0] === "number" ? listen.call(this, given[0], "127.0.0.1") : listen.apply(this, given);
};

const api = path.join(folder, "node_modules", "emulate", "dist", "api.js");
const { createEmulator } = await import(pathToFileURL(api).href);
const running = await createEmulator({
  service: "slack",
  port: Number(port),
  seed: {
    slack: {
      users: [{ name: "ada", real_name: "Ada" }],
      channels: [{ name: "incidents" }],
      oauth_apps: [{
        client_id: "1.2", client_secret: "contract", app_id: "A0CONTRACT", name: "opsbot",
        redirect_uris: [], bot_id: "B0CONTRACT", bot_user_id: "U0CONTRACT", bot_name: "opsbot",
      }],
      tokens: [{ token: "xoxb-contract", type: "bot", user_id: "U0CONTRACT", app_id: "A0CONTRACT", bot_id: "B0CONTRACT" }],
    },
  },
});
console.log(running.url);
