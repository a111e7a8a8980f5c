// The block tree on a canvas: heights go to the right, branches lie in rows. Only what is in view is drawn.
import { HELD, MAIN, believers, isAttacker, paidBlocks, standing } from "./derive.js";
import { plural } from "./words.js";

const STEP = 74; // from block to block, in units of the picture
const ROW = 104;
const SIZE = 44;
const CHIP = 19;
const GROW_MS = 180; // a new block grows to its size in so long

const ROLE_WORDS = { honest: "honest", watcher: "watcher", merchant: "merchant", outlet: "outlet", hideout: "hideout" };

function roundedSquare(c, x, y, r) {
    c.beginPath();
    c.roundRect(x - r, y - r, 2 * r, 2 * r, r * 0.34);
}

function hexagon(c, x, y, r) {
    const w = r * 1.12;
    c.beginPath();
    c.moveTo(x - w, y);
    c.lineTo(x - w / 2, y - r);
    c.lineTo(x + w / 2, y - r);
    c.lineTo(x + w, y);
    c.lineTo(x + w / 2, y + r);
    c.lineTo(x - w / 2, y + r);
    c.closePath();
}

export class Tree {
    constructor(canvas, { onSelect, onFollow }) {
        this.canvas = canvas;
        this.c = canvas.getContext("2d", { alpha: false });
        this.view = { x: 0, y: 0, zoom: 1 }; // the point of the picture in the middle of the canvas
        this.following = true;
        this.selected = null;
        this.state = null;
        this.derived = { seq: -1, events: null };
        this.born = new Map(); // block -> when it was drawn first
        this.highestDrawn = 0;
        this.onSelect = onSelect;
        this.onFollow = onFollow;
        this.still = matchMedia("(prefers-reduced-motion: reduce)");
        this.size = { width: 0, height: 0, ratio: 1 };
        this.readColours();
        this.listen();
    }

    readColours() {
        const style = getComputedStyle(document.documentElement);
        const get = (name) => style.getPropertyValue(`--${name}`).trim();
        this.colours = {};
        for (const name of ["honest", "honest-line", "attacker", "attacker-line", "merchant", "ink", "soft", "line",
            "canvas", "card", "on-honest", "on-attacker", "focus", "danger", "chip"]) {
            this.colours[name] = get(name);
        }
        this.hatch = null;
        this.font = getComputedStyle(document.body).fontFamily;
    }

    // Asking for the size costs a layout: only after resized() is it asked again.
    resized() {
        this.measured = false;
        this.jump = true;
    }

    resize() {
        if (this.measured) return;
        this.measured = true;
        const box = this.canvas.getBoundingClientRect();
        const ratio = Math.min(window.devicePixelRatio || 1, 2);
        const width = Math.max(1, Math.round(box.width));
        const height = Math.max(1, Math.round(box.height));
        if (width === this.size.width && height === this.size.height && ratio === this.size.ratio) return;
        this.size = { width, height, ratio };
        this.canvas.width = Math.round(width * ratio);
        this.canvas.height = Math.round(height * ratio);
    }

    // ---- where things are ----

    xOf(height) {
        return (height - (this.state.base ?? 0)) * STEP;
    }

    // A picture's point on the canvas.
    screen(x, y) {
        const { zoom } = this.view;
        return [(x - this.view.x) * zoom + this.size.width / 2, (y - this.view.y) * zoom + this.size.height / 2];
    }

    blockUnder(px, py) {
        const s = this.state;
        if (!s) return null;
        const x = (px - this.size.width / 2) / this.view.zoom + this.view.x;
        const y = (py - this.size.height / 2) / this.view.zoom + this.view.y;
        const height = Math.round(x / STEP) + (s.base ?? 0);
        for (const id of s.byHeight.get(height) ?? []) {
            const b = s.blocks[id];
            if (Math.abs(this.xOf(b.height) - x) < SIZE * 0.7 && Math.abs(b.lane * ROW - y) < SIZE * 0.7) return id;
        }
        return null;
    }

