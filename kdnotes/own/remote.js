// The model of a labelling page: the program that was started for it keeps the labels.
//
// A change is sent at once. What could not be sent or saved stays on the page and is tried again.
export class Remote {
  constructor(state, token) {
    this.state = state;
    this.token = token;
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
      if (["points", "hidden", "guessed"].includes(name)) this.changed = true;
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
    const { file, points, hidden, guessed, seen } = this.state;
    this.changed = false;
    try {
      const answer = await this.ask("label", { method: "PUT",
        body: JSON.stringify({ file, points, hidden, guessed, seen }) });
      this.take(await answer.json());
      if (!answer.ok && answer.status !== 409) throw Error(this.state.problem);
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
