// What the laboratory is like after an event: a reducer without a browser, a clock or a network.
//
// apply() changes the lists of the state it is given, but never an element of them: whatever changes is put in anew. So
// snapshot() is a copy of a few lists, and going back in time is a snapshot and some events more (history.js).

const NONE = 0xffffffff;
export const ROLES = ["honest", "watcher", "merchant", "outlet", "hideout"];

// Fields that do not apply are left out, null or the number that stands for none.
function id(value) {
    return value === undefined || value === null || value < 0 || value >= NONE ? null : value;
}

export function initial() {
    return {
        seq: 0, // events taken in
        t: 0, // virtual microseconds
        scenario: "",
        seed: "",
        nodes: [],
        blocks: [],
        byHeight: new Map(), // height -> numbers of blocks
        lanes: new Map(), // row of the picture -> { tip, height }
        base: null, // height of block 0, once it is known
        top: null, // the highest block that the network knows
        orders: [],
        paidBy: new Map(), // transaction -> order
        reorgs: [],
        alarms: [],
        says: [],
        marks: [], // moments worth a mark on the time line
        attack: null,
        partitioned: false,
        eclipsed: false,
        honestLink: false,
        invalidated: false, // the operators have called the attacker's branch invalid
        thrownOut: 0,
        lostForGood: 0,
        returned: 0,
        ended: null,
    };
}

export function snapshot(s) {
    return {
        ...s,
        nodes: s.nodes.slice(),
        blocks: s.blocks.slice(),
        byHeight: new Map(s.byHeight),
        lanes: new Map(s.lanes),
        orders: s.orders.slice(),
        paidBy: new Map(s.paidBy),
        reorgs: s.reorgs.slice(),
        alarms: s.alarms.slice(),
        says: s.says.slice(),
        marks: s.marks.slice(),
    };
}

function newNode(number) {
    return {
        id: number, name: `node ${number}`, role: "honest", share: 0, tip: null, height: null,
        pool: 0, side: null, reorgs: 0, deepest: 0, alarms: 0,
    };
}

function setNode(s, number, change) {
    if (number === null) return;
    while (s.nodes.length < number) s.nodes.push(newNode(s.nodes.length));
    s.nodes[number] = { ...(s.nodes[number] ?? newNode(number)), ...change };
}

function mark(s, e, kind, text) {
    s.marks.push({ seq: e.seq, t: e.t, kind, text });
}

// ---- blocks ----

function place(s, block) {
    const row = s.byHeight.get(block.height);
    s.byHeight.set(block.height, row ? [...row, block.id] : [block.id]);
    s.lanes.set(block.lane, { tip: block.id, height: block.height });
}

// Block 0 stands for all that went before; its height comes with the first thing that tells one.
function ensureBase(s, height) {
    if (s.base !== null) return;
    s.base = height;
    const block = {
        id: 0, parent: null, height, miner: null, attacker: false, secret: false, hash: "", txs: 0, t: 0, seq: 0,
        lane: 0, invalid: false,
    };
    s.blocks[0] = block;
    place(s, block);
    if (s.top === null) s.top = 0;
}

function isFree(s, lane, parent) {
    const held = s.lanes.get(lane);
    if (!held) return true;
    return held.height < parent.height && !s.nodes.some((n) => n && n.tip === held.tip);
}

// Rows of the picture: the honest chain at 0 and above, the attacker's branches below. A child goes on in its parent's
// row, unless that row has gone on already or a secret branch begins.
function laneFor(s, parent, attacker, secret) {
    const held = s.lanes.get(parent.lane);
    const begins = attacker && (secret || !parent.attacker) && !(parent.attacker && parent.secret);
    if (held && held.tip === parent.id && !(begins && !parent.attacker)) return parent.lane;
    const step = attacker ? 1 : -1;
    for (let lane = attacker ? 1 : 0; ; lane += step) {
        if (lane !== parent.lane && isFree(s, lane, parent)) return lane;
    }
}

function addBlock(s, e) {
    const number = id(e.block);
    const parentNumber = id(e.parent) ?? 0;
    ensureBase(s, e.height - 1);
    const parent = s.blocks[parentNumber] ?? s.blocks[0];
    const attacker = Boolean(e.attacker);
    const secret = Boolean(e.secret);
    const block = {
        id: number, parent: parent.id, height: e.height, miner: id(e.node), attacker, secret, hash: e.hash ?? "",
        txs: e.txs ?? 0, t: e.t, seq: e.seq, lane: laneFor(s, parent, attacker, secret), shown: null,
    };
    s.blocks[number] = block;
    place(s, block);
    if (!secret) raiseTop(s, block);
}

function raiseTop(s, block) {
    if (s.top === null || block.height > s.blocks[s.top].height) s.top = block.id;
}

function showBlock(s, e) {
    const number = id(e.block);
    const block = number === null ? null : s.blocks[number];
    if (!block) return;
    s.blocks[number] = { ...block, secret: false, shown: e.seq };
    raiseTop(s, s.blocks[number]);
}

function setTip(s, e) {
    const number = id(e.block);
    if (number === 0) ensureBase(s, e.height);
    setNode(s, id(e.node), { tip: number, height: e.height });
}

// ---- orders ----

const BETTER = { waiting: 0, reversed: 0, confirmed: 1, delivered: 2, lost: 2 };

