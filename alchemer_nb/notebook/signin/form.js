// The sign-in form. What is typed is only in the page: it is sent once, as a message, when the form
// is submitted, and is never part of the widget state that is saved with a notebook.
//
// From Python: the trait `view` (labels, texts, errors; never a value) and messages
// {type: "link", href, host}. To Python: {type: "ready"}, {type: "submit", attempt, fields,
// options} with one binary buffer a field, {type: "action", name} and {type: "options", options}.

const SLOW_MS = 5000;
const SLOW =
  "No answer yet. If a cell is running, this goes on when it has ended. " +
  "If the kernel was restarted, run this cell again.";
const NOT_CONNECTED =
  "Not connected yet. If a cell is running, wait for its end; otherwise run this cell again.";
let serial = 0;

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

function eye(open) {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const shapes = [
    ["path", { d: "M2 12s3.6-6.5 10-6.5S22 12 22 12s-3.6 6.5-10 6.5S2 12 2 12z" }],
    ["circle", { cx: 12, cy: 12, r: 2.8 }],
  ];
  if (!open) shapes.push(["path", { d: "M4 20 20 4" }]);
  for (const [tag, attributes] of shapes) {
    const shape = document.createElementNS(ns, tag);
    for (const [name, value] of Object.entries(attributes)) shape.setAttribute(name, value);
    svg.append(shape);
  }
  return svg;
}

// A one-line box would drop the line break of a pasted "key, line break, secret", and then the two
// parts could not be separated.
function pasteKeepingLines(event) {
  const text = event.clipboardData ? event.clipboardData.getData("text") : "";
  if (!/[\r\n]/.test(text.trim())) return;
  event.preventDefault();
  const box = event.target;
  const line = text.trim().replace(/\s*[\r\n]+\s*/g, " ");
  box.setRangeText(line, box.selectionStart, box.selectionEnd, "end");
}

function fieldRow(field, id) {
  const secret = field.kind === "password";
  const input = make("input", {
    id,
    name: `alchemer-nb-${field.name}`,
    type: secret ? "password" : "text",
    placeholder: field.placeholder || "",
    autocomplete: secret ? "new-password" : "off",
    autocapitalize: "none",
    autocorrect: "off",
    spellcheck: "false",
    "data-1p-ignore": true,
    "data-lpignore": "true",
    "aria-describedby": `${id}-error ${id}-next ${id}-help`,
  });
  input.addEventListener("paste", pasteKeepingLines);
  const box = make("div", { class: "alchemer-box" }, input);
  if (secret) {
    const toggle = make("button", {
      type: "button",
      class: "alchemer-eye",
      title: "Show",
      "aria-label": `Show ${field.label}`,
      "aria-pressed": "false",
      "aria-controls": id,
    });
    toggle.append(eye(true));
    toggle.addEventListener("click", () => {
      const show = input.type === "password";
      input.type = show ? "text" : "password";
      toggle.title = show ? "Hide" : "Show";
      toggle.setAttribute("aria-label", `${toggle.title} ${field.label}`);
      toggle.setAttribute("aria-pressed", String(show));
      toggle.replaceChildren(eye(!show));
    });
    box.append(toggle);
  }
  const error = make("div", { class: "alchemer-error", id: `${id}-error`, "aria-live": "polite" });
  const next = make("div", { class: "alchemer-next", id: `${id}-next`, "aria-live": "polite" });
  const help = make("div", { class: "alchemer-help", id: `${id}-help` }, field.help || "");
  const row = make(
    "div",
    { class: "alchemer-row" },
    make("label", { for: id }, field.label),
    make("div", { class: "alchemer-cell" }, box, error, next, help),
  );
  return { row, input, error, next };
}

function optionRow(option, id, checked) {
  const input = make("input", { id, type: "checkbox", "aria-describedby": `${id}-help` });
  input.checked = checked;
  const row = make(
    "div",
    { class: "alchemer-option" },
    input,
    make("label", { for: id }, option.label),
  );
  row.append(make("div", { class: "alchemer-help", id: `${id}-help` }, option.help || ""));
  return { row, input };
}

