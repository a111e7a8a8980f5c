// The page: what the server tells goes into the history; what is shown is the state as of one event of it.
import * as api from "./api.js";
import { Chooser } from "./chooser.js";
import { $, say } from "./dom.js";
import { isAttacker } from "./derive.js";
import { History } from "./history.js";
import * as keys from "./keys.js";
import { lineOf, whyNot } from "./orders.js";
import { dismissAlarms, show, showBlock, showLog } from "./panels.js";
import { probe } from "./probe.js";
import { forgetMarks, showTimeline } from "./timeline.js";
import { Tools } from "./tools.js";
import { Tree } from "./tree.js";
import { SPEEDS, share } from "./words.js";

const PANELS_EVERY_MS = 60;
const CROWD_EVERY_MS = 200; // of many nodes the tables take long to lay out; the picture is drawn at every frame
const FASTEST = [...SPEEDS, 86400];

class Lab {
    constructor() {
        this.history = new History();
        this.server = null; // what the server said of itself last
        this.view = { follow: true, at: 0, replaying: false };
        this.shown = this.history.head;
        this.past = null; // the state shown last while looking at the past
        this.panelsAt = 0;
        this.wanted = false;
        this.stale = true;
        this.branch = null;
        this.tree = new Tree($("tree"), {
            onSelect: (block) => this.select(block),
            onFollow: (on) => {
                $("follow").setAttribute("aria-pressed", String(on));
                this.dirty();
            },
        });
        const narrow = innerWidth < 640 ? 0.85 : 1;
        this.tree.view.zoom = (narrow * parseFloat(getComputedStyle(document.documentElement).fontSize)) / 16;
        this.chooser = new Chooser(this);
        this.tools = new Tools(this);
        this.listen();
        keys.listen(this);
    }

    // ---- what the server says ----

    begin() {
        api.follow({
            known: () => this.history.length,
            onEvent: (event) => this.onEvent(event),
            onReset: (seq) => this.onReset(seq),
            onState: (state) => this.onState(state),
            onMeasure: (report) => this.tools.onMeasure(report),
            onLink: (up) => say($("link"), up ? "" : "No connection to cairn-lab"),
        });
        this.chooser.load().then(() => this.onState(this.server)).catch((error) => this.tell(error.message, true));
    }

    onEvent(event) {
        const taken = this.history.push(event);
        this.dirty();
        return taken;
    }

    onReset(seq) {
        if (seq < this.history.length) {
            this.history.truncate(seq);
            this.past = null;
            probe.forget();
            this.tree.forget(this.history.head.blocks.length);
            forgetMarks();
            dismissAlarms(this.history.head);
            if (seq === 0) this.present();
            if (this.view.at > seq) this.present();
        }
        this.dirty();
    }

    onState(state) {
        if (!state) return;
        const first = this.server === null;
        const other = first || state.scenario !== this.server.scenario ||
            (state.branch !== this.server.branch && state.seed !== this.server.seed);
        this.server = state;
        const about = this.chooser.about(state.scenario);
        say($("title"), state.title || state.scenario || "Choose a scenario");
        const question = about?.question ?? "";
        say($("question"), question);
        $("question").hidden = !question;
        if (other) this.tools.adopt(state.setup);
        if (document.activeElement !== $("confirmations") && state.setup?.confirmations) {
            $("confirmations").value = state.setup.confirmations;
        }
        if (first && !state.scenario) this.chooser.open();
        this.dirty();
    }

    // ---- what is shown ----

    dirty() {
        this.stale = true;
        if (this.wanted) return;
        this.wanted = true;
        requestAnimationFrame((now) => this.frame(now));
    }

    frame(now) {
        this.wanted = false;
        if (this.view.replaying) this.replay(now);
        const count = this.view.follow ? this.history.length : this.view.at;
        if (this.view.follow) {
            this.shown = this.history.head;
        } else {
            this.past = this.history.at(count, this.past);
            this.shown = this.past;
        }
        this.tree.setState(this.shown);
        const moving = this.tree.draw(now);
        probe.drawn(count);
        const every = this.shown.nodes.length > 20 ? CROWD_EVERY_MS : PANELS_EVERY_MS;
        if (this.stale && now - this.panelsAt >= every) {
            this.panelsAt = now;
            this.stale = false;
            this.showPanels();
        }
        if (moving || this.stale || this.view.replaying) {
            this.wanted = true;
            requestAnimationFrame((next) => this.frame(next));
        }
    }

    showPanels() {
        const state = this.shown;
        show(state, this.server);
        showTimeline(this.history, state, this.view, this.server);
        showBlock(state, this.tree.selected);
        this.tools.nodes(state);
        this.tools.showPool(state, this.view.follow);
        this.tools.drawShares();
        if (this.tools.open === "log") showLog(this.history, state, $("log-all").checked, (seq) => this.show(seq));
        this.showOrders(state);
    }

    // Why this cannot be ordered now; null: it can.
    refusal(line) {
        if (!this.view.follow) return "orders act on the present: go back to it, or go on from here";
        if (!this.server?.scenario) return "choose a scenario first";
        if (this.server.over) return "it is over";
        return whyNot(line, this.shown);
    }

    showOrders(state) {
        for (const button of document.querySelectorAll("[data-order]")) {
            const why = this.refusal(button.dataset.order);
            button.disabled = why !== null;
            button.title = why ?? this.chooser.helpOf(button.dataset.order);
        }
        const power = state.nodes.filter(isAttacker).reduce((sum, n) => sum + n.share, 0);
        const slider = $("power");
        slider.disabled = this.refusal("power") !== null;
        $("confirmations").disabled = this.refusal("confirmations") !== null;
        if (!this.sliding) slider.value = Math.round(power / 1e4);
        say($("power-value"), this.sliding ? `${slider.value}%` : share(power));
        slider.style.setProperty("--part", `${(slider.value / slider.max) * 100}%`);
        slider.setAttribute("aria-valuetext", $("power-value").textContent);
    }

