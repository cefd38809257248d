// Builds scopes by choosing; what is built stands in the field as text, one a line, and can be changed there.
(() => {
  const builder = document.querySelector("[data-scopes]");
  const field = builder && document.getElementById(builder.dataset.scopes);
  if (!field) return;
  const part = (name) => builder.querySelector(`[data-part=${name}]`).value.trim();
  builder.querySelector("[data-act=add]").addEventListener("click", () => {
    const scope = `${part("protocol")}:${part("name") || "*"}:${part("action")}`;
    const lines = field.value.split("\n").map((line) => line.trim()).filter(Boolean);
    if (!lines.includes(scope)) lines.push(scope);
    field.value = lines.join("\n");
    document.getElementById("said").textContent = scope;
  });
})();
