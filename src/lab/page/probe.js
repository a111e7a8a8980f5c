// How long it takes until an event is seen, and how many frames a second there are: kept for the help page and the tests.
const KEEP = 4000;

class Probe {
    constructor() {
        this.waiting = []; // [seq, instant of arrival]
        this.delays = []; // [seq, milliseconds from arrival to the frame that shows it]
        this.frames = [];
        this.lastDrawn = -1;
    }

    received(seq, at) {
        if (this.waiting.length < KEEP) this.waiting.push([seq, at]);
    }

    // The picture now shows everything before COUNT.
    drawn(count) {
        const now = performance.now();
        this.lastDrawn = count - 1;
        for (const [seq, at] of this.waiting) {
            if (seq < count) this.delays.push([seq, now - at]);
        }
        this.waiting = this.waiting.filter(([seq]) => seq >= count);
        if (this.delays.length > KEEP) this.delays.splice(0, this.delays.length - KEEP);
        this.frames.push(now);
        if (this.frames.length > KEEP) this.frames.splice(0, this.frames.length - KEEP);
    }

    forget() {
        this.waiting = [];
    }

    summary() {
        const sorted = this.delays.map(([, ms]) => ms).sort((a, b) => a - b);
        if (!sorted.length) return null;
        return { count: sorted.length, median: sorted[sorted.length >> 1], worst: sorted[sorted.length - 1] };
    }
}

export const probe = new Probe();
globalThis.labProbe = probe;
