// Rows of a list with data-order are dragged into another order; the buttons in each row do the same without script.
(() => {
  const list = document.querySelector("[data-order]"), form = document.getElementById("order");
  if (!list || !form) return;
  let held = null;
  list.querySelectorAll("[draggable]").forEach((row) => {
    row.addEventListener("dragstart", (event) => { held = row; event.dataTransfer.effectAllowed = "move"; row.classList.add("held"); });
    row.addEventListener("dragend", () => {
      row.classList.remove("held");
      held = null;
      const ids = [...list.querySelectorAll("[draggable]")].map((one) => one.dataset.id).join(",");
      if (ids === form.elements.ids.value) return;
      form.elements.ids.value = ids;
      form.submit();
    });
    row.addEventListener("dragover", (event) => {
      if (!held || held === row) return;
      event.preventDefault();
      const box = row.getBoundingClientRect();
      const detail = (one) => one.nextElementSibling?.matches(".told") ? one.nextElementSibling : null;
      const told = detail(held);
      event.clientY < box.top + box.height / 2 ? row.before(held) : (detail(row) ?? row).after(held);
      if (told) held.after(told);
    });
  });
})();
