// The model of a page whose state the program keeps that was started for it.
//
// A change is sent at once. What could not be sent or saved stays on the page and is tried again.

// What is sent where, and after a change of what.
export const LABEL = { address: "label", after: ["points", "hidden", "guessed"],
  sent: ["file", "points", "hidden", "guessed", "seen"] };
export const SCHEME = { address: "scheme", after: ["asked"], sent: ["scheme", "file", "points"] };

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

  // One request after the other, in the order of the changes. What fails is said, and tried again.
  save_changes() {
    this.sending = this.sending.then(async () => {
      try {
        if (this.changed) await this.put();
        if (!this.changed && this.wanted !== undefined) await this.fetch();
      } catch (error) {
        const ended = error instanceof TypeError; // nobody answers
        const reason = ended ? "the program that saves your labels is not running; start it again and open the new address" : error.message;
        this.take({ problem: `${this.changed ? "not saved yet: " : ""}${reason}` });
        clearTimeout(this.again);
        this.again = setTimeout(() => this.save_changes(), 2000);
      }
    });
    return this.sending;
  }

  async put() {
    const sent = Object.fromEntries(this.kind.sent.map((name) => [name, this.state[name]]));
    this.changed = false;
    try {
      const values = await this.ask(this.kind.address, { method: "PUT", body: JSON.stringify(sent) });
      this.take(values);
      if (values.reload) location.reload();
    } catch (error) {
      this.changed = true;
      throw error;
    }
  }

  async fetch() {
    const wanted = this.wanted, values = await this.ask(`picture?index=${wanted}`);
    if (this.wanted === wanted) this.wanted = undefined;
    this.take(values);
  }

  // The values of an answer. A full disk and a program that cannot read are tried again; whatever
  // else is refused is final, and its reason is among the values.
  async ask(address, options = {}) {
    const answer = await fetch(address, { ...options, headers: { Authorization: `Bearer ${this.token}` } });
    if (answer.status === 403) throw Error("this page belongs to an earlier start of the program; open the new address");
    const values = await answer.json();
    if (answer.status >= 500) throw Error(values.problem);
    return values;
  }
}
