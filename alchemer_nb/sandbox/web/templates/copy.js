// A button beside each key. Without scripts, a click on a key selects all of it.
for (const code of document.querySelectorAll("code.pick")) {
  const button = document.createElement("button");
  const what = code.closest("dd")?.previousElementSibling?.textContent ?? "text";
  const say = (word) => {
    button.textContent = word;
    button.setAttribute("aria-label", word + " " + what);
  };
  button.type = "button";
  button.className = "plain copy";
  button.setAttribute("aria-live", "polite");
  say("Copy");
  button.addEventListener("click", async () => {
    getSelection().selectAllChildren(code);
    try {
      await navigator.clipboard.writeText(code.textContent);
      say("Copied");
    } catch {  // over http from another computer there is no clipboard
      say(document.execCommand("copy") ? "Copied" : "Press Ctrl+C");
    }
  });
  code.after(" ", button);
}
