// What the tests of the page share: Playwright wherever it is, a browser, a server, and counting.
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
export const SKIPPED = 77;

export function skip(why) {
    console.log(`skipped: ${why}`);
    process.exit(SKIPPED);
}

// CAIRN_PLAYWRIGHT is playwright-core's folder, or a folder with node_modules; else `npm ci` was run here.
export function findPlaywright() {
    const given = process.env.CAIRN_PLAYWRIGHT;
    const places = given ? [given, join(given, "playwright-core"), join(given, "node_modules/playwright-core")] :
        [join(HERE, "node_modules/playwright-core")];
    const found = places.find((p) => existsSync(join(p, "package.json")) && existsSync(join(p, "index.js")));
    if (!found) skip(given ? `there is no playwright-core at ${given}` : "no playwright-core: run npm ci in test/browser, or set CAIRN_PLAYWRIGHT");
    return createRequire(import.meta.url)(resolve(found));
}

export function findChromium() {
    const given = process.env.CAIRN_CHROMIUM;
    const places = given ? [given] : ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
    return places.find((p) => existsSync(p)) ?? skip("there is no chromium");
}

export const launch = (chromium, path) => chromium.launch({
    executablePath: path, args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"],
});

// cairn-lab's page on a port of its own.
export async function startLab(port = 0) {
    const folder = process.env.CAIRN_BIN_DIR ?? resolve(HERE, "../../build/bin");
    const program = join(folder, "cairn-lab");
    if (!existsSync(program)) throw new Error(`there is no ${program}: build it, or set CAIRN_BIN_DIR`);
    const scenarios = process.env.CAIRN_LAB_DIR ?? resolve(HERE, "../../conf/lab");
    const child = spawn(program, ["page", "--port", String(port), "--jobs", "1"], {
        stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, CAIRN_LAB_DIR: scenarios },
    });
    const url = await new Promise((done, failed) => {
        createInterface({ input: child.stdout }).once("line", done);
        child.once("exit", (code) => failed(new Error(`cairn-lab ended with ${code}`)));
    });
    const names = readdirSync(scenarios).filter((n) => n.endsWith(".lab")).map((n) => n.slice(0, -4)).sort();
    const stop = () => new Promise((done) => {
        child.removeAllListeners("exit");
        child.once("exit", (code) => done(code));
        child.kill("SIGTERM");
    });
    return { url, names, stop };
}

// Fails on: an error in the page, an error on its console, a request to anybody but the server (refused, and noted).
export async function watch(page, origin) {
    const faults = [];
    const expected = []; // patterns of console errors that a test brings about on purpose
    page.on("pageerror", (error) => faults.push(`error in the page: ${error.message}`));
    page.on("console", (message) => {
        if (message.type() !== "error" && message.type() !== "warning") return;
        if (!expected.some((pattern) => pattern.test(message.text()))) faults.push(`console: ${message.text()}`);
    });
    await page.route("**/*", (route) => {
        const url = route.request().url();
        if (url.startsWith(origin) || url.startsWith("data:") || url.startsWith("blob:")) return route.continue();
        faults.push(`a request to ${url}`);
        return route.abort();
    });
    return { faults, expected };
}

export class Tally {
    constructor() {
        this.passed = 0;
        this.failed = 0;
        this.only = process.argv[2];
    }

    async test(name, what) {
        if (this.only && !name.includes(this.only)) return;
        const begin = performance.now();
        try {
            await what();
            this.passed += 1;
            console.log(`ok      ${name} (${((performance.now() - begin) / 1000).toFixed(1)} s)`);
        } catch (error) {
            this.failed += 1;
            console.log(`FAILED  ${name}\n${String(error.stack ?? error).split("\n").slice(0, 12).join("\n")}`);
        }
    }

    end() {
        console.log(`${this.passed} passed, ${this.failed} failed`);
        return this.failed || !this.passed ? 1 : 0;
    }
}

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// Asks until it is true.
export async function until(what, words, ms = 15000) {
    const end = performance.now() + ms;
    for (;;) {
        const value = await what();
        if (value) return value;
        if (performance.now() > end) throw new Error(`never: ${words}`);
        await pause(40);
    }
}

export function delays(list) {
    const sorted = [...list].sort((a, b) => a - b);
    return { count: sorted.length, median: sorted[sorted.length >> 1] ?? NaN, worst: sorted[sorted.length - 1] ?? NaN };
}
