// The server's interface: requests, and the stream of what happens.
import { probe } from "./probe.js";

async function request(path, options) {
    const reply = await fetch(path, { cache: "no-store", ...options });
    const text = await reply.text();
    let body = {};
    try {
        body = text ? JSON.parse(text) : {};
    } catch {
        body = { error: text };
    }
    if (!reply.ok && !("result" in body)) throw new Error(body.error?.message ?? body.error ?? `status ${reply.status}`);
    return body;
}

const post = (path, body) => request(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
});

export const scenarios = () => request("/api/scenarios");
export const settings = () => request("/api/settings");
export const theory = (q, z) => request(`/api/theory?q=${encodeURIComponent(q)}&z=${encodeURIComponent(z)}`);
export const start = (scenario, set) => post("/api/start", { scenario, set });
export const control = (what, value) => post("/api/control", value === undefined ? { do: what } : { do: what, value });
export const command = (line) => post("/api/command", { line });
export const measure = (body) => post("/api/measure", body);

// The reply of a node: its result, or an Error with its message.
export async function rpc(node, method, params = []) {
    const reply = await post(`/api/rpc?node=${node}`, { jsonrpc: "1.0", id: "page", method, params });
    if (reply.error) throw new Error(reply.error.message ?? String(reply.error));
    return reply.result;
}

// Follows the stream, from how many events are known; comes back by itself when the server does.
export function follow({ known, onEvent, onReset, onState, onMeasure, onLink }) {
    let source = null;
    function open() {
        source = new EventSource(`/api/events?from=${known()}`);
        source.addEventListener("open", () => onLink(true));
        source.addEventListener("lab", (message) => {
            const event = JSON.parse(message.data);
            probe.received(event.seq, message.timeStamp);
            if (!onEvent(event)) again(); // a gap: ask anew
        });
        source.addEventListener("reset", (message) => onReset(JSON.parse(message.data).seq));
        source.addEventListener("state", (message) => onState(JSON.parse(message.data)));
        source.addEventListener("measure", (message) => onMeasure(JSON.parse(message.data)));
        source.addEventListener("error", () => {
            onLink(false);
            again();
        });
    }
    function again() {
        source.close();
        setTimeout(open, 700);
    }
    open();
}