function piece({ text, href }) {
  if (!href) return text;
  return make("a", { href, target: "_blank", rel: "noopener noreferrer" }, text);
}

// Once somebody is signed in. From the panel, Tab leads to its buttons; with the focus on a button,
// a second press of Enter would press it.
function focusPanel(panel, tries = 40) {
  const active = document.activeElement;
  const isFree = !active || active === document.body || panel.contains(active);
  if (!isFree || !panel.isConnected) return;
  if (panel.querySelector(".alchemer-status")) {
    panel.setAttribute("tabindex", "-1");
    panel.setAttribute("role", "group");
    panel.setAttribute("aria-label", "Signed in to Alchemer");
    panel.focus();
  } else if (tries) {
    setTimeout(() => focusPanel(panel, tries - 1), 50);
  }
}

class Form {
  constructor(model, el) {
    this.model = model;
    this.id = `alchemer-nb-${++serial}`;
    this.boxes = {};
    this.options = {};
    this.checked = {};
    this.view = {};
    this.panel = null; // where the form was submitted from
    this.link = null;
    this.busy = false;
    this.notice = make("div", { class: "alchemer-sentence" });
    this.noticeNext = make("div", { class: "alchemer-next" });
    this.above = make(
      "div", { class: "alchemer-notice", role: "status" }, this.notice, this.noticeNext,
    );
    this.intro = make("div", { class: "alchemer-intro" });
    this.where = make("div", { class: "alchemer-where", role: "note" });
    this.linkLine = make("div", { class: "alchemer-link" });
    this.rows = make("div", { class: "alchemer-rows" });
    this.general = make("div", { class: "alchemer-error alchemer-general", role: "alert" });
    this.generalNext = make("div", { class: "alchemer-next alchemer-general", role: "status" });
    this.button = make("button", { type: "submit", class: "alchemer-primary" });
    this.actions = make("span", { class: "alchemer-actions" });
    this.slow = make("div", { class: "alchemer-help", "aria-live": "polite" });
    const foot = make("div", { class: "alchemer-foot" }, this.button, this.actions);
    this.form = make(
      "form",
      { class: "alchemer-form", novalidate: true, autocomplete: "off" },
      this.above, this.linkLine, this.intro, this.where, this.rows, foot, this.general, this.generalNext,
      this.slow,
    );
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    el.classList.add("alchemer-nb");
    // The notebook's own shortcuts must not fire while somebody types.
    el.setAttribute("data-lm-suppress-shortcuts", "true");
    for (const kind of ["keydown", "keypress", "keyup"]) {
      el.addEventListener(kind, (event) => event.stopPropagation());
    }
    el.append(this.form);
    this.onView = () => this.update(this.model.get("view"));
    this.onMessage = (message) => this.receive(message);
    model.on("change:view", this.onView);
    model.on("msg:custom", this.onMessage);
    this.update(model.get("view"));
    // In a reopened notebook no kernel answers, and the form should say that it cannot be used.
    this.timer = setTimeout(() => { this.slow.textContent = NOT_CONNECTED; }, SLOW_MS);
    model.send({ type: "ready" });
  }

  close() {
    clearTimeout(this.timer);
    this.empty();
    if (this.panel) focusPanel(this.panel);
    this.model.off("change:view", this.onView);
    this.model.off("msg:custom", this.onMessage);
  }

  receive(message) {
    if (!this.busy) this.setBusy(false);
    if (message.type !== "link") return;
    this.link = message.href ? message : null;
    this.showLink();
  }

  showLink() {
    this.linkLine.replaceChildren();
    if (!this.link || !this.view.wants_link) return;
    const anchor = make(
      "a",
      { href: this.link.href, target: "_blank", rel: "noopener noreferrer" },
      this.view.link_label || "Open the log-in page",
    );
    this.linkLine.append(anchor, make("span", { class: "alchemer-host" }, `on ${this.link.host}`));
  }

