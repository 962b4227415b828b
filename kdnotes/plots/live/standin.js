// The stand-in of a model where there is no kernel: it holds the state and says what changes.
export class StandIn {
  constructor(state) {
    this.state = state;
    this.listeners = [];
  }
  get(name) { return this.state[name]; }
  set(name, value) {
    if (this.state[name] === value) return;
    this.state[name] = value;
    for (const [event, call] of [...this.listeners]) {
      if (event === "change" || event === `change:${name}`) call();
    }
  }
  save_changes() {}
  send() {}
  on(event, call) { this.listeners.push([event, call]); }
  off(event, call) {
    this.listeners = this.listeners.filter(([e, c]) => e !== event || (call && c !== call));
  }
}
