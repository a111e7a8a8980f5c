// Numbers, instants and events as people read them.

export function plural(count, what) {
    return `${count} ${what}${count === 1 ? "" : "s"}`;
}

const two = (n) => String(n).padStart(2, "0");

// Virtual time since the beginning: "1 d 02:10:05".
export function clock(us) {
    const all = Math.floor(us / 1e6);
    const days = Math.floor(all / 86400);
    const text = `${two(Math.floor(all / 3600) % 24)}:${two(Math.floor(all / 60) % 60)}:${two(all % 60)}`;
    return days ? `${days} d ${text}` : text;
}

export function coins(satoshis) {
    const text = (satoshis / 1e8).toFixed(8).replace(/0+$/, "");
    return `${text.endsWith(".") ? text.slice(0, -1) : text} BTC`;
}

export function share(millionths) {
    const percent = millionths / 1e4;
    return `${percent >= 10 || percent === Math.round(percent) ? Math.round(percent * 10) / 10 : percent.toFixed(1)}%`;
}

export function percent(fraction) {
    if (!Number.isFinite(fraction)) return "";
    const value = fraction * 100;
    if (value === 0) return "0%";
    if (value < 0.01) return `${value.toExponential(1)}%`;
    return `${value >= 10 ? value.toFixed(1) : value.toPrecision(3)}%`;
}

export function short(hash, length = 10) {
    return hash && hash.length > length ? `${hash.slice(0, length)}…` : (hash ?? "");
}

const HOW_FAST = ["1 s a second", "10 s a second", "1 min a second", "10 min a second", "1 h a second", "6 h a second"];
export const SPEEDS = [1, 10, 60, 600, 3600, 21600];

export function speedName(value) {
    const at = SPEEDS.indexOf(value);
    if (at >= 0) return HOW_FAST[at];
    return value >= 3600 ? `${Math.round(value / 360) / 10} h a second` : `${Math.round(value)} s a second`;
}

const SENTENCES = {
    start: (e) => `Begins: ${e.scenario ?? ""}, seed ${e.seed ?? ""}`,
    node: (e) => `${e.name} is there${e.power ? ` with ${share(e.power)} of the hash power` : ""}`,
    link: (e, who) => `Links: ${e.what} ${who(e.node)}`,
    side: (e, who) => `${who(e.node)} is in half ${Number(e.side) + 1}`,
    power: (e, who) => `${who(e.node)} has ${share(e.power)} of the hash power`,
    block: (e, who) => `${who(e.node)} finds block ${e.height}${e.secret ? ", and keeps it secret" : ""}` +
        `${e.txs ? ` with ${plural(e.txs, "transaction")}` : ""}`,
    shown: (e, who, block) => `The attacker shows ${block(e.block)}`,
    tip: (e, who) => `${who(e.node)} is at height ${e.height}`,
    reorg: (e, who) => `${who(e.node)} throws ${plural(e.depth, "block")} away; ${e.returned} transactions go back to its ` +
        `pool, ${e.conflicted} can never be mined`,
    payment: (e) => `Order ${e.order} is paid: ${coins(e.sat)}${e.theft ? ", by the attacker" : ""}`,
    conflict: (e) => `The attacker signs ${short(e.txid)} against order ${e.order}`,
    ledger: (e) => `Merchant: order ${e.order} ${e.state}, ${plural(e.confirmations ?? 0, "confirmation")}`,
    dropped: (e, who) => `${who(e.node)} drops ${short(e.txid)}${e.conflicted ? " for good" : " into its pool"}`,
    returned: (e, who, block) => `${short(e.txid)} is in ${block(e.block)} again`,
    pool: (e, who) => `${who(e.node)} has ${e.txs} in its pool`,
    attack: (e) => `The attacker ${e.what}${e.lead ? `; lead ${e.lead}` : ""}`,
    alarm: (e, who) => `Alarm of ${who(e.node)}: ${alarmText(e)}`,
    command: (e) => `Ordered: ${e.line}`,
    say: (e) => e.text,
    end: (e) => `Over: ${e.outcome}`,
};

export function alarmText(e) {
    if (e.what === "reorganisation") return `a reorganisation ${plural(e.value, "block")} deep`;
    if (e.what === "no block") return `no block for ${plural(e.value, "minute")}`;
    if (e.what === "slow confirmations") return `the confirmations took ${plural(e.value, "minute")}`;
    return `${e.what} ${e.value || ""}`.trim();
}

// One line for the log.
export function sentence(e, state) {
    const who = (n) => (n === undefined || n === null ? "" : (state.nodes[n]?.name ?? `node ${n}`));
    const block = (n) => `block ${state.blocks[n]?.height ?? "?"}`;
    const make = SENTENCES[e.e];
    return make ? make(e, who, block) : e.e;
}
