// The model of a labelling page without any program behind it: pictures come from the reader's disk,
// labels stay in the browser's storage, and leave it as a CSV file.
export class Local {
  constructor(state, scheme) {
    this.state = state;
    this.key = `kdnotes labels ${scheme}`;
    this.files = [];
    this.listeners = [];
    this.labels = this.stored();
    this.unstored = {}; // what the storage has refused
  }

  // What is in the browser's storage; nothing where it is blocked.
  stored() {
    try {
      return JSON.parse(localStorage.getItem(this.key) ?? "{}");
    } catch {
      return {};
    }
  }

  get(name) { return this.state[name]; }

  set(name, value) {
    if (this.state[name] === value) return;
    this.state[name] = value;
    if (name === "index") this.show();
    else this.changed = true;
    this.tell();
  }

  on(event, call) { this.listeners.push([event, call]); }
  off(event, call) { this.listeners = this.listeners.filter(([e, c]) => e !== event || c !== call); }
  send() {}
  tell() { for (const [event, call] of [...this.listeners]) if (event === "change") call(); }

  // Several tabs may be open: each writes its own picture into what is stored now.
  save_changes() {
    const { file, points, hidden } = this.state;
    if (!file || !this.changed) return; // a page was turned: nothing to store, nothing to unsay
    this.changed = false;
    this.unstored[file] = { points, hidden };
    this.labels = { ...this.stored(), ...this.unstored };
    try {
      localStorage.setItem(this.key, JSON.stringify(this.labels));
      this.unstored = {};
      this.state.problem = "";
    } catch (error) {
      this.state.problem = `not stored in this browser: ${error.message}. Download the CSV now.`;
    }
    this.count();
    this.tell();
  }

  count() {
    this.state.n_complete = Object.values(this.labels).filter(({ points }) => points.every(Boolean)).length;
  }

  // Pictures that somebody has chosen.
  async open(files) {
    this.files = [...files].sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
    this.state.n_pictures = this.files.length;
    this.state.index = this.files.findIndex(({ name }) => !this.labels[name]?.points.every(Boolean));
    if (this.state.index < 0) this.state.index = 0;
    await this.show();
  }

  async show() {
    const file = this.files[this.state.index], n = this.state.names.length;
    if (!file) return;
    const { points, hidden } = this.labels[file.name] ?? { points: Array(n).fill(null), hidden: Array(n).fill(false) };
    const before = this.state.source;
    const values = { file: file.name, points, hidden, guessed: Array(n).fill(false), unsure: Array(n).fill(false),
      source: URL.createObjectURL(file), problem: "" };
    const image = new Image();
    image.src = values.source;
    try {
      await image.decode(); // upright, as its EXIF orientation says
      Object.assign(values, { width: image.naturalWidth, height: image.naturalHeight });
    } catch {
      Object.assign(values, { source: "", problem: `${file.name} does not open as a picture.` });
    }
    if (this.files[this.state.index] !== file) return; // somebody has gone on meanwhile
    Object.assign(this.state, values);
    URL.revokeObjectURL(before);
    this.count();
    this.tell();
  }

  // The table that `data prepare csv` reads.
  csv() {
    const n = this.state.names.length;
    const header = ["file", ...Array.from({ length: n }, (_, i) => [`x${i}`, `y${i}`]).flat(), "hidden_points"];
    const cell = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    const rows = Object.entries(this.labels).map(([file, { points, hidden }]) => [
      cell(file), ...points.flatMap((point) => (point ? point.map((v) => v.toFixed(2)) : ["", ""])),
      hidden.flatMap((is, i) => (is ? [i] : [])).join(" "),
    ]);
    return [header, ...rows].map((row) => row.join(",")).join("\n") + "\n";
  }
}

// The two controls that such a page has beside the figure.
export function controls(model, el) {
  const choose = document.createElement("input"), save = document.createElement("button");
  Object.assign(choose, { type: "file", multiple: true, accept: "image/*" });
  choose.setAttribute("aria-label", "pictures to label");
  choose.addEventListener("change", () => model.open(choose.files));
  save.textContent = "Download the labels";
  save.addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([model.csv()], { type: "text/csv" }));
    link.download = "labels.csv";
    link.click();
    URL.revokeObjectURL(link.href);
  });
  el.before(choose, save);
}
