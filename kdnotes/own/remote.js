// The model of a page whose state the program keeps that was started for it.
//
// A change is sent at once. What could not be sent or saved stays on the page and is tried again.

// What is sent where, and after a change of what.
export const LABEL = { address: "label", after: ["points", "hidden", "guessed"],
  sent: ["file", "points", "hidden", "guessed", "seen"] };
export const SCHEME = { address: "scheme", after: ["asked"], sent: ["scheme"] };

export class Remote {
  constructor(state, token, kind) {
    this.state = state;
    this.token = token;
    this.kind = kind;
    this.listeners = [];
    this.sending = Promise.resolve();
    this.changed = false;
  }

  get(name) { return this.state[name]; }

  set(name, value) {
    if (this.state[name] === value) return;
    if (name === "index") this.wanted = value;
    else {
      this.state[name] = value;
      if (this.kind.after.includes(name)) this.changed = true;
    }
    this.tell();
  }

  on(event, call) { this.listeners.push([event, call]); }
  off(event, call) { this.listeners = this.listeners.filter(([e, c]) => e !== event || c !== call); }
  send() {}

  tell() { for (const [event, call] of [...this.listeners]) if (event === "change") call(); }

  take(values) {
    Object.assign(this.state, values);
    this.tell();
  }

  // One request after the other, in the order of the changes.
  save_changes() {
    this.sending = this.sending.then(async () => {
      if (this.changed) await this.put();
      if (!this.changed && this.wanted !== undefined) await this.fetch();
    });
    return this.sending;
  }

  async put() {
    const sent = Object.fromEntries(this.kind.sent.map((name) => [name, this.state[name]]));
    this.changed = false;
    try {
      const answer = await this.ask(this.kind.address, { method: "PUT", body: JSON.stringify(sent) });
      const values = await answer.json();
      this.take(values);
      if (values.reload) location.reload();
      if (answer.status === 507) throw Error(values.problem); // the disk is full; others are final
    } catch (error) {
      this.changed = true;
      const reason = error instanceof TypeError ? "the program that keeps the labels has ended; start it again" : error.message;
      this.take({ problem: `not saved yet: ${reason}` });
      clearTimeout(this.again);
      this.again = setTimeout(() => this.save_changes(), 2000);
    }
  }

  async fetch() {
    const answer = await this.ask(`picture?index=${this.wanted}`);
    this.wanted = undefined;
    this.take(await answer.json());
  }

  ask(address, options = {}) {
    return fetch(address, { ...options, headers: { Authorization: `Bearer ${this.token}` } });
  }
}