    select(block) {
        this.tree.selected = block;
        this.dirty();
    }

    tell(words, bad = false) {
        const box = $("answer");
        say(box, words);
        box.classList.toggle("bad", bad);
    }

    // ---- moving in time ----

    show(count) {
        const at = Math.max(0, Math.min(count, this.history.length));
        this.view = { follow: false, at, replaying: false };
        this.tree.jump = true;
        if (at === this.history.length) this.present();
        this.dirty();
    }

    present() {
        this.view = { follow: true, at: this.history.length, replaying: false };
        this.past = null;
        this.dirty();
    }

    step(by) {
        const at = this.view.follow ? this.history.length : this.view.at;
        if (this.view.follow && by > 0) this.act(() => api.control("step"));
        else this.show(at + by);
    }

    stepBlock(by) {
        const events = this.history.events;
        let at = (this.view.follow ? this.history.length : this.view.at) + by;
        while (at > 0 && at < events.length && events[at - 1].e !== "block") at += by;
        if (this.view.follow && by > 0) this.step(1);
        else this.show(at);
    }

    togglePlay() {
        if (!this.view.follow) {
            this.view.replaying = !this.view.replaying;
            this.replayed = null;
            this.dirty();
            return;
        }
        if ($("play").disabled) return;
        this.act(() => api.control(this.server?.playing ? "pause" : "play"));
    }

    // What was recorded runs again at the speed of the play, until the present is reached.
    replay(now) {
        const events = this.history.events;
        if (this.replayed === null) {
            this.replayed = { now, t: this.view.at > 0 ? events[this.view.at - 1].t : 0 };
        }
        this.replayed.t += (now - this.replayed.now) * 1e3 * (this.server?.speed ?? 600);
        this.replayed.now = now;
        this.view.at = Math.max(this.view.at, this.history.countAt(this.replayed.t));
        this.stale = true;
        if (this.view.at >= this.history.length) this.present();
    }

    goOn() {
        if (this.view.follow) return;
        const at = this.view.at;
        this.act(async () => {
            await api.control("rewind", at);
            this.present();
        });
    }

    faster(by) {
        const speed = this.server?.speed ?? 600;
        const next = by > 0 ? FASTEST.find((s) => s > speed) : FASTEST.findLast((s) => s < speed);
        if (next) this.act(() => api.control("speed", next));
    }

    // ---- orders ----

    async act(what) {
        try {
            await what();
            this.tell("");
        } catch (error) {
            this.tell(error.message, true);
        }
    }

    async order(line) {
        const why = this.refusal(line);
        if (why) {
            this.tell(`${line}: ${why}.`, true);
            return;
        }
        const full = lineOf(line, $("strategy").value, this.server.setup, this.shown);
        try {
            await api.command(full);
            this.tell(`Done: ${full}.`);
        } catch (error) {
            this.tell(`${full}: ${error.message}`, true);
        }
    }

    followTree() {
        this.tree.setFollowing(!this.tree.following);
        this.dirty();
    }

    zoom(factor) {
        this.tree.zoomBy(factor);
        this.dirty();
    }

    enlarge() {
        const on = document.body.classList.toggle("enlarged");
        $("enlarge").setAttribute("aria-pressed", String(on));
        this.dirty();
    }

    help() {
        const s = probe.summary();
        say($("help-probe"), s ? `Events were drawn ${s.median.toFixed(0)} ms after they came (median; at most ` +
            `${s.worst.toFixed(0)} ms).` : "");
        if (!$("help-sheet").open) $("help-sheet").showModal();
    }

    listen() {
        const on = (id, what) => $(id).addEventListener("click", what);
        on("play", () => this.togglePlay());
        on("step", () => this.step(1));
        on("back", () => this.step(-1));
        on("to-start", () => this.show(0));
        on("to-end", () => this.present());
        on("present", () => this.present());
        on("go-on", () => this.goOn());
        on("slower", () => this.faster(-1));
        on("faster", () => this.faster(1));
        on("zoom-in", () => this.zoom(1.25));
        on("zoom-out", () => this.zoom(1 / 1.25));
        on("follow", () => this.followTree());
        on("enlarge", () => this.enlarge());
        on("help", () => this.help());
        on("alarm-close", () => {
            dismissAlarms(this.shown);
            this.dirty();
        });
        for (const button of document.querySelectorAll("[data-order]")) {
            button.addEventListener("click", () => this.order(button.dataset.order));
        }
        $("scrubber").addEventListener("input", (e) => this.show(Number(e.target.value)));
        $("power").addEventListener("input", () => {
            this.sliding = true;
            this.dirty();
        });
        $("power").addEventListener("change", async (e) => {
            await this.order(`power ${e.target.value}%`);
            this.sliding = false;
            this.dirty();
        });
        $("confirmations").addEventListener("change", (e) => this.order(`confirmations ${e.target.value}`));
        new ResizeObserver(() => {
            forgetMarks();
            this.tree.resized();
            this.dirty();
        }).observe($("tree"));
        matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
            this.tree.readColours();
            forgetMarks();
            this.dirty();
        });
    }
}

const lab = new Lab();
globalThis.lab = lab; // for the curious at the browser's own console, and for tests
lab.begin();
