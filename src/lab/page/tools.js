// The tools: measurement and its figure, shares of the chain, a node's pool, its RPC, the log; and the tabs themselves.
import * as api from "./api.js";
import { $, el, rows, say } from "./dom.js";
import { MAIN, chainShares, isAttacker, standing } from "./derive.js";
import { chancePlot, interval, sharesPlot } from "./plot.js";
import { percent, plural, share, short } from "./words.js";

const TABS = ["chance", "shares", "pool", "console", "log"];
const KNOWN = ["getblockchaininfo", "getchaintips", "getbestblockhash", "getblock", "getmempoolinfo", "getrawmempool true",
    "getreorgs", "getpeerinfo", "gettxoutsetinfo", "getmininginfo", "getnetworkinfo", "getblockstats", "help"];

export class Tools {
    constructor(lab) {
        this.lab = lab;
        this.open = "chance";
        this.log = null; // scale of the figure; null: whichever shows more
        this.theory = null;
        this.theoryFor = "";
        this.measured = null; // the last report of a measurement
        this.poolSeen = "";
        this.lines = []; // what was asked at the console
        this.line = 0;
        this.listen();
        rows($("rpc-known"), KNOWN, (k) => k, (k) => el("option", { value: k }));
    }

    // ---- tabs ----

    choose(name, focus = false) {
        this.open = name;
        for (const tab of TABS) {
            const button = $(`tab-${tab}`);
            button.setAttribute("aria-selected", String(tab === name));
            button.tabIndex = tab === name ? 0 : -1;
            $(tab).hidden = tab !== name;
            if (tab === name && focus) button.focus();
        }
        this.poolSeen = "";
        this.lab.dirty();
    }

    listen() {
        for (const tab of TABS) $(`tab-${tab}`).addEventListener("click", () => this.choose(tab));
        document.querySelector(".tabs").addEventListener("keydown", (e) => {
            const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
            if (!step) return;
            e.preventDefault();
            e.stopPropagation();
            this.choose(TABS[(TABS.indexOf(this.open) + step + TABS.length) % TABS.length], true);
        });
        $("m-log").addEventListener("click", () => {
            this.log = !this.isLog();
            this.drawChance();
        });
        $("measure").addEventListener("submit", (e) => {
            e.preventDefault();
            this.measure();
        });
        for (const id of ["m-q", "m-z"]) $(id).addEventListener("change", () => this.askTheory());
        $("rpc").addEventListener("submit", (e) => {
            e.preventDefault();
            this.ask();
        });
        $("rpc-line").addEventListener("keydown", (e) => this.recall(e));
        $("pool-node").addEventListener("change", () => {
            this.poolSeen = "";
            this.lab.dirty();
        });
        $("log-all").addEventListener("change", () => this.lab.dirty());
        new ResizeObserver(() => {
            this.drawChance();
            this.drawShares();
        }).observe($("plot").parentElement.parentElement);
    }

    // ---- chance ----

    // A scenario began: its numbers are what a measurement would be of.
    adopt(setup) {
        if (!setup) return;
        if (setup.q && setup.q !== "0%") $("m-q").value = setup.q;
        else if (!$("m-q").value) $("m-q").value = "30%";
        if (Number(setup.confirmations) > 0) $("m-z").value = setup.confirmations;
        this.askTheory();
    }

    q() {
        return parseShare($("m-q").value);
    }

    async askTheory() {
        const q = this.q();
        const z = Number($("m-z").value);
        if (q === null || !(q > 0 && q < 1) || !(z >= 1)) return;
        const key = `${q} ${z}`;
        if (key === this.theoryFor) return;
        this.theoryFor = key;
        try {
            const theory = await api.theory(q, z);
            if (key !== this.theoryFor) return;
            this.theory = theory;
            this.theoryOf = q;
        } catch (error) {
            say($("plot-words"), `No theory: ${error.message}`);
            return;
        }
        this.drawChance();
    }

    async measure() {
        const running = this.measured && !this.measured.done;
        try {
            if (running) {
                await api.measure({ stop: true });
                return;
            }
            await this.askTheory();
            await api.measure({ kind: $("m-kind").value, trials: Number($("m-trials").value),
                set: { q: $("m-q").value, confirmations: $("m-z").value } });
        } catch (error) {
            this.lab.tell(`No measurement: ${error.message}`, true);
        }
    }

