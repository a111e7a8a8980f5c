// What can be ordered now, and why not: so that a button which would be refused says so before it is pressed.

const ENDED = new Set(["won", "gave up", "out of blocks", "leaves"]);

export function attackIsOn(state) {
    return state.attack !== null && !ENDED.has(state.attack.phase);
}

const RULES = {
    attack: (s) => (attackIsOn(s) ? "the attack has begun already" : noAttacker(s)),
    publish: (s) => (attackIsOn(s) ? null : "there is no attack"),
    "give-up": (s) => (attackIsOn(s) ? null : "there is no attack"),
    leave: noAttacker,
    power: noAttacker,
    partition(s) {
        if (s.partitioned) return "the network is in two halves already";
        return s.nodes.filter((n) => n.role === "honest").length < 2 ? "one honest node has no halves" : null;
    },
    heal: (s) => (s.partitioned || s.eclipsed ? null : "all links are there"),
    pay: noMerchant,
    confirmations: noMerchant,
    invalidate: (s) => (s.blocks.some((b) => b && b.shown) ? null : "nobody follows a branch of the attacker"),
    reconsider: (s) => (s.invalidated ? null : "nothing was called invalid"),
};

function noAttacker(s) {
    return s.nodes.some((n) => n.role === "hideout") ? null : "there is no attacker: begin with q above 0";
}

function noMerchant(s) {
    return s.nodes.some((n) => n.role === "merchant") ? null : "there is no merchant";
}

// NULL: it can be ordered.
export function whyNot(line, state) {
    const rule = RULES[line.split(" ")[0]];
    return rule ? rule(state) : null;
}

// The whole line of an order: an attack needs a strategy where the scenario has none.
export function lineOf(order, strategy, setup, state) {
    if (order !== "attack") return order;
    if (strategy) return `attack ${strategy}`;
    if (setup?.strategy && setup.strategy !== "none") return "attack";
    return noMerchant(state) ? "attack takeover" : "attack double";
}
