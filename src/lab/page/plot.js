// Figures: the chance of a theft against confirmations, and shares of the chain over time. Plain SVG.
import { el, svg } from "./dom.js";
import { percent } from "./words.js";

const NAMES = { strict: "strict", paper: "paper", nakamoto: "Nakamoto" };
const Z99 = 2.5758;

// Wilson's interval, 99%.
export function interval(hits, trials) {
    if (!trials) return [0, 1];
    const p = hits / trials;
    const n = trials;
    const k = Z99 * Z99;
    const middle = (p + k / (2 * n)) / (1 + k / n);
    const half = (Z99 / (1 + k / n)) * Math.sqrt((p * (1 - p)) / n + k / (4 * n * n));
    return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

function frame(box, bottom = 42) {
    const width = Math.max(260, box.clientWidth);
    const height = Math.max(60, box.clientHeight);
    const low = height < 150; // no room for words below the axis
    const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
    return { root, width, height, left: 46, right: width - 74, top: 12, low,
        bottom: height - (low ? 20 : bottom) };
}

function text(x, y, words, attributes = {}) {
    return svg("text", { x, y, class: "p-text", text: words, ...attributes });
}

function scaleY(f, low, log) {
    return (p) => {
        if (!log) return f.bottom - p * (f.bottom - f.top);
        const part = (Math.log10(Math.max(p, low)) - Math.log10(low)) / -Math.log10(low);
        return f.bottom - part * (f.bottom - f.top);
    };
}

function ticks(low, log) {
    if (!log) return [0, 0.25, 0.5, 0.75, 1];
    const list = [];
    for (let p = 1; p >= low * 0.999; p /= 10) list.push(p);
    return list;
}

// Labels at the right end that would lie on one another are moved apart.
function spread(labels, gap, low, high) {
    labels.sort((a, b) => a.y - b.y);
    for (let i = 0; i < labels.length; i++) {
        labels[i].y = Math.max(labels[i].y, i ? labels[i - 1].y + gap : low);
    }
    for (let i = labels.length - 1; i >= 0; i--) {
        labels[i].y = Math.min(labels[i].y, i === labels.length - 1 ? high : labels[i + 1].y - gap);
    }
}

// CURVES: theory as the server gives it; MEASURED: [{z, trials, stolen}]; OWN: "strict" or "paper".
export function chancePlot(box, curves, measured, own, log) {
    const f = frame(box);
    const { root } = f;
    const all = [...curves.strict_curve, ...curves.paper_curve, ...curves.nakamoto_curve].filter((p) => p > 0);
    const low = 10 ** Math.max(-8, Math.floor(Math.log10(Math.min(...all, 0.1))));
    const count = curves.strict_curve.length;
    const x = (z) => f.left + ((z - 0.5) / count) * (f.right - f.left);
    const y = scaleY(f, low, log);
    for (const p of ticks(low, log)) {
        root.append(svg("line", { class: "p-axis", x1: f.left, x2: f.right, y1: y(p), y2: y(p) }),
            text(f.left - 6, y(p) + 4, percentTick(p), { "text-anchor": "end" }));
    }
    for (let z = 1; z <= count; z++) root.append(text(x(z), f.bottom + 16, String(z), { "text-anchor": "middle" }));
    if (!f.low) {
        root.append(text((f.left + f.right) / 2, f.bottom + 33, "confirmations that the merchant waits for",
            { "text-anchor": "middle" }));
    }
    const labels = [];
    for (const name of ["nakamoto", "paper", "strict"]) {
        const curve = curves[`${name}_curve`];
        const points = curve.map((p, i) => `${x(i + 1).toFixed(1)},${y(p).toFixed(1)}`).join(" ");
        root.append(svg("polyline", { class: `p-line p-${name}${name === own ? " p-own" : ""}`, points }));
        labels.push({ y: y(curve[count - 1]) + 4, name });
    }
    spread(labels, 15, f.top + 6, f.bottom);
    for (const l of labels) {
        root.append(svg("text", { class: `p-label p-${l.name}`, x: f.right + 2, y: l.y, text: NAMES[l.name] }));
    }
    for (const m of measured) {
        if (!m.trials || m.z < 1 || m.z > count) continue;
        const [a, b] = interval(m.stolen, m.trials);
        root.append(svg("line", { class: "p-measured", x1: x(m.z), x2: x(m.z), y1: y(a), y2: y(b) }),
            svg("circle", { class: "p-measured", cx: x(m.z), cy: y(m.stolen / m.trials), r: 4.5 }));
    }
    root.setAttribute("aria-label", chanceWords(curves, measured));
    box.replaceChildren(root);
}

function percentTick(p) {
    if (p === 0) return "0";
    if (p >= 0.01) return `${p * 100}%`;
    return p >= 1e-4 ? `${Number((p * 100).toPrecision(1))}%` : `1e${Math.round(Math.log10(p * 100))}%`;
}

function chanceWords(curves, measured) {
    const at = (name) => curves[`${name}_curve`].map((p, i) => `${i + 1}: ${percent(p)}`).join(", ");
    const points = measured.filter((m) => m.trials).map((m) => `${m.z}: ${percent(m.stolen / m.trials)}`).join(", ");
    return `Chance of a theft against confirmations. Strict: ${at("strict")}. Paper: ${at("paper")}. ` +
        `Nakamoto: ${at("nakamoto")}. Measured: ${points || "nothing yet"}.`;
}

// POINTS: [{t, attacker, stale}] as parts of one, POWER: the attacker's share of the hash power.
export function sharesPlot(box, points, power) {
    const f = frame(box);
    const { root } = f;
    const y = scaleY(f, 0, false);
    const end = Math.max(1, points.length ? points[points.length - 1].n : 1);
    const x = (n) => f.left + (n / end) * (f.right - f.left);
    for (const p of ticks(0, false)) {
        root.append(svg("line", { class: "p-axis", x1: f.left, x2: f.right, y1: y(p), y2: y(p) }),
            text(f.left - 6, y(p) + 4, `${p * 100}%`, { "text-anchor": "end" }));
    }
    root.append(text((f.left + f.right) / 2, f.bottom + 33, "blocks found", { "text-anchor": "middle" }),
        text(f.right, f.bottom + 16, String(end), { "text-anchor": "middle" }), text(f.left, f.bottom + 16, "0",
            { "text-anchor": "middle" }));
    const line = (key, name) => root.append(svg("polyline", { class: name,
        points: points.map((p) => `${x(p.n).toFixed(1)},${y(p[key]).toFixed(1)}`).join(" ") }));
    line("stale", "p-stale");
    line("attacker", "p-attacker");
    const labels = [];
    if (points.length) {
        const last = points[points.length - 1];
        labels.push({ y: y(last.attacker) + 4, text: "attacker" }, { y: y(last.stale) + 4, text: "stale" });
    }
    if (power > 0) {
        root.append(svg("line", { class: "p-axis", x1: f.left, x2: f.right, y1: y(power), y2: y(power),
            "stroke-dasharray": "3 3" }));
        labels.push({ y: y(power) + 4, text: "its power" });
    }
    spread(labels, 15, f.top + 6, f.bottom);
    for (const l of labels) root.append(text(f.right + 4, l.y, l.text));
    root.setAttribute("aria-label", "Shares of the blocks over time.");
    box.replaceChildren(root);
}

export { el };
