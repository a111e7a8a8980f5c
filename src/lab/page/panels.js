// The panels that show a state: what is said, the merchant's book, the nodes, facts, alarms, the log.
import { $, el, rows, say } from "./dom.js";
import { MAIN, chainShares, inWords, isAttacker, ledgerSums, mainTip, standing } from "./derive.js";
import { alarmText, clock, coins, percent, plural, sentence, share, short } from "./words.js";

function badge(state, confirmations) {
    const text = confirmations > 0 && state !== "lost" && state !== "reversed" ? `${state}, ${confirmations}` : state;
    return el("span", { class: `badge ${state}`, text });
}

function showSaid(state, server) {
    const last = state.says[state.says.length - 1];
    if (last) say($("say"), last.text);
    else say($("say"), server?.scenario ? "Press play, or step through one event at a time." :
        "Choose a scenario and press play.");
    const before = state.says.slice(-7, -1).reverse();
    $("earlier").hidden = before.length === 0;
    rows($("says"), before, (s) => s.seq, (s) => el("li", { text: s.text }));
}

function showFacts(state, server, marks) {
    say($("fact-time"), clock(state.t));
    const tip = state.blocks[mainTip(state)];
    say($("fact-height"), String(tip?.height ?? 0));
    const sums = chainShares(state, marks);
    const all = sums.honest + sums.attacker;
    say($("fact-share"), all ? `${sums.attacker} of ${all}` : "0");
    say($("fact-stale"), all + sums.stale ? `${sums.stale}` : "0");
    say($("fact-attack"), attackWords(state));
    const ended = state.ended ?? (server?.failure ? `fault: ${server.failure}` : null);
    $("fact-outcome-box").hidden = !ended;
    if (ended) {
        say($("fact-outcome"), ended);
        $("fact-outcome").className = ended === "stolen" || server?.failure ? "bad" : "";
    }
}

export function attackWords(state) {
    const a = state.attack;
    if (!a) return "none";
    if (a.phase !== "begins" && a.phase !== "leads") return a.phase;
    const lead = a.lead > 0 ? `+${a.lead}` : String(a.lead).replace("-", "−");
    return `${a.phase === "leads" ? "leads" : "on"}, lead ${lead}`;
}

function showLedger(state) {
    const orders = state.orders.filter(Boolean).reverse();
    $("ledger-empty").hidden = orders.length > 0;
    const sums = ledgerSums(state);
    const box = $("ledger-sums");
    box.replaceChildren(
        "Goods delivered: ", el("b", { text: `${sums.deliveredCount} for ${coins(sums.delivered)}` }),
        ". Lost: ", el("b", { class: sums.lostCount ? "bad" : "", text: `${sums.lostCount} for ${coins(sums.lost)}` }), ".",
    );
    rows($("ledger"), orders.slice(0, 60), (o) => JSON.stringify(o), (o) => {
        const papers = el("td", {}, el("span", { class: "mono", title: o.txid, text: short(o.txid, 6) }));
        if (o.conflict) {
            papers.append(el("span", { class: "conflict mono", title: `spends the same coin: ${o.conflict}`,
                text: ` ≠ ${short(o.conflict, 6)}` }));
        }
        return el("tr", {},
            el("td", {}, `${o.id}`, o.theft ? el("span", { class: "note", text: " attacker's" }) : null),
            el("td", { class: "num", text: coins(o.satoshis) }),
            el("td", {}, o.state === "lost" || o.state === "reversed" ? badge(o.best.state, o.best.confirmations) : "–"),
            el("td", {}, badge(o.state, o.confirmations)),
            papers);
    });
}

function tipClass(state, node, marks) {
    const block = state.blocks[node.tip];
    if (!block) return "";
    if (block.secret) return "tip secret";
    if (marks[block.id] & MAIN) return block.attacker ? "tip attacker" : "tip main";
    return block.attacker ? "tip attacker" : "tip other";
}

function nodeNotes(node) {
    const notes = [];
    if (node.side !== null) notes.push(`half ${Number(node.side) + 1}`);
    if (node.deepest > 1) notes.push(`reorg ${node.deepest}`);
    if (node.alarms) notes.push(node.alarms > 1 ? plural(node.alarms, "alarm") : "alarm");
    return notes.join(", ");
}