    // The rows that are in use near the right end.
    rowsNearEnd(fromHeight) {
        let low = 0;
        let high = 0;
        const s = this.state;
        const seen = new Set();
        let highest = s.base ?? 0;
        for (const held of s.lanes.values()) highest = Math.max(highest, held.height);
        for (let h = Math.max(s.base ?? 0, Math.floor(fromHeight)); h <= highest; h++) {
            for (const id of s.byHeight.get(h) ?? []) seen.add(s.blocks[id].lane);
        }
        for (const lane of seen) {
            low = Math.min(low, lane);
            high = Math.max(high, lane);
        }
        return { low, high, highest };
    }

    follow() {
        const s = this.state;
        if (!s || s.base === null) return;
        const { zoom } = this.view;
        const across = this.size.width / zoom;
        let ends = this.rowsNearEnd(s.base);
        const margin = Math.min(190, across * 0.3);
        const right = this.xOf(ends.highest) + margin;
        const x = Math.max(right - across, -STEP) + across / 2;
        ends = this.rowsNearEnd((x - across / 2) / STEP + s.base);
        const down = this.size.height / zoom;
        let y = ((ends.low + ends.high) / 2) * ROW - 12 / zoom; // tags of orders keep clear of the heights
        if ((ends.high - ends.low + 1) * ROW > down) y = ends.high * ROW - down / 2 + ROW * 0.7;
        const speed = this.still.matches || this.jump ? 1 : 0.22;
        this.jump = false;
        const dx = x - this.view.x;
        const dy = y - this.view.y;
        // Far away at once, near smoothly.
        this.view.x += Math.abs(dx) > across ? dx : dx * speed;
        this.view.y += dy * speed;
        if (Math.abs(dx) > 0.4 || Math.abs(dy) > 0.4) this.moving = true;
        else [this.view.x, this.view.y] = [x, y];
    }

    // ---- drawing ----

    setState(state) {
        this.state = state;
    }

    derive() {
        const s = this.state;
        if (this.derived.of === s && this.derived.seq === s.seq) return;
        this.derived = { of: s, seq: s.seq, marks: standing(s), tips: believers(s), paid: paidBlocks(s) };
    }

    // Draws; true: something still moves, draw again.
    draw(now) {
        const s = this.state;
        this.resize();
        const { width, height, ratio } = this.size;
        const c = this.c;
        c.setTransform(ratio, 0, 0, ratio, 0, 0);
        c.fillStyle = this.colours.card;
        c.fillRect(0, 0, width, height);
        this.moving = false;
        if (!s || s.base === null) return false;
        this.derive();
        if (this.following) this.follow();
        const { zoom } = this.view;
        c.translate(width / 2 - this.view.x * zoom, height / 2 - this.view.y * zoom);
        c.scale(zoom, zoom);
        const from = Math.floor((this.view.x - width / 2 / zoom) / STEP + s.base) - 1;
        const to = Math.ceil((this.view.x + width / 2 / zoom) / STEP + s.base) + 1;
        this.drawHeights(from, to);
        const seen = [];
        for (let h = from; h <= to; h++) {
            for (const id of s.byHeight.get(h) ?? []) seen.push(s.blocks[id]);
        }
        const top = this.view.y - height / 2 / zoom - ROW * 1.5;
        const bottom = this.view.y + height / 2 / zoom + ROW * 1.5;
        for (const b of seen) this.drawEdge(b);
        this.labels = zoom > 0.42;
        for (const b of seen) {
            const y = b.lane * ROW;
            if (y > top && y < bottom) this.drawBlock(b, now);
        }
        if (zoom > 0.3) {
            for (const b of seen) this.drawChips(b);
            this.drawAway();
        }
        return this.moving;
    }

    drawHeights(from, to) {
        const c = this.c;
        const s = this.state;
        const every = this.view.zoom > 0.5 ? 5 : this.view.zoom > 0.2 ? 20 : 100;
        const half = this.size.height / 2 / this.view.zoom;
        c.fillStyle = this.colours.soft;
        c.strokeStyle = this.colours.line;
        c.lineWidth = 1 / this.view.zoom;
        c.font = `${12 / this.view.zoom}px ${this.font}`;
        c.textAlign = "center";
        c.textBaseline = "top";
        for (let h = Math.max(s.base, Math.ceil(from / every) * every); h <= to; h += every) {
            const x = this.xOf(h);
            c.beginPath();
            c.moveTo(x, this.view.y - half + 20 / this.view.zoom);
            c.lineTo(x, this.view.y + half);
            c.stroke();
            c.fillText(String(h), x, this.view.y - half + 5 / this.view.zoom);
        }
    }

