// The time line: the scrubber, the marks above it, and the buttons beside it.
import { $, say } from "./dom.js";
import { clock, sentence, speedName } from "./words.js";

const KIND_COLOUR = {
    payment: "--merchant", delivered: "--merchant", lost: "--danger", reversed: "--danger", reorg: "--danger",
    alarm: "--danger", attack: "--attacker-line", partition: "--honest", heal: "--honest", command: "--soft", end: "--ink",
};

const TALL = new Set(["reorg", "alarm", "lost", "attack"]);
const MARKS_EVERY_MS = 250;

let marksDrawn = "";
let marksAt = 0;
let timer = null; // what came too soon is drawn by it
let later = null;
let box = null; // size of the canvas, asked for only when it changed: asking costs a layout

function kindsByColumn(marks, length, width) {
    const columns = new Map();
    for (const mark of marks) {
        const x = Math.round(8 + ((mark.seq + 1) / Math.max(1, length)) * (width - 16));
        const there = columns.get(x);
        if (!there || (TALL.has(mark.kind) && !TALL.has(there))) columns.set(x, mark.kind);
    }
    return columns;
}

function drawMarks(marks, length) {
    const canvas = $("marks");
    const now = performance.now();
    const last = marks.length ? marks[marks.length - 1].seq : 0;
    const key = `${length} ${marks.length} ${last}`;
    if (key === marksDrawn) return;
    if (marksDrawn && now - marksAt < MARKS_EVERY_MS) {
        later = { marks, length };
        timer ??= setTimeout(() => {
            timer = null;
            drawMarks(later.marks, later.length);
        }, MARKS_EVERY_MS);
        return;
    }
    box ??= { width: canvas.clientWidth, height: canvas.clientHeight };
    const { width, height } = box;
    if (!width) return;
    marksDrawn = key;
    marksAt = now;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const c = canvas.getContext("2d");
    c.scale(ratio, ratio);
    const style = getComputedStyle(document.documentElement);
    const colour = {};
    for (const [kind, name] of Object.entries(KIND_COLOUR)) colour[kind] = style.getPropertyValue(name);
    for (const [x, kind] of kindsByColumn(marks, length, width)) {
        c.fillStyle = colour[kind] ?? colour.command;
        c.fillRect(x - 1, TALL.has(kind) ? 0 : height * 0.45, 2, height);
    }
}

export function forgetMarks() {
    marksDrawn = "";
    box = null;
}

// VIEW: { follow, at, replaying }
export function showTimeline(history, state, view, server) {
    const length = history.length;
    const at = view.follow ? length : view.at;
    const scrubber = $("scrubber");
    scrubber.max = length;
    if (document.activeElement !== scrubber || Number(scrubber.value) !== at) scrubber.value = at;
    scrubber.style.setProperty("--part", `${length ? (at / length) * 100 : 0}%`);
    scrubber.setAttribute("aria-valuetext", `event ${at} of ${length}, ${clock(state.t)}`);
    say($("where"), length ? `${clock(state.t)}, event ${at} of ${length}` : "no events yet");
    const last = at > 0 ? history.events[at - 1] : null;
    say($("event-words"), last ? sentence(last, state) : "");
    const playing = view.follow ? Boolean(server?.playing) : view.replaying;
    $("play").setAttribute("aria-pressed", String(playing));
    $("play").setAttribute("aria-label", playing ? "Pause" : "Play");
    const live = Boolean(server?.live);
    const over = Boolean(server?.over);
    $("play").disabled = view.follow && (live || !server?.scenario || (over && !playing));
    $("step").disabled = view.follow && (live || !server?.scenario || over);
    $("back").disabled = $("to-start").disabled = at === 0;
    $("to-end").disabled = view.follow;
    $("slower").disabled = $("faster").disabled = live && view.follow;
    say($("speed"), live && view.follow ? "real time" : speedName(server?.speed ?? 600));
    $("past").hidden = view.follow;
    $("go-on").hidden = live;
    document.body.classList.toggle("is-past", !view.follow);
    drawMarks(history.head.marks, length);
}
