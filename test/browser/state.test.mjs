// The page's reducer and what follows from it, without a browser: node --test state.test.mjs
import assert from "node:assert/strict";
import { test } from "node:test";
import { World } from "./mock_server.mjs";
import { load } from "./page_modules.mjs";

const { apply, initial, snapshot } = await load("state.js");
const { History } = await load("history.js");
const derive = await load("derive.js");
const words = await load("words.js");
const tools = await load("plot.js");

let seq = 0;
const list = (...events) => events.map((e) => ({ seq: seq++, t: seq * 1e6, ...e }));
const fresh = (...events) => {
    seq = 0;
    return list(...events).reduce(apply, initial());
};

const NODES = [
    { e: "start", scenario: "x", seed: "7" },
    { e: "node", node: 0, name: "honest 1", role: "honest", power: 700000 },
    { e: "node", node: 1, name: "merchant", role: "merchant", power: 0 },
    { e: "node", node: 2, name: "outlet", role: "outlet", power: 0 },
    { e: "node", node: 3, name: "hideout", role: "hideout", power: 300000 },
];
const block = (number, parent, height, more = {}) => ({ e: "block", node: 0, block: number, parent, height, txs: 1,
    attacker: false, secret: false, hash: String(number), ...more });
const secret = (number, parent, height) => block(number, parent, height, { node: 3, attacker: true, secret: true });
const tip = (node, number, height) => ({ e: "tip", node, block: number, height });

// A payment in block 1, a secret branch of 2, 4 and 5 from the start, published against 1 and 3.
const THEFT = [
    ...NODES,
    tip(0, 0, 100), tip(1, 0, 100), tip(2, 0, 100), tip(3, 0, 100),
    { e: "payment", node: 1, order: 0, sat: 5e8, theft: true, txid: "aa" },
    { e: "ledger", order: 0, confirmations: 0, sat: 5e8, state: "waiting" },
    { e: "conflict", order: 0, txid: "bb" },
    { e: "attack", what: "begins", lead: 0, confirmations: 0 },
    block(1, 0, 101), tip(0, 1, 101), tip(1, 1, 101), tip(2, 1, 101),
    { e: "ledger", order: 0, confirmations: 1, sat: 5e8, state: "confirmed" },
    secret(2, 0, 101), tip(3, 2, 101),
    block(3, 1, 102), tip(0, 3, 102), tip(1, 3, 102), tip(2, 3, 102),
    { e: "ledger", order: 0, confirmations: 2, sat: 5e8, state: "delivered" },
    secret(4, 2, 102), tip(3, 4, 102), secret(5, 4, 103), tip(3, 5, 103),
];
const PUBLISHED = [
    ...THEFT,
    { e: "attack", what: "publishes", lead: 1, confirmations: 2 },
    { e: "shown", block: 2 }, { e: "shown", block: 4 }, { e: "shown", block: 5 },
    ...[0, 1, 2].flatMap((n) => [{ e: "reorg", node: n, block: 5, old: 3, depth: 2, returned: 1, conflicted: 1 }, tip(n, 5, 103)]),
    { e: "alarm", node: 1, what: "reorganisation", value: 2 },
    { e: "ledger", order: 0, confirmations: 0, sat: 5e8, state: "lost" },
    { e: "end", outcome: "stolen" },
];

test("nodes, their roles, power and tips", () => {
    const s = fresh(...NODES, tip(0, 0, 100), { e: "power", node: 3, power: 450000 }, { e: "pool", node: 1, txs: 9 });
    assert.equal(s.seed, "7");
    assert.deepEqual([s.nodes[3].role, s.nodes[3].share], ["hideout", 450000]);
    assert.deepEqual([s.nodes[0].tip, s.nodes[0].height, s.nodes[1].pool], [0, 100, 9]);
    assert.equal(s.blocks[0].height, 100);
});

test("block 0 takes its height from the first block when no tip told it", () => {
    const s = fresh(...NODES, block(1, 0, 101));
    assert.equal(s.blocks[0].height, 100);
});

test("a secret branch lies in a row of its own, and the honest chain stays in row 0", () => {
    const s = fresh(...THEFT);
    assert.deepEqual(s.blocks.map((b) => b.lane), [0, 0, 1, 0, 1, 1]);
    assert.ok(s.blocks[5].secret);
    assert.equal(s.top, 3, "secret blocks are not the network's highest");
});

test("a secret branch that begins before the honest one leaves row 0 to it", () => {
    const s = fresh(...NODES, tip(0, 0, 100), secret(1, 0, 101), block(2, 0, 101));
    assert.deepEqual(s.blocks.map((b) => b.lane), [0, 1, 0]);
});