    drawEdge(b) {
        if (b.parent === null) return;
        const c = this.c;
        const p = this.state.blocks[b.parent];
        const x1 = this.xOf(p.height) + SIZE / 2;
        const y1 = p.lane * ROW;
        const x2 = this.xOf(b.height) - SIZE / 2;
        const y2 = b.lane * ROW;
        const mark = this.derived.marks[b.id];
        c.globalAlpha = mark & HELD || b.secret ? 1 : 0.35;
        c.strokeStyle = b.attacker ? this.colours["attacker-line"] : this.colours["honest-line"];
        c.lineWidth = mark & MAIN ? 4 : 2;
        c.setLineDash(b.secret ? [5, 5] : []);
        c.beginPath();
        c.moveTo(x1, y1);
        if (y1 === y2) c.lineTo(x2, y2);
        else c.bezierCurveTo(x1 + STEP * 0.35, y1, x2 - STEP * 0.35, y2, x2, y2);
        c.stroke();
        c.setLineDash([]);
        c.globalAlpha = 1;
    }

    hatching() {
        if (this.hatch) return this.hatch;
        const tile = document.createElement("canvas");
        tile.width = tile.height = 8;
        const t = tile.getContext("2d");
        t.strokeStyle = this.colours.attacker;
        t.lineWidth = 1.6;
        t.globalAlpha = 0.55;
        t.beginPath();
        for (const d of [-8, 0, 8]) {
            t.moveTo(d, 8);
            t.lineTo(d + 8, 0);
        }
        t.stroke();
        this.hatch = this.c.createPattern(tile, "repeat");
        return this.hatch;
    }

    scaleOf(b, now) {
        if (this.still.matches) return 1;
        let born = this.born.get(b.id);
        if (born === undefined) {
            // What has been there long before is not announced again.
            born = this.state.seq - b.seq < 400 ? now : now - GROW_MS;
            this.born.set(b.id, born);
        }
        const part = Math.min(1, (now - born) / GROW_MS);
        if (part < 1) this.moving = true;
        return 0.55 + 0.45 * (1 - (1 - part) ** 3);
    }

    drawBlock(b, now) {
        const c = this.c;
        const x = this.xOf(b.height);
        const y = b.lane * ROW;
        const r = (SIZE / 2) * this.scaleOf(b, now);
        const mark = this.derived.marks[b.id];
        const shape = b.attacker ? hexagon : roundedSquare;
        c.globalAlpha = mark & HELD || b.secret || b.id === 0 ? 1 : 0.38;
        shape(c, x, y, r);
        if (b.secret) {
            c.fillStyle = this.colours.card;
            c.fill();
            c.fillStyle = this.hatching();
            c.fill();
            c.setLineDash([5, 4]);
            c.strokeStyle = this.colours["attacker-line"];
        } else {
            c.fillStyle = b.id === 0 ? this.colours.soft : b.attacker ? this.colours.attacker : this.colours.honest;
            c.fill();
            c.strokeStyle = b.attacker ? this.colours["attacker-line"] : this.colours["honest-line"];
        }
        c.lineWidth = 2;
        if (b.id !== 0) c.stroke();
        c.setLineDash([]);
        c.globalAlpha = 1;
        if (this.labels) this.writeOn(b, x, y, Boolean(mark & HELD) || b.secret || b.id === 0);
        if (b.id === this.selected) {
            c.strokeStyle = this.colours.focus;
            c.lineWidth = 3;
            shape(c, x, y, r + 6);
            c.stroke();
        }
        const paid = this.derived.paid.get(b.id);
        if (paid && this.labels) this.drawPaid(paid, x, y);
    }