  update(view) {
    const before = this.view;
    this.view = view;
    const shape = (v) => JSON.stringify([v.fields || [], v.options || []]);
    if (shape(before) !== shape(view)) this.build();
    if (before.clear !== view.clear) this.empty();
    if (before.attempt !== view.attempt) this.setBusy(false);
    this.notice.textContent = view.notice || "";
    this.noticeNext.textContent = view.notice_next || "";
    this.above.classList.toggle("alchemer-failed", Boolean(view.failed));
    this.intro.textContent = view.intro || "";
    this.where.replaceChildren(...(view.where || []).map(piece));
    this.showLink();
    this.showErrors(view.errors || {}, view.hints || {});
    const acts = (v) => JSON.stringify(v.actions || []);
    if (acts(before) !== acts(view)) this.buildActions();
    this.label();
  }

  build() {
    this.boxes = {};
    this.options = {};
    this.rows.replaceChildren();
    for (const field of this.view.fields || []) {
      const made = fieldRow(field, `${this.id}-${field.name}`);
      made.input.addEventListener("input", () => this.showError(made, "", ""));
      this.boxes[field.name] = made;
      this.rows.append(made.row);
    }
    for (const option of this.view.options || []) {
      const checked = Boolean(this.checked[option.name]);
      const made = optionRow(option, `${this.id}-${option.name}`, checked);
      made.input.addEventListener("change", () => {
        this.checked[option.name] = made.input.checked;
        this.model.send({ type: "options", options: this.chosen() });
        this.label();
      });
      this.options[option.name] = made;
      this.rows.append(made.row);
    }
  }

  buildActions() {
    this.actions.replaceChildren(
      ...(this.view.actions || []).map((action) => {
        const button = make("button", { type: "button", class: "alchemer-action" }, action.label);
        button.addEventListener("click", () => this.act(action.name));
        return button;
      }),
    );
  }

  showError(box, text, next) {
    box.error.textContent = text;
    box.next.textContent = next;
    box.row.classList.toggle("alchemer-wrong", Boolean(text));
    box.input.setAttribute("aria-invalid", text ? "true" : "false");
  }

  showErrors(errors, hints) {
    let first = null;
    for (const [name, box] of Object.entries(this.boxes)) {
      this.showError(box, errors[name] || "", hints[name] || "");
      if (errors[name] && !first) first = box.input;
    }
    this.general.textContent = errors[""] || "";
    this.generalNext.textContent = hints[""] || "";
    if (first && this.form.contains(document.activeElement)) first.focus();
  }

  chosen() {
    const entries = Object.entries(this.options);
    return Object.fromEntries(entries.map(([name, { input }]) => [name, input.checked]));
  }

  label() {
    const options = this.view.options || [];
    const other = options.find((o) => o.button && this.checked[o.name]);
    const idle = other ? other.button : this.view.button || "";
    this.button.textContent = this.busy ? this.view.busy || "Please wait …" : idle;
    // Not `disabled`: that would remove the focus, and nothing would restore it.
    this.button.setAttribute("aria-disabled", String(this.busy));
    this.button.setAttribute("aria-busy", String(this.busy));
    for (const action of this.actions.children) {
      action.setAttribute("aria-disabled", String(this.busy));
    }
  }

  setBusy(busy) {
    this.busy = busy;
    clearTimeout(this.timer);
    this.slow.textContent = "";
    if (busy) {
      this.timer = setTimeout(() => { this.slow.textContent = SLOW; }, SLOW_MS);
    }
    this.label();
  }

  submit() {
    if (this.busy) return;
    this.panel = this.form.closest(".alchemer-panel");
    const fields = Object.keys(this.boxes);
    const typed = Object.values(this.boxes).map(({ input }) => input.value);
    this.setBusy(true);
    const { attempt } = this.view;
    const content = { type: "submit", attempt, fields, options: this.chosen() };
    // As buffers, which no log of messages shows.
    const encoder = new TextEncoder();
    this.model.send(content, undefined, typed.map((text) => encoder.encode(text)));
    // Where a box is empty, the answer may be to fill it in.
    if (typed.every((text) => text.trim())) this.empty();
  }

  act(name) {
    if (this.busy) return;
    this.setBusy(true);
    this.model.send({ type: "action", attempt: this.view.attempt, name });
  }

  empty() {
    for (const { input } of Object.values(this.boxes)) input.value = "";
  }
}

export default {
  render({ model, el }) {
    const form = new Form(model, el);
    return () => form.close();
  },
};