    onMeasure(report) {
        this.measured = report;
        say($("m-go"), report.done ? "Measure" : "Stop");
        this.drawChance();
    }

    // The laboratory's own convention: what real nodes do, unless the attacker has a block in hand.
    own() {
        return this.measured?.convention ?? (this.lab.server?.setup?.premine === "1" ? "paper" : "strict");
    }

    isLog() {
        return this.log ?? (this.theory !== null && Math.min(...this.theory.strict_curve) < 0.02);
    }

    // The measurement, if it is of the share whose curves are shown.
    fitting() {
        const m = this.measured;
        return m && this.theoryOf !== undefined && Math.abs(m.q - this.theoryOf) < 1e-5 ? m : null;
    }

    points() {
        const m = this.fitting();
        if (!m) return [];
        const list = (m.curve ?? []).filter((p) => p.trials);
        if (!list.some((p) => p.z === m.z)) list.push({ z: m.z, trials: m.trials, stolen: m.stolen });
        return list;
    }

    drawChance() {
        if (!this.theory || this.open !== "chance" || !$("plot").clientWidth) return;
        const z = $("m-z").value;
        const t = this.theory;
        const box = $("plot-words");
        const own = this.own();
        box.replaceChildren(`z = ${z}: strict ${percent(t.strict)}, paper ${percent(t.paper)}, Nakamoto ` +
            `${percent(t.nakamoto)}; here `, el("b", { text: own }), ". ");
        const m = this.fitting();
        if (m?.trials && m.z === Number(z)) {
            const [low, high] = m.low !== undefined ? [m.low, m.high] : interval(m.stolen, m.trials);
            box.append("Measured ", el("b", { text: percent(m.stolen / m.trials) }),
                ` (${percent(low)} to ${percent(high)}), ${plural(m.trials, "trial")}${m.done ? "" : " so far"}.`);
        }
        // After the words: they take room from the figure.
        chancePlot($("plot"), this.theory, this.points(), this.own(), this.isLog());
        $("m-log").setAttribute("aria-pressed", String(this.isLog()));
    }

    // ---- shares ----

    drawShares() {
        const state = this.lab.shown;
        if (this.open !== "shares" || !state || !$("shares-plot").clientWidth) return;
        const marks = standing(state);
        const sums = chainShares(state, marks);
        const power = state.nodes.filter(isAttacker).reduce((sum, n) => sum + n.share, 0) / 1e6;
        const all = sums.honest + sums.attacker;
        say($("shares-words"), `In the chain of most: ${plural(all, "block")}, ${percent(all ? sums.attacker / all : 0)} of ` +
            `them the attacker's, who has ${share(power * 1e6)} of the hash power. Stale: ` +
            `${percent(all + sums.stale ? sums.stale / (all + sums.stale) : 0)}.`);
        sharesPlot($("shares-plot"), sharePoints(state, marks), power);
    }

    // ---- a node's pool ----

    nodes(state) {
        const list = state.nodes.filter(Boolean);
        const key = list.map((n) => n.name).join("|");
        if (key === this.nodesSeen) return;
        this.nodesSeen = key;
        for (const id of ["pool-node", "rpc-node"]) {
            const select = $(id);
            const old = select.value;
            select.replaceChildren(...list.map((n) => el("option", { value: n.id, text: n.name })));
            const merchant = list.find((n) => n.role === "merchant");
            if (list.some((n) => String(n.id) === old)) select.value = old;
            else if (merchant) select.value = merchant.id;
        }
    }

    async showPool(state, follow) {
        const node = state.nodes[Number($("pool-node").value)];
        if (this.open !== "pool" || !node) return;
        if (!follow) {
            say($("pool-words"), `${plural(node.pool, "transaction")} then. What they were can be asked of the present alone.`);
            rows($("pool-rows"), [], () => "", () => null);
            return;
        }
        const seen = `${node.id} ${node.tip} ${node.pool} ${state.orders.length} ${this.lab.server?.branch}`;
        const now = performance.now();
        if (seen === this.poolSeen || now - (this.poolAsked ?? 0) < 700) {
            if (seen !== this.poolSeen) setTimeout(() => this.lab.dirty(), 750);
            return;
        }
        this.poolSeen = seen;
        this.poolAsked = now;
        try {
            this.fillPool(await api.rpc(node.id, "getrawmempool", [true]), state);
        } catch (error) {
            say($("pool-words"), error.message);
        }
    }