    writeOn(b, x, y, held) {
        const c = this.c;
        const text = b.id === 0 ? "start" : String(b.height);
        c.fillStyle = b.secret ? this.colours.ink : b.attacker ? this.colours["on-attacker"] : this.colours["on-honest"];
        if (!held) c.fillStyle = this.colours.ink;
        if (b.id === 0) c.fillStyle = this.colours.canvas;
        c.textAlign = "center";
        c.textBaseline = "middle";
        c.font = `600 ${text.length > 4 ? 12 : 15}px ${this.font}`;
        c.fillText(text, x, b.txs ? y - 5 : y + 1);
        if (b.txs) {
            c.font = `11px ${this.font}`;
            c.fillText(`${b.txs} tx`, x, y + 11);
        }
    }

    // A small tag on the block in which an order is paid, or was before it was robbed.
    drawPaid(orders, x, y) {
        const c = this.c;
        const gone = orders.every((o) => o.gone);
        const text = orders.length > 1 ? `${orders.length} orders` : `order ${orders[0].order}`;
        c.font = `600 11px ${this.font}`;
        const w = c.measureText(text).width + 10;
        c.fillStyle = gone ? this.colours.card : this.colours.merchant;
        c.strokeStyle = this.colours.danger;
        c.lineWidth = 1.5;
        c.beginPath();
        c.roundRect(x - w / 2, y - SIZE / 2 - 20, w, 16, 4);
        c.fill();
        if (gone) c.stroke();
        c.fillStyle = gone ? this.colours.danger : this.colours.card;
        c.textAlign = "center";
        c.textBaseline = "middle";
        c.fillText(text, x, y - SIZE / 2 - 11.5);
        if (gone) c.fillRect(x - w / 2 + 4, y - SIZE / 2 - 12.5, w - 8, 1.5);
    }

    // Who has this block as its tip: beside it at the end of a row, else small and below it.
    drawChips(b) {
        const nodes = this.derived.tips.get(b.id);
        if (!nodes) return;
        const atEnd = this.state.lanes.get(b.lane)?.tip === b.id;
        const rows = chipRows(nodes, atEnd ? 5 : 1);
        const x = this.xOf(b.height) + (atEnd ? SIZE / 2 + 10 : -SIZE / 2 - 8);
        let y = b.lane * ROW + (atEnd ? (-rows.length * CHIP) / 2 : SIZE / 2 + 4);
        for (const row of rows) {
            this.drawChip(row, x, y);
            y += CHIP;
        }
    }

    // Tips to the left of what is in view are named at its edge.
    drawAway() {
        const { zoom } = this.view;
        const left = this.view.x - this.size.width / 2 / zoom;
        const half = this.size.height / 2 / zoom - 30;
        const taken = [];
        for (const [tip, nodes] of this.derived.tips) {
            const b = this.state.blocks[tip];
            if (!b || this.xOf(b.height) + SIZE / 2 > left) continue;
            let y = Math.max(this.view.y - half, Math.min(this.view.y + half, b.lane * ROW)) + (b.lane === 0 ? ROW / 2 : 0);
            while (taken.some((other) => Math.abs(other - y) < CHIP)) y += CHIP;
            taken.push(y);
            const [row] = chipRows(nodes, 1);
            this.drawChip({ role: row.role, text: `${row.text}, ${b.height}` }, left + 8 / zoom, y - CHIP / 2);
        }
    }

    drawChip(row, x, y) {
        const c = this.c;
        c.font = `600 12px ${this.font}`;
        const w = c.measureText(row.text).width + 24;
        c.fillStyle = this.colours.chip;
        c.strokeStyle = this.colours.line;
        c.lineWidth = 1;
        c.beginPath();
        c.roundRect(x, y, w, CHIP - 3, 5);
        c.fill();
        c.stroke();
        this.drawRole(row.role, x + 10, y + (CHIP - 3) / 2);
        c.fillStyle = this.colours.ink;
        c.textAlign = "left";
        c.textBaseline = "middle";
        c.fillText(row.text, x + 19, y + (CHIP - 3) / 2 + 0.5);
    }

