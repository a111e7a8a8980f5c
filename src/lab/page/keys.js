// The keyboard. Letters work wherever no text is being written.
import { $, el } from "./dom.js";

const HELP = [
    ["Space", "play, pause"],
    ["→  ←", "one event forward, back"],
    ["Shift →  Shift ←", "to the next block, the block before"],
    ["Home  End", "to the beginning, to the present"],
    ["+  −", "faster, slower"],
    ["G", "go on from the moment that is shown"],
    ["A", "attack"],
    ["U", "publish the secret branch"],
    ["P", "partition the network"],
    ["H", "heal it"],
    ["F", "keep the newest blocks in view"],
    ["[  ]", "smaller, larger picture"],
    ["E", "picture and tools change places"],
    ["S", "choose a scenario"],
    ["?", "this help"],
];

function isWriting(target) {
    if (target.closest("dialog")) return true;
    if (target.tagName === "SELECT" || target.tagName === "TEXTAREA") return true;
    return target.tagName === "INPUT" && !["range", "checkbox", "radio"].includes(target.type);
}

export function listen(lab) {
    for (const [key, what] of HELP) {
        $("help-keys").append(el("dt", {}, ...key.split("  ").map((k) => el("kbd", { text: k }))), el("dd", { text: what }));
    }
    const plain = {
        " ": () => lab.togglePlay(),
        ArrowRight: () => lab.step(1),
        ArrowLeft: () => lab.step(-1),
        Home: () => lab.show(0),
        End: () => lab.present(),
        "+": () => lab.faster(1),
        "=": () => lab.faster(1),
        "-": () => lab.faster(-1),
        g: () => lab.goOn(),
        a: () => lab.order("attack"),
        u: () => lab.order("publish"),
        p: () => lab.order("partition"),
        h: () => lab.order("heal"),
        f: () => lab.followTree(),
        "[": () => lab.zoom(1 / 1.25),
        "]": () => lab.zoom(1.25),
        e: () => lab.enlarge(),
        s: () => lab.chooser.open(),
        "?": () => lab.help(),
    };
    const shifted = { ArrowRight: () => lab.stepBlock(1), ArrowLeft: () => lab.stepBlock(-1) };
    document.addEventListener("keydown", (e) => {
        if (e.ctrlKey || e.metaKey || e.altKey || isWriting(e.target)) return;
        const native = e.target.closest("button, a, summary, input");
        if (native && (e.key === " " || e.key === "Enter")) return;
        if (e.target.id === "power" && e.key.startsWith("Arrow")) return;
        if (e.target.type === "range" && (e.key === "Home" || e.key === "End") && e.target.id === "power") return;
        const action = (e.shiftKey && shifted[e.key]) || plain[e.key.length === 1 ? e.key.toLowerCase() : e.key];
        if (!action) return;
        e.preventDefault();
        action();
    });
    // A button that was pressed with the mouse gives the space bar back to play and pause.
    document.addEventListener("click", (e) => {
        const button = e.target.closest("button");
        if (button && e.detail > 0 && !button.closest("dialog")) button.blur();
    });
}
