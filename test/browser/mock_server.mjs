// A server with made-up events, by the interface of doc/rooms/lab.md: for drawing more blocks and nodes in a moment than
// whole nodes would make in a test's time, and for working at the page without a build.
//   node mock_server.mjs [PORT]
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const PAGE = join(dirname(fileURLToPath(import.meta.url)), "../../src/lab/page");
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

const SETUP = {
    seed: "7", honest: "3", watchers: "0", merchant: "yes", q: "30%", added: "no", block: "10m", latency: "2s",
    strategy: "none", confirmations: "3", premine: "0", patience: "20", budget: "0", gamma: "0%", pay: "20m",
};
const SCENARIOS = [
    { name: "double-spend", title: "Double spend", about: "An attacker pays a merchant and mines a secret branch.",
        question: "How many confirmations would have been enough?", setup: SETUP },
    { name: "partition", title: "Partition and heal", about: "Two halves mine on. The link returns.", question: "",
        setup: { ...SETUP, q: "0%" } },
    { name: "crowd", title: "A crowd", about: "Sixty nodes.", question: "", setup: { ...SETUP, honest: "40", watchers: "17" } },
];

function random(seed) {
    let a = seed >>> 0;
    return () => {
        a = (a + 0x6d2b79f5) >>> 0;
        let t = Math.imul(a ^ (a >>> 15), a | 1);
        t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
        return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
}

const hex = (n, length) => n.toString(16).padStart(length, "0");

// A world of made-up nodes: everybody hears of a block after a while and takes the highest.
export class World {
    constructor(scenario) {
        this.setup = scenario.setup;
        this.events = [];
        this.t = 0;
        this.random = random(Number(this.setup.seed) + 1);
        this.nodes = [];
        this.blocks = [{ id: 0, parent: null, height: 200 }];
        this.queue = []; // [t, what]
        this.orders = [];
        this.q = parseFloat(this.setup.q) / 100;
        this.secret = null;
        this.attackFrom = 0;
        this.halves = false;
        this.emit("start", { scenario: scenario.name, seed: this.setup.seed });
        const add = (name, role, power) => {
            const node = { id: this.nodes.length, name, role, power, tip: 0 };
            this.nodes.push(node);
            this.emit("node", { node: node.id, name, role, power: Math.round(power * 1e6) });
        };
        const honest = Number(this.setup.honest);
        for (let i = 1; i <= honest; i++) add(`honest ${i}`, "honest", (1 - this.q) / honest);
        for (let i = 1; i <= Number(this.setup.watchers); i++) add(`watcher ${i}`, "watcher", 0);
        add("merchant", "merchant", 0);
        this.merchant = this.nodes.length - 1;
        if (this.q) {
            add("outlet", "outlet", 0);
            add("hideout", "hideout", this.q);
        }
        for (const n of this.nodes) this.emit("tip", { node: n.id, block: 0, height: 200 });
        this.emit("say", { text: "Three honest miners and a merchant agree on one chain. Watch which tip each of them believes." });
        this.later(this.gap(), () => this.mine());
    }

    emit(e, fields) {
        this.events.push({ seq: this.events.length, t: Math.round(this.t), e, ...fields });
    }

    gap() {
        return -Math.log(1 - this.random()) * 600e6;
    }

    later(us, what) {
        this.queue.push([this.t + us, what]);
        this.queue.sort((a, b) => a[0] - b[0]);
    }

    next() {
        return this.queue.length ? this.queue[0][0] : Infinity;
    }

    step() {
        const before = this.events.length;
        while (this.queue.length && this.events.length === before) {
            const [t, what] = this.queue.shift();
            this.t = t;
            what();
        }
    }

    mine() {
        this.later(this.gap(), () => this.mine());
        let pick = this.random();
        const node = this.nodes.find((n) => (pick -= n.power) < 0) ?? this.nodes[0];
        const attacker = node.role === "hideout";
        const secret = attacker && this.secret !== null;
        const parent = secret ? this.secret : node.tip;
        const block = { id: this.blocks.length, parent, height: this.blocks[parent].height + 1, attacker };
        this.blocks.push(block);
        this.emit("block", { node: node.id, block: block.id, parent, height: block.height, txs: Math.floor(this.random() * 6),
            attacker, secret, hash: hex(block.id * 7919, 64) });
        if (secret) {
            this.secret = block.id;
            this.setTip(node, block.id);
            this.consider();
        } else {
            this.spread(block.id, node);
        }
    }

    spread(block, from) {
        this.setTip(from, block);
        for (const n of this.nodes) {
            if (n === from || (n.role === "hideout" && this.secret !== null)) continue;
            if (this.halves && n.id % 2 !== from.id % 2) continue;
            this.later(this.random() * 4e6, () => this.setTip(n, block));
        }
    }

    setTip(node, to) {
        const old = node.tip;
        if (this.blocks[to].height <= this.blocks[old].height && old !== to) return;
        if (old === to) return;
        let fork = old;
        let at = to;
        while (fork !== at) {
            if (this.blocks[fork].height >= this.blocks[at].height) fork = this.blocks[fork].parent;
            else at = this.blocks[at].parent;
        }
        const depth = this.blocks[old].height - this.blocks[fork].height;
        node.tip = to;
        if (depth > 0) this.emit("reorg", { node: node.id, block: to, old, depth, returned: depth, conflicted: depth > 2 ? 1 : 0 });
        this.emit("tip", { node: node.id, block: to, height: this.blocks[to].height });
        this.emit("pool", { node: node.id, txs: Math.floor(this.random() * 30) });
        if (depth > 2) this.emit("alarm", { node: node.id, what: "reorganisation", value: depth });
        if (node.id === this.merchant) this.book(depth);
        if (node.role === "outlet" && this.secret !== null) this.consider();
    }

    book(depth) {
        for (const o of this.orders) {
            if (o.state === "lost") continue;
            const deep = this.blocks[this.nodes[this.merchant].tip].height - o.height;
            if (o.theft && depth > 2) {
                o.state = "lost";
                this.emit("ledger", { order: o.id, confirmations: 0, sat: o.sat, state: "lost" });
                this.emit("attack", { what: "won", lead: 1, confirmations: deep });
                this.emit("say", { text: "The branch with the payment is stale now. The goods are gone, and so is the money." });
                continue;
            }
            const state = deep >= Number(this.setup.confirmations) ? "delivered" : deep > 0 ? "confirmed" : "waiting";
            if (deep <= 9) this.emit("ledger", { order: o.id, confirmations: deep, sat: o.sat, state });
            o.state = state;
        }
    }

    consider() {
        const best = Math.max(...this.nodes.filter((n) => n.role !== "hideout").map((n) => this.blocks[n.tip].height));
        const lead = this.blocks[this.secret].height - best;
        const deep = best - this.attackFrom;
        this.emit("attack", { what: lead > 0 ? "leads" : "begins", lead, confirmations: deep });
        if (lead > 0 && deep >= Number(this.setup.confirmations)) this.publish();
    }

    publish() {
        if (this.secret === null) throw new Error("there is nothing to publish");
        const tip = this.secret;
        this.emit("attack", { what: "publishes", lead: 1, confirmations: 3 });
        for (let at = tip; at && this.blocks[at].attacker && !this.blocks[at].shown; at = this.blocks[at].parent) {
            this.blocks[at].shown = true;
            this.emit("shown", { block: at });
        }
        this.secret = null;
        this.spread(tip, this.nodes[this.nodes.length - 2]);
    }

    pay(theft) {
        const o = { id: this.orders.length, sat: 1e8, theft, state: "waiting",
            height: this.blocks[this.nodes[this.merchant].tip].height };
        this.orders.push(o);
        this.emit("payment", { node: this.merchant, order: o.id, sat: o.sat, theft, txid: hex(o.id * 104729 + 17, 64) });
        this.emit("ledger", { order: o.id, confirmations: 0, sat: o.sat, state: "waiting" });
        if (theft) this.emit("conflict", { order: o.id, txid: hex(o.id * 15485863 + 5, 64) });
    }

    command(line) {
        const [word, value] = line.split(" ");
        const orders = {
            attack: () => {
                if (!this.q) throw new Error("there is no attacker: give it hash power first");
                const hideout = this.nodes[this.nodes.length - 1];
                this.pay(true);
                this.secret = hideout.tip;
                this.attackFrom = this.blocks[hideout.tip].height;
                this.emit("attack", { what: "begins", lead: 0, confirmations: 0 });
                this.emit("say", { text: "The attacker has paid and mines in secret a branch in which the same coin goes back to it. " +
                    "The merchant sees nothing of it." });
            },
            publish: () => this.publish(),
            pay: () => this.pay(false),
            partition: () => {
                this.halves = true;
                this.emit("link", { what: "partition", node: null });
                for (const n of this.nodes) this.emit("side", { node: n.id, side: n.id % 2 });
            },
            heal: () => {
                this.halves = false;
                this.emit("link", { what: "heal", node: null });
                const best = this.nodes.filter((n) => n.role !== "hideout").reduce((a, b) =>
                    (this.blocks[b.tip].height > this.blocks[a.tip].height ? b : a));
                for (const n of this.nodes) if (n.role !== "hideout") this.later(2e6, () => this.setTip(n, best.tip));
            },
            "give-up": () => {
                this.secret = null;
                this.emit("attack", { what: "gave up", lead: 0, confirmations: 0 });
            },
            power: () => {
                const q = parseFloat(value) / 100;
                this.q = q;
                for (const n of this.nodes) {
                    if (n.role === "hideout") n.power = q;
                    if (n.role === "honest") n.power = (1 - q) / Number(this.setup.honest);
                    if (n.power) this.emit("power", { node: n.id, power: Math.round(n.power * 1e6) });
                }
            },
        };
        this.emit("command", { line });
        (orders[word] ?? (() => {}))();
    }
}

// ---- the server ----

export function serve(port) {
    const streams = new Set();
    const play = { world: null, scenario: null, playing: false, speed: 600, branch: 0, orders: [] };

    function state() {
        const w = play.world;
        return { scenario: play.scenario?.name ?? "", title: play.scenario?.title ?? "", seed: w?.setup.seed ?? "", t: w?.t ?? 0,
            seq: w?.events.length ?? 0, speed: play.speed, playing: play.playing, over: false, live: false, outcome: "",
            failure: null, log: "", branch: play.branch, setup: w?.setup ?? null };
    }

    const send = (stream, event, data) => stream.reply.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    function flush() {
        const events = play.world?.events ?? [];
        for (const s of streams) {
            let text = "";
            for (; s.at < events.length; s.at++) text += `event: lab\nid: ${s.at}\ndata: ${JSON.stringify(events[s.at])}\n\n`;
            if (text) s.reply.write(text);
        }
    }
    const tellState = () => streams.forEach((s) => send(s, "state", state()));
    function reset(seq) {
        play.branch += 1;
        for (const s of streams) {
            s.at = Math.min(s.at, seq);
            send(s, "reset", { seq });
        }
    }

    function begin(scenario) {
        play.scenario = scenario;
        play.world = new World(scenario);
        play.orders = [];
        play.playing = false;
        reset(0);
    }

    function rewind(seq) {
        const orders = play.orders.filter((o) => o.seq < seq);
        const world = new World(play.scenario);
        while (world.events.length < seq) {
            const due = orders.find((o) => o.seq === world.events.length && !o.done);
            if (due) {
                due.done = true;
                world.command(due.line);
            } else {
                world.step();
            }
        }
        world.events.length = Math.max(seq, 0);
        orders.forEach((o) => delete o.done);
        play.orders = orders;
        play.world = world;
        play.playing = false;
        reset(seq);
    }

    const actions = {
        "/api/start": (body) => {
            const scenario = SCENARIOS.find((s) => s.name === body.scenario);
            if (!scenario) throw new Error("there is no such scenario");
            begin({ ...scenario, setup: { ...scenario.setup, ...body.set } });
        },
        "/api/control": (body) => {
            if (body.do === "play") play.playing = true;
            if (body.do === "pause") play.playing = false;
            if (body.do === "step") {
                play.playing = false;
                play.world.step();
            }
            if (body.do === "speed") play.speed = body.value;
            if (body.do === "rewind") rewind(body.value);
        },
        "/api/command": (body) => {
            play.orders.push({ seq: play.world.events.length, line: body.line });
            play.world.command(body.line);
        },
        "/api/rpc": (body) => {
            const pool = {};
            for (let i = 1; i < 9; i++) pool[hex(i * 7919333, 64)] = { vsize: 141, fees: { base: 0.0000141 * i } };
            return { result: body.method === "getrawmempool" ? pool : { chain: "regtest", asked: body }, error: null };
        },
        "/api/measure": (body) => {
            let n = 0;
            const tick = () => {
                n += 500;
                const stolen = Math.round(n * 0.18);
                streams.forEach((s) => send(s, "measure", { kind: body.kind, q: 0.3, z: 3, trials: n, stolen, low: 0.17, high: 0.19,
                    convention: "strict", curve: [1, 2, 3, 4, 5, 6].map((z) => ({ z, trials: n, stolen: Math.round(n * 0.31 * 0.77 ** (z - 1)) })),
                    done: n >= 3000 }));
                if (n < 3000) setTimeout(tick, 200);
            };
            if (!body.stop) tick();
        },
    };
    const curve = (a, b) => Array.from({ length: 10 }, (_, i) => a * b ** i);
    const answers = {
        "/api/scenarios": () => SCENARIOS,
        "/api/settings": () => ({ settings: Object.keys(SETUP).map((name) => ({ name, help: "what it means",
            form: { merchant: "yes/no", added: "yes/no", strategy: "strategy" }[name] ?? "count" })), commands: [] }),
        "/api/state": state,
        "/api/theory": () => ({ nakamoto: 0.3246, paper: 0.3265, strict: 0.18, strict_curve: curve(0.3086, 0.78),
            paper_curve: curve(0.6, 0.76), nakamoto_curve: curve(0.628, 0.74), break_even: 6.8 }),
    };

    function stream(request, reply) {
        reply.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
        const from = Number(new URL(request.url, "http://x").searchParams.get("from") ?? 0);
        const s = { reply, at: Math.min(from, play.world?.events.length ?? 0) };
        send(s, "reset", { seq: s.at });
        streams.add(s);
        flush();
        send(s, "state", state());
        request.on("close", () => streams.delete(s));
    }

    function file(path, reply) {
        const name = normalize(path === "/" ? "/index.html" : path);
        try {
            const data = readFileSync(join(PAGE, name));
            reply.writeHead(200, { "Content-Type": TYPES[extname(name)] ?? "text/plain",
                "Content-Security-Policy": "default-src 'self'", "Cache-Control": "no-store" });
            reply.end(data);
        } catch {
            reply.writeHead(404);
            reply.end();
        }
    }

    function json(reply, status, body) {
        reply.writeHead(status, { "Content-Type": "application/json" });
        reply.end(JSON.stringify(body ?? {}));
    }

    const server = createServer((request, reply) => {
        const path = new URL(request.url, "http://x").pathname;
        if (path === "/api/events") return stream(request, reply);
        if (answers[path]) return json(reply, 200, answers[path]());
        if (!actions[path]) return file(path, reply);
        let text = "";
        request.on("data", (part) => (text += part));
        request.on("end", () => {
            try {
                json(reply, 200, actions[path](JSON.parse(text || "{}")));
            } catch (error) {
                json(reply, 400, { error: error.message });
            }
            flush();
            tellState();
        });
        return undefined;
    });
    const timer = setInterval(() => {
        const w = play.world;
        if (!w || !play.playing) return;
        const until = w.t + play.speed * 50e3;
        const before = w.events.length;
        while (w.next() <= until) w.step();
        w.t = until;
        flush();
        if (w.events.length !== before) tellState();
    }, 50);
    server.listen(port, "127.0.0.1");
    server.on("close", () => clearInterval(timer));
    return { server, play, begin: (name) => begin(SCENARIOS.find((s) => s.name === name)), flush, tellState };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) serve(Number(process.argv[2] ?? 15000));
