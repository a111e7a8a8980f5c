// What follows from a state without being told: who believes which block, shares of the chain, the tree in words.
import { nodeName } from "./state.js";
import { plural } from "./words.js";

const ATTACKERS = new Set(["outlet", "hideout"]);

export function isAttacker(node) {
    return ATTACKERS.has(node.role);
}

// The tip that most of the nodes outside the attacker's house have; the higher one where two are equal.
export function mainTip(state) {
    const votes = new Map();
    for (const node of state.nodes) {
        if (node.tip !== null && !isAttacker(node)) votes.set(node.tip, (votes.get(node.tip) ?? 0) + 1);
    }
    let best = null;
    for (const [tip, count] of votes) {
        const better = best === null || count > votes.get(best) ||
            (count === votes.get(best) && (state.blocks[tip]?.height ?? 0) > (state.blocks[best]?.height ?? 0));
        if (better) best = tip;
    }
    return best ?? state.top ?? 0;
}

function walk(state, tip, marks, value) {
    for (let at = tip; at !== null && state.blocks[at] && !(marks[at] & value); at = state.blocks[at].parent) {
        marks[at] |= value;
    }
}

export const HELD = 1; // some node has it in its chain
export const MAIN = 2; // the chain of most

// One number a block, made of the flags above.
export function standing(state) {
    const marks = new Uint8Array(state.blocks.length);
    for (const node of state.nodes) {
        if (node.tip !== null) walk(state, node.tip, marks, HELD);
    }
    if (state.blocks.length) walk(state, mainTip(state), marks, MAIN);
    return marks;
}

// Nodes by tip: Map of block -> list of nodes.
export function believers(state) {
    const map = new Map();
    for (const node of state.nodes) {
        if (node.tip === null) continue;
        const list = map.get(node.tip);
        if (list) list.push(node);
        else map.set(node.tip, [node]);
    }
    return map;
}

// Block -> [{ order, gone }]: orders that were paid in it, as the merchant's node saw it last.
export function paidBlocks(state) {
    const map = new Map();
    for (const order of state.orders) {
        if (!order || order.paidIn === null) continue;
        const gone = order.state === "lost" || order.state === "reversed";
        map.set(order.paidIn, [...(map.get(order.paidIn) ?? []), { order: order.id, gone }]);
    }
    return map;
}

// How the chain of most is shared out, and how many public blocks nobody holds any more.
export function chainShares(state, marks = standing(state)) {
    const sums = { honest: 0, attacker: 0, stale: 0, secret: 0 };
    for (const block of state.blocks) {
        if (!block || block.id === 0) continue;
        if (marks[block.id] & MAIN) sums[block.attacker ? "attacker" : "honest"] += 1;
        else if (block.secret) sums.secret += 1;
        else if (!(marks[block.id] & HELD)) sums.stale += 1;
    }
    return sums;
}

function forkPoint(state, tip, marks) {
    let at = tip;
    let depth = 0;
    while (at !== null && state.blocks[at] && !(marks[at] & MAIN)) {
        at = state.blocks[at].parent;
        depth += 1;
    }
    return { at, depth };
}

function namesOf(nodes) {
    if (nodes.length === 0) return "no node";
    const names = nodes.slice(0, 6).map((n) => n.name);
    return names.join(", ") + (nodes.length > 6 ? ` and ${nodes.length - 6} more` : "");
}

// The tree as sentences, for those who do not see the picture.
export function inWords(state) {
    if (!state.blocks.length) return ["No block has been found yet."];
    const marks = standing(state);
    const tips = believers(state);
    const main = mainTip(state);
    const lines = [];
    const head = state.blocks[main];
    lines.push(`The chain of most nodes is at height ${head?.height ?? 0}: ${namesOf(tips.get(main) ?? [])}.`);
    for (const [tip, nodes] of tips) {
        if (tip === main || !state.blocks[tip]) continue;
        const fork = forkPoint(state, tip, marks);
        const block = state.blocks[tip];
        if (fork.depth === 0) {
            lines.push(`${namesOf(nodes)}: ${plural(head.height - block.height, "block")} behind it.`);
            continue;
        }
        const kind = block.secret ? "a secret branch" : "another branch";
        lines.push(`${namesOf(nodes)}: ${kind} of ${plural(fork.depth, "block")} from height ` +
            `${state.blocks[fork.at]?.height ?? 0} to ${block.height}.`);
    }
    const sums = chainShares(state, marks);
    lines.push(`In the chain of most: ${plural(sums.honest, "honest block")}, ${sums.attacker} of the attacker. ` +
        `Stale: ${sums.stale}. Secret: ${sums.secret}.`);
    if (state.partitioned) lines.push("The network is in two halves that do not hear of each other.");
    if (state.eclipsed) lines.push("The merchant hears of the attacker alone.");
    return lines;
}

// The merchant's books: sums over all orders.
export function ledgerSums(state) {
    const sums = { delivered: 0, deliveredCount: 0, lost: 0, lostCount: 0, waiting: 0 };
    for (const order of state.orders) {
        if (!order) continue;
        if (order.state === "delivered" || order.state === "lost") {
            sums.delivered += order.satoshis;
            sums.deliveredCount += 1;
        } else {
            sums.waiting += 1;
        }
        if (order.state === "lost") {
            sums.lost += order.satoshis;
            sums.lostCount += 1;
        }
    }
    return sums;
}

export { nodeName };
