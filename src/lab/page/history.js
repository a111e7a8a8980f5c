// All events there are, and the state as of any of them: every so many events a snapshot is kept.
import { apply, initial, snapshot } from "./state.js";

const EVERY = 1000;

export class History {
    constructor() {
        this.events = [];
        this.head = initial();
        this.snapshots = [snapshot(this.head)]; // [i]: the state after i * EVERY events
    }

    get length() {
        return this.events.length;
    }

    // Events come in order; one that is known already is passed over, and a gap is refused.
    push(event) {
        if (event.seq < this.events.length) return true;
        if (event.seq > this.events.length) return false;
        this.events.push(event);
        apply(this.head, event);
        if (this.events.length % EVERY === 0) this.snapshots.push(snapshot(this.head));
        return true;
    }

    // Events from COUNT on are void.
    truncate(count) {
        if (count >= this.events.length) return;
        this.head = this.at(count);
        this.events.length = count;
        this.snapshots.length = Math.floor(count / EVERY) + 1;
    }

    // A state of its own: as it was after COUNT events. NEAR, a state that at() gave before, is moved on if it can be.
    at(count, near = null) {
        const target = Math.max(0, Math.min(count, this.events.length));
        const kept = Math.floor(target / EVERY);
        const state = near && near.seq <= target && near.seq >= kept * EVERY ? near : snapshot(this.snapshots[kept]);
        while (state.seq < target) apply(state, this.events[state.seq]);
        return state;
    }

    // How many events there had been at this virtual instant (all of that instant included).
    countAt(t) {
        let low = 0;
        let high = this.events.length;
        while (low < high) {
            const middle = (low + high) >> 1;
            if (this.events[middle].t <= t) low = middle + 1;
            else high = middle;
        }
        return low;
    }
}