    fillPool(pool, state) {
        const list = Object.entries(pool).sort((a, b) => (b[1].fees?.base ?? 0) / b[1].vsize - (a[1].fees?.base ?? 0) / a[1].vsize);
        say($("pool-words"), `${plural(list.length, "transaction")}, best fee rate first`);
        const conflicts = new Map(state.orders.filter((o) => o?.conflict).map((o) => [o.conflict, o.id]));
        rows($("pool-rows"), list.slice(0, 200), ([txid, t]) => `${txid} ${t.vsize}`, ([txid, t]) => el("tr", {},
            el("td", { class: "mono", title: txid, text: short(txid, 14) }),
            el("td", { class: "num", text: String(t.vsize) }),
            el("td", { class: "num", text: `${Math.round((t.fees?.base ?? 0) * 1e8)} sat` }),
            el("td", { text: what(txid, state, conflicts) })));
    }

    // ---- the console ----

    async ask() {
        const line = $("rpc-line").value.trim();
        if (!line) return;
        this.lines.push(line);
        this.line = this.lines.length;
        const box = $("rpc-reply");
        const [method, ...words] = splitWords(line);
        try {
            const result = await api.rpc(Number($("rpc-node").value), method, words.map(argument));
            box.classList.remove("bad");
            box.textContent = typeof result === "string" ? result : JSON.stringify(result, null, 2);
        } catch (error) {
            box.classList.add("bad");
            box.textContent = error.message;
        }
    }

    recall(e) {
        const step = { ArrowUp: -1, ArrowDown: 1 }[e.key];
        if (!step || !this.lines.length) return;
        e.preventDefault();
        this.line = Math.max(0, Math.min(this.lines.length - 1, this.line + step));
        e.target.value = this.lines[this.line];
    }
}

function what(txid, state, conflicts) {
    if (state.paidBy.has(txid)) return `pays order ${state.paidBy.get(txid)}`;
    if (conflicts.has(txid)) return `against order ${conflicts.get(txid)}`;
    return "";
}

// At most some hundred points: what part of the chain of most was the attacker's, by blocks found.
export function sharePoints(state, marks) {
    const points = [];
    const every = Math.max(1, Math.floor(state.blocks.length / 200));
    let main = 0;
    let attacker = 0;
    let found = 0;
    for (const block of state.blocks) {
        if (!block || block.id === 0) continue;
        found += 1;
        if (marks[block.id] & MAIN) {
            main += 1;
            if (block.attacker) attacker += 1;
        }
        if (found % every === 0 || found === state.blocks.length - 1) {
            points.push({ n: found, attacker: main ? attacker / main : 0, stale: 1 - main / found });
        }
    }
    return points;
}

export function parseShare(words) {
    const text = words.trim();
    let value = null;
    if (/^[\d.]+%$/.test(text)) value = Number(text.slice(0, -1)) / 100;
    else if (/^\d+\/\d+$/.test(text)) value = Number(text.split("/")[0]) / Number(text.split("/")[1]);
    else if (/^[\d.]+$/.test(text)) value = Number(text);
    return value === null || Number.isNaN(value) ? null : value;
}

// Words of a line; quotes and brackets hold together, as a shell would.
export function splitWords(line) {
    const words = [];
    let word = "";
    let quote = null;
    let depth = 0;
    let any = false;
    for (const ch of line) {
        if (quote) {
            if (ch === quote) quote = null;
            if (ch !== quote && quote || depth) word += ch;
            continue;
        }
        if ((ch === "'" || ch === '"') && (depth || any === false || ch === "'")) {
            quote = ch;
            any = true;
            if (depth) word += ch;
            continue;
        }
        if (ch === "[" || ch === "{") depth += 1;
        if (ch === "]" || ch === "}") depth -= 1;
        if (ch === " " && depth === 0) {
            if (any) words.push(word);
            word = "";
            any = false;
            continue;
        }
        word += ch;
        any = true;
    }
    if (any) words.push(word);
    return words;
}

// 7, true, null, [..] and {..} are JSON; anything else is a string.
export function argument(word) {
    if (/^(-?\d+(\.\d+)?|true|false|null|[[{].*)$/s.test(word)) {
        try {
            return JSON.parse(word);
        } catch {
            return word;
        }
    }
    return word;
}
