// Small helpers over the document.

export const $ = (id) => document.getElementById(id);

// el("td", { class: "num", text: "7" }, child ...)
export function el(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    set(node, attributes);
    node.append(...children.filter((c) => c !== null && c !== undefined));
    return node;
}

export function svg(tag, attributes = {}, ...children) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    set(node, attributes);
    node.append(...children);
    return node;
}

function set(node, attributes) {
    for (const [name, value] of Object.entries(attributes)) {
        if (name === "text") node.textContent = value;
        else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
        else if (value === true) node.setAttribute(name, "");
        else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
    }
}

// Text is put in only where it differs: live regions speak of changes alone.
export function say(node, text) {
    const only = node.firstChild;
    if (only && only === node.lastChild && only.nodeType === Node.TEXT_NODE) {
        if (only.data !== text) only.data = text;
    } else if (node.textContent !== text) {
        node.textContent = text;
    }
}

// Rows of a table or list, made anew only where KEY(item) changed since the last time.
export function rows(parent, items, key, make) {
    const old = parent.children;
    items.forEach((item, i) => {
        const mark = key(item);
        if (old[i] && old[i].rowKey === mark) return;
        const node = make(item);
        node.rowKey = mark;
        if (old[i]) old[i].replaceWith(node);
        else parent.append(node);
    });
    while (parent.children.length > items.length) parent.lastElementChild.remove();
}