test("a natural fork goes above, and its row is free again when nobody is on it", () => {
    const s = fresh(...NODES, tip(0, 0, 100), block(1, 0, 101), tip(0, 1, 101), block(2, 0, 101), tip(1, 2, 101),
        block(3, 1, 102), tip(0, 3, 102), tip(1, 3, 102), block(4, 3, 103), block(5, 3, 103));
    assert.equal(s.blocks[2].lane, -1);
    assert.equal(s.blocks[5].lane, -1);
});

test("a row is taken while its last block is as high as the fork, and while a node believes it", () => {
    const three = fresh(...NODES, tip(0, 0, 100), block(1, 0, 101), block(2, 0, 101), block(3, 0, 101));
    assert.deepEqual(three.blocks.map((b) => b.lane), [0, 0, -1, -2]);
    const held = fresh(...NODES, tip(0, 0, 100), block(1, 0, 101), block(2, 0, 101), tip(1, 2, 101), block(3, 1, 102),
        block(4, 3, 103), block(5, 3, 103));
    assert.deepEqual(held.blocks.map((b) => b.lane), [0, 0, -1, 0, 0, -2]);
});

test("no two blocks lie on one another", () => {
    for (const name of ["7", "8", "9"]) {
        const setup = { seed: name, honest: "5", watchers: "0", q: "45%", confirmations: "2" };
        const world = new World({ name: "x", setup });
        for (let i = 0; i < 2000; i++) {
            world.step();
            if (i % 300 === 100) world.command("attack");
            if (i % 400 === 200) world.command("partition");
            if (i % 400 === 350) world.command("heal");
        }
        const s = world.events.reduce(apply, initial());
        const places = new Set(s.blocks.map((b) => `${b.lane}:${b.height}`));
        assert.equal(places.size, s.blocks.length);
        assert.ok(s.blocks.length > 100);
    }
});

test("published blocks are no longer secret, reorganisations and alarms are counted", () => {
    const s = fresh(...PUBLISHED);
    assert.ok([2, 4, 5].every((b) => !s.blocks[b].secret));
    assert.equal(s.top, 5);
    assert.equal(s.reorgs.length, 3);
    assert.deepEqual([s.nodes[1].deepest, s.nodes[1].alarms], [2, 1]);
    assert.equal(s.ended, "stolen");
    assert.deepEqual(s.attack.phase, "publishes");
});

test("the book tells what an order was at its best, and what it is now", () => {
    const s = fresh(...PUBLISHED);
    const [order] = s.orders;
    assert.deepEqual([order.txid, order.conflict, order.satoshis, order.theft], ["aa", "bb", 5e8, true]);
    assert.deepEqual(order.best, { state: "delivered", confirmations: 2 });
    assert.deepEqual([order.state, order.confirmations], ["lost", 0]);
    assert.deepEqual(order.history.map((h) => h.state), ["waiting", "confirmed", "delivered", "lost"]);
    const sums = derive.ledgerSums(s);
    assert.deepEqual([sums.lostCount, sums.lost, sums.deliveredCount], [1, 5e8, 1]);
});

test("which blocks somebody holds, which are the chain of most, which are stale", () => {
    const before = fresh(...THEFT);
    let marks = derive.standing(before);
    assert.deepEqual([1, 3].map((b) => marks[b] & derive.MAIN), [derive.MAIN, derive.MAIN]);
    assert.equal(marks[5] & derive.MAIN, 0);
    assert.equal(derive.mainTip(before), 3);
    assert.deepEqual([...derive.paidBlocks(before)], [[1, [{ order: 0, gone: false }]]]);
    const after = fresh(...PUBLISHED);
    marks = derive.standing(after);
    assert.equal(marks[3] & derive.HELD, 0);
    assert.equal(derive.mainTip(after), 5);
    assert.deepEqual([...derive.paidBlocks(after)], [[1, [{ order: 0, gone: true }]]]);
    assert.deepEqual(derive.chainShares(after), { honest: 0, attacker: 3, stale: 2, secret: 0 });
});

test("the tree in words names branches, their depth and who believes them", () => {
    const lines = derive.inWords(fresh(...THEFT)).join(" ");
    assert.match(lines, /chain of most nodes is at height 102: honest 1, merchant, outlet/);
    assert.match(lines, /hideout: a secret branch of 3 blocks from height 100 to 103/);
});

test("partition and heal", () => {
    const cut = [...NODES, { e: "link", what: "partition", node: null }, { e: "side", node: 0, side: 1 }];
    assert.deepEqual([fresh(...cut).partitioned, fresh(...cut).nodes[0].side], [true, 1]);
    const healed = fresh(...cut, { e: "link", what: "heal", node: null });
    assert.deepEqual([healed.partitioned, healed.nodes[0].side], [false, null]);
});