function showNodes(state, marks) {
    const tips = new Set(state.nodes.filter((n) => n.tip !== null && !isAttacker(n)).map((n) => n.tip));
    const words = tips.size === 1 ? "one tip" : plural(tips.size, "tip");
    const aside = state.nodes.some(isAttacker) ? " (attacker aside)" : "";
    say($("nodes-sums"), state.nodes.length ? `${plural(state.nodes.length, "node")}, ${words}${aside}` : "");
    const body = $("nodes");
    while (body.children.length > state.nodes.length) body.lastElementChild.remove();
    state.nodes.forEach((node, i) => fillNode(body.children[i] ?? body.appendChild(nodeRow()), state, node, marks));
}

// Rows stay and their texts change: a table of sixty nodes made anew would take long to lay out.
function nodeRow() {
    return el("tr", {}, el("td", {}, el("span", {}), el("span", { class: "note" })), el("td", { class: "num" }),
        el("td", {}, el("span", {}), el("span", { class: "note" })), el("td", { class: "num" }));
}

function fillNode(row, state, node, marks) {
    const secret = state.blocks[node.tip]?.secret;
    const key = JSON.stringify([node, marks[node.tip] & MAIN, secret]);
    if (row.rowKey === key) return;
    row.rowKey = key;
    const [name, power, tip, pool] = row.children;
    name.firstElementChild.className = `who ${node.role}`;
    say(name.firstElementChild, node.name);
    const notes = nodeNotes(node);
    say(name.lastElementChild, notes ? ` ${notes}` : "");
    name.title = node.deepest > 1 ? `its deepest reorganisation threw ${plural(node.deepest, "block")} away` : "";
    say(power, node.share ? share(node.share) : "–");
    tip.firstElementChild.className = node.tip === null ? "" : tipClass(state, node, marks);
    say(tip.firstElementChild, node.tip === null ? "–" : String(node.height));
    say(tip.lastElementChild, node.tip === null ? "" : ` #${node.tip}`);
    say(pool, String(node.pool));
}

let dismissed = -1;

export function dismissAlarms(state) {
    dismissed = state.alarms.length ? state.alarms[state.alarms.length - 1].seq : -1;
}

// Alarms of one hour count as one: many nodes see the same reorganisation.
function showAlarms(state) {
    const fresh = state.alarms.filter((a) => a.seq > dismissed);
    $("alarms").hidden = fresh.length === 0;
    if (!fresh.length) return;
    const last = fresh[fresh.length - 1];
    const same = fresh.filter((a) => a.what === last.what && last.t - a.t < 3600e6);
    const who = new Set(same.map((a) => a.node));
    const worst = same.reduce((a, b) => (b.value > a.value ? b : a), last);
    const name = who.size === 1 ? (state.nodes[last.node]?.name ?? "a node") : plural(who.size, "node");
    say($("alarm-text"), `${name} at ${clock(last.t)}: ${alarmText(worst)}`);
}

function showTreeWords(state) {
    const lines = inWords(state);
    rows($("tree-words"), lines, (l) => l, (l) => el("p", { text: l }));
    $("tree").setAttribute("aria-label", `Block tree. ${lines[0]}`);
}

export function showBlock(state, number) {
    const box = $("block");
    const b = number === null ? null : state.blocks[number];
    box.hidden = !b;
    if (!b) return;
    const what = b.id === 0 ? "The last block that all had when it began" :
        `${b.attacker ? "The attacker's" : "Honest"}, found by ${state.nodes[b.miner]?.name ?? "?"} at ${clock(b.t)}` +
        `${b.secret ? "; secret" : ""}; ${plural(b.txs, "transaction")} besides the coinbase`;
    box.replaceChildren(
        el("h3", { text: b.id === 0 ? `Height ${b.height}` : `Height ${b.height}, block ${b.id}` }),
        el("p", { text: what }),
        b.hash ? el("p", { class: "mono soft", text: b.hash }) : "");
}

// ---- the log ----

const QUIET = new Set(["tip", "pool", "side", "dropped", "returned"]);
const LOG_ROWS = 150;

export function showLog(history, state, all, go) {
    const items = [];
    for (let i = state.seq - 1; i >= 0 && items.length < LOG_ROWS; i--) {
        const e = history.events[i];
        if (all || !QUIET.has(e.e)) items.push(e);
    }
    rows($("log-rows"), items, (e) => `${e.seq} ${e.e} ${e.t}`, (e) => el("li", {},
        el("button", { type: "button", class: `k-${e.e}`, onclick: () => go(e.seq + 1) },
            el("time", { text: clock(e.t) }), el("span", { text: sentence(e, state) }))));
}

export function show(state, server) {
    const marks = standing(state);
    showSaid(state, server);
    showFacts(state, server, marks);
    showLedger(state);
    showNodes(state, marks);
    showAlarms(state);
    showTreeWords(state);
    return marks;
}

export { percent };
