// The sheet in which a scenario is chosen and its settings are changed before it starts.
import * as api from "./api.js";
import { $, el, say } from "./dom.js";

const STRATEGIES = ["none", "double", "takeover", "censor", "empty", "selfish"];
const STRATEGY_NAMES = {
    none: "none", double: "double spend", takeover: "takeover", censor: "censor", empty: "empty blocks", selfish: "selfish",
};

export class Chooser {
    constructor(lab) {
        this.lab = lab;
        this.scenarios = [];
        this.settings = [];
        this.chosen = null;
        this.commands = new Map();
        $("choose").addEventListener("click", () => this.open());
        $("start").addEventListener("click", () => this.start());
        const select = $("strategy");
        select.append(el("option", { value: "", text: "as set" }));
        for (const name of STRATEGIES.slice(1)) select.append(el("option", { value: name, text: STRATEGY_NAMES[name] }));
    }

    async load() {
        const [list, settings] = await Promise.all([api.scenarios(), api.settings()]);
        this.scenarios = Array.isArray(list) ? list : (list.scenarios ?? []);
        this.settings = settings.settings ?? [];
        this.commands = new Map((settings.commands ?? []).map((c) => [c.name, c.help]));
        const box = $("scenario-list");
        const item = (s) => el("label", {},
            el("input", { type: "radio", name: "scenario", value: s.name, onchange: () => this.choose(s.name) }),
            el("span", { text: s.title || s.name }));
        const lessons = this.scenarios.filter((s) => s.name.startsWith("lesson-"));
        const others = this.scenarios.filter((s) => !s.name.startsWith("lesson-"));
        box.replaceChildren(...others.map(item), lessons.length ? el("h3", { text: "Lessons" }) : "", ...lessons.map(item));
        if (this.scenarios.length) this.choose(this.lab.server?.scenario || this.scenarios[0].name);
    }

    open() {
        if (this.lab.server?.scenario) this.choose(this.lab.server.scenario, this.lab.server.setup);
        if (!$("chooser").open) $("chooser").showModal();
        const checked = $("scenario-list").querySelector("input:checked");
        checked?.scrollIntoView({ block: "nearest" });
        checked?.focus();
    }

    // VALUES: settings in force that differ from the file's.
    choose(name, values = {}) {
        const scenario = this.scenarios.find((s) => s.name === name) ?? this.scenarios[0];
        if (!scenario) return;
        this.chosen = scenario;
        for (const input of $("scenario-list").querySelectorAll("input")) input.checked = input.value === scenario.name;
        say($("about-title"), scenario.title || scenario.name);
        say($("about"), scenario.about ?? "");
        say($("about-question"), scenario.question ?? "");
        $("about-question").hidden = !scenario.question;
        say($("chooser-error"), "");
        $("settings").replaceChildren(...this.settings.map((row) => this.field(row, values)));
    }

    field(row, values) {
        const standard = String(this.chosen.setup?.[row.name] ?? "");
        const value = String(values?.[row.name] ?? standard);
        let input;
        if (row.form === "yes/no" || row.form === "strategy") {
            const options = row.form === "strategy" ? STRATEGIES : ["yes", "no"];
            input = el("select", { name: row.name }, ...options.map((o) =>
                el("option", { value: o, selected: o === value, text: o })));
        } else {
            input = el("input", { type: "text", name: row.name, value, autocomplete: "off", spellcheck: "false" });
        }
        input.dataset.standard = standard;
        const label = el("label", { class: value === standard ? "" : "changed" },
            el("span", { text: row.name }), input, el("small", { text: row.help ?? "" }));
        input.addEventListener("input", () => label.classList.toggle("changed", input.value !== standard));
        return label;
    }

    changes() {
        const set = {};
        for (const input of $("settings").querySelectorAll("input, select")) {
            if (input.value.trim() !== input.dataset.standard) set[input.name] = input.value.trim();
        }
        return set;
    }

    async start() {
        if (!this.chosen) return;
        try {
            await api.start(this.chosen.name, this.changes());
            $("chooser").close();
            this.lab.present();
            $("play").focus();
        } catch (error) {
            say($("chooser-error"), error.message);
            $("chooser-error").classList.add("bad");
        }
    }

    helpOf(line) {
        return this.commands.get(line.split(" ")[0]) ?? "";
    }

    // What the chosen scenario's file says about itself.
    about(name) {
        return this.scenarios.find((s) => s.name === name);
    }
}
