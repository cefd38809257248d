// A form with data-progress sends its file with a bar; without script the browser sends it as any other form.
(() => {
  const answered = (request, form) => {
    if (request.status === 204) { location.assign(request.getResponseHeader("X-Location")); return; }
    const page = new DOMParser().parseFromString(request.responseText, "text/html");  // refused: the same page, saying why
    document.querySelector("main").replaceWith(page.querySelector("main"));
    bind(document.querySelector("form[data-progress]"));
    document.querySelector("[role=alert], .error")?.scrollIntoView({ block: "center" });
  };

  const send = (form) => {
    const request = new XMLHttpRequest(), bar = form.querySelector("progress"), button = form.querySelector("button.primary");
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "text/html");
    request.setRequestHeader("X-Requested-With", "XMLHttpRequest");
    request.upload.addEventListener("progress", ({ loaded, total }) => { bar.value = total ? Math.round((loaded / total) * 100) : 0; });
    request.addEventListener("load", () => answered(request, form));
    request.addEventListener("error", () => form.submit());
    bar.hidden = false;
    button.disabled = true;
    request.send(new FormData(form));
  };

  const bind = (form) => {
    if (!form) return;
    form.addEventListener("submit", (event) => { event.preventDefault(); send(form); });
    form.addEventListener("dragover", (event) => event.preventDefault());
    form.addEventListener("drop", (event) => {  // a file dropped anywhere on the form is chosen
      event.preventDefault();
      if (event.dataTransfer.files.length) form.querySelector("input[type=file]").files = event.dataTransfer.files;
    });
  };

  bind(document.querySelector("form[data-progress]"));
})();