test("an unknown kind of event moves time on and does no harm", () => {
    const s = fresh(...NODES, { e: "something new", node: 3 });
    assert.equal(s.seq, NODES.length + 1);
});

test("a snapshot does not change with the state that goes on from it", () => {
    seq = 0;
    const events = list(...PUBLISHED);
    const s = initial();
    events.slice(0, THEFT.length).forEach((e) => apply(s, e));
    const kept = snapshot(s);
    const before = JSON.stringify({ ...kept, byHeight: [...kept.byHeight], lanes: [...kept.lanes] });
    events.slice(THEFT.length).forEach((e) => apply(s, e));
    assert.equal(JSON.stringify({ ...kept, byHeight: [...kept.byHeight], lanes: [...kept.lanes] }), before);
});

const plain = (s) => JSON.parse(JSON.stringify({ ...s, byHeight: [...s.byHeight], lanes: [...s.lanes], paidBy: [...s.paidBy] }));

function longRun(count) {
    const world = new World({ name: "x", setup: { seed: "3", honest: "10", watchers: "0", q: "30%", confirmations: "3" } });
    for (let i = 0; world.events.length < count; i++) {
        world.step();
        if (i % 1000 === 10) world.command("attack");
    }
    return world.events.slice(0, count);
}

test("the state as of any event is the same whether it is gone to forwards, backwards or at once", () => {
    const events = longRun(5000);
    const history = new History();
    events.forEach((e) => assert.ok(history.push(e)));
    let near = null;
    for (const count of [0, 1, 999, 1000, 1001, 4999, 2500, 3, 5000, 4200, 4201, 4900]) {
        const wanted = plain(events.slice(0, count).reduce(apply, initial()));
        near = history.at(count, near);
        assert.deepEqual(plain(near), wanted);
    }
});

test("events after a reset are void, and others take their place", () => {
    const events = longRun(3000);
    const history = new History();
    events.forEach((e) => history.push(e));
    history.truncate(1500);
    assert.equal(history.length, 1500);
    assert.ok(!history.push(events[1600]), "a gap is refused");
    assert.ok(history.push(events[3]), "what is known already is passed over");
    events.slice(1500).forEach((e) => history.push(e));
    assert.deepEqual(plain(history.head), plain(events.reduce(apply, initial())));
    history.truncate(1500);
    const others = events.map((e, i) => (i >= 1500 && e.e === "pool" ? { ...e, txs: 77 } : e));
    others.slice(1500).forEach((e) => history.push(e));
    assert.deepEqual(plain(history.at(2000)), plain(others.slice(0, 2000).reduce(apply, initial())));
    history.truncate(0);
    assert.equal(history.head.seq, 0);
});

test("going back among 60,000 events is a matter of milliseconds", () => {
    const history = new History();
    longRun(60000).forEach((e) => history.push(e));
    const begin = performance.now();
    let worst = 0;
    for (let i = 0; i < 100; i++) {
        const one = performance.now();
        history.at((i * 7919) % 60000);
        worst = Math.max(worst, performance.now() - one);
    }
    const average = (performance.now() - begin) / 100;
    console.log(`one of 60,000 events: ${average.toFixed(2)} ms on average, at worst ${worst.toFixed(1)} ms`);
    assert.ok(average < 50);
});

test("what happened up to an instant", () => {
    const history = new History();
    seq = 0;
    list(...PUBLISHED).forEach((e) => history.push(e));
    assert.equal(history.countAt(0), 0);
    assert.equal(history.countAt(3e6), 3);
    assert.equal(history.countAt(1e12), PUBLISHED.length);
});

test("instants, amounts and shares in words", () => {
    assert.equal(words.clock(0), "00:00:00");
    assert.equal(words.clock((86400 + 3661) * 1e6), "1 d 01:01:01");
    assert.equal(words.coins(5e8), "5 BTC");
    assert.equal(words.coins(12345), "0.00012345 BTC");
    assert.equal(words.share(300000), "30%");
    assert.equal(words.share(333333), "33.3%");
    assert.equal(words.plural(1, "block"), "1 block");
    const state = fresh(...PUBLISHED);
    for (const e of PUBLISHED) assert.doesNotMatch(words.sentence({ ...e, seq: 0, t: 0 }, state), /undefined|NaN/);
});

test("Wilson's interval holds what was measured", () => {
    const [low, high] = tools.interval(89, 1000);
    assert.ok(low > 0.066 && low < 0.07 && high > 0.114 && high < 0.12, `${low} ${high}`);
    assert.deepEqual(tools.interval(0, 0), [0, 1]);
    assert.equal(tools.interval(0, 100)[0], 0);
});