    drawRole(role, x, y) {
        const c = this.c;
        if (role === "outlet" || role === "hideout") {
            c.fillStyle = this.colours.attacker;
            hexagon(c, x, y, 4.6);
        } else if (role === "merchant") {
            c.fillStyle = this.colours.merchant;
            c.beginPath();
            c.moveTo(x, y - 5.5);
            c.lineTo(x + 5.5, y);
            c.lineTo(x, y + 5.5);
            c.lineTo(x - 5.5, y);
            c.closePath();
        } else if (role === "watcher") {
            c.fillStyle = this.colours.soft;
            c.beginPath();
            c.arc(x, y, 4.4, 0, 7);
        } else {
            c.fillStyle = this.colours.honest;
            roundedSquare(c, x, y, 4.4);
        }
        c.fill();
    }

    // ---- moving about ----

    setFollowing(on) {
        this.following = on;
        this.onFollow(on);
    }

    pan(dx, dy) {
        this.setFollowing(false);
        this.view.x += dx / this.view.zoom;
        this.view.y += dy / this.view.zoom;
        this.onFollow(false);
    }

    zoomBy(factor, px = this.size.width / 2, py = this.size.height / 2) {
        const before = this.view.zoom;
        const zoom = Math.min(2.5, Math.max(0.08, before * factor));
        const dx = px - this.size.width / 2;
        const dy = py - this.size.height / 2;
        this.view.x += dx / before - dx / zoom;
        this.view.y += dy / before - dy / zoom;
        this.view.zoom = zoom;
        this.jump = true;
        this.onFollow(this.following);
    }

    listen() {
        const canvas = this.canvas;
        const fingers = new Map();
        let moved = 0;
        let spread = 0;
        canvas.addEventListener("pointerdown", (e) => {
            canvas.setPointerCapture(e.pointerId);
            fingers.set(e.pointerId, [e.offsetX, e.offsetY]);
            moved = 0;
            spread = 0;
        });
        canvas.addEventListener("pointermove", (e) => {
            const last = fingers.get(e.pointerId);
            if (!last) return;
            const [dx, dy] = [last[0] - e.offsetX, last[1] - e.offsetY];
            moved += Math.abs(dx) + Math.abs(dy);
            fingers.set(e.pointerId, [e.offsetX, e.offsetY]);
            if (fingers.size === 2) {
                const [[ax, ay], [bx, by]] = [...fingers.values()];
                const now = Math.hypot(ax - bx, ay - by);
                if (spread) this.zoomBy(now / spread, (ax + bx) / 2, (ay + by) / 2);
                spread = now;
            } else if (moved > 4) {
                this.pan(dx, dy);
            }
        });
        const up = (e) => {
            if (fingers.delete(e.pointerId) && moved <= 4 && e.type === "pointerup") {
                this.selected = this.blockUnder(e.offsetX, e.offsetY);
                this.onSelect(this.selected);
            }
        };
        canvas.addEventListener("pointerup", up);
        canvas.addEventListener("pointercancel", up);
        canvas.addEventListener("wheel", (e) => {
            e.preventDefault();
            if (e.ctrlKey || e.deltaY !== 0 && !e.shiftKey) this.zoomBy(Math.exp(-e.deltaY / 500), e.offsetX, e.offsetY);
            else this.pan(e.deltaX || e.deltaY, 0);
        }, { passive: false });
    }

    forget(fromBlock) {
        for (const id of this.born.keys()) {
            if (id >= fromBlock) this.born.delete(id);
        }
    }
}

// Names while they are few, else one chip a role.
export function chipRows(nodes, most) {
    if (nodes.length <= Math.min(most, 4)) {
        return nodes.map((n) => ({ role: n.role, text: n.name }));
    }
    const groups = new Map();
    for (const n of nodes) groups.set(n.role, [...(groups.get(n.role) ?? []), n]);
    const rows = [...groups].map(([role, list]) => ({
        role, text: list.length === 1 ? list[0].name : `${list.length} ${ROLE_WORDS[role] ?? role}`,
    }));
    if (rows.length <= most) return rows;
    return [{ role: nodes.some(isAttacker) ? "hideout" : "honest", text: plural(nodes.length, "node") }];
}