function setOrder(s, number, change) {
    while (s.orders.length <= number) s.orders.push(null);
    const old = s.orders[number] ?? {
        id: number, txid: "", conflict: "", satoshis: 0, theft: false, state: "waiting", confirmations: 0,
        best: { state: "waiting", confirmations: 0 }, history: [], paidIn: null,
    };
    const order = { ...old, ...change };
    const better = BETTER[order.state] > BETTER[order.best.state] && order.state !== "lost";
    if (better || (order.state === order.best.state && order.confirmations > order.best.confirmations)) {
        order.best = { state: order.state, confirmations: order.confirmations };
    }
    s.orders[number] = order;
    return old;
}

function addPayment(s, e) {
    setOrder(s, e.order, { txid: e.txid ?? "", satoshis: e.sat ?? 0, theft: Boolean(e.theft), t: e.t });
    if (e.txid) s.paidBy.set(e.txid, e.order);
    mark(s, e, "payment", `order ${e.order} is paid`);
}

// The block of the merchant's chain that has so many confirmations.
function paidIn(s, confirmations) {
    const merchant = s.nodes.find((n) => n.role === "merchant");
    if (!merchant || merchant.tip === null || confirmations < 1) return null;
    let at = merchant.tip;
    for (let i = 1; i < confirmations && at !== null; i++) at = s.blocks[at]?.parent ?? null;
    return at === 0 ? null : at;
}

function addLedger(s, e) {
    const known = s.orders[e.order];
    const history = known ? known.history : [];
    const last = history[history.length - 1];
    const changed = !last || last.state !== e.state;
    const change = { state: e.state, confirmations: e.confirmations ?? 0 };
    if (e.sat) change.satoshis = e.sat;
    const block = paidIn(s, change.confirmations);
    if (block !== null) change.paidIn = block;
    if (changed) change.history = [...history, { seq: e.seq, t: e.t, state: e.state, confirmations: e.confirmations }];
    setOrder(s, e.order, change);
    if (changed && (e.state === "delivered" || e.state === "lost" || e.state === "reversed")) {
        mark(s, e, e.state, `order ${e.order}: ${e.state}`);
    }
}

// ---- everything else ----

function addReorg(s, e) {
    const number = id(e.node);
    const old = number === null ? null : s.nodes[number];
    setNode(s, number, { reorgs: (old?.reorgs ?? 0) + 1, deepest: Math.max(old?.deepest ?? 0, e.depth ?? 0) });
    s.reorgs.push({
        seq: e.seq, t: e.t, node: number, depth: e.depth ?? 0, back: e.returned ?? 0, dead: e.conflicted ?? 0,
        from: id(e.old), to: id(e.block),
    });
    if ((e.depth ?? 0) > 1) mark(s, e, "reorg", `${nodeName(s, number)} throws ${e.depth} blocks away`);
}

function addAlarm(s, e) {
    const number = id(e.node);
    setNode(s, number, { alarms: (s.nodes[number]?.alarms ?? 0) + 1 });
    s.alarms.push({ seq: e.seq, t: e.t, node: number, what: e.what, value: e.value ?? 0 });
    mark(s, e, "alarm", `${nodeName(s, number)}: ${e.what}`);
}

function setLinks(s, e) {
    if (e.what === "partition") s.partitioned = true;
    if (e.what === "eclipse") s.eclipsed = true;
    if (e.what === "honest link") s.honestLink = true;
    if (e.what === "heal") {
        s.partitioned = s.eclipsed = false;
        s.nodes = s.nodes.map((n) => (n.side === null ? n : { ...n, side: null }));
    }
    mark(s, e, e.what === "heal" ? "heal" : "partition", e.what);
}

function setAttack(s, e) {
    if (s.attack?.phase !== e.what) mark(s, e, "attack", `the attacker ${e.what}`);
    s.attack = { phase: e.what, lead: e.lead ?? 0, confirmations: e.confirmations ?? 0, seq: e.seq, t: e.t };
}

export function nodeName(s, number) {
    return number === null || number === undefined ? "" : (s.nodes[number]?.name ?? `node ${number}`);
}

const RULES = {
    start(s, e) {
        s.seed = String(e.seed ?? "");
        s.scenario = e.scenario ?? "";
    },
    node(s, e) {
        const role = typeof e.role === "number" ? ROLES[e.role] : e.role;
        setNode(s, id(e.node), { name: e.name ?? `node ${e.node}`, role: role ?? "honest", share: e.power ?? 0 });
    },
    link: setLinks,
    side(s, e) {
        setNode(s, id(e.node), { side: e.side ?? null });
    },
    power(s, e) {
        setNode(s, id(e.node), { share: e.power ?? 0 });
    },
    block: addBlock,
    shown: showBlock,
    tip: setTip,
    reorg: addReorg,
    payment: addPayment,
    conflict(s, e) {
        setOrder(s, e.order, { conflict: e.txid ?? "" });
    },
    ledger: addLedger,
    dropped(s, e) {
        s.thrownOut += 1;
        if (e.conflicted) s.lostForGood += 1;
    },
    returned(s) {
        s.returned += 1;
    },
    pool(s, e) {
        setNode(s, id(e.node), { pool: e.txs ?? 0 });
    },
    attack: setAttack,
    alarm: addAlarm,
    command(s, e) {
        if (e.line === "invalidate") s.invalidated = true;
        if (e.line === "reconsider") s.invalidated = false;
        mark(s, e, "command", e.line ?? "");
    },
    say(s, e) {
        s.says.push({ seq: e.seq, t: e.t, text: e.text ?? "" });
    },
    end(s, e) {
        s.ended = e.outcome ?? "over";
        mark(s, e, "end", s.ended);
    },
};

// Takes in one event; unknown kinds only move the time on. Returns the same state.
export function apply(s, e) {
    const rule = RULES[e.e];
    if (rule) rule(s, e);
    s.seq = e.seq + 1;
    s.t = e.t;
    return s;
}
