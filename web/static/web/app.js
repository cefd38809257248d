// Everything here improves pages that already work without it.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const say = (text) => { document.getElementById("said").textContent = text; };

  const copied = async (text) => {
    try { await navigator.clipboard.writeText(text); return true; } catch { /* plain http: the old way below */ }
    const area = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button || !(await copied(button.dataset.copy))) return;
    const label = button.dataset.label ??= button.textContent;
    button.textContent = button.dataset.done;
    say(button.dataset.done);
    setTimeout(() => { button.textContent = label; say(""); }, 1600);
  });

  // A form with data-confirm asks in a dialog; without script the server asks on a page of its own.
  document.addEventListener("submit", (event) => {
    const form = event.target, ask = document.getElementById("ask");
    if (!form.dataset.confirm || form.elements.confirm) return;
    event.preventDefault();
    document.getElementById("ask-title").textContent = form.dataset.confirm;
    document.getElementById("ask-text").textContent = form.dataset.text;
    document.getElementById("ask-yes").textContent = form.dataset.act;
    ask.returnValue = "no";
    ask.onclose = () => {
      if (ask.returnValue !== "yes") return;
      form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "confirm", value: "yes" }));
      form.submit();
    };
    ask.showModal();
  });

  document.addEventListener("keydown", (event) => {
    const search = document.getElementById("q");
    if (event.key !== "/" || !search || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("textarea, select, [contenteditable], input:not([type=checkbox], [type=radio])")) return;
    event.preventDefault();
    search.focus();
  });
})();
